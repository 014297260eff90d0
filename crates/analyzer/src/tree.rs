//! The final filesystem of an image, made by applying its layers in order, each once.

pub mod nodes;
pub mod stack;
pub(crate) mod walk;

pub use nodes::{NodeId, Tree};
pub use stack::{Cause, Fate, Link, Payload, Stacked, stack};
