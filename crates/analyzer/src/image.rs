//! The documents of an image: index, manifest, config, and its history aligned with its layers.

pub mod config;
mod document;
pub mod history;
pub mod instruction;
pub mod manifest;

pub use config::{Config, HistoryEntry};
pub use history::align;
pub use instruction::Instruction;
pub use manifest::{Document, Index, IndexEntry, Manifest, parse_document};
