//! What is asked outside the runtime: Kubernetes, and a kubelet's manifests.

use std::path::{Path, PathBuf};

use crate::cluster::Pod;
use crate::error::Result;
use crate::inventory::Use;
use crate::reference::{Outside, static_pod};
use crate::runtime::Runtime;

/// Everything outside the runtime that can name an image.
pub trait Outlook: Send + Sync {
    /// Reads all of it. `used` is what runs on the node, which the cluster's word is held against.
    fn read(&self, used: &Use) -> Result<Outside>;

    /// Reads again what may have changed since `before`, right before a removal.
    fn again(&self, before: &Outside, used: &Use) -> Result<Outside>;

    /// What is asked, for people; `None` where nothing is.
    fn name(&self) -> Option<String>;
}

/// A node that Kubernetes is not asked about; manifests of static pods count where there are some.
#[derive(Clone, Debug, Default)]
pub struct Alone {
    /// Where a kubelet's manifests are.
    pub static_pods: Option<PathBuf>,
}

impl Outlook for Alone {
    fn read(&self, _: &Use) -> Result<Outside> {
        Ok(Outside { cluster: None, static_pods: static_pods(self.static_pods.as_deref())? })
    }

    fn again(&self, _: &Outside, used: &Use) -> Result<Outside> {
        self.read(used)
    }

    fn name(&self) -> Option<String> {
        let directory = self.static_pods.as_ref()?;
        Some(format!("the runtime, static pods of {}", directory.display()))
    }
}

/// Who uses images once `outside` was asked, where `before` is who did before that. A cluster's
/// answer takes its time, in which a container may have been made.
pub(crate) fn used_after(outside: &Outside, before: Use, runtime: &dyn Runtime) -> Result<Use> {
    if outside.cluster.is_some() { runtime.used() } else { Ok(before) }
}

/// The pods of the manifests in a directory; none where there is no directory.
pub(crate) fn static_pods(directory: Option<&Path>) -> Result<Vec<Pod>> {
    directory.map(static_pod::read).transpose().map(Option::unwrap_or_default)
}
