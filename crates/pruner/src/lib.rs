//! Removes the images of a node that nothing needs any more, and says why each other one stays.
//!
//! The flow, each step a plain value: the runtime's *inventory* and the cluster's pods and
//! templates give *references*; those and the *history* give, by a *policy*, a *plan*; *execute*
//! reads the references again right before each removal. Unknown means keep: a view that failed,
//! is partial or contradicts itself removes nothing.

pub mod cluster;
mod error;
pub mod execute;
pub mod history;
pub mod inventory;
pub mod kubelet;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
pub mod metrics;
pub mod moment;
pub mod outside;
pub mod plan;
pub mod policy;
pub mod prune;
pub mod reclaim;
pub mod reference;
pub mod report;
pub mod runtime;
pub mod schedule;
pub mod watch;

pub use error::{Error, Result};
pub use history::History;
pub use inventory::{Image, ImageId, Inventory};
pub use moment::Moment;
pub use plan::Plan;
pub use policy::Policy;
pub use reference::References;
