//! The base image: what an image starts from today, what its own part needs of it, and which other
//! base has that for fewer bytes.

pub mod candidate;
pub mod catalogue;
pub mod version;
