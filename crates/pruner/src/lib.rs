//! Removes the images of a node that nothing needs any more, and says why each other one stays.
//!
//! The flow, each step a plain value: the runtime's *inventory* and the cluster's pods and
//! templates give *references*; those and the *history* give, by a *policy*, a *plan*; *execute*
//! reads the references again right before each removal. Unknown means keep: a view that failed,
//! is partial or contradicts itself removes nothing.

pub mod cluster;
mod error;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
pub mod reference;

pub use error::{Error, Result};
