//! Layers: from the bytes of a tar to an index of its entries.

pub mod cache;
pub(crate) mod content;
pub mod content_hash;

pub mod index;
pub(crate) mod input;
#[cfg(feature = "engine")]
pub mod overlay;
pub mod read;
pub(crate) mod read_layer;
pub mod recompress;
pub(crate) mod scan;
pub(crate) mod tar;
