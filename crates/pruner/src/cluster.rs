//! What a Kubernetes cluster says of the images that a node needs, as plain values.

/// Where a text stands that names an image: `spec.containers[app].image`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// The text as it is written there, never empty.
    pub image: String,
    /// The field.
    pub field: String,
    /// Whether the kubelet may not pull it: `imagePullPolicy: Never`.
    pub never_pulled: bool,
}

/// A pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID in the API; empty for one that is read from a manifest.
    pub uid: String,
    /// The UID that the kubelet gave a static pod, whose mirror in the API has another one: the
    /// annotation `kubernetes.io/config.hash` or `kubernetes.io/config.mirror`.
    pub static_uid: Option<String>,
    /// Every image that it names.
    pub mentions: Vec<Mention>,
}

/// Something that will make pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// `Deployment`, `CronJob`, ...
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Every image that its pods will name.
    pub mentions: Vec<Mention>,
}

/// What was read of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// The pods that are bound to the node, in any phase.
    pub pods: Vec<Pod>,
    /// The pods that are bound to no node yet.
    pub unscheduled: Vec<Pod>,
    /// The workloads of the whole cluster.
    pub templates: Vec<Template>,
}
