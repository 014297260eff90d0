//! Links of the alternatives system (Debian's and Red Hat's): `/usr/bin/editor` leads to
//! `/etc/alternatives/editor`, and that to a file of the package that is chosen. No package lists
//! either link; they count as the package's that they lead to.

use crate::entry::Kind;
use crate::facts::filesystem::Filesystem;
use crate::facts::package::Packages;

const DIRECTORY: &[u8] = b"etc/alternatives";

/// Finds them.
pub(super) fn read(files: &Filesystem<'_>, packages: &mut Packages) {
    let tree = files.tree();
    let Some(directory) = files.find(DIRECTORY).map(|found| found.node) else { return };
    for &node in files.nodes() {
        if tree.kind(node) != Kind::Symlink || packages.owner(node).is_some() {
            continue;
        }
        let Some(found) = files.find(&tree.path(node)) else { continue };
        let is_one = |link| tree.parent(link) == Some(directory);
        let Some(owner) = packages.owner_position(found.node) else { continue };
        if found.links.iter().take(2).copied().any(is_one)
            && let Ok(owner) = u32::try_from(owner)
        {
            packages.owners[node.0 as usize] = owner;
            packages.alternatives.insert(node);
        }
    }
}
