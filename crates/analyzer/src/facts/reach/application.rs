//! Applications of languages that load their own parts by names made while they run: the tree that
//! holds the entry is kept whole.

use crate::facts::evidence::Evidence;
use crate::facts::kind::FileKind;
use crate::facts::package::Ecosystem;
use crate::facts::reach::{Reach, Whole, command};
use crate::limits::BELOW_MAX;
use crate::tree::NodeId;

/// Directories of an application that hold none of its code.
const SKIPPED: [&[u8]; 6] = [b".git", b".github", b"node_modules", b"test", b"tests", b"spec"];

/// The nearest directory at or above `from` that has one of `marks`.
pub(super) fn top(reach: &Reach<'_>, from: NodeId, marks: &[&[u8]]) -> Option<NodeId> {
    let tree = reach.files.tree();
    std::iter::successors(Some(from), |at| tree.parent(*at))
        .find(|at| marks.iter().any(|mark| tree.child(*at, mark).is_some()))
}

/// Claims what stands in the working directory that the image sets for an interpreter: the
/// application, as most images have it.
pub(super) fn of_working_directory(reach: &mut Reach<'_>, program: NodeId) {
    let working = reach.environment.working_directory(reach.files);
    if command::is_small(reach, working) {
        claim(reach, working, &[b"vendor"], program);
    }
}

/// Claims what stands beside a script that is the image's own, rather than a package's: templates,
/// pictures, settings.
pub(super) fn of_script(reach: &mut Reach<'_>, script: NodeId) {
    let tree = reach.files.tree();
    let Some(directory) = tree.parent(script) else { return };
    // `src/server.js` belongs to the directory of the nearest `package.json`.
    let top = top(reach, directory, &[b"package.json", b"pyproject.toml", b"manage.py"]);
    let top = top.filter(|top| command::is_small(reach, *top)).unwrap_or(directory);
    // An application has a `package.json` of its own, which makes it a package, too.
    let is_own = match reach.packages.owner(script) {
        None => true,
        Some(owner) => {
            owner.ecosystem == Ecosystem::Node
                && memchr::memmem::find(&reach.files.path(script), b"/node_modules/").is_none()
        }
    };
    if is_own && command::is_small(reach, top) {
        claim(reach, top, &[], script);
    }
}

/// Claims the files of an application for the file that it is entered by, but not those below its
/// directories named `except`.
pub(super) fn claim(reach: &mut Reach<'_>, top: NodeId, except: &[&[u8]], from: NodeId) {
    if !command::is_small(reach, top) || !reach.begins(Whole::Application, top, from) {
        return;
    }
    let tree = reach.files.tree();
    let mut open = vec![top];
    let mut taken = 0;
    while let Some(directory) = open.pop() {
        for child in reach.files.sorted_children(directory) {
            let name = tree.name(child);
            if reach.files.is_directory(child) {
                if !SKIPPED.contains(&name) && !except.contains(&name) {
                    open.push(child);
                }
                continue;
            }
            taken += 1;
            if taken > BELOW_MAX {
                return;
            }
            if reach.files.kind(child) == FileKind::Other {
                reach.claim(child, Evidence::PackageMate, "of the application of", Some(from));
            }
        }
    }
}
