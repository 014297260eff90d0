//! The final filesystem, read as the image's own programs would read it: paths are resolved inside
//! the tree, symlinks included, and contents come from the layers. Nothing of the host is looked at.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use crate::account::Account;
use crate::content::{Body, Content};
use crate::entry::Kind;
use crate::error::Result;
use crate::layer::index::Entry;
use crate::tree::walk::{Step, Walk};
use crate::tree::{NodeId, Tree};

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What stands there, symlinks followed.
    pub node: NodeId,
    /// The symlinks on the way, in order.
    pub links: Vec<NodeId>,
}

/// The filesystem of an account.
pub struct Filesystem<'a> {
    account: &'a Account,
    /// By payload: several names may lead to one.
    contents: RefCell<HashMap<u32, Option<Arc<Content>>>>,
    nodes: OnceCell<Vec<NodeId>>,
}

impl<'a> Filesystem<'a> {
    /// The filesystem of `account`.
    pub fn new(account: &'a Account) -> Self {
        Self { account, contents: RefCell::default(), nodes: OnceCell::new() }
    }

    /// The tree.
    pub fn tree(&self) -> &'a Tree {
        &self.account.tree
    }

    /// The account it belongs to.
    pub fn account(&self) -> &'a Account {
        self.account
    }

    /// The entry that describes a node; `None` for a directory that is only implied.
    pub fn entry(&self, node: NodeId) -> Option<Entry<'a>> {
        let id = self.account.tree.entry(node);
        let index = &self.account.indexes[id.layer as usize];
        id.is_explicit().then(|| index.entry(id.position as usize))
    }

    /// Where `path` leads, from the root, whether it starts with a slash or not.
    pub fn find(&self, path: &[u8]) -> Option<Found> {
        self.find_from(NodeId::ROOT, path)
    }

    /// Where `path` leads from a directory.
    pub fn find_from(&self, directory: NodeId, path: &[u8]) -> Option<Found> {
        let tree = self.tree();
        let mut walk = Walk::new(path);
        let mut at = if path.starts_with(b"/") { NodeId::ROOT } else { directory };
        let mut links = Vec::new();
        while let Some(step) = walk.next() {
            match step {
                Step::Root => at = NodeId::ROOT,
                Step::Up => at = tree.parent(at).unwrap_or(NodeId::ROOT),
                Step::Down(name) => {
                    let next = tree.child(at, name)?;
                    if tree.kind(next) == Kind::Symlink {
                        links.push(next);
                        if !walk.enter(self.entry(next)?.link()) {
                            return None;
                        }
                    } else {
                        at = next;
                    }
                }
            }
        }
        Some(Found { node: at, links })
    }

    /// The file that `path` leads to.
    pub fn file(&self, path: &[u8]) -> Option<Found> {
        self.find(path).filter(|found| self.is_file(found.node))
    }

    /// Whether a node is a regular file.
    pub fn is_file(&self, node: NodeId) -> bool {
        self.tree().kind(node) == Kind::File
    }

    /// Whether a node is a directory.
    pub fn is_directory(&self, node: NodeId) -> bool {
        self.tree().kind(node) == Kind::Directory
    }

    /// Whether somebody may execute a file.
    pub fn is_executable(&self, node: NodeId) -> bool {
        self.is_file(node) && self.entry(node).is_some_and(|entry| entry.mode() & 0o111 != 0)
    }

    /// Bytes of a file's content.
    pub fn size(&self, node: NodeId) -> u64 {
        self.tree().payload(node).map_or(0, |at| self.account.payloads[at as usize].size)
    }

    /// The path from the root, with a slash.
    pub fn path(&self, node: NodeId) -> Vec<u8> {
        [b"/", &self.tree().path(node)[..]].concat()
    }

    /// What the content of a file says; `None` where it says nothing.
    pub fn content(&self, node: NodeId) -> Result<Option<Arc<Content>>> {
        let Some(payload) = self.tree().payload(node).filter(|_| self.is_file(node)) else {
            return Ok(None);
        };
        if let Some(known) = self.contents.borrow().get(&payload) {
            return Ok(known.clone());
        }
        let read = self.account.content(payload)?;
        self.contents.borrow_mut().insert(payload, read.clone());
        Ok(read)
    }

    /// The text of a document; `None` where there is none at the path, or none that is kept.
    pub fn document(&self, path: &[u8]) -> Result<Option<Arc<Content>>> {
        let Some(found) = self.file(path) else { return Ok(None) };
        Ok(self.content(found.node)?.filter(|content| matches!(content.body, Body::Document(_))))
    }

    /// Every node, parents before their children, siblings by name.
    pub fn nodes(&self) -> &[NodeId] {
        self.nodes.get_or_init(|| self.tree().walk(NodeId::ROOT).collect())
    }

    /// The children of a directory by name.
    pub fn sorted_children(&self, directory: NodeId) -> Vec<NodeId> {
        let tree = self.tree();
        let mut children: Vec<NodeId> = tree.children(directory).collect();
        children.sort_by(|a, b| tree.name(*a).cmp(tree.name(*b)));
        children
    }
}

impl Content {
    /// The text of a document, empty for everything else.
    pub fn text(&self) -> &[u8] {
        match &self.body {
            Body::Document(text) => text,
            _ => &[],
        }
    }
}
