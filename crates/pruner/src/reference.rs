//! What names images.

mod field;
pub mod pod;
mod spec;
pub mod static_pod;
pub mod template;
