//! Changes that a person can make to how an image is built: what each saves, why, and the lines to
//! write.

pub mod base;
pub mod suggestion;
