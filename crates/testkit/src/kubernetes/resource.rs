//! The resources that the fake serves.

/// A resource of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// `Pod`.
    pub(super) kind: &'static str,
    /// `pods`.
    pub(super) plural: &'static str,
    /// `v1` or `apps/v1`.
    pub(super) version: &'static str,
}

impl Resource {
    /// All of them.
    pub(super) const ALL: [Self; 8] = [
        Self { kind: "Pod", plural: "pods", version: "v1" },
        Self { kind: "ReplicationController", plural: "replicationcontrollers", version: "v1" },
        Self { kind: "Deployment", plural: "deployments", version: "apps/v1" },
        Self { kind: "StatefulSet", plural: "statefulsets", version: "apps/v1" },
        Self { kind: "DaemonSet", plural: "daemonsets", version: "apps/v1" },
        Self { kind: "ReplicaSet", plural: "replicasets", version: "apps/v1" },
        Self { kind: "Job", plural: "jobs", version: "batch/v1" },
        Self { kind: "CronJob", plural: "cronjobs", version: "batch/v1" },
    ];

    /// Where all objects of all namespaces are listed.
    pub(super) fn path(self) -> String {
        format!("{}/{}", root(self.version), self.plural)
    }

    /// The one of this path.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.path() == path)
    }
}

/// Where a version of the API begins.
pub(super) fn root(version: &str) -> String {
    if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") }
}
