//! The account for people and for machines: one model, one file a format.

pub mod bar;
pub mod diff_text;
pub mod json;
pub mod model;
pub mod page;
pub mod remedy;
mod rows;
pub mod text;
pub mod unused_text;
pub mod why_text;

pub use page::Style;

/// How much of an account is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Rows of each list.
    pub top: usize,
    /// Rows with fewer bytes are left out.
    pub min_bytes: jettison_oci::Bytes,
}

impl Default for Detail {
    fn default() -> Self {
        Self { top: 10, min_bytes: jettison_oci::Bytes(1) }
    }
}
