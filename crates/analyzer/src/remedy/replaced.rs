//! What stands in the place of files that became something else, or whose directory did.

use std::collections::{BTreeSet, HashMap};

use crate::account::{Account, Waste};
use crate::entry::Kind;

/// `a symlink in the place of a directory with`, `directories in the place of`.
pub(super) fn place(account: &Account, row: &Waste) -> String {
    let kinds = kinds(account, row.hidden_by);
    // The path that changed, what it is now, and whether it was a directory.
    let mut changes: BTreeSet<(&[u8], Kind, bool)> = BTreeSet::new();
    for at in &row.payloads {
        let path = account.entry_path(&account.payloads[*at as usize]);
        let own = kinds.get(path).filter(|kind| **kind != Kind::File);
        let above = || {
            above(path).find_map(|directory| {
                let kind = kinds.get(directory).filter(|kind| **kind != Kind::Directory)?;
                Some((directory, *kind, true))
            })
        };
        match own.map(|kind| (path, *kind, false)).or_else(above) {
            Some(change) => changes.insert(change),
            // Its last name was another one.
            None => return "something else in the place of".to_owned(),
        };
    }
    let nouns: BTreeSet<(&str, bool)> =
        changes.iter().map(|(_, kind, was_directory)| (noun(*kind), *was_directory)).collect();
    let Some((noun, was_directory)) = nouns.first().filter(|_| nouns.len() == 1) else {
        return "something else in the place of".to_owned();
    };
    match (changes.len(), was_directory) {
        (1, true) => format!("a {noun} in the place of a directory with"),
        (1, false) => format!("a {noun} in the place of"),
        (_, true) => format!("{} in the place of directories with", plural(noun)),
        (_, false) => format!("{} in the place of", plural(noun)),
    }
}

/// What a layer makes of each path, directories that its entries only imply among them.
fn kinds(account: &Account, layer: usize) -> HashMap<&[u8], Kind> {
    let index = &account.indexes[layer];
    let mut kinds: HashMap<&[u8], Kind> = index
        .entries()
        .filter(|entry| entry.whiteout().is_none())
        .map(|entry| (entry.path(), entry.kind()))
        .collect();
    for entry in index.entries() {
        for directory in above(entry.path()) {
            if kinds.contains_key(directory) {
                break;
            }
            kinds.insert(directory, Kind::Directory);
        }
    }
    kinds
}

/// The directories above a path, the nearest first; not the root.
fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..at])
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Symlink => "symlink",
        Kind::HardLink => "hard link",
        Kind::CharDevice | Kind::BlockDevice => "device",
        Kind::Fifo => "named pipe",
    }
}

fn plural(noun: &str) -> String {
    match noun {
        "directory" => "directories".to_owned(),
        noun => format!("{noun}s"),
    }
}
