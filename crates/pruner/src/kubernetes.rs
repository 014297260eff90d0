//! Pods and workloads by the word of a Kubernetes API server.
//!
//! Only lists are asked for. A list that failed, came in part or contradicts itself is refused:
//! what is missing in it would look unused.

mod config;
mod list;
pub mod node;
mod outlook;
mod page;
mod refusal;
mod request;
mod resource;

pub use outlook::Member;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use kube::Client;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::cluster::{Cluster, Pod};
use crate::reference::{pod, template};
use crate::{Error, Result};
use resource::Resource;

/// How long the server is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the whole answer to one request.
    pub answer: Duration,
    /// Before a request is made again the first time; then twice as long each time.
    pub first_wait: Duration,
}

impl Default for Patience {
    /// 30 s, in which a server under load gives a page of 500 pods, and half a second.
    fn default() -> Self {
        Self { answer: Duration::from_secs(30), first_wait: Duration::from_millis(500) }
    }
}

/// A Kubernetes API server.
pub struct Api {
    client: Client,
    /// Its address, for messages.
    server: String,
    patience: Patience,
    runtime: Runtime,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Api {
    /// The server of a context of these files, merged as kubectl merges those of `KUBECONFIG`; of
    /// the current context where none is named. A program that a kubeconfig names for its
    /// credentials is run. A proxy counts where the kubeconfig names it, not by the environment.
    pub fn from_kubeconfig(paths: &[PathBuf], context: Option<&str>) -> Result<Self> {
        let runtime = config::runtime()?;
        let config = runtime.block_on(config::of_files(paths, context))?;
        Self::connect(runtime, config)
    }

    /// The server of the cluster that this process is a pod of, by its service account, whose
    /// token is read again each minute, as it is replaced while the pod runs.
    pub fn in_cluster() -> Result<Self> {
        Self::connect(config::runtime()?, config::of_pod()?)
    }

    fn connect(runtime: Runtime, config: kube::Config) -> Result<Self> {
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let client = {
            // The client starts a task of its own.
            let _entered = runtime.enter();
            config::client(config)?
        };
        Ok(Self { client, server, patience: Patience::default(), runtime })
    }

    /// With another patience.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// What the cluster says of the images that `node` needs; its workloads where `templates`.
    ///
    /// What makes pods is read before pods, and pods without a node before those with one: what
    /// moves on meanwhile is seen twice rather than never.
    pub fn cluster(&self, node: &str, templates: bool) -> Result<Cluster> {
        node::check_name(node)?;
        self.runtime.block_on(async {
            let mut cluster = Cluster::default();
            if templates {
                for kind in template::Kind::ALL {
                    let read = |value: &Value| template::of(kind, value);
                    let list = self.list(Resource::of(kind), None, read).await?;
                    cluster.templates.extend(list);
                }
            }
            // One that was bound meanwhile may come with its node: it counts all the same.
            cluster.unscheduled =
                self.list(Resource::PODS, Some("spec.nodeName="), pod::of).await?;
            cluster.pods = self.pods_of(node).await?;
            Ok(cluster)
        })
    }

    /// The pods that are bound to `node`, in any phase.
    pub fn pods(&self, node: &str) -> Result<Vec<Pod>> {
        node::check_name(node)?;
        self.runtime.block_on(self.pods_of(node))
    }

    async fn pods_of(&self, node: &str) -> Result<Vec<Pod>> {
        let selector = format!("spec.nodeName={node}");
        self.list(Resource::PODS, Some(&selector), |value| {
            let pod = pod::of(value)?;
            node::check_pod(node, &pod, value)?;
            Ok(pod)
        })
        .await
    }

    /// The API in a message.
    fn refused(&self, because: &str) -> Error {
        Error::Refused(format!("the Kubernetes API at {} {because}", self.server))
    }
}
