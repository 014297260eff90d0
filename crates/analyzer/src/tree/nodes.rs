//! The tree itself: an arena of nodes, found by parent and name. Compact, because a large image
//! has a million of them.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::entry::Kind;
use crate::layer::index::{NONE, position};

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// `/`.
    pub const ROOT: Self = Self(0);
}

/// Where a node's metadata stands: an entry of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryId {
    /// Layer, from 0.
    pub layer: u32,
    /// Position in its index; `u32::MAX` for a directory that no entry describes.
    pub position: u32,
}

impl EntryId {
    /// Whether an entry describes the node, rather than only implying it by a path below.
    pub fn is_explicit(self) -> bool {
        self.position != NONE
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) parent: u32,
    name_start: u32,
    name_len: u32,
    pub(crate) entry: EntryId,
    /// The payload of a file, or [`NONE`].
    pub(crate) payload: u32,
    first_child: u32,
    next: u32,
    previous: u32,
    /// Never `HardLink`: every name of a file is a file.
    pub(crate) kind: Kind,
}

/// A filesystem: directories, files, links and devices under their names.
pub struct Tree {
    nodes: Vec<Node>,
    names: Vec<u8>,
    lookup: HashTable<u32>,
    hasher: DefaultHashBuilder,
    alive: usize,
}

impl Tree {
    pub(crate) fn new() -> Self {
        let root = Node {
            parent: NONE,
            name_start: 0,
            name_len: 0,
            entry: EntryId { layer: 0, position: NONE },
            payload: NONE,
            first_child: NONE,
            next: NONE,
            previous: NONE,
            kind: Kind::Directory,
        };
        Self {
            nodes: vec![root],
            names: Vec::new(),
            lookup: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            alive: 1,
        }
    }

    /// Nodes of the filesystem, the root included.
    pub fn len(&self) -> usize {
        self.alive
    }

    /// Whether there is nothing but the root.
    pub fn is_empty(&self) -> bool {
        self.alive == 1
    }

    /// Nodes ever made, removed ones included.
    pub(crate) fn made(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// What the node is; never [`Kind::HardLink`].
    pub fn kind(&self, id: NodeId) -> Kind {
        self.node(id).kind
    }

    /// The entry that describes the node.
    pub fn entry(&self, id: NodeId) -> EntryId {
        self.node(id).entry
    }

    /// Position of the node's payload in the stack's table, if it is a file with one.
    pub fn payload(&self, id: NodeId) -> Option<u32> {
        Some(self.node(id).payload).filter(|payload| *payload != NONE)
    }

    /// The node's name in its directory; empty for the root.
    pub fn name(&self, id: NodeId) -> &[u8] {
        let node = self.node(id);
        let start = node.name_start as usize;
        &self.names[start..start + node.name_len as usize]
    }

    /// The path from the root, without a leading slash; empty for the root.
    pub fn path(&self, id: NodeId) -> Vec<u8> {
        self.path_behind(id, 0)
    }

    /// The path from the root, with a slash.
    pub fn absolute_path(&self, id: NodeId) -> Vec<u8> {
        self.path_behind(id, 1)
    }

    /// The path from the root, with as many slashes in front: one, or none.
    fn path_behind(&self, id: NodeId, slashes: usize) -> Vec<u8> {
        let above = || std::iter::successors(Some(id), |at| self.parent(*at));
        let names = || above().take_while(|at| *at != NodeId::ROOT).map(|at| self.name(at));
        let length = names().map(|name| 1 + name.len()).sum::<usize>().max(1) - 1 + slashes;
        // Each but the first stands behind a slash; the last one is filled in first.
        let mut path = vec![b'/'; length];
        let mut end = length;
        for name in names() {
            path[end - name.len()..end].copy_from_slice(name);
            end = (end - name.len()).saturating_sub(1);
        }
        path
    }

    /// The directory that holds the node; `None` for the root.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        Some(self.node(id).parent).filter(|parent| *parent != NONE).map(NodeId)
    }

    /// The node called `name` in `parent`.
    pub fn child(&self, parent: NodeId, name: &[u8]) -> Option<NodeId> {
        let hash = self.hasher.hash_one((parent.0, name));
        let found = self.lookup.find(hash, |at| {
            self.nodes[*at as usize].parent == parent.0 && self.name(NodeId(*at)) == name
        });
        found.map(|at| NodeId(*at))
    }

    /// The node at a cleaned path, symlinks not followed.
    pub fn find(&self, path: &[u8]) -> Option<NodeId> {
        if path.is_empty() {
            return Some(NodeId::ROOT);
        }
        path.split(|b| *b == b'/').try_fold(NodeId::ROOT, |at, name| self.child(at, name))
    }

    /// The children of a directory, in no particular order.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let mut next = self.node(id).first_child;
        std::iter::from_fn(move || {
            let at = Some(next).filter(|at| *at != NONE)?;
            next = self.nodes[at as usize].next;
            Some(NodeId(at))
        })
    }

    /// Every node below `from`, parents before their children, siblings by name.
    pub fn walk(&self, from: NodeId) -> impl Iterator<Item = NodeId> {
        let mut stack = vec![from];
        std::iter::from_fn(move || {
            let at = stack.pop()?;
            let first = stack.len();
            stack.extend(self.children(at));
            stack[first..].sort_by(|a, b| self.name(*b).cmp(self.name(*a)));
            Some(at)
        })
    }

    pub(crate) fn add(
        &mut self,
        parent: NodeId,
        name: &[u8],
        kind: Kind,
        entry: EntryId,
        payload: u32,
    ) -> NodeId {
        let id = position(self.nodes.len());
        let next = self.node(parent).first_child;
        if next != NONE {
            self.nodes[next as usize].previous = id;
        }
        self.node_mut(parent).first_child = id;
        let name_start = position(self.names.len());
        self.names.extend_from_slice(name);
        self.nodes.push(Node {
            parent: parent.0,
            name_start,
            name_len: position(name.len()),
            entry,
            payload,
            first_child: NONE,
            next,
            previous: NONE,
            kind,
        });
        let hash = self.hasher.hash_one((parent.0, name));
        let (nodes, names, hasher) = (&self.nodes, &self.names, &self.hasher);
        self.lookup.insert_unique(hash, id, |at| {
            let node = &nodes[*at as usize];
            let start = node.name_start as usize;
            hasher.hash_one((node.parent, &names[start..start + node.name_len as usize]))
        });
        self.alive += 1;
        NodeId(id)
    }

    /// Bytes of all names, which are addressed by 32 bits.
    pub(crate) fn names_len(&self) -> usize {
        self.names.len()
    }

    /// Takes the node and everything below it out; `gone` is told each payload.
    pub(crate) fn remove(&mut self, id: NodeId, mut gone: impl FnMut(u32)) {
        let Node { parent, next, previous, .. } = *self.node(id);
        match previous {
            NONE => self.nodes[parent as usize].first_child = next,
            previous => self.nodes[previous as usize].next = next,
        }
        if next != NONE {
            self.nodes[next as usize].previous = previous;
        }
        let mut stack = vec![id.0];
        while let Some(at) = stack.pop() {
            let node = &self.nodes[at as usize];
            if node.payload != NONE {
                gone(node.payload);
            }
            let mut child = node.first_child;
            while child != NONE {
                stack.push(child);
                child = self.nodes[child as usize].next;
            }
            let hash = self.hasher.hash_one((node.parent, self.name(NodeId(at))));
            if let Ok(found) = self.lookup.find_entry(hash, |other| *other == at) {
                found.remove();
            }
            self.alive -= 1;
        }
    }
}
