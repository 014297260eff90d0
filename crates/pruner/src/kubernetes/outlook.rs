//! A node of a Kubernetes cluster.

use std::path::PathBuf;

use super::{Api, node};
use crate::error::Result;
use crate::inventory::Use;
use crate::outside::{Outlook, static_pods};
use crate::reference::Outside;

/// What the cluster says of one node.
pub struct Member {
    /// The API server.
    pub api: Api,
    /// The node's name there.
    pub node: String,
    /// Whether the workloads of the cluster count.
    pub templates: bool,
    /// Where the kubelet's manifests are.
    pub static_pods: Option<PathBuf>,
}

impl Outlook for Member {
    fn read(&self, used: &Use) -> Result<Outside> {
        let cluster = self.api.cluster(&self.node, self.templates)?;
        node::prove(&self.node, &cluster.pods, &used.pod_uids())?;
        let static_pods = static_pods(self.static_pods.as_deref())?;
        Ok(Outside { cluster: Some(cluster), static_pods })
    }

    fn again(&self, before: &Outside, used: &Use) -> Result<Outside> {
        let pods = self.api.pods(&self.node)?;
        node::prove(&self.node, &pods, &used.pod_uids())?;
        // Pods that were there a moment ago count once more: what ends now was needed until now.
        let mut cluster = before.cluster.clone().unwrap_or_default();
        cluster.pods.extend(pods);
        let static_pods = static_pods(self.static_pods.as_deref())?;
        Ok(Outside { cluster: Some(cluster), static_pods })
    }

    fn name(&self) -> Option<String> {
        let templates = if self.templates { "pods and workloads" } else { "pods, not workloads" };
        Some(format!("the runtime, and the Kubernetes API at {} ({templates})", self.api.server))
    }
}
