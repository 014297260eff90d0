//! Directories of modules as distributions and interpreters lay them out: a base, below it one for
//! each version, and one for each machine.

use std::collections::BTreeSet;

use crate::facts::filesystem::Filesystem;
use crate::tree::NodeId;

/// Steps below a base.
const DEPTH_MAX: usize = 4;
/// Directories in all.
const DIRECTORIES_MAX: usize = 256;

/// The bases that are there, each with the directories below it whose names are a version, a
/// machine, or one of `steps`.
pub(super) fn directories(files: &Filesystem<'_>, bases: &[&[u8]], steps: &[&[u8]]) -> Vec<NodeId> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut open: Vec<(NodeId, usize)> = bases
        .iter()
        .rev()
        .flat_map(|base| files.matching(base))
        .map(|found| (found.node, 0))
        .collect();
    while let Some((directory, depth)) = open.pop() {
        let known = found.len() >= DIRECTORIES_MAX || !seen.insert(directory);
        if known || !files.is_directory(directory) {
            continue;
        }
        found.push(directory);
        if depth == DEPTH_MAX {
            continue;
        }
        for child in files.sorted_children(directory) {
            let name = files.tree().name(child);
            let is_step = name.first().is_some_and(u8::is_ascii_digit)
                || memchr::memmem::find(name, b"linux").is_some()
                || steps.contains(&name);
            if is_step && let Some(below) = files.find_from(directory, name) {
                open.push((below.node, depth + 1));
            }
        }
    }
    found
}
