//! The final filesystem of an image, as the analyzer has it, against `docker export` of a container
//! made from it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::Path;

use jettison_analyzer::account::Account;
use jettison_analyzer::analyze::{Options, analyze};
use jettison_analyzer::entry::Kind;
use jettison_analyzer::source::OpenOptions;
use jettison_analyzer::tree::NodeId;
use jettison_testkit::engine::Dockerd;
use jettison_testkit::image::{Image, ImageBuilder, LayerBuilder, Meta};

use crate::engines::context;
use crate::shop;

/// `cap_net_raw+ep`, as the kernel keeps it.
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The only attributes that Docker exports.
const EXPORTED: &[u8] = b"security.capability";

/// What Docker itself puts into a container, for the runtime to mount over.
const DOCKERS_OWN: [&str; 10] = [
    ".dockerenv",
    "dev/console",
    "dev/pts",
    "dev/shm",
    "etc/hostname",
    "etc/hosts",
    "etc/mtab",
    "etc/resolv.conf",
    "proc",
    "sys",
];

/// An archive for `ADD`: what no command of busybox makes.
pub(crate) fn added() -> LayerBuilder {
    LayerBuilder::new()
        .file_with(
            "ping",
            vec![9; 7000],
            Meta::mode(0o755).xattr("security.capability", CAPABILITY),
        )
        .file_with("owned", "owned", Meta::mode(0o640).owner(70_000, 3_000_000))
        .directory_with("private", Meta::mode(0o700).owner(5, 6))
        .file(&b"private/latin-\xe4"[..], "latin")
        .hard_link("private/again", "owned")
        .symlink("private/link", "../../outside")
}

/// Everything that is compared of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    kind: Kind,
    size: u64,
    mode: u32,
    owner: (u64, u64),
    link: Vec<u8>,
    device: (u32, u32),
    xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

type Nodes = BTreeMap<String, Node>;
/// Paths by what tells one file from another.
type Groups = BTreeMap<String, BTreeSet<String>>;

/// A filesystem: its paths, and which of them are one file.
#[derive(Debug, Default)]
struct Files {
    nodes: Nodes,
    linked: BTreeSet<BTreeSet<String>>,
}

impl Files {
    fn new(nodes: Nodes, groups: Groups) -> Self {
        let linked = groups.into_values().filter(|group| group.len() > 1).collect();
        Self { nodes, linked }
    }
}

fn shown(path: &[u8]) -> String {
    path.escape_ascii().to_string()
}

/// What the analyzer says.
fn analyzed(account: &Account) -> Files {
    let (mut nodes, mut groups) = (Nodes::new(), Groups::new());
    let tree = &account.tree;
    for id in tree.walk(NodeId::ROOT).filter(|id| *id != NodeId::ROOT) {
        let path = shown(&tree.path(id));
        let at = tree.entry(id);
        assert!(at.is_explicit(), "{path}: builders write every directory");
        let entry = account.indexes[at.layer as usize].entry(at.position as usize);
        let (uid, gid) = entry.owner();
        let kind = tree.kind(id);
        let payload = tree.payload(id);
        let size = payload.map_or(0, |payload| account.payloads[payload as usize].size);
        let link = if kind == Kind::Symlink { entry.link().to_vec() } else { Vec::new() };
        let device = match kind {
            Kind::CharDevice | Kind::BlockDevice => entry.device(),
            _ => (0, 0),
        };
        // A link's header repeats all but the attributes, which are the file's.
        let file = match payload {
            Some(payload) => {
                let at = account.payloads[payload as usize].entry;
                account.indexes[at.layer as usize].entry(at.position as usize)
            }
            None => entry,
        };
        let xattrs = file.xattrs().filter(|(name, _)| *name == EXPORTED);
        let node = Node {
            kind,
            size,
            mode: entry.mode() & 0o7777,
            owner: (uid.into(), gid.into()),
            link,
            device,
            xattrs: xattrs.map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
        };
        if let Some(payload) = payload {
            groups.entry(payload.to_string()).or_default().insert(path.clone());
        }
        nodes.insert(path, node);
    }
    Files::new(nodes, groups)
}

/// What an exported archive says.
fn exported(archive: &Path) -> Files {
    let (mut nodes, mut groups) = (Nodes::new(), Groups::new());
    let mut archive = tar::Archive::new(fs_err::File::open(archive).unwrap());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path_bytes().into_owned();
        let name = name.strip_suffix(b"/").unwrap_or(&name);
        let path = shown(name);
        if DOCKERS_OWN.contains(&path.as_str()) {
            continue;
        }
        let header = entry.header().clone();
        let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
        if header.entry_type() == tar::EntryType::Link {
            let first = shown(&link);
            let node = nodes[&first].clone();
            groups.entry(first).or_default().insert(path.clone());
            nodes.insert(path, node);
            continue;
        }
        let kind = match header.entry_type() {
            tar::EntryType::Directory => Kind::Directory,
            tar::EntryType::Symlink => Kind::Symlink,
            tar::EntryType::Char => Kind::CharDevice,
            tar::EntryType::Block => Kind::BlockDevice,
            tar::EntryType::Fifo => Kind::Fifo,
            tar::EntryType::Regular => Kind::File,
            other => panic!("{path}: {other:?}"),
        };
        let device = match kind {
            Kind::CharDevice | Kind::BlockDevice => (
                header.device_major().unwrap().unwrap_or_default(),
                header.device_minor().unwrap().unwrap_or_default(),
            ),
            _ => (0, 0),
        };
        let xattrs = entry.pax_extensions().unwrap().into_iter().flatten().filter_map(|record| {
            let record = record.unwrap();
            let name = record.key_bytes().strip_prefix(b"SCHILY.xattr.")?;
            Some((name.to_vec(), record.value_bytes().to_vec()))
        });
        let node = Node {
            kind,
            xattrs: xattrs.collect(),
            size: if kind == Kind::File { entry.size() } else { 0 },
            mode: header.mode().unwrap() & 0o7777,
            owner: (header.uid().unwrap(), header.gid().unwrap()),
            link,
            device,
        };
        groups.entry(path.clone()).or_default().insert(path.clone());
        nodes.insert(path, node);
    }
    Files::new(nodes, groups)
}

fn account(docker: &Dockerd, reference: &str, in_place: bool) -> Account {
    let options = Options {
        open: OpenOptions { docker_host: Some(docker.host()), in_place, ..OpenOptions::default() },
        jobs: NonZeroUsize::MIN,
        verify: false,
        base: None,
        cache: None,
    };
    let word = format!("docker-daemon:{reference}");
    analyze(&word, &mut || Box::new(std::io::empty()), &options).unwrap()
}

/// Holds the final tree of `reference` against a container's.
fn compare(docker: &Dockerd, reference: &str) -> Files {
    let room = tempfile::tempdir().unwrap();
    let archive = room.path().join("export.tar");
    let container = docker.docker(&["create", reference, "/none"]).unwrap();
    let export = ["export", "--output", archive.to_str().unwrap(), container.trim()];
    docker.docker(&export).unwrap();
    let exported = exported(&archive);
    for in_place in [true, false] {
        let analyzed = analyzed(&account(docker, reference, in_place));
        for path in analyzed.nodes.keys().chain(exported.nodes.keys()) {
            let (ours, dockers) = (analyzed.nodes.get(path), exported.nodes.get(path));
            assert_eq!(ours, dockers, "{reference}: /{path}, in place: {in_place}");
        }
        assert_eq!(analyzed.linked, exported.linked, "{reference}, in place: {in_place}");
    }
    exported
}

/// The directories that Docker makes where an image lacks them, for files of its own.
pub(crate) fn places() -> LayerBuilder {
    LayerBuilder::new().directory("dev").directory("etc")
}

/// Every directory that [`shop::image`] leaves to be made.
fn with_directories() -> Image {
    let mut layer = places();
    for directory in [
        "usr",
        "usr/lib",
        "run",
        "srv",
        "srv/was-a-directory",
        "var",
        "var/lib",
        "var/lib/apt",
        "usr/share",
        "usr/share/doc",
        "usr/share/doc/shop",
        "opt",
        "opt/shop",
        "opt/shop/etc",
        "opt/shop/data",
        "opt/shop/cache",
        "opt/shop/cache/old",
        "opt/shop/umlaut-ä",
        "opt/shop/umlaut-ä/日本語の長い名前",
    ] {
        layer = layer.directory(directory);
    }
    let mut deep = "opt/shop".to_owned();
    for _ in 0..8 {
        deep.push_str("/a-long-directory-name");
        layer = layer.directory(&deep);
    }
    shop::for_engines(ImageBuilder::new().layer(layer, "ADD directories /"))
}

#[test]
fn the_final_tree_is_what_docker_exports() {
    let Some(docker) = Dockerd::for_test() else { return };
    docker.build(context().path(), "localhost/built:1").unwrap();
    let built = compare(&docker, "localhost/built:1");
    // The build did what it was to do, or there is nothing to compare.
    let kinds: BTreeSet<Kind> = built.nodes.values().map(|node| node.kind).collect();
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    let one = |path: &str| &built.nodes[path];
    assert_eq!(one("data/null").device, (1, 3));
    assert_eq!(one("data/setuid").owner, (7, 8));
    assert_eq!(one("added/owned").owner, (70_000, 3_000_000));
    assert_eq!(one("data/sticky").mode, 0o1777);
    assert_eq!(one("data/copy").mode, 0o600);
    assert_eq!(one("data/dir").link, b"/nowhere");
    assert_eq!(one("added/ping").xattrs.len(), 1);
    assert!(
        !built.nodes.contains_key("data/deep/link") && built.nodes.contains_key("data/deep/new")
    );
    assert!(built.linked.contains(&["data/again", "data/one"].map(str::to_owned).into()));
    assert!(
        built.linked.contains(&["added/owned", "added/private/again"].map(str::to_owned).into())
    );

    docker.load_image(&with_directories()).unwrap();
    let loaded = compare(&docker, shop::TAG);
    assert_eq!(loaded.nodes["srv/was-a-directory"].kind, Kind::Symlink);
    assert_eq!(loaded.nodes["srv/was-a-file"].kind, Kind::Directory);
    assert!(loaded.nodes.contains_key("opt/shop/latin-\\xe4\\xf6\\xfc.txt"));
}
