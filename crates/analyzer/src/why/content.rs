//! Which contents a path leads to, or led to once, by its own entries and by hard links.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::account::Account;
use crate::why::is_within;

/// The payloads of a path and of all that is below it.
pub(super) struct Contents<'a> {
    /// Each payload with a name of it at or below the path: one that it still has, if there is
    /// one.
    pub(super) names: BTreeMap<u32, Cow<'a, [u8]>>,
    /// Those that a name there leads to in the final filesystem.
    pub(super) now: BTreeSet<u32>,
    /// The one that the path itself led to last.
    pub(super) last: Option<u32>,
}

pub(super) fn contents<'a>(account: &'a Account, path: &[u8]) -> Contents<'a> {
    let mut names = BTreeMap::new();
    let mut last = None;
    let own = (0_u32..).zip(&account.payloads).map(|(at, payload)| (payload.entry, at));
    let linked = account.links.iter().map(|link| (link.entry, link.payload));
    for (entry, at) in own.chain(linked) {
        let name = account.entry(entry).path();
        if name != path && !is_within(name, path) {
            continue;
        }
        names.entry(at).or_insert(Cow::Borrowed(name));
        if name == path {
            last = last.max(Some((entry.layer, entry.position, at)));
        }
    }
    let mut now = BTreeSet::new();
    let tree = &account.tree;
    for node in tree.find(path).into_iter().flat_map(|node| tree.walk(node)) {
        if let Some(at) = tree.payload(node)
            && now.insert(at)
        {
            names.insert(at, Cow::Owned(tree.path(node)));
        }
    }
    Contents { names, now, last: last.map(|(.., at)| at) }
}
