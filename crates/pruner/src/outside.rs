//! What is asked outside the runtime: Kubernetes, and a kubelet's manifests.

use crate::error::Result;
use crate::inventory::Use;
use crate::reference::Outside;

/// Everything outside the runtime that can name an image.
pub trait Outlook: Send + Sync {
    /// Reads all of it. `used` is what runs on the node, which the cluster's word is held against.
    fn read(&self, used: &Use) -> Result<Outside>;

    /// Reads again what may have changed since `before`, right before a removal.
    fn again(&self, before: &Outside, used: &Use) -> Result<Outside>;

    /// What is asked, for people; `None` where nothing is.
    fn name(&self) -> Option<String>;
}

/// A node that is nobody's but its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Outlook for Nowhere {
    fn read(&self, _: &Use) -> Result<Outside> {
        Ok(Outside::default())
    }

    fn again(&self, before: &Outside, _: &Use) -> Result<Outside> {
        Ok(before.clone())
    }

    fn name(&self) -> Option<String> {
        None
    }
}
