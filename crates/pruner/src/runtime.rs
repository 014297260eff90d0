//! What a node's images are kept by. All that is asked of a runtime is here: a kind of runtime is
//! one file below.

mod containers_storage;
mod cri;
mod docker;
mod find;

pub use cri::Cri;
pub use docker::Engine;
pub use find::{Asked, find};

use std::path::Path;

use crate::error::Result;
use crate::inventory::{Capacity, Image, ImageId, Inventory, Use};
use crate::reclaim::Storage;

/// The kinds of runtimes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Docker's engine.
    Docker,
    /// podman's Docker-compatible service.
    Podman,
    /// Whatever serves the Container Runtime Interface: containerd, CRI-O, cri-dockerd.
    Cri,
}

impl Kind {
    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Cri => "cri",
        }
    }
}

/// What became of a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The image and its records are gone, by this call or before it.
    Gone,
    /// The runtime would not: something uses it. Nothing was changed.
    Refused(String),
    /// It failed.
    Failed(String),
}

/// A node's runtime. Every call but one reads.
pub trait Runtime: Send + Sync {
    /// What it is.
    fn kind(&self) -> Kind;

    /// Its address, `unix:///run/...`.
    fn endpoint(&self) -> String;

    /// Its name and version for people.
    fn name(&self) -> String;

    /// Everything that it has. An error where any part of that fails.
    fn inventory(&self) -> Result<Inventory>;

    /// Who uses images now.
    fn used(&self) -> Result<Use>;

    /// An image by its names as they are now, its labels and times left aside; `None` where it is
    /// gone.
    fn image(&self, id: &ImageId) -> Result<Option<Image>>;

    /// What images are made of now.
    fn storage(&self) -> Result<Storage>;

    /// The file system that images are on; `None` where it cannot be measured from here.
    fn capacity(&self) -> Option<Capacity>;

    /// Removes an image by all of its names, never by force. The one call that writes.
    fn remove(&self, image: &Image) -> Removal;
}

/// The space of the file system at `path`.
fn capacity_at(path: &Path) -> Option<Capacity> {
    let space = rustix::fs::statvfs(path).ok()?;
    Some(Capacity {
        total: space.f_blocks.saturating_mul(space.f_frsize),
        free: space.f_bavail.saturating_mul(space.f_frsize),
    })
}

/// A runtime of threads' own for calls that wait on a socket.
fn waiting() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("jettison-runtime")
        .enable_all()
        .build()
        .map_err(|error| crate::Error::Unreadable(error.to_string()))
}
