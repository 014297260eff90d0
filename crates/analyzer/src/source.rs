//! Where images come from. Every transport ends in the same value, an [`Image`]: parsed
//! documents, and for each layer a way to its bytes.

pub mod archive;
#[cfg(feature = "containerd")]
pub mod containerd;
#[cfg(feature = "engine")]
pub mod engine;
pub mod layout;
#[cfg(feature = "registry")]
pub mod registry;
pub mod resolve;
pub mod store;
#[cfg(any(feature = "containerd", feature = "engine", feature = "registry"))]
pub mod stream;

use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use jettison_oci::{Digest, Platform};

use crate::blob::decompress::{Compression, Expansion};
use crate::blob::{ReadAt, Region};
use crate::error::{Error, Result};
use crate::image::{Config, Manifest};
use crate::layer::content_hash::ContentHash;
use crate::layer::index::LayerIndex;
use crate::progress::Shared;

/// The kinds of places an image can be read from, named as containers-transports(5) does;
/// `containerd` is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// A tar made by `docker save` or in its format.
    DockerArchive,
    /// An OCI layout directory.
    Oci,
    /// An OCI layout in a tar.
    OciArchive,
    /// Docker's engine, or podman's compatible socket.
    DockerDaemon,
    /// containers/storage, through podman.
    ContainersStorage,
    /// containerd's content store.
    Containerd,
    /// A registry.
    Docker,
}

impl Transport {
    /// The word before the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DockerArchive => "docker-archive",
            Self::Oci => "oci",
            Self::OciArchive => "oci-archive",
            Self::DockerDaemon => "docker-daemon",
            Self::ContainersStorage => "containers-storage",
            Self::Containerd => "containerd",
            Self::Docker => "docker",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How images are to be opened. The caller reads environment and terminal; nothing here does.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct OpenOptions {
    /// The platform to choose where an image has several.
    pub platform: Platform,
    /// Whether the platform was asked for, so that an image without a choice must fit it too.
    pub platform_asked: bool,
    /// How far layers may expand.
    pub expansion: Expansion,
    /// Told of layers that are read while the source passes by.
    pub progress: Shared,
    /// Whether what contents say is gathered from layers that pass by once.
    pub gather: bool,
    /// Whether diff_ids will be checked, so that a layer which passes by once is hashed for it.
    pub verify: bool,
    /// `DOCKER_HOST` or its default; `None` for the well-known sockets.
    pub docker_host: Option<String>,
    /// podman's Docker-compatible socket; `None` for the well-known ones.
    pub podman_host: Option<String>,
    /// containerd's socket; `None` for the well-known ones.
    pub containerd_address: Option<PathBuf>,
    /// Whether an engine's layer directories may be read in place.
    pub in_place: bool,
    /// Whether registries may be spoken to over plain HTTP and with unproven certificates.
    pub insecure: bool,
    /// Auth files to look in, the first that knows the registry wins.
    pub auth_files: Vec<PathBuf>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            platform: Platform::host(),
            platform_asked: false,
            expansion: Expansion::default(),
            progress: Shared::default(),
            gather: false,
            verify: false,
            docker_host: None,
            podman_host: None,
            containerd_address: None,
            in_place: true,
            insecure: false,
            auth_files: Vec::new(),
        }
    }
}

impl OpenOptions {
    /// Whether an image without a choice fits the platform that was asked for; `what` names it.
    pub(crate) fn check_platform(&self, what: impl Into<String>, config: &Config) -> Result<()> {
        if !self.platform_asked || self.platform.fit(&config.platform).is_some() {
            return Ok(());
        }
        Err(Error::NoSuchPlatform {
            what: what.into(),
            wanted: self.platform.clone(),
            found: vec![config.platform.to_string()],
        })
    }
}

/// Where an image was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The kind of place.
    pub transport: Transport,
    /// What stands behind the transport's colon: a path with a tag, or a reference.
    pub reference: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slashes = if self.transport == Transport::Docker { "//" } else { "" };
        write!(f, "{}:{slashes}{}", self.transport, self.reference)
    }
}

/// An image that was found, its documents read, its layers not yet.
#[derive(Clone, Debug)]
pub struct Image {
    /// Where it was found.
    pub origin: Origin,
    /// Digest of its manifest, where the source has one.
    pub manifest_digest: Option<Digest>,
    /// Annotations of the manifest; empty where the source has none.
    pub manifest: Option<Manifest>,
    /// Digest of its config: Docker's image ID.
    pub config_digest: Digest,
    /// The config, with the history.
    pub config: Config,
    /// Layers, bottom first: as many as the config has diff_ids.
    pub layers: Vec<Layer>,
    /// Where another manifest of the same place can be looked up by digest.
    pub siblings: Option<Arc<dyn store::BlobStore>>,
    /// How it was found and read, for those who want to know.
    pub notes: Vec<String>,
    /// What was odd, without keeping the image from being read.
    pub warnings: Vec<String>,
}

/// One layer of an [`Image`].
#[derive(Clone, Debug)]
pub struct Layer {
    /// What a manifest says of the blob; `None` for sources without manifests.
    pub descriptor: Option<Descriptor>,
    /// Digest of the uncompressed tar, from the config.
    pub diff_id: Digest,
    /// The way to its bytes.
    pub data: LayerData,
}

/// A blob as a manifest names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Descriptor {
    /// `application/vnd.oci.image.layer.v1.tar+gzip` and the like.
    pub media_type: String,
    /// Digest of the bytes as they are stored.
    pub digest: Digest,
    /// How many there are.
    pub size: u64,
}

/// The way to a layer's bytes.
#[derive(Clone)]
pub enum LayerData {
    /// In a file of this machine, compressed or not.
    Region(Region),
    /// Behind a network or socket: opened once, read from start to end.
    Remote(Arc<dyn RemoteBlob>),
    /// Already read, because the source passes by only once.
    Scanned(Arc<Scanned>),
    /// Unpacked on this machine, by an engine that kept what its tar was.
    InPlace(Arc<dyn UnpackedLayer>),
}

impl fmt::Debug for LayerData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Region(_) => "Region",
            Self::Remote(_) => "Remote",
            Self::Scanned(_) => "Scanned",
            Self::InPlace(_) => "InPlace",
        })
    }
}

/// A blob that has to be fetched.
pub trait RemoteBlob: Send + Sync {
    /// Starts reading it from its first byte. Errors of the source, met while reading, are an
    /// [`crate::Error`] inside the `std::io::Error`.
    fn open(&self) -> Result<Box<dyn Read + Send>>;
}

/// A layer that stands unpacked in a directory.
pub trait UnpackedLayer: Send + Sync {
    /// The entries of the tar that the layer was, and is when it is exported.
    fn index(&self) -> Result<Arc<LayerIndex>>;
    /// Hashes the content of the file at `position` of `index`.
    fn hash(&self, index: &LayerIndex, position: usize) -> Result<ContentHash>;
    /// The content of the file at `position` of `index`. It gives as many bytes as the entry says,
    /// or an error.
    fn open(&self, index: &LayerIndex, position: usize) -> Result<Box<dyn ReadAt + '_>>;
    /// Puts the tar together again and checks it against the layer's `diff_id`.
    fn verify(&self, diff_id: &Digest) -> Result<()>;
}

/// A layer that was read while it passed by.
#[derive(Debug)]
pub struct Scanned {
    /// Its entries, each file hashed.
    pub index: Arc<LayerIndex>,
    /// Bytes of the blob as it was stored.
    pub stored: u64,
    /// How those were compressed.
    pub compression: Compression,
    /// Digest of the blob as stored, if it stands under one or it was asked for.
    pub digest: Option<Digest>,
    /// Digest of the uncompressed tar, if it was asked for.
    pub diff_id: Option<Digest>,
}
