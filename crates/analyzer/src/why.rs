//! The life of one path: every layer that touched it, what that costs, and what hides it.

use crate::account::Account;
use crate::entry::{Kind, Whiteout, split};
use crate::tree::Fate;

/// What a layer did to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It brought the path, or entries below it.
    Adds,
    /// It brought the path where a lower layer, or it itself, already had it.
    Rewrites,
    /// A whiteout removed the path.
    Removes,
    /// A whiteout removed a directory above the path.
    RemovesAbove,
    /// Whiteouts removed paths below the path.
    RemovesBelow,
    /// An opaque whiteout emptied the path, or a directory above it.
    Empties,
    /// It put something else than a directory above the path.
    ReplacesAbove,
}

impl Action {
    /// The words in reports.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Adds => "adds",
            Self::Rewrites => "rewrites",
            Self::Removes => "removes",
            Self::RemovesAbove => "removes a directory above",
            Self::RemovesBelow => "removes paths below",
            Self::Empties => "empties",
            Self::ReplacesAbove => "replaces a directory above",
        }
    }
}

/// One layer's part in the life of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The layer.
    pub layer: usize,
    /// What it did.
    pub action: Action,
    /// Its entries at and below the path.
    pub entries: usize,
    /// Payload bytes it brought there.
    pub added: u64,
    /// Of those, wasted in the final image.
    pub wasted: u64,
    /// Payload bytes there that it hid.
    pub hidden: u64,
}

/// The life of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The path, cleaned.
    pub path: Vec<u8>,
    /// What stands there in the end.
    pub final_kind: Option<Kind>,
    /// Where it leads, if it is a symlink.
    pub link: Vec<u8>,
    /// Live bytes of the entries at and below the path.
    pub live: u64,
    /// Wasted bytes of the entries at and below the path.
    pub wasted: u64,
    /// Bottom layer first.
    pub events: Vec<Event>,
}

/// The word for a kind of node.
pub const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::File | Kind::HardLink => "file",
        Kind::Directory => "directory",
        Kind::Symlink => "symlink",
        Kind::CharDevice => "character device",
        Kind::BlockDevice => "block device",
        Kind::Fifo => "named pipe",
    }
}

/// Collects what every layer did to `path`, which is cleaned.
pub fn why(account: &Account, path: &[u8]) -> Why {
    let mut events: Vec<Event> = Vec::new();
    let mut existed = false;
    for (layer, index) in account.indexes.iter().enumerate() {
        let (mut adds, mut hides) = (None, None);
        let (mut entries, mut below) = (0, false);
        for entry in index.entries() {
            let own = entry.path();
            match entry.whiteout() {
                Some(Whiteout::Path { directory, name }) => match is_child(path, directory, name) {
                    Some(true) => hides = Some(Action::Removes),
                    Some(false) => _ = hides.get_or_insert(Action::RemovesAbove),
                    None => below |= directory == path || is_within(directory, path),
                },
                Some(Whiteout::Opaque { directory }) => {
                    if directory == path || is_within(path, directory) {
                        hides.get_or_insert(Action::Empties);
                    }
                    below |= is_within(directory, path);
                }
                Some(Whiteout::Bookkeeping) => {}
                None if own == path => {
                    entries += 1;
                    adds = Some(if existed { Action::Rewrites } else { Action::Adds });
                }
                None if is_within(own, path) => {
                    entries += 1;
                    adds.get_or_insert(Action::Adds);
                }
                None => {
                    if entry.kind() != Kind::Directory && is_within(path, own) {
                        hides.get_or_insert(Action::ReplacesAbove);
                    }
                }
            }
        }
        // A whiteout of what no lower layer has did nothing.
        let hides = hides.or(below.then_some(Action::RemovesBelow)).filter(|_| existed);
        let event =
            |action, entries| Event { layer, action, entries, added: 0, wasted: 0, hidden: 0 };
        events.extend(hides.map(|action| event(action, 0)));
        events.extend(adds.map(|action| event(action, entries)));
        existed = adds.is_some() || (existed && matches!(hides, None | Some(Action::RemovesBelow)));
    }
    let (mut live, mut wasted) = (0, 0);
    for payload in &account.payloads {
        let at = account.entry_path(payload);
        if at != path && !is_within(at, path) {
            continue;
        }
        let added_by = payload.entry.layer as usize;
        let mut gone = 0;
        match payload.fate {
            Fate::Live(_) => live += payload.size,
            Fate::Wasted { hidden_by, .. } => {
                wasted += payload.size;
                gone = payload.size;
                let hidden_by = hidden_by as usize;
                if let Some(event) = events.iter_mut().find(|event| event.layer == hidden_by) {
                    event.hidden += payload.size;
                }
            }
        }
        if let Some(event) =
            events.iter_mut().find(|event| event.layer == added_by && event.entries > 0)
        {
            event.added += payload.size;
            event.wasted += gone;
        }
    }
    let node = account.tree.find(path);
    let link = node
        .filter(|node| account.tree.kind(*node) == Kind::Symlink)
        .map(|node| {
            let entry = account.tree.entry(node);
            account.indexes[entry.layer as usize].entry(entry.position as usize).link().to_vec()
        })
        .unwrap_or_default();
    Why {
        path: path.to_vec(),
        final_kind: node.map(|node| account.tree.kind(node)),
        link,
        live,
        wasted,
        events,
    }
}

/// Whether `path` is below `directory`.
fn is_within(path: &[u8], directory: &[u8]) -> bool {
    directory.is_empty() && !path.is_empty()
        || path.len() > directory.len()
            && path.starts_with(directory)
            && path[directory.len()] == b'/'
}

/// Whether `directory/name` is `path` (true) or stands above it (false).
fn is_child(path: &[u8], directory: &[u8], name: &[u8]) -> Option<bool> {
    let (own_directory, own_name) = split(path);
    if own_directory == directory && own_name == name {
        return Some(true);
    }
    let rest = if directory.is_empty() {
        path
    } else {
        path.strip_prefix(directory)?.strip_prefix(b"/")?
    };
    (rest.starts_with(name) && rest.get(name.len()) == Some(&b'/')).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_by_component() {
        assert!(is_within(b"a/b", b"a") && is_within(b"a", b"") && !is_within(b"", b""));
        assert!(!is_within(b"ab", b"a") && !is_within(b"a", b"a"));
        assert_eq!(is_child(b"a/b", b"a", b"b"), Some(true));
        assert_eq!(is_child(b"a/b/c", b"a", b"b"), Some(false));
        assert_eq!(is_child(b"a/bc", b"a", b"b"), None);
        assert_eq!(is_child(b"a", b"", b"a"), Some(true));
    }
}
