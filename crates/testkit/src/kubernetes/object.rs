//! Objects as `kubectl get --output json` shows them, with what else stands there.

use serde_json::{Value, json};

/// A moment of the past, as the API writes it.
const CREATED: &str = "2026-03-01T08:00:00Z";

/// A pod that is made of its parts.
#[derive(Clone, Debug)]
pub struct Pod {
    value: Value,
}

/// A pod that is bound to no node and has no container yet.
pub fn pod(namespace: &str, name: &str) -> Pod {
    let value = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "creationTimestamp": CREATED,
            "generateName": format!("{name}-"),
            "labels": { "app": name },
            "name": name,
            "namespace": namespace,
            "ownerReferences": [{
                "apiVersion": "apps/v1", "blockOwnerDeletion": true, "controller": true,
                "kind": "ReplicaSet", "name": name, "uid": "0a7c2f5e-1111-4000-8000-000000000001",
            }],
        },
        "spec": {
            "containers": [],
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": true,
            "preemptionPolicy": "PreemptLowerPriority",
            "priority": 0,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "serviceAccount": "default",
            "serviceAccountName": "default",
            "terminationGracePeriodSeconds": 30,
            "tolerations": [{
                "effect": "NoExecute", "key": "node.kubernetes.io/not-ready",
                "operator": "Exists", "tolerationSeconds": 300,
            }],
            "volumes": [{
                "name": "kube-api-access",
                "projected": { "defaultMode": 420, "sources": [{
                    "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" },
                }] },
            }],
        },
        "status": { "phase": "Pending", "qosClass": "BestEffort" },
    });
    Pod { value }
}

impl Pod {
    /// Bound to this node.
    #[must_use]
    pub fn node(mut self, node: &str) -> Self {
        self.value["spec"]["nodeName"] = json!(node);
        self.value["status"]["conditions"] = json!([{
            "lastProbeTime": null, "lastTransitionTime": CREATED,
            "status": "True", "type": "PodScheduled",
        }]);
        self
    }

    /// With this UID.
    #[must_use]
    pub fn uid(mut self, uid: &str) -> Self {
        self.value["metadata"]["uid"] = json!(uid);
        self
    }

    /// In this phase.
    #[must_use]
    pub fn phase(mut self, phase: &str) -> Self {
        self.value["status"]["phase"] = json!(phase);
        self
    }

    /// With this annotation.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.value["metadata"]["annotations"][key] = json!(value);
        self
    }

    /// With a container.
    #[must_use]
    pub fn container(self, name: &str, image: &str) -> Self {
        self.push("/spec", "containers", container(name, image, "IfNotPresent"))
    }

    /// With a container whose image is never pulled.
    #[must_use]
    pub fn container_never_pulled(self, name: &str, image: &str) -> Self {
        self.push("/spec", "containers", container(name, image, "Never"))
    }

    /// With a container that runs before the others.
    #[must_use]
    pub fn init_container(self, name: &str, image: &str) -> Self {
        self.push("/spec", "initContainers", container(name, image, "IfNotPresent"))
    }

    /// With a container that was added for debugging.
    #[must_use]
    pub fn ephemeral_container(self, name: &str, image: &str) -> Self {
        self.push("/spec", "ephemeralContainers", container(name, image, "IfNotPresent"))
    }

    /// With a volume that is an image.
    #[must_use]
    pub fn image_volume(self, name: &str, reference: &str) -> Self {
        let volume = json!({
            "name": name, "image": { "pullPolicy": "IfNotPresent", "reference": reference },
        });
        self.push("/spec", "volumes", volume)
    }

    /// With the status of a container that runs, in one of `containerStatuses`,
    /// `initContainerStatuses` and `ephemeralContainerStatuses`.
    #[must_use]
    pub fn status(self, list: &str, name: &str, image: &str, image_id: &str) -> Self {
        let status = json!({
            "containerID": format!("containerd://{:064x}", name.len()),
            "image": image,
            "imageID": image_id,
            "lastState": { "terminated": {
                "containerID": format!("containerd://{:064x}", 1), "exitCode": 1,
                "finishedAt": CREATED, "reason": "Error", "startedAt": CREATED,
            } },
            "name": name,
            "ready": true,
            "restartCount": 1,
            "started": true,
            "state": { "running": { "startedAt": CREATED } },
        });
        self.push("/status", list, status).phase("Running")
    }

    /// The JSON.
    pub fn build(self) -> Value {
        self.value
    }

    fn push(mut self, parent: &str, list: &str, element: Value) -> Self {
        if let Some(fields) = self.value.pointer_mut(parent).and_then(Value::as_object_mut) {
            let list = fields.entry(list).or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut() {
                list.push(element);
            }
        }
        self
    }
}

/// A workload with one container: `Deployment`, `StatefulSet`, `DaemonSet`, `ReplicaSet`,
/// `ReplicationController`, `Job` or `CronJob`, scaled to nothing where it has a scale.
///
/// # Panics
/// When the kind is another one.
pub fn workload(kind: &str, namespace: &str, name: &str, image: &str) -> Value {
    let labels = json!({ "app": name });
    let template = json!({
        "metadata": { "creationTimestamp": null, "labels": labels },
        "spec": {
            "containers": [container("app", image, "IfNotPresent")],
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": if kind.ends_with("Job") { "OnFailure" } else { "Always" },
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
        },
    });
    let selector = json!({ "matchLabels": labels });
    let (version, spec) = match kind {
        "Deployment" | "ReplicaSet" => {
            ("apps/v1", json!({ "replicas": 0, "selector": selector, "template": template }))
        }
        "StatefulSet" => (
            "apps/v1",
            json!({
                "replicas": 0, "selector": selector, "serviceName": name, "template": template,
            }),
        ),
        "DaemonSet" => ("apps/v1", json!({ "selector": selector, "template": template })),
        "ReplicationController" => {
            ("v1", json!({ "replicas": 0, "selector": labels, "template": template }))
        }
        "Job" => (
            "batch/v1",
            json!({ "backoffLimit": 6, "completions": 1, "suspend": true, "template": template }),
        ),
        "CronJob" => (
            "batch/v1",
            json!({
                "concurrencyPolicy": "Forbid", "schedule": "0 3 * * *", "suspend": false,
                "jobTemplate": {
                    "metadata": { "creationTimestamp": null },
                    "spec": { "template": template },
                },
            }),
        ),
        other => panic!("{other} is no workload"),
    };
    json!({
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "creationTimestamp": CREATED, "generation": 1, "labels": labels,
            "name": name, "namespace": namespace,
        },
        "spec": spec,
        "status": {},
    })
}

fn container(name: &str, image: &str, policy: &str) -> Value {
    json!({
        "image": image,
        "imagePullPolicy": policy,
        "name": name,
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [{
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            "name": "kube-api-access", "readOnly": true,
        }],
    })
}
