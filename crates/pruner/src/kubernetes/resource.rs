//! Where the API lists what.

use crate::reference::template::Kind;

/// A resource of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// Its kind as the API spells it: `Pod`.
    pub(super) kind: &'static str,
    /// Its name in paths and rules: `pods`.
    pub(super) plural: &'static str,
    /// Its group; empty for the first one.
    pub(super) group: &'static str,
}

impl Resource {
    /// Pods.
    pub(super) const PODS: Self = Self { kind: "Pod", plural: "pods", group: "" };

    /// The resource of a kind that makes pods.
    pub(super) const fn of(kind: Kind) -> Self {
        let (plural, group) = match kind {
            Kind::Deployment => ("deployments", "apps"),
            Kind::StatefulSet => ("statefulsets", "apps"),
            Kind::DaemonSet => ("daemonsets", "apps"),
            Kind::ReplicaSet => ("replicasets", "apps"),
            Kind::CronJob => ("cronjobs", "batch"),
            Kind::Job => ("jobs", "batch"),
            Kind::ReplicationController => ("replicationcontrollers", ""),
        };
        Self { kind: kind.name(), plural, group }
    }

    /// Where those of all namespaces are listed.
    pub(super) fn path(self) -> String {
        match self.group {
            "" => format!("/api/v1/{}", self.plural),
            group => format!("/apis/{group}/v1/{}", self.plural),
        }
    }

    /// As `kubectl` takes it: `cronjobs.batch`.
    pub(super) fn name(self) -> String {
        match self.group {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// The rule of a `ClusterRole` that allows what is asked for.
    pub(super) fn rule(self) -> String {
        format!(
            "{{apiGroups: [\"{}\"], resources: [\"{}\"], verbs: [\"list\"]}}",
            self.group, self.plural
        )
    }

    /// Whether pods are listed, which nothing goes on without.
    pub(super) fn is_pods(self) -> bool {
        self == Self::PODS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_each_kind_is_listed() {
        assert_eq!(Resource::PODS.path(), "/api/v1/pods");
        let paths = Kind::ALL.map(|kind| Resource::of(kind).path());
        assert_eq!(
            paths,
            [
                "/apis/apps/v1/deployments",
                "/apis/apps/v1/statefulsets",
                "/apis/apps/v1/daemonsets",
                "/apis/apps/v1/replicasets",
                "/apis/batch/v1/cronjobs",
                "/apis/batch/v1/jobs",
                "/api/v1/replicationcontrollers",
            ]
        );
        assert_eq!(Resource::of(Kind::Job).name(), "jobs.batch");
        assert_eq!(
            Resource::PODS.rule(),
            "{apiGroups: [\"\"], resources: [\"pods\"], verbs: [\"list\"]}"
        );
    }
}
