//! The machine's own Debian packages, as dpkg's database lists them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::image::{LayerBuilder, Meta, zstd};

/// Every installed package of the machine.
pub(super) struct Database {
    packages: BTreeMap<String, Package>,
}

/// One installed package.
#[derive(Clone)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    architecture: String,
    stanza: String,
    depends: Vec<String>,
    /// The base name of its files in dpkg's `info` directory.
    info: String,
    list: String,
    md5sums: Option<Vec<u8>>,
    /// What the package installed and the machine still has: where it really is, and its size.
    files: BTreeMap<PathBuf, u64>,
}

impl Package {
    fn size(&self) -> u64 {
        self.files.values().sum()
    }

    /// The name of its archive in apt's cache.
    pub(super) fn archive_name(&self) -> String {
        let version = self.version.replace(':', "%3a");
        format!("{}_{version}_{}.deb", self.name, self.architecture)
    }
}

impl Database {
    /// Reads dpkg's database below `root`.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let database = root.join("var/lib/dpkg");
        let status = fs_err::read(database.join("status"))
            .context("the demonstration image is made of Debian packages; this is no Debian")?;
        let status = String::from_utf8_lossy(&status);
        let mut packages = BTreeMap::new();
        for stanza in status.split("\n\n").map(str::trim).filter(|stanza| !stanza.is_empty()) {
            if let Some(package) = package(&database, stanza)? {
                // The native architecture sorts before foreign ones in dpkg's own database.
                packages.entry(package.name.clone()).or_insert(package);
            }
        }
        Ok(Self { packages })
    }

    /// The packages of `names` with all they depend on, without those of `present`, each left out
    /// where it would exceed `budget` bytes in all. Sorted by name.
    pub(super) fn select(&self, names: &[&str], present: &[Package], budget: u64) -> Vec<Package> {
        let mut seen: BTreeSet<&str> =
            present.iter().map(|package| package.name.as_str()).collect();
        let (mut chosen, mut total) = (Vec::new(), 0);
        let mut queue: Vec<&str> = names.iter().rev().copied().collect();
        while let Some(name) = queue.pop() {
            let Some(package) = self.packages.get(name).filter(|_| seen.insert(name)) else {
                continue;
            };
            if total + package.size() > budget {
                continue;
            }
            total += package.size();
            chosen.push(package.clone());
            queue.extend(package.depends.iter().rev().map(String::as_str));
        }
        chosen.sort_by(|a: &Package, b| a.name.cmp(&b.name));
        chosen
    }
}

fn package(database: &Path, stanza: &str) -> anyhow::Result<Option<Package>> {
    let field = |name: &str| {
        stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or("")
    };
    let (name, architecture) = (field("Package"), field("Architecture"));
    if name.is_empty() || !field("Status").ends_with(" installed") {
        return Ok(None);
    }
    let qualified = format!("{name}:{architecture}");
    let candidates = [name.to_owned(), qualified];
    let info = candidates
        .into_iter()
        .find(|base| database.join("info").join(format!("{base}.list")).exists());
    let Some(info) = info else { return Ok(None) };
    let list = fs_err::read(database.join("info").join(format!("{info}.list")))?;
    let list = String::from_utf8_lossy(&list).into_owned();
    let files = list.lines().filter_map(|line| real_path(Path::new(line))).collect();
    // The first alternative of each dependency, without version and architecture.
    let depends = [field("Pre-Depends"), field("Depends")]
        .iter()
        .flat_map(|list| list.split(','))
        .filter_map(|word| word.trim().split([' ', ':', '|']).next())
        .map(str::to_owned)
        .collect();
    Ok(Some(Package {
        name: name.to_owned(),
        version: field("Version").to_owned(),
        architecture: architecture.to_owned(),
        stanza: stanza.to_owned(),
        depends,
        md5sums: fs_err::read(database.join("info").join(format!("{info}.md5sums"))).ok(),
        info,
        list,
        files,
    }))
}

/// Where a listed path really is (`/bin/sh` in `/usr/bin` on a merged system), and its size; `None`
/// for what the machine no longer has.
fn real_path(listed: &Path) -> Option<(PathBuf, u64)> {
    let parent = listed.parent()?.canonicalize().ok()?;
    let path = parent.join(listed.file_name()?);
    let metadata = path.symlink_metadata().ok()?;
    Some((path, if metadata.is_file() { metadata.len() } else { 0 }))
}

/// The files of `packages`, sorted by path, hard links kept.
pub(super) fn files(packages: &[Package]) -> anyhow::Result<LayerBuilder> {
    let paths: BTreeSet<&PathBuf> =
        packages.iter().flat_map(|package| package.files.keys()).collect();
    // The links of a merged system belong to no package.
    let merged = ["/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin"].map(PathBuf::from);
    let merged: Vec<_> = merged.iter().filter(|path| path.is_symlink()).collect();
    let mut layer = LayerBuilder::new();
    let mut first_names: HashMap<(u64, u64), Vec<u8>> = HashMap::new();
    let with_merged: BTreeSet<&PathBuf> = paths
        .iter()
        .copied()
        .chain(merged.into_iter().filter(|_| packages.iter().any(|p| p.name == "base-files")))
        .collect();
    for path in with_merged {
        let name = path.as_os_str().as_bytes().strip_prefix(b"/").unwrap_or_default();
        let metadata = fs_err::symlink_metadata(path)?;
        let meta = Meta::mode(metadata.mode() & 0o7777);
        if metadata.is_symlink() {
            let target = fs_err::read_link(path)?;
            layer = layer.symlink(name, target.as_os_str().as_bytes());
        } else if metadata.is_dir() {
            layer = layer.directory_with(name, meta);
        } else if metadata.is_file() {
            let inode = (metadata.dev(), metadata.ino());
            if let Some(first) = first_names.get(&inode) {
                layer = layer.hard_link(name, first);
                continue;
            }
            let content = match fs_err::read(path) {
                Ok(content) => content,
                // A user other than root cannot read every file; the image does without.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => continue,
                Err(error) => return Err(error.into()),
            };
            if metadata.nlink() > 1 {
                first_names.insert(inode, name.to_vec());
            }
            layer = layer.file_with(name, content, meta);
        }
    }
    Ok(layer)
}

/// What dpkg notes of `packages` in its `info` directory.
pub(super) fn records(packages: &[Package]) -> LayerBuilder {
    let mut layer = LayerBuilder::new();
    for package in packages {
        let base = format!("var/lib/dpkg/info/{}", package.info);
        layer = layer.file(format!("{base}.list"), package.list.clone());
        if let Some(sums) = &package.md5sums {
            layer = layer.file(format!("{base}.md5sums"), sums.clone());
        }
    }
    layer
}

/// dpkg's status file for `packages`.
pub(super) fn status(packages: &[Package]) -> String {
    packages.iter().flat_map(|package| [package.stanza.as_str(), "\n\n"]).collect()
}

/// The package as an archive that dpkg reads: an `ar` file of two tar archives.
pub(super) fn deb(package: &Package) -> anyhow::Result<Vec<u8>> {
    let control = LayerBuilder::new().file("./control", format!("{}\n", package.stanza));
    let data = files(std::slice::from_ref(package))?;
    let mut archive = b"!<arch>\n".to_vec();
    for (name, content) in [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.zst", zstd(&control.tar(), 3)),
        ("data.tar.zst", zstd(&data.tar(), 3)),
    ] {
        let header = format!("{name:<16}{:<12}0     0     100644  {:<10}`\n", 0, content.len());
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(&content);
        if content.len() % 2 == 1 {
            archive.push(b'\n');
        }
    }
    Ok(archive)
}
