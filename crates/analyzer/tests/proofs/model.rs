//! What an image's layers make, worked out the slow and obvious way: all paths in one map, every
//! change followed by a look at all of it. Shares nothing with the analyzer but its words.
//!
//! The rules, where the spec leaves them open, are those of the runtimes:
//! - whiteouts act on the layers below, before the layer's own entries, wherever they stand;
//! - directories that an entry's name implies are made, for whiteouts as well;
//! - a symlink on the way to an entry is followed if its layer made it, as it would be while the
//!   layer is unpacked; one of a lower layer is hidden by the directory that the name implies;
//! - a hard link is one more name of what its target names in all layers so far, and waits for the
//!   rest of its layer if that is nothing yet.

use std::collections::{BTreeMap, VecDeque};

use jettison_analyzer::entry::Kind;
use jettison_analyzer::tree::Cause;

use crate::plan::{CONTENTS, Step};

/// A payload: its layer, and the step that brought it.
pub(crate) type Id = (usize, usize);

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// The entry that describes it; none for a directory that is only implied.
    pub(crate) entry: Option<Id>,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) owner: u32,
    pub(crate) link: String,
    pub(crate) payload: Option<Id>,
}

/// Why a payload is dead, and since which layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Death {
    pub(crate) cause: Cause,
    pub(crate) layer: usize,
}

/// The end of a replay.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    /// The final filesystem by path; the root is "".
    pub(crate) files: BTreeMap<String, Node>,
    /// The content of every payload.
    pub(crate) contents: BTreeMap<Id, usize>,
    /// The payloads that no path leads to.
    pub(crate) dead: BTreeMap<Id, Death>,
    layer: usize,
}

/// A path of the layer leads in a circle: no runtime would unpack it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circle;

const HOPS: usize = 40;

/// Applies layers, bottom first.
pub(crate) fn replay(plan: &[Vec<Step>]) -> Result<Replay, Circle> {
    let mut replay = Replay {
        files: BTreeMap::from([(String::new(), implied())]),
        contents: BTreeMap::new(),
        dead: BTreeMap::new(),
        layer: 0,
    };
    for (layer, steps) in plan.iter().enumerate() {
        replay.layer = layer;
        for step in steps {
            match step {
                Step::Whiteout { path } => replay.remove(Cause::Removed, |at| is_in(at, path)),
                Step::Opaque { directory } => {
                    replay.remove(Cause::Opaque, |at| at != *directory && is_in(at, directory));
                }
                _ => {}
            }
        }
        let mut waiting = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            if !replay.place(at, step)? {
                waiting.push((at, step));
            }
        }
        loop {
            let mut still = Vec::new();
            for (at, step) in &waiting {
                if !replay.place(*at, step)? {
                    still.push((*at, *step));
                }
            }
            if still.len() == waiting.len() {
                break;
            }
            waiting = still;
        }
        for (at, step) in waiting {
            // A link to nothing is a file without content.
            if let Step::HardLink { path, .. } = step {
                let node = Node { entry: Some((layer, at)), mode: 0o644, ..plain(Kind::File) };
                replay.put(path, node)?;
            }
        }
    }
    Ok(replay)
}

fn plain(kind: Kind) -> Node {
    Node { kind, entry: None, size: 0, mode: 0, owner: 0, link: String::new(), payload: None }
}

fn implied() -> Node {
    plain(Kind::Directory)
}

fn is_in(path: &str, directory: &str) -> bool {
    directory.is_empty()
        || path == directory
        || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

fn joined(directory: &[String]) -> String {
    directory.join("/")
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

fn components(path: &str) -> impl DoubleEndedIterator<Item = String> {
    path.split('/').filter(|name| !name.is_empty() && *name != ".").map(str::to_owned)
}

impl Replay {
    fn place(&mut self, at: usize, step: &Step) -> Result<bool, Circle> {
        let id = (self.layer, at);
        let described = |kind, mode| Node { entry: Some(id), mode, ..plain(kind) };
        match step {
            Step::File { path, content, mode, owner } => {
                self.contents.insert(id, *content);
                let node = Node {
                    size: CONTENTS[*content].len() as u64,
                    owner: *owner,
                    payload: Some(id),
                    ..described(Kind::File, *mode)
                };
                self.put(path, node)?;
            }
            Step::Directory { path: "", mode } => {
                self.files.insert(String::new(), described(Kind::Directory, *mode));
            }
            Step::Directory { path, mode } => self.put(path, described(Kind::Directory, *mode))?,
            Step::Symlink { path, target } => {
                let link = (*target).to_owned();
                self.put(path, Node { link, ..described(Kind::Symlink, 0o777) })?;
            }
            Step::Device { path, .. } => self.put(path, described(Kind::CharDevice, 0o666))?,
            Step::Fifo { path } => self.put(path, described(Kind::Fifo, 0o644))?,
            Step::Whiteout { path } => {
                self.make(parent(path), None)?;
            }
            Step::Opaque { directory } => {
                self.make(directory, None)?;
            }
            Step::HardLink { path, target } => {
                let Some(found) = self.named(target) else { return Ok(false) };
                let node = self.files[&found].clone();
                // Directories have one name; a second name for itself is no change.
                if node.kind != Kind::Directory && found != *path {
                    self.put(path, node)?;
                }
            }
        }
        Ok(true)
    }

    /// Puts a node at a path, making what its name implies.
    fn put(&mut self, path: &str, node: Node) -> Result<(), Circle> {
        let mut at = self.make(parent(path), node.payload)?;
        at.push(path.rsplit('/').next().unwrap_or_default().to_owned());
        let held = node.payload;
        self.set(&joined(&at), node, held);
        Ok(())
    }

    /// Makes a directory and those above it; returns where it really is. `held` has a path to
    /// come.
    fn make(&mut self, path: &str, held: Option<Id>) -> Result<Vec<String>, Circle> {
        let mut rest: VecDeque<String> = components(path).collect();
        let mut at: Vec<String> = Vec::new();
        let mut hops = 0;
        while let Some(name) = rest.pop_front() {
            if name == ".." {
                at.pop();
                continue;
            }
            at.push(name);
            match self.files.get(&joined(&at)) {
                Some(node) if node.kind == Kind::Directory => {}
                Some(node)
                    if node.kind == Kind::Symlink
                        && node.entry.is_some_and(|(layer, _)| layer == self.layer) =>
                {
                    hops += 1;
                    if hops > HOPS {
                        return Err(Circle);
                    }
                    at.pop();
                    if node.link.starts_with('/') {
                        at.clear();
                    }
                    components(&node.link).rev().for_each(|name| rest.push_front(name));
                }
                _ => self.set(&joined(&at), implied(), held),
            }
        }
        Ok(at)
    }

    /// The path, free of links but for the last name, that a name leads to.
    fn named(&self, path: &str) -> Option<String> {
        let mut rest: VecDeque<String> = components(path).collect();
        let mut at: Vec<String> = Vec::new();
        let mut hops = 0;
        while let Some(name) = rest.pop_front() {
            if name == ".." {
                at.pop();
                continue;
            }
            at.push(name);
            let node = self.files.get(&joined(&at))?;
            match node.kind {
                _ if rest.is_empty() => {}
                Kind::Symlink => {
                    hops += 1;
                    if hops > HOPS {
                        return None;
                    }
                    at.pop();
                    if node.link.starts_with('/') {
                        at.clear();
                    }
                    components(&node.link).rev().for_each(|name| rest.push_front(name));
                }
                Kind::Directory => {}
                _ => return None,
            }
        }
        Some(joined(&at))
    }

    fn set(&mut self, path: &str, node: Node, held: Option<Id>) {
        let before = self.files.clone();
        let is_directory = node.kind == Kind::Directory;
        let cause = if node.kind == Kind::File { Cause::Overwritten } else { Cause::Replaced };
        let successor = node.payload;
        self.files.retain(|at, _| is_directory || !is_in(at, path));
        self.files.insert(path.to_owned(), node);
        self.bury(&before, held, |at| if at == path { cause } else { Cause::Replaced }, successor);
    }

    fn remove(&mut self, cause: Cause, taken: impl Fn(&str) -> bool) {
        let before = self.files.clone();
        self.files.retain(|at, _| at.is_empty() || !taken(at));
        self.bury(&before, None, |_| cause, None);
    }

    /// Finds the payloads that had a path before a change and have none after it.
    fn bury(
        &mut self,
        before: &BTreeMap<String, Node>,
        held: Option<Id>,
        cause: impl Fn(&str) -> Cause,
        successor: Option<Id>,
    ) {
        for (path, node) in before {
            let Some(payload) = node.payload.filter(|id| Some(*id) != held) else { continue };
            if self.paths(payload) > 0 || self.dead.contains_key(&payload) {
                continue;
            }
            let same =
                successor.is_some_and(|next| self.contents[&next] == self.contents[&payload]);
            let cause = match cause(path) {
                _ if payload.0 == self.layer => Cause::Repeated,
                Cause::Overwritten if same => Cause::MetadataOnly,
                cause => cause,
            };
            self.dead.insert(payload, Death { cause, layer: self.layer });
        }
    }

    /// How many paths lead to a payload.
    pub(crate) fn paths(&self, payload: Id) -> usize {
        self.files.values().filter(|node| node.payload == Some(payload)).count()
    }
}
