//! dive's three figures, by dive's own definitions, so that people can compare.
//!
//! dive makes a tree of each layer's entries and visits its leaves, whiteouts among them under
//! the path that they hide. A leaf counts with the bytes of its entry; the whiteout of a directory
//! with the bytes that the layers below, stacked, have in it; every other whiteout with nothing. A
//! path visited twice is inefficient, and all of its bytes are wasted. The stacked tree follows
//! dive to the letter where that decides a figure:
//!
//! - A directory that a layer only implies is not one for dive: its whiteout counts nothing.
//! - A file or link put over a directory keeps the directory's children, unseen.
//! - A layer is stacked in the order of names, so `.wh..cache` hides the `.cache` of its own layer.
//! - The lowest layer is stacked twice, its whiteouts staying in the tree as files.
//! - Names in `.wh..wh..` are dropped, the directories above them stay. Opaque whiteouts hide
//!   nothing.
//!
//! Where dive gives up by mistake, the definition goes on: a whiteout of nothing counts nothing
//! (dive leaves out the rest of its layer), a layer that an archive links to is read (dive takes
//! it for empty), and PAX global headers change nothing (dive refuses the image).
//!
//! dive stacks all lower layers anew for each whiteout. Here the stacked tree is kept, a removal
//! leaves what lies below to be found outdated later, and the work is linear in entries.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::entry::Kind;
use crate::layer::index::{LayerIndex, NONE, position};

/// What dive would print, were its answer the same on each run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DiveFigures {
    /// `efficiencyScore`: the least bytes of each path over all bytes of it, over all layers.
    pub efficiency_score: f64,
    /// `inefficientBytes`: bytes of every path that occurs in two layers or more, the copy that
    /// must be kept included.
    pub wasted_bytes: u64,
    /// The latter over the bytes of all layers but the first; `None` where those have none.
    pub user_wasted_percent: Option<f64>,
}

/// Computes the figures.
#[expect(clippy::cast_precision_loss, reason = "dive divides the same integers as floats")]
pub fn figures(layers: &[Arc<LayerIndex>]) -> DiveFigures {
    let mut paths = Paths::new();
    let mut nodes = Vec::new();
    for (at, layer) in layers.iter().enumerate() {
        paths.read(layer, &mut nodes);
        if at == 0 {
            paths.enter_all(&nodes);
        }
        paths.visit(&nodes);
        paths.stack(&nodes);
    }
    let (mut least, mut all, mut wasted) = (0_u128, 0_u128, 0_u64);
    for path in paths.all.iter().filter(|path| path.visits > 0) {
        least += u128::from(path.least);
        all += u128::from(path.bytes);
        if path.visits > 1 {
            wasted = wasted.saturating_add(path.bytes);
        }
    }
    let user: u128 = layers
        .iter()
        .skip(1)
        .flat_map(|layer| layer.entries())
        .map(|entry| u128::from(entry.size()))
        .sum();
    DiveFigures {
        efficiency_score: if all == 0 { 1.0 } else { least as f64 / all as f64 },
        wasted_bytes: wasted,
        user_wasted_percent: (user > 0).then(|| wasted as f64 / user as f64),
    }
}

const ROOT: u32 = 0;
const WHITEOUT: &[u8] = b".wh.";
const DROPPED: &[u8] = b".wh..wh..";

/// A path of any layer, with its place in the stacked tree and what its visits came to.
struct Path {
    parent: u32,
    name_start: usize,
    name_len: usize,
    /// Position in the present layer's nodes, if the node there names this path.
    slot: u32,
    /// When it last came into the stacked tree; 0 for never.
    born: u32,
    /// When it was last taken out.
    gone: u32,
    /// When it or a path above it was last taken out, as was known at `known`.
    cut: u32,
    known: u32,
    visits: u32,
    /// Of its entry in the stacked tree.
    is_directory: bool,
    /// Bytes of its entry in the stacked tree, and of all entries from it down.
    own: u64,
    total: u64,
    /// Bytes of all visits, and of the smallest.
    bytes: u64,
    least: u64,
}

/// A node of one layer's tree; what an entry does not describe has no bytes and is no directory.
struct Node {
    path: u32,
    size: u64,
    is_directory: bool,
    is_leaf: bool,
}

/// Every path of the image. The stacked tree is the paths that are in force: born, and neither
/// they nor anything above them taken out since.
struct Paths {
    all: Vec<Path>,
    names: Vec<u8>,
    lookup: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Removals so far, and one.
    now: u32,
}

impl Paths {
    fn new() -> Self {
        let mut paths = Self {
            all: Vec::new(),
            names: Vec::new(),
            lookup: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            now: 1,
        };
        paths.push(NONE, b"");
        paths.all[ROOT as usize].born = 1;
        paths
    }

    fn push(&mut self, parent: u32, name: &[u8]) -> u32 {
        let name_start = self.names.len();
        self.names.extend_from_slice(name);
        self.all.push(Path {
            parent,
            name_start,
            name_len: name.len(),
            slot: NONE,
            born: 0,
            gone: 0,
            cut: 0,
            known: 0,
            visits: 0,
            is_directory: false,
            own: 0,
            total: 0,
            bytes: 0,
            least: u64::MAX,
        });
        position(self.all.len() - 1)
    }

    fn name(&self, path: u32) -> &[u8] {
        name(&self.all, &self.names, path)
    }

    fn child(&mut self, parent: u32, wanted: &[u8]) -> u32 {
        let hash = self.hasher.hash_one((parent, wanted));
        let found = self
            .lookup
            .find(hash, |at| self.all[*at as usize].parent == parent && self.name(*at) == wanted);
        if let Some(found) = found {
            return *found;
        }
        let path = self.push(parent, wanted);
        let (paths, names, hasher) = (&self.all, &self.names, &self.hasher);
        self.lookup.insert_unique(hash, path, |at| {
            hasher.hash_one((paths[*at as usize].parent, name(paths, names, *at)))
        });
        path
    }

    /// The tree of one layer: parents stand before their children.
    fn read(&mut self, layer: &LayerIndex, nodes: &mut Vec<Node>) {
        nodes.clear();
        for entry in layer.entries().filter(|entry| !entry.path().is_empty()) {
            let mut at = ROOT;
            let mut parent = None;
            let mut dropped = false;
            for name in entry.path().split(|byte| *byte == b'/') {
                if name.starts_with(DROPPED) {
                    dropped = true;
                    break;
                }
                at = self.child(at, name);
                if let Some(parent) = parent.replace(self.slot(at, nodes)) {
                    nodes[parent].is_leaf = false;
                }
            }
            if let (Some(slot), false) = (parent, dropped) {
                nodes[slot].size = entry.size();
                nodes[slot].is_directory = entry.kind() == Kind::Directory;
            }
        }
    }

    fn slot(&mut self, path: u32, nodes: &mut Vec<Node>) -> usize {
        let slot = self.all[path as usize].slot as usize;
        if nodes.get(slot).is_some_and(|node| node.path == path) {
            return slot;
        }
        self.all[path as usize].slot = position(nodes.len());
        nodes.push(Node { path, size: 0, is_directory: false, is_leaf: true });
        nodes.len() - 1
    }

    /// Counts the leaves of a layer.
    fn visit(&mut self, nodes: &[Node]) {
        for node in nodes.iter().filter(|node| node.is_leaf) {
            let (path, bytes) = match self.hidden(node.path) {
                None => (node.path, node.size),
                Some((path, target)) => (path, self.removable(target)),
            };
            let path = &mut self.all[path as usize];
            path.visits = path.visits.saturating_add(1);
            path.bytes = path.bytes.saturating_add(bytes);
            path.least = path.least.min(bytes);
        }
    }

    /// The path that a whiteout counts for and the one that it hides, which differ only for a
    /// bare `.wh.`.
    fn hidden(&mut self, path: u32) -> Option<(u32, u32)> {
        let name = self.name(path).strip_prefix(WHITEOUT)?.to_vec();
        let parent = self.all[path as usize].parent;
        let hidden = self.child(parent, &name);
        Some((hidden, if name.is_empty() { parent } else { hidden }))
    }

    /// What the whiteout of a path counts.
    fn removable(&mut self, path: u32) -> u64 {
        let Path { is_directory, total, .. } = self.all[path as usize];
        if is_directory && self.is_in_force(path) { total } else { 0 }
    }

    /// Puts a layer on the stacked tree. Of what a layer does, only the removal of a path and the
    /// entries at and below that path disturb each other, and those stand in the order of names.
    fn stack(&mut self, nodes: &[Node]) {
        let mut late = Vec::new();
        for node in nodes {
            if let Some((_, target)) = self.hidden(node.path) {
                let first = target == self.all[node.path as usize].parent
                    || self.name(node.path) < self.name(target);
                if first {
                    self.remove(target);
                } else {
                    late.push(target);
                }
            }
        }
        for node in nodes {
            if !self.name(node.path).starts_with(WHITEOUT) {
                self.put(node);
            }
        }
        for target in late {
            self.remove(target);
        }
    }

    /// Puts the lowest layer in as it is, whiteouts as files.
    fn enter_all(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.put(node);
        }
    }

    fn put(&mut self, node: &Node) {
        self.enter(node.path);
        let path = &mut self.all[node.path as usize];
        path.is_directory = node.is_directory;
        let before = std::mem::replace(&mut path.own, node.size);
        self.grow(node.path, node.size.wrapping_sub(before));
    }

    fn enter(&mut self, path: u32) {
        let mut missing = Vec::new();
        let mut at = path;
        while !self.is_in_force(at) {
            missing.push(at);
            at = self.all[at as usize].parent;
        }
        for at in missing {
            let path = &mut self.all[at as usize];
            (path.own, path.total, path.is_directory, path.born) = (0, 0, false, self.now);
        }
    }

    fn remove(&mut self, path: u32) {
        if path == ROOT || !self.is_in_force(path) {
            return;
        }
        let total = self.all[path as usize].total;
        self.grow(path, 0_u64.wrapping_sub(total));
        self.now += 1;
        self.all[path as usize].gone = self.now;
    }

    /// Adds to the bytes of a path and of all above it; modulo 2^64, so that it subtracts as well.
    fn grow(&mut self, path: u32, by: u64) {
        let mut at = path;
        while by != 0 && at != NONE {
            let path = &mut self.all[at as usize];
            path.total = path.total.wrapping_add(by);
            at = path.parent;
        }
    }

    fn is_in_force(&mut self, path: u32) -> bool {
        let born = self.all[path as usize].born;
        born > 0 && self.cut(path) <= born
    }

    /// When the path or one above it was last taken out. It is remembered until the next removal,
    /// so that a deep path is not walked up again for each of its names.
    fn cut(&mut self, path: u32) -> u32 {
        let mut unknown = Vec::new();
        let mut at = path;
        let mut cut = 0;
        while at != NONE {
            let above = &self.all[at as usize];
            if above.known == self.now {
                cut = above.cut;
                break;
            }
            unknown.push(at);
            at = above.parent;
        }
        for at in unknown.into_iter().rev() {
            let path = &mut self.all[at as usize];
            cut = cut.max(path.gone);
            (path.cut, path.known) = (cut, self.now);
        }
        cut
    }
}

fn name<'a>(paths: &[Path], names: &'a [u8], path: u32) -> &'a [u8] {
    let Path { name_start, name_len, .. } = paths[path as usize];
    &names[name_start..name_start + name_len]
}
