//! The gate: what an image may weigh, against what it weighed, and who made it grow.
//!
//! An account becomes a [`Snapshot`] (figures, and layers with the bytes of each package and
//! directory); snapshots are compared by [`grown`], held to budgets by [`judge`], and kept in a
//! [`baseline`]. All are functions over values.

pub mod asked;
pub mod baseline;
pub mod budget;
pub mod cause;
pub mod deny;
pub mod dive_ci;
pub mod files;
pub mod gated;
pub mod grown;
pub mod init;
pub mod judge;
pub mod measure;
pub mod name;
pub mod snapshot;

pub use asked::Asked;
pub use baseline::Baseline;
pub use budget::{Budget, Limits, Subject};
pub use gated::{Against, Gated};
pub use grown::Grown;
pub use judge::{Check, Verdict};
pub use measure::{Measure, Metric};
pub use snapshot::Snapshot;
