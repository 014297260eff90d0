//! The final filesystem, read as the image's own programs would read it: paths are resolved inside
//! the tree, symlinks included, and contents come from the layers. Nothing of the host is looked at.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;
use std::hash::BuildHasher as _;
use std::rc::Rc;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use crate::account::Account;
use crate::content::elf::Machine;
use crate::content::{Body, Content, Elf};
use crate::entry::Kind;
use crate::error::Result;
use crate::facts::contents::Contents;
use crate::facts::kind::{FileKind, Form, Place};
use crate::layer::index::Entry;
use crate::limits::CONFIGURATION_ROWS_MAX;
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
    contents: Contents<'a>,
    nodes: OnceCell<Vec<NodeId>>,
    /// Names that end in `.so`, with the nodes that have them.
    shared_objects: OnceCell<HashMap<Vec<u8>, Vec<NodeId>>>,
    /// The children of directories that were asked for, by name.
    sorted: RefCell<HashMap<NodeId, Rc<[NodeId]>>>,
    /// The children of directories that were asked for, by the hash of their names up to the first dot.
    stems: RefCell<HashMap<NodeId, HashTable<NodeId>>>,
    hasher: DefaultHashBuilder,
    /// Symlinks that were met and lead nowhere: in a circle, or too far.
    endless: RefCell<BTreeSet<NodeId>>,
    /// What directories tell of the files in them.
    places: RefCell<HashMap<NodeId, Place>>,
    /// The directory that was asked for last, as neighbours are asked for one after the other.
    last_place: Cell<Option<(NodeId, Place)>>,
}

impl<'a> Filesystem<'a> {
    /// The filesystem of `account`.
    pub fn new(account: &'a Account) -> Self {
        Self {
            account,
            contents: Contents::new(account),
            nodes: OnceCell::new(),
            shared_objects: OnceCell::new(),
            sorted: RefCell::default(),
            stems: RefCell::default(),
            hasher: DefaultHashBuilder::default(),
            endless: RefCell::default(),
            places: RefCell::default(),
            last_place: Cell::default(),
        }
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
                            self.endless.borrow_mut().insert(next);
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

    /// Symlinks that were followed in a circle, or farther than any system does, so far.
    pub(crate) fn endless_links(&self) -> Vec<NodeId> {
        self.endless.borrow().iter().copied().collect()
    }

    /// The file that `path` leads to.
    pub fn file(&self, path: &[u8]) -> Option<Found> {
        self.find(path).filter(|found| self.is_file(found.node))
    }

    /// Files and directories that a pattern of a shell fits, by path. No more than
    /// [`CONFIGURATION_ROWS_MAX`].
    pub fn matching(&self, pattern: &[u8]) -> Vec<Found> {
        let mut found = vec![Found { node: NodeId::ROOT, links: Vec::new() }];
        for part in pattern.split(|b| *b == b'/').filter(|part| !part.is_empty()) {
            let mut next = Vec::new();
            for before in found {
                let names: Vec<Vec<u8>> = if part.iter().any(|b| b"*?[".contains(b)) {
                    let children = self.sorted_children(before.node).into_iter();
                    let names = children.map(|child| self.tree().name(child).to_vec());
                    names.filter(|name| !name.starts_with(b".") && fits(part, name)).collect()
                } else {
                    vec![part.to_vec()]
                };
                for name in names.into_iter().take(CONFIGURATION_ROWS_MAX - next.len()) {
                    let Some(step) = self.find_from(before.node, &name) else { continue };
                    let links = before.links.iter().chain(&step.links).copied().collect();
                    next.push(Found { node: step.node, links });
                }
            }
            found = next;
        }
        found
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
        self.tree().absolute_path(node)
    }

    /// A warning about a node.
    pub(crate) fn warning(&self, node: NodeId, what: &str) -> String {
        format!("{}: {what}", jettison_oci::escape::path(&self.path(node)))
    }

    /// What the directory of a node tells of it.
    pub fn place(&self, node: NodeId) -> Place {
        let directory = self.tree().parent(node).unwrap_or(NodeId::ROOT);
        if let Some((last, place)) = self.last_place.get()
            && last == directory
        {
            return place;
        }
        let of = || Place::of(&self.path(directory));
        let place = *self.places.borrow_mut().entry(directory).or_insert_with(of);
        self.last_place.set(Some((directory, place)));
        place
    }

    /// What kind of file a node is, by where it stands.
    pub fn kind(&self, node: NodeId) -> FileKind {
        self.place(node).kind(self.tree().name(node))
    }

    /// The form of a file, by where it stands and its mode.
    pub fn form(&self, node: NodeId) -> Form {
        self.place(node).form(self.tree().name(node), self.is_executable(node))
    }

    /// What the content of a file says; `None` where it says nothing.
    pub fn content(&self, node: NodeId) -> Result<Option<Arc<Content>>> {
        self.file_payload(node).map_or(Ok(None), |payload| self.contents.get(payload))
    }

    /// What holds a file's content; `None` of anything else.
    fn file_payload(&self, node: NodeId) -> Option<u32> {
        self.tree().payload(node).filter(|_| self.is_file(node))
    }

    /// Says that [`Self::content`] will be asked for a node.
    pub(crate) fn announce(&self, node: NodeId) {
        if let Some(payload) = self.file_payload(node) {
            self.contents.announce(payload);
        }
    }

    /// The contents, for who looks at them ahead.
    pub(crate) fn contents(&self) -> &Contents<'a> {
        &self.contents
    }

    /// Bytes of the sections for debuggers and of the symbol table of a file; `None` where it is no
    /// ELF file. One that nobody has looked into yet is not looked into for this.
    pub fn sections(&self, node: NodeId) -> Result<Option<(u64, u64)>> {
        let sections = |elf: &Elf| (elf.debug, elf.symbols);
        self.of_elf(node, sections, |payload| self.account.sections(payload))
    }

    /// The class and machine of a program or shared object; `None` where a file is neither. One that
    /// nobody has looked into yet is not looked into for this.
    pub fn machine(&self, node: NodeId) -> Result<Option<Machine>> {
        self.of_elf(node, Elf::machine, |payload| {
            let mut head = [0; Machine::BYTES];
            Ok(self.account.start(payload, &mut head)?.and_then(Machine::of))
        })
    }

    /// What is known of an ELF file, or what `late` tells of one that nobody has looked into yet and
    /// that was not gathered as it went by.
    fn of_elf<T>(
        &self,
        node: NodeId,
        of: impl Fn(&Elf) -> T,
        late: impl FnOnce(u32) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let Some(payload) = self.file_payload(node) else { return Ok(None) };
        let of = |content: &Content| match &content.body {
            Body::Elf(elf) => Some(of(elf)),
            _ => None,
        };
        if let Some(known) = self.contents.known(payload) {
            return Ok(known.as_deref().and_then(of));
        }
        let late = late(payload)?;
        Ok(late.or_else(|| self.account.gathered(payload).as_deref().and_then(of)))
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

    /// The nodes with a name that ends in `.so`, wherever they stand.
    pub fn shared_objects(&self, name: &[u8]) -> &[NodeId] {
        let by_name = self.shared_objects.get_or_init(|| {
            let mut by_name: HashMap<Vec<u8>, Vec<NodeId>> = HashMap::new();
            for node in self.nodes() {
                let name = self.tree().name(*node);
                if name.ends_with(b".so") {
                    by_name.entry(name.to_vec()).or_default().push(*node);
                }
            }
            by_name
        });
        by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// The children of a directory by name.
    pub fn sorted_children(&self, directory: NodeId) -> Vec<NodeId> {
        self.sorted(directory).to_vec()
    }

    /// Those children whose names start so, by name.
    pub fn children_starting_with(&self, directory: NodeId, start: &[u8]) -> Vec<NodeId> {
        let sorted = self.sorted(directory);
        let from = sorted.partition_point(|child| self.tree().name(*child) < start);
        let fits = |child: &NodeId| self.tree().name(*child).starts_with(start);
        sorted[from..].iter().copied().take_while(fits).collect()
    }

    /// Whether a directory has a child of this name, with whatever behind a dot: `a`, `a.py`,
    /// `a.cpython-311-x86_64-linux-gnu.so`.
    pub fn has_stem(&self, directory: NodeId, stem: &[u8]) -> bool {
        let tree = self.tree();
        let stem_of = |child: &NodeId| {
            let name = tree.name(*child);
            &name[..memchr::memchr(b'.', name).unwrap_or(name.len())]
        };
        let hash = |stem: &[u8]| self.hasher.hash_one(stem);
        let has = |stems: &HashTable<NodeId>, stem: &[u8]| {
            stems.find(hash(stem), |child| stem_of(child) == stem).is_some()
        };
        let mut known = self.stems.borrow_mut();
        let stems = known.entry(directory).or_insert_with(|| {
            let mut stems = HashTable::new();
            for child in tree.children(directory) {
                let stem = stem_of(&child);
                // Each once: thousands of names may share one.
                if !has(&stems, stem) {
                    stems.insert_unique(hash(stem), child, |child| hash(stem_of(child)));
                }
            }
            stems
        });
        has(stems, stem)
    }

    /// Sorted once: a directory of modules is asked for with each of them.
    fn sorted(&self, directory: NodeId) -> Rc<[NodeId]> {
        let mut known = self.sorted.borrow_mut();
        let sort = || {
            let tree = self.tree();
            let mut children: Vec<NodeId> = tree.children(directory).collect();
            children.sort_by(|a, b| tree.name(*a).cmp(tree.name(*b)));
            children.into()
        };
        known.entry(directory).or_insert_with(sort).clone()
    }
}

/// Whether a name fits a pattern of `*` and `?`; any character of `[…]` is taken for it.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_name) = (0, 0);
    // Where to go on when the last star has to take one more.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, in_name));
            }
            Some(b'[') => {
                at += pattern[at..].iter().position(|b| *b == b']').unwrap_or(0) + 1;
                in_name += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => match star {
                Some((behind, taken)) => {
                    at = behind;
                    in_name = taken + 1;
                    star = Some((behind, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at.min(pattern.len())..].iter().all(|b| *b == b'*')
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

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_fit_as_in_a_shell() {
        for (pattern, name, is) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a*b*c", "axxbyyc", true),
            ("a?c", "abc", true),
            ("a[xb]c", "abc", true),
            ("abc", "ab", false),
            ("ab", "abc", false),
            ("*", "", true),
            ("[", "a", true),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), is, "{pattern} {name}");
        }
    }
}
