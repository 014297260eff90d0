//! Applies layers, and follows every payload from the layer that brought it to the one that took
//! its last path away.
//!
//! A layer's whiteouts act on the layers below it, wherever they stand in its tar, so they are
//! applied first and its entries after them. Each node dies at most once, and each entry is
//! looked at twice: the work is linear in entries.

use std::sync::Arc;

use crate::entry::{Kind, Whiteout, split};
use crate::error::{Error, Result};
use crate::layer::index::{Entry, LayerIndex, NONE, position};
use crate::limits::{IMPLIED_FLOOR, IMPLIED_PER_ENTRY, NAMES_MAX, WARNINGS_MAX};
use crate::tree::nodes::{EntryId, NodeId, Tree};
use crate::tree::walk::{Step, Walk};
use jettison_oci::escape;

/// Nodes of all layers together: 40 bytes each.
const NODES_MAX: usize = 50_000_000;

/// Rounds in which hard links to later names are settled: a hostile chain of them must not cost
/// the square of its length.
const LINK_ROUNDS_MAX: usize = 64;

/// Why a payload is in the image and in no file of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// A later layer wrote other content to the path.
    Overwritten,
    /// A later layer wrote the same content again, with other mode, owner, times or attributes.
    MetadataOnly,
    /// A whiteout removed the path, or a directory above it.
    Removed,
    /// An opaque whiteout emptied the directory.
    Opaque,
    /// The path became a directory, a link or a device, or a directory became something else.
    Replaced,
    /// The same layer brings the path again.
    Repeated,
}

impl Cause {
    /// Every cause, in the order of reports.
    pub const ALL: [Self; 6] = [
        Self::Overwritten,
        Self::MetadataOnly,
        Self::Removed,
        Self::Opaque,
        Self::Replaced,
        Self::Repeated,
    ];

    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overwritten => "overwritten",
            Self::MetadataOnly => "metadata-only",
            Self::Removed => "removed",
            Self::Opaque => "opaque",
            Self::Replaced => "replaced",
            Self::Repeated => "repeated",
        }
    }
}

/// What became of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// So many paths lead to it.
    Live(u32),
    /// None does.
    Wasted {
        /// Why. `Overwritten` may turn out as `MetadataOnly` once the contents are compared.
        cause: Cause,
        /// The layer that took the last path.
        hidden_by: u32,
        /// The payload that stands at the path instead, or `u32::MAX`.
        successor: u32,
    },
}

/// The content of one regular-file entry of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The entry that carries it.
    pub entry: EntryId,
    /// Content bytes.
    pub size: u64,
    /// What became of it.
    pub fate: Fate,
}

/// A hard-link entry, and the content that its name led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The entry.
    pub entry: EntryId,
    /// Position in the table of payloads.
    pub payload: u32,
}

/// An image's layers, applied.
pub struct Stacked {
    /// The final filesystem.
    pub tree: Tree,
    /// Every payload of every layer, in the order of layers and entries.
    pub payloads: Vec<Payload>,
    /// Every hard link to a payload, in the order in which they were settled.
    pub links: Vec<Link>,
    /// What was odd about the layers.
    pub warnings: Vec<String>,
}

/// Applies `layers`, bottom first.
pub fn stack(layers: &[Arc<LayerIndex>]) -> Result<Stacked> {
    let mut stacker = Stacker {
        tree: Tree::new(),
        payloads: Vec::new(),
        links: Vec::new(),
        warnings: Vec::new(),
        layers,
        layer: 0,
        entries: 0,
        implied: 0,
        parent: None,
    };
    for (at, layer) in layers.iter().enumerate() {
        stacker.layer = position(at);
        stacker.apply(layer)?;
    }
    let Stacker { tree, payloads, links, warnings, .. } = stacker;
    Ok(Stacked { tree, payloads, links, warnings })
}

struct Stacker<'a> {
    tree: Tree,
    payloads: Vec<Payload>,
    links: Vec<Link>,
    warnings: Vec<String>,
    layers: &'a [Arc<LayerIndex>],
    layer: u32,
    /// Entries applied, and directories that none of them described when they were made.
    entries: usize,
    implied: usize,
    /// The directory of the entry before: neighbours in a tar mostly share it.
    parent: Option<(&'a [u8], NodeId)>,
}

impl<'a> Stacker<'a> {
    fn apply(&mut self, layer: &'a LayerIndex) -> Result<()> {
        for entry in layer.entries() {
            match entry.whiteout() {
                Some(Whiteout::Path { directory, name }) => {
                    let parent = self.tree.find(directory);
                    if let Some(found) = parent.and_then(|p| self.tree.child(p, name)) {
                        self.remove(found, Cause::Removed);
                    }
                }
                Some(Whiteout::Opaque { directory }) => {
                    if let Some(directory) = self.tree.find(directory) {
                        let children: Vec<NodeId> = self.tree.children(directory).collect();
                        for child in children {
                            self.remove(child, Cause::Opaque);
                        }
                    }
                }
                Some(Whiteout::Bookkeeping) | None => {}
            }
        }
        self.parent = None;
        let mut pending = Vec::new();
        for entry in layer.entries() {
            if self.tree.made() > NODES_MAX
                || self.tree.names_len() + entry.path().len() > NAMES_MAX
            {
                return Err(Error::Limit {
                    what: "the image".to_owned(),
                    limit: format!("{} paths", self.tree.made()),
                    max: NODES_MAX.to_string(),
                    remedy: "",
                });
            }
            self.entries += 1;
            let implied_max = IMPLIED_FLOOR + IMPLIED_PER_ENTRY * self.entries;
            if self.implied > implied_max {
                return Err(Error::Limit {
                    what: format!("layer {}", self.layer),
                    limit: format!("{} directories that no entry describes", self.implied),
                    max: format!("{implied_max} for {} entries", self.entries),
                    remedy: "",
                });
            }
            if entry.whiteout().is_some() {
                // Docker and podman make the directories above a whiteout as those above a file.
                self.directory(split(entry.path()).0);
            } else if !self.place(entry) {
                pending.push(entry);
            }
        }
        // Links may point at names that come later, which runtimes refuse; each round settles at
        // least one of a chain.
        for _ in 0..LINK_ROUNDS_MAX {
            let before = pending.len();
            pending.retain(|entry| !self.place(*entry));
            if pending.len() == before {
                break;
            }
        }
        for entry in pending {
            self.dangling(entry);
        }
        Ok(())
    }

    /// Applies one entry; false if it is a hard link whose target is not there yet.
    fn place(&mut self, entry: Entry<'a>) -> bool {
        let id = EntryId { layer: self.layer, position: position(entry.position()) };
        if entry.path().is_empty() {
            if entry.kind() == Kind::Directory {
                self.tree.node_mut(NodeId::ROOT).entry = id;
            } else {
                self.warn(format!(
                    "layer {}: an entry that is no directory is named /",
                    self.layer
                ));
            }
            return true;
        }
        let (kind, id, payload) = match entry.kind() {
            Kind::File => {
                self.payloads.push(Payload { entry: id, size: entry.size(), fate: Fate::Live(1) });
                (Kind::File, id, position(self.payloads.len() - 1))
            }
            Kind::HardLink => match self.follow(entry.link()) {
                None => return false,
                Some(target) if self.tree.kind(target) == Kind::Directory => {
                    self.warn(format!(
                        "layer {}: \"{}\" is a hard link to a directory and is left out",
                        self.layer,
                        escape::path(entry.path())
                    ));
                    return true;
                }
                Some(target) => {
                    let node = self.tree.node(target);
                    let found = (node.kind, node.entry, node.payload);
                    // A name that links to itself changes nothing.
                    if self.tree.find(entry.path()) == Some(target) {
                        return true;
                    }
                    if found.2 != NONE {
                        self.hold(found.2);
                        self.links.push(Link { entry: id, payload: found.2 });
                    }
                    found
                }
            },
            kind => (kind, id, NONE),
        };
        let (directory, name) = split(entry.path());
        let parent = self.directory(directory);
        self.put(parent, name, kind, id, payload);
        true
    }

    fn put(&mut self, parent: NodeId, name: &[u8], kind: Kind, entry: EntryId, payload: u32) {
        let Some(existing) = self.tree.child(parent, name) else {
            self.tree.add(parent, name, kind, entry, payload);
            return;
        };
        let before = self.tree.kind(existing);
        // The known directory may have been reached through the very link that goes.
        if before != kind || before == Kind::Symlink {
            self.parent = None;
        }
        if before == Kind::Directory && kind != Kind::Directory {
            self.remove(existing, Cause::Replaced);
            self.tree.add(parent, name, kind, entry, payload);
            return;
        }
        let node = self.tree.node_mut(existing);
        let old = std::mem::replace(&mut node.payload, payload);
        node.kind = kind;
        node.entry = entry;
        if old != NONE {
            let cause = if kind == Kind::File { Cause::Overwritten } else { Cause::Replaced };
            self.release(old, cause, payload);
        }
    }

    /// The node of a directory that entries of this layer go into; what is missing is made.
    fn directory(&mut self, path: &'a [u8]) -> NodeId {
        if let Some((known, node)) = self.parent
            && known == path
        {
            return node;
        }
        let node = self.descend(path);
        self.parent = Some((path, node));
        node
    }

    /// Docker unpacks a layer by itself, so where a directory is needed, a symlink of the same
    /// layer is followed, and anything else that is no directory becomes one.
    fn descend(&mut self, path: &'a [u8]) -> NodeId {
        let mut walk = Walk::new(path);
        // The first link, and what of the path stands behind it.
        let mut first = None;
        let mut at = NodeId::ROOT;
        while let Some(step) = walk.next() {
            let name = match step {
                Step::Root => {
                    at = NodeId::ROOT;
                    continue;
                }
                Step::Up => {
                    at = self.tree.parent(at).unwrap_or(NodeId::ROOT);
                    continue;
                }
                Step::Down(name) => name,
            };
            let Some(child) = self.tree.child(at, name) else {
                self.implied += 1;
                let implied = EntryId { layer: self.layer, position: NONE };
                at = self.tree.add(at, name, Kind::Directory, implied, NONE);
                continue;
            };
            let is_own = self.tree.entry(child).layer == self.layer;
            match self.tree.kind(child) {
                Kind::Directory => at = child,
                Kind::Symlink if is_own => {
                    let (link, rest) = *first.get_or_insert((child, walk.rest()));
                    if !walk.enter(self.target(child)) {
                        // The link leads in a circle, or nowhere: it can hold nothing.
                        self.make_directory(link);
                        at = link;
                        walk = Walk::exhausted(rest);
                        first = None;
                    }
                }
                _ => {
                    self.make_directory(child);
                    at = child;
                }
            }
        }
        at
    }

    /// Turns what stands where a directory is needed into one.
    fn make_directory(&mut self, node: NodeId) {
        self.parent = None;
        let implied = EntryId { layer: self.layer, position: NONE };
        let node = self.tree.node_mut(node);
        let old = std::mem::replace(&mut node.payload, NONE);
        node.kind = Kind::Directory;
        node.entry = implied;
        if old != NONE {
            self.release(old, Cause::Replaced, NONE);
        }
    }

    fn target(&self, link: NodeId) -> &'a [u8] {
        let EntryId { layer, position } = self.tree.entry(link);
        self.layers[layer as usize].entry(position as usize).link()
    }

    /// The node at a path as a runtime opens it to link to it: links on the way are followed,
    /// one at the end is not.
    fn follow(&self, path: &'a [u8]) -> Option<NodeId> {
        let mut walk = Walk::new(path);
        let mut at = NodeId::ROOT;
        while let Some(step) = walk.next() {
            match step {
                Step::Root => at = NodeId::ROOT,
                Step::Up => at = self.tree.parent(at).unwrap_or(NodeId::ROOT),
                Step::Down(name) => {
                    let child = self.tree.child(at, name)?;
                    match self.tree.kind(child) {
                        _ if walk.is_done() => at = child,
                        Kind::Directory => at = child,
                        Kind::Symlink if walk.enter(self.target(child)) => {}
                        _ => return None,
                    }
                }
            }
        }
        Some(at)
    }

    fn dangling(&mut self, entry: Entry<'a>) {
        self.warn(format!(
            "layer {}: \"{}\" is a hard link to \"{}\", which does not exist",
            self.layer,
            escape::path(entry.path()),
            escape::path(entry.link())
        ));
        let id = EntryId { layer: self.layer, position: position(entry.position()) };
        let (directory, name) = split(entry.path());
        let parent = self.directory(directory);
        self.put(parent, name, Kind::File, id, NONE);
    }

    fn remove(&mut self, node: NodeId, cause: Cause) {
        self.parent = None;
        let (payloads, layer) = (&mut self.payloads, self.layer);
        self.tree.remove(node, |payload| release(payloads, layer, payload, cause, NONE));
    }

    fn hold(&mut self, payload: u32) {
        if let Fate::Live(paths) = &mut self.payloads[payload as usize].fate {
            *paths += 1;
        }
    }

    fn release(&mut self, payload: u32, cause: Cause, successor: u32) {
        release(&mut self.payloads, self.layer, payload, cause, successor);
    }

    fn warn(&mut self, warning: String) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(warning);
        }
    }
}

fn release(payloads: &mut [Payload], layer: u32, payload: u32, cause: Cause, successor: u32) {
    let payload = &mut payloads[payload as usize];
    if let Fate::Live(paths) = &mut payload.fate {
        *paths -= 1;
        if *paths == 0 {
            let cause = if payload.entry.layer == layer { Cause::Repeated } else { cause };
            payload.fate = Fate::Wasted { cause, hidden_by: layer, successor };
        }
    }
}
