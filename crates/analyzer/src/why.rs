//! The life of one path: every layer that touched it, what that costs, and what hides it.

use crate::account::Account;
use crate::entry::{Kind, split};
use crate::tree::{Fate, NodeId};

mod below;
mod content;
mod event;
mod through;

pub use below::Below;
pub use event::{Action, Event};
pub use through::Through;

/// What became of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The final filesystem has it, or another path of it leads to the content it had.
    Live,
    /// A layer has it, and it is in the final filesystem under no name.
    Wasted,
    /// No layer has it.
    Absent,
}

impl State {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Wasted => "wasted",
            Self::Absent => "absent",
        }
    }
}

/// The life of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The path, cleaned.
    pub path: Vec<u8>,
    /// What became of it.
    pub state: State,
    /// What stands there in the end.
    pub final_kind: Option<Kind>,
    /// Where it leads, if it is a symlink.
    pub link: Vec<u8>,
    /// The symlink on the way to it, which hides it.
    pub through: Option<Through>,
    /// The layer that its content is from; of a path that is gone, the last that had it.
    pub layer: Option<usize>,
    /// Content bytes of the file that stands there, or stood there last; of anything else, of
    /// all files below.
    pub bytes: u64,
    /// Bytes that the path, and what is below it, leads to in the final filesystem.
    pub live: u64,
    /// Bytes that it led to and that are wasted.
    pub wasted: u64,
    /// The other names of the file that stands there.
    pub hard_links: Vec<Vec<u8>>,
    /// Paths elsewhere that keep alive what this one led to, with the bytes, the largest first.
    pub kept: Vec<(Vec<u8>, u64)>,
    /// Bottom layer first.
    pub events: Vec<Event>,
    /// What is below it, the largest first.
    pub below: Vec<Below>,
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
    let tree = &account.tree;
    let contents = content::contents(account, path);
    let events = event::events(account, path, &contents);
    let size = |at: u32| account.payloads[at as usize].size;
    let is_live = |at: u32| matches!(account.payloads[at as usize].fate, Fate::Live(_));
    let led_to = || contents.names.keys().copied();
    let live: u64 = contents.now.iter().map(|at| size(*at)).sum();
    let wasted: u64 = led_to().filter(|at| !is_live(*at)).map(size).sum();
    let mut kept: Vec<(Vec<u8>, u64)> = led_to()
        .filter(|at| is_live(*at) && !contents.now.contains(at) && size(*at) > 0)
        .filter_map(|at| Some((tree.path(account.nodes[at as usize]?), size(at))))
        .collect();
    kept.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));

    let node = tree.find(path);
    let payload = node.and_then(|node| tree.payload(node));
    let had = events.iter().rev().find(|event| event.entries > 0).map(|event| event.layer);
    let state = match (node, contents.last) {
        (Some(_), _) => State::Live,
        (None, Some(last)) if is_live(last) => State::Live,
        (None, _) if had.is_some() => State::Wasted,
        (None, _) => State::Absent,
    };
    let layer = match (node, payload) {
        (_, Some(payload)) => Some(account.payloads[payload as usize].entry.layer as usize),
        // The root of an image without layers is of none.
        (Some(node), None) => {
            Some(tree.entry(node).layer as usize).filter(|at| *at < account.layers.len())
        }
        (None, None) => had,
    };
    let bytes = match (node, payload.or(contents.last.filter(|_| node.is_none()))) {
        (_, Some(file)) => size(file),
        (Some(_), None) => live,
        (None, None) => wasted,
    };
    let is_symlink = |node: &NodeId| tree.kind(*node) == Kind::Symlink;
    Why {
        path: path.to_vec(),
        state,
        final_kind: node.map(|node| tree.kind(node)),
        link: node
            .filter(is_symlink)
            .map(|node| account.entry(tree.entry(node)).link().to_vec())
            .unwrap_or_default(),
        through: through::through(account, path),
        layer,
        bytes,
        live,
        wasted,
        hard_links: node.map(|node| hard_links(account, node)).unwrap_or_default(),
        kept,
        events,
        below: below::below(account, path, &contents),
    }
}

/// The other names of a file, in order.
fn hard_links(account: &Account, node: NodeId) -> Vec<Vec<u8>> {
    let tree = &account.tree;
    let Some(payload) = tree.payload(node) else { return Vec::new() };
    if matches!(account.payloads[payload as usize].fate, Fate::Live(1)) {
        return Vec::new();
    }
    tree.walk(NodeId::ROOT)
        .filter(|other| *other != node && tree.payload(*other) == Some(payload))
        .map(|other| tree.path(other))
        .collect()
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
