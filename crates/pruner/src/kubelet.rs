//! What a kubelet's own image garbage collection does, and where it acts against this policy.
//!
//! A kubelet goes by the disk (`imageGCHighThresholdPercent`) and, where it is told to, by age
//! (`imageMaximumGCAge`). It knows no keep rules, no templates and no history, so it has to come
//! second. Nothing here asks a kubelet: that takes a right (`nodes/proxy`) which also gives every
//! container of the node away.

pub mod advice;
pub mod configuration;
mod quantity;
pub mod report;

pub use advice::{Advice, Code, advise};
pub use configuration::Configuration;

use std::time::Duration;

/// What jettison is to do on the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The age from which on an image may go.
    pub older_than: Duration,
    /// How long an image has to be on the node at least.
    pub min_age: Duration,
    /// From which share of the image file system on images go, in percent of it used, and down to
    /// which; `None` where they only go by age.
    pub thresholds: Option<(u8, u8)>,
}
