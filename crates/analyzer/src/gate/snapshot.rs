//! What a gate remembers of an image: its figures, and each layer with the bytes that packages and
//! directories have in it. A baseline is made of these, and two of them tell who grew.

use std::collections::BTreeMap;

use jettison_oci::{Digest, escape};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::entry::split;
use crate::facts::package::{Package, Packages};
use crate::facts::unused::Unused;
use crate::gate::measure::{Metric, below, measure};
use crate::tree::{Fate, NodeId};

/// Directories remembered of one layer; the bytes of the others are summed.
const DIRECTORIES_MAX: usize = 64;
/// Names of a path that tell a directory: `/opt/app/lib` holds all below it.
const DEPTH: usize = 3;

/// An image on one platform, as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snapshot {
    /// The image, by the name that it is looked up under.
    pub image: String,
    /// Its platform.
    pub platform: String,
    /// The digest of its manifest, where the source has one.
    pub manifest_digest: Option<Digest>,
    /// The digest of its config: Docker's image ID.
    pub config_digest: Digest,
    /// The commit that it was built of, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The increase that was accepted with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// Every figure that the source tells, in bytes (layers: their number).
    pub metrics: BTreeMap<Metric, u64>,
    /// Bytes below directories that a budget names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub directories: BTreeMap<String, u64>,
    /// How many of the layers are the base's, where that is known.
    pub base_layers: Option<usize>,
    /// The layers, bottom first.
    pub layers: Vec<SnapshotLayer>,
}

/// An increase that somebody accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Accepted {
    /// Why.
    pub reason: String,
}

/// One layer of a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SnapshotLayer {
    /// Digest of its uncompressed tar.
    pub diff_id: Digest,
    /// The instruction that made it, as a Dockerfile has it.
    pub instruction: Option<String>,
    /// Bytes of its uncompressed tar.
    pub uncompressed: u64,
    /// Bytes of its blob, where the source has it compressed.
    pub compressed: Option<u64>,
    /// Bytes of its files that are in the final filesystem: the sum of the three that follow.
    pub effective: u64,
    /// Bytes of lower layers' files that it hides.
    pub hides: u64,
    /// Entries of its tar.
    pub entries: u64,
    /// Bytes by package, named `ecosystem:name`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packages: BTreeMap<String, PackageBytes>,
    /// Bytes of files of no package, by directory.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub directories: BTreeMap<String, u64>,
    /// Bytes of the directories that are not named.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rest: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

/// A package of a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageBytes {
    /// Its version.
    pub version: String,
    /// Bytes of its live files in the layer.
    pub bytes: u64,
}

/// Whose live bytes of a layer are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// A package's, named `ecosystem:name`.
    Package(String),
    /// Of files in a directory, that are of no package.
    Directory(String),
    /// Of files in other directories.
    Rest,
}

impl Part {
    /// The part that a live file is of. Directories are never summed up here.
    pub(crate) fn of(account: &Account, packages: &Packages, node: NodeId) -> Self {
        match packages.owner(node) {
            Some(package) => Self::Package(package_key(package)),
            None => Self::Directory(directory(&account.tree.path(node))),
        }
    }

    /// For people: a package's name without its ecosystem.
    pub fn name(&self) -> &str {
        match self {
            Self::Package(key) => key.split_once(':').map_or(key, |(_, name)| name),
            Self::Directory(path) => path,
            Self::Rest => "other directories",
        }
    }

    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Package(_) => "package",
            Self::Directory(_) | Self::Rest => "directory",
        }
    }
}

/// `deb:libc6`.
pub(crate) fn package_key(package: &Package) -> String {
    format!("{}:{}", package.ecosystem.name(), escape::line(&package.name))
}

/// The directory that stands for a file's: no deeper than [`DEPTH`].
fn directory(path: &[u8]) -> String {
    let (above, _) = split(path);
    let names: Vec<&[u8]> = above.split(|b| *b == b'/').take(DEPTH).collect();
    format!("/{}", escape::path(&names.join(&b'/')))
}

impl SnapshotLayer {
    /// Live bytes by whose they are, with a package's version.
    pub fn parts(&self) -> BTreeMap<Part, (u64, Option<&str>)> {
        let packages = self.packages.iter().map(|(key, package)| {
            (Part::Package(key.clone()), (package.bytes, Some(package.version.as_str())))
        });
        let directories = self
            .directories
            .iter()
            .map(|(path, bytes)| (Part::Directory(path.clone()), (*bytes, None)));
        let rest = (self.rest > 0).then_some((Part::Rest, (self.rest, None)));
        packages.chain(directories).chain(rest).collect()
    }
}

impl Snapshot {
    /// Of an account. `image` is the name that it is looked up under; `directories` those that a
    /// budget names, without a slash at either end.
    pub fn of(
        image: &str,
        account: &Account,
        packages: &Packages,
        unused: Option<&Unused>,
        directories: &[String],
    ) -> Self {
        let base = account.base.as_ref().and_then(|base| base.layers);
        Self {
            image: escape::line(image),
            platform: account.image.config.platform.to_string(),
            manifest_digest: account.image.manifest_digest.clone(),
            config_digest: account.image.config_digest.clone(),
            commit: None,
            accepted: None,
            metrics: measure(account, unused),
            directories: directories
                .iter()
                .map(|path| (format!("/{path}"), below(account, path.as_bytes())))
                .collect(),
            base_layers: base,
            layers: layers(account, packages),
        }
    }

    /// Whether a directory of a layer is told by its name, rather than summed up with others.
    pub(crate) fn names(&self, layer: usize, directory: &str) -> bool {
        self.layers.get(layer).is_some_and(|layer| layer.directories.contains_key(directory))
    }

    /// Live bytes of the packages whose name `is` says, over all layers.
    pub fn package_bytes(&self, is: impl Fn(&str) -> bool) -> u64 {
        let packages = self.layers.iter().flat_map(|layer| &layer.packages);
        packages
            .filter(|(key, _)| is(key) || key.split_once(':').is_some_and(|(_, name)| is(name)))
            .map(|(_, package)| package.bytes)
            .sum()
    }
}

fn layers(account: &Account, packages: &Packages) -> Vec<SnapshotLayer> {
    let mut layers: Vec<SnapshotLayer> = account
        .layers
        .iter()
        .map(|row| SnapshotLayer {
            diff_id: row.diff_id.clone(),
            instruction: row.instruction.as_ref().map(|one| escape::line(&one.text())),
            uncompressed: row.size.get(),
            compressed: row.compressed_size.map(jettison_oci::Bytes::get),
            effective: row.live.get(),
            hides: row.hides.get(),
            entries: row.entries as u64,
            packages: BTreeMap::new(),
            directories: BTreeMap::new(),
            rest: 0,
        })
        .collect();
    for (node, payload) in account.nodes.iter().zip(&account.payloads) {
        let (Some(node), Fate::Live(_)) = (*node, payload.fate) else { continue };
        if payload.size == 0 {
            continue;
        }
        let layer = &mut layers[payload.entry.layer as usize];
        match packages.owner(node) {
            Some(package) => {
                let row = layer.packages.entry(package_key(package)).or_default();
                row.bytes += payload.size;
                row.version = escape::line(&package.version);
            }
            None => {
                *layer.directories.entry(directory(&account.tree.path(node))).or_default() +=
                    payload.size;
            }
        }
    }
    for layer in &mut layers {
        sum_up(layer);
    }
    layers
}

/// Keeps the largest directories.
fn sum_up(layer: &mut SnapshotLayer) {
    if layer.directories.len() <= DIRECTORIES_MAX {
        return;
    }
    let mut rows: Vec<(String, u64)> = std::mem::take(&mut layer.directories).into_iter().collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    layer.rest = rows.split_off(DIRECTORIES_MAX).into_iter().map(|(_, bytes)| bytes).sum();
    layer.directories = rows.into_iter().collect();
}
