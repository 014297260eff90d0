//! Which file of the new image stands for which of the old. A file may have several names; one
//! that both images know makes it the same file, however many of the others came or went.

use std::collections::{BTreeMap, HashSet};

use crate::account::Account;
use crate::diff::same_entry;
use crate::tree::NodeId;

/// A file that is in both images.
pub(super) struct Pair {
    /// The first of the names by which it is known.
    pub(super) path: Vec<u8>,
    /// Its payload in the old image.
    pub(super) old: u32,
    /// Its payload in the new image.
    pub(super) new: u32,
}

/// The live payloads with content of two images, each once.
pub(super) struct Pairs {
    /// In both. In the order of paths.
    pub(super) both: Vec<Pair>,
    /// Only in the old image, by the first of its names. In the order of paths.
    pub(super) gone: Vec<(Vec<u8>, u32)>,
    /// Only in the new image, likewise.
    pub(super) come: Vec<(Vec<u8>, u32)>,
}

pub(super) fn pair(old: &Account, new: &Account) -> Pairs {
    let (before, after) = (names(old), names(new));
    let (mut taken_old, mut taken_new) = (HashSet::new(), HashSet::new());
    let mut pairs = Vec::new();
    // Where names were tied or untied, the same entry of the same layer says who is who.
    for must_be_same in [true, false] {
        for (path, now) in &after {
            let Some(was) = before.get(path) else { continue };
            if taken_old.contains(was)
                || taken_new.contains(now)
                || must_be_same && !same_entry(old, *was, new, *now)
            {
                continue;
            }
            taken_old.insert(*was);
            taken_new.insert(*now);
            pairs.push(Pair { path: path.clone(), old: *was, new: *now });
        }
    }
    pairs.sort_by(|a, b| a.path.cmp(&b.path));
    Pairs { both: pairs, gone: others(before, taken_old), come: others(after, taken_new) }
}

/// Every name of every file with content.
fn names(account: &Account) -> BTreeMap<Vec<u8>, u32> {
    let tree = &account.tree;
    tree.walk(NodeId::ROOT)
        .filter_map(|node| Some((node, tree.payload(node)?)))
        .filter(|(_, at)| account.payloads[*at as usize].size > 0)
        .map(|(node, at)| (tree.path(node), at))
        .collect()
}

/// What was not taken, each once under its first name.
fn others(names: BTreeMap<Vec<u8>, u32>, mut taken: HashSet<u32>) -> Vec<(Vec<u8>, u32)> {
    names.into_iter().filter(|(_, at)| taken.insert(*at)).collect()
}
