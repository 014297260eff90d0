//! Which paths are copied into the last stage: files that are kept, or whole directories where
//! nearly all of what they hold is.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::account::Account;
use crate::entry::Kind;
use crate::facts::Facts;
use crate::facts::evidence::{Confidence, Evidence};
use crate::facts::filesystem::Filesystem;
use crate::tree::{Fate, NodeId};

/// What of an image is copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::advice) struct Kept {
    /// Files, links and whole directories, by path, with a slash in front.
    pub(super) paths: Vec<Vec<u8>>,
    /// Directories that are made rather than copied, by mode and owner.
    pub(super) directories: BTreeMap<(u32, u32, u32), Vec<Vec<u8>>>,
    /// Bytes of the files that come along, each payload once.
    pub(super) bytes: u64,
    /// Of those, bytes that nothing needs, and that come along with a directory.
    pub(super) spare: u64,
    /// Bytes that come along, by the layer that brought them.
    pub(super) by_layer: BTreeMap<usize, u64>,
}

/// A directory may bring along this share of its bytes unneeded, or [`SPARE`], or so much for each
/// of its files that would be listed otherwise.
const SHARE: u64 = 20;
const SPARE: u64 = 64 << 10;
const LINE: u64 = 4 << 10;

/// What runtimes make or mount themselves.
const MOUNTED: [&[u8]; 4] = [b"/proc", b"/sys", b"/dev", b"/.dockerenv"];

/// Files that runtimes mount over those of the image, while it is built as well: what a build sees
/// there is its machine's.
pub(super) const OVERLAID: [&str; 3] = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

/// What is below a directory, itself included.
#[derive(Clone, Copy, Default)]
struct Below {
    kept: u64,
    kept_paths: usize,
    dropped: u64,
    dropped_paths: usize,
    /// A name that no Dockerfile can hold.
    is_odd: bool,
}

/// What is to be kept.
#[derive(Clone, Copy)]
pub(super) enum Choice<'a> {
    /// Everything but what nothing uses, of at least this confidence.
    Sure(Confidence),
    /// These files and links, and nothing else.
    Own(&'a HashSet<NodeId>),
}

/// What is kept of an image. `None` where a name has to be written that cannot be.
pub(super) fn kept(files: &Filesystem<'_>, facts: &Facts, choice: Choice<'_>) -> Option<Kept> {
    let account = files.account();
    let keeping = Keeping::new(account, facts, files, choice);
    let below = keeping.below();
    let mut kept = Kept::default();
    let mut payloads: HashSet<u32> = HashSet::new();
    keeping.choose(NodeId::ROOT, &below, &mut kept, &mut payloads)?;
    for payload in payloads {
        let payload = &account.payloads[payload as usize];
        kept.bytes += payload.size;
        *kept.by_layer.entry(payload.entry.layer as usize).or_default() += payload.size;
    }
    Some(kept)
}

struct Keeping<'a> {
    account: &'a Account,
    facts: &'a Facts,
    files: &'a Filesystem<'a>,
    /// Payloads that nothing uses.
    unused: HashSet<u32>,
    /// Packages, by position, of which something comes along: their licences do, too.
    packages: HashSet<usize>,
    /// Where nothing but these is kept.
    own: Option<&'a HashSet<NodeId>>,
    overlaid: Vec<NodeId>,
}

impl<'a> Keeping<'a> {
    fn new(
        account: &'a Account,
        facts: &'a Facts,
        files: &'a Filesystem<'a>,
        choice: Choice<'a>,
    ) -> Self {
        let sure = match choice {
            Choice::Sure(sure) => sure,
            Choice::Own(_) => Confidence::Medium,
        };
        let own = match choice {
            Choice::Sure(_) => None,
            Choice::Own(own) => Some(own),
        };
        let groups = facts.unused.groups.iter().filter(|group| group.confidence >= sure);
        let nodes = groups.flat_map(|group| &group.files);
        let unused = nodes.filter_map(|node| account.tree.payload(*node)).collect();
        let overlaid = OVERLAID.iter().filter_map(|path| account.tree.find(&path.as_bytes()[1..]));
        let overlaid = overlaid.collect();
        let mut keeping =
            Self { account, facts, files, unused, packages: HashSet::new(), own, overlaid };
        for (at, package) in facts.packages.all.iter().enumerate() {
            let mut nodes = package.files.iter();
            let is_kept = nodes.any(|node| {
                files.is_file(*node)
                    && files.size(*node) > 0
                    && !is_record(&files.path(*node))
                    && keeping.is_kept(*node)
            });
            if is_kept {
                keeping.packages.insert(at);
            }
        }
        keeping
    }

    /// Whether it is the licence, or other words about itself, of a package that is left behind.
    fn is_of_nothing(&self, node: NodeId) -> bool {
        self.facts
            .packages
            .owner_position(node)
            .is_some_and(|owner| !self.packages.contains(&owner))
            && self.facts.claims.evidence(node) <= Evidence::Convention
            && self.files.path(node).starts_with(b"/usr/share/doc/")
    }

    /// Whether a file or link is kept. Directories are what their contents make them.
    fn is_kept(&self, node: NodeId) -> bool {
        if self.overlaid.contains(&node) {
            return false;
        }
        if let Some(own) = self.own {
            return own.contains(&node);
        }
        let tree = &self.account.tree;
        let evidence = self.facts.claims.evidence(node);
        match tree.kind(node) {
            Kind::File => match tree.payload(node) {
                Some(payload) if self.account.payloads[payload as usize].size > 0 => {
                    !self.unused.contains(&payload)
                        && !self.is_of_nothing(node)
                        && matches!(self.account.payloads[payload as usize].fate, Fate::Live(_))
                }
                // Empty files mean something by being there, as far as anybody means them.
                _ => evidence > Evidence::Convention || self.facts.packages.owner(node).is_none(),
            },
            Kind::Symlink => {
                // A link is worth what it leads to.
                let path = self.files.path(node);
                evidence > Evidence::None
                    || self.files.find(&path).is_some_and(|found| {
                        self.files.is_directory(found.node)
                            || (self.files.is_file(found.node) && self.is_kept(found.node))
                    })
            }
            Kind::Directory | Kind::HardLink => false,
            // Devices and pipes are made by whoever needs them.
            _ => evidence > Evidence::None,
        }
    }

    fn size(&self, node: NodeId) -> u64 {
        self.files.size(node)
    }

    fn below(&self) -> HashMap<NodeId, Below> {
        let tree = &self.account.tree;
        let mut below: HashMap<NodeId, Below> = HashMap::new();
        // Children come after their parents: from the last one up, each is complete in its turn.
        for &node in self.files.nodes().iter().rev() {
            let mut own = below.get(&node).copied().unwrap_or_default();
            if !self.files.is_directory(node) {
                if self.is_kept(node) {
                    own.kept = self.size(node);
                    own.kept_paths = 1;
                } else {
                    own.dropped = self.size(node);
                    own.dropped_paths = 1;
                }
            }
            own.is_odd |= !is_writable(tree.name(node));
            below.insert(node, own);
            if let Some(parent) = tree.parent(node) {
                let above = below.entry(parent).or_default();
                above.kept += own.kept;
                above.kept_paths += own.kept_paths;
                above.dropped += own.dropped;
                above.dropped_paths += own.dropped_paths;
                above.is_odd |= own.is_odd && own.kept_paths > 0;
            }
        }
        below
    }

    /// Chooses what is copied of a directory.
    fn choose(
        &self,
        directory: NodeId,
        below: &HashMap<NodeId, Below>,
        kept: &mut Kept,
        payloads: &mut HashSet<u32>,
    ) -> Option<()> {
        for child in self.files.sorted_children(directory) {
            let own = below.get(&child).copied().unwrap_or_default();
            let path = self.files.path(child);
            if MOUNTED.contains(&&path[..]) {
                continue;
            }
            if !self.files.is_directory(child) {
                if own.kept_paths > 0 {
                    if !is_writable(self.account.tree.name(child)) {
                        return None;
                    }
                    payloads.extend(self.account.tree.payload(child));
                    kept.paths.push(path);
                }
                continue;
            }
            if own.kept_paths == 0 {
                self.empty(child, below, kept);
                continue;
            }
            let is_whole = own.dropped
                <= (own.kept / SHARE).max(SPARE).max(own.kept_paths as u64 * LINE)
                && own.dropped_paths <= (own.kept_paths * 2).max(8)
                || own.is_odd;
            // What another base has is not written over.
            let is_whole = is_whole && (self.own.is_none() || own.dropped_paths == 0);
            if is_whole && is_writable(self.account.tree.name(child)) {
                kept.paths.push(path);
                kept.spare += own.dropped;
                let all =
                    self.account.tree.walk(child).filter(|node| !self.overlaid.contains(node));
                payloads.extend(all.filter_map(|node| self.account.tree.payload(node)));
            } else {
                self.choose(child, below, kept, payloads)?;
            }
        }
        Some(())
    }

    /// A directory of which nothing is kept: programs may want to write there. Those of packages'
    /// own data are not wanted.
    fn empty(&self, directory: NodeId, below: &HashMap<NodeId, Below>, kept: &mut Kept) {
        for node in self.account.tree.walk(directory) {
            let path = self.files.path(node);
            if !self.files.is_directory(node) {
                continue;
            }
            let (mode, owner) = match self.files.entry(node) {
                Some(entry) => (entry.mode(), entry.owner()),
                None => (0o755, (0, 0)),
            };
            let is_plain = mode == 0o755 && owner == (0, 0);
            let is_data = path.starts_with(b"/usr/") || path.starts_with(b"/opt/");
            let is_full = below.get(&node).is_some_and(|own| own.dropped_paths > 0);
            let is_data = is_data || is_full && path.starts_with(b"/var/lib/");
            let is_wanted = !is_plain || !is_data;
            if is_wanted && path.split(|b| *b == b'/').all(is_writable) {
                kept.directories.entry((mode, owner.0, owner.1)).or_default().push(path);
            }
        }
    }
}

/// Whether a package's file only tells of the package: its licence, its list of files.
fn is_record(path: &[u8]) -> bool {
    path.starts_with(b"/usr/share/doc/") || path.starts_with(b"/var/lib/dpkg/info/")
}

/// Whether a name can stand in a Dockerfile.
fn is_writable(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| !name.chars().any(char::is_control))
}
