//! Images made in code, byte for byte the same on every run.
//!
//! A [`LayerBuilder`] lists tar entries, an [`ImageBuilder`] stacks layers under a configuration,
//! an [`IndexBuilder`] joins images of several platforms, and [`ImageFiles`] lays the result out as
//! one of the archives and directories that real tools write. The tar writer is our own rather
//! than a crate's, so that the analyzer's reader is never tested against its own other half.

mod builder;
mod built;
mod chunked;
mod compression;
mod docker_archive;
mod files;
mod header;
mod index;
mod layer;
mod layout;
mod sparse;
mod stargz;

pub use builder::{History, ImageBuilder};
pub use built::{Format, Image, Layer};
pub use compression::{Compression, gzip, zstd};
pub use files::{ImageFiles, Wrap};
pub use header::{BLOCK, Header, Meta};
pub use index::{Index, IndexBuilder};
pub use layer::{LayerBuilder, LongNames};
pub use layout::Root;
pub use sparse::SparseFormat;

/// The modification time of every entry that sets none: 2024-01-01T00:00:00Z.
pub const EPOCH: u64 = 1_704_067_200;

/// The creation time of every image that sets none.
pub const CREATED: &str = "2024-01-01T00:00:00Z";
