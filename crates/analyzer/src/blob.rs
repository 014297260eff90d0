//! Blobs: bytes under a digest. Reading them checks the digest, and a compressed one is
//! decompressed within limits.

pub mod decompress;
pub mod digester;
pub mod region;

pub use region::{ReadAt, Region};
