//! What the targets share: images of raw layers, and tars made whole after a mutation.

pub mod content;
pub mod image;
pub mod repair;
