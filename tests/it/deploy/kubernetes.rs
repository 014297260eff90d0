//! The manifests: what they may do, and what they run.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::kustomize::build;
use super::{command_line, path, texts};

/// Every directory that can be applied.
const VARIANTS: [&str; 5] = ["base", "k3s", "crio", "docker", "one-node"];

fn objects(variant: &str) -> Vec<Value> {
    build(&format!("examples/kubernetes/{variant}"))
}

fn one<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let mut found = objects.iter().filter(|object| object["kind"] == kind);
    let object = found.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(found.next().is_none(), "several of {kind}");
    object
}

/// The pod that a variant makes.
fn pod(objects: &[Value]) -> &Value {
    let at = if objects.iter().any(|object| object["kind"] == "CronJob") {
        &one(objects, "CronJob")["spec"]["jobTemplate"]["spec"]
    } else {
        &one(objects, "DaemonSet")["spec"]
    };
    &at["template"]
}

fn container(objects: &[Value]) -> &Value {
    let spec = &pod(objects)["spec"];
    assert_eq!(spec["initContainers"], Value::Null);
    let containers = spec["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    &containers[0]
}

/// What the container runs: the image's own program with these arguments.
fn arguments(container: &Value) -> Vec<String> {
    let mut words: Vec<String> =
        texts(&container["command"]).into_iter().map(str::to_owned).collect();
    if !words.is_empty() {
        // What the image would run by itself: examples/ci/image/Dockerfile.
        assert_eq!(words.remove(0), "/jettison");
    }
    words.extend(texts(&container["args"]).into_iter().map(str::to_owned));
    words
}

fn value_of<'a>(arguments: &'a [String], flag: &str) -> Option<&'a str> {
    arguments.iter().find_map(|word| word.strip_prefix(flag)?.strip_prefix('='))
}

#[test]
fn every_manifest_is_in_a_kustomization() {
    for directory in ["rights", "base", "k3s", "crio", "docker", "one-node"] {
        let listed =
            super::documents(&format!("examples/kubernetes/{directory}/kustomization.yaml"));
        let listed = listed[0].to_string();
        let there = fs_err::read_dir(path(&format!("examples/kubernetes/{directory}"))).unwrap();
        for entry in there {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(name == "kustomization.yaml" || listed.contains(&name), "{directory}/{name}");
        }
    }
}

#[test]
fn jettison_may_list_and_nothing_else() {
    for variant in VARIANTS {
        let objects = objects(variant);
        let role = one(&objects, "ClusterRole");
        assert_eq!(
            role["rules"],
            json!([
                { "apiGroups": [""], "resources": ["pods"], "verbs": ["list"] },
                { "apiGroups": [""], "resources": ["replicationcontrollers"], "verbs": ["list"] },
                {
                    "apiGroups": ["apps"],
                    "resources": ["deployments", "statefulsets", "daemonsets", "replicasets"],
                    "verbs": ["list"]
                },
                { "apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["list"] },
            ]),
        );
        assert!(objects.iter().all(|object| object["kind"] != "Role"));
        let account = one(&objects, "ServiceAccount");
        let binding = one(&objects, "ClusterRoleBinding");
        assert_eq!(binding["roleRef"]["kind"], "ClusterRole");
        assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
        assert_eq!(
            binding["subjects"],
            json!([{
                "kind": "ServiceAccount",
                "name": account["metadata"]["name"],
                "namespace": account["metadata"]["namespace"],
            }])
        );
        let spec = &pod(&objects)["spec"];
        assert_eq!(spec["serviceAccountName"], account["metadata"]["name"]);
        assert_eq!(spec["automountServiceAccountToken"], true);
    }
}

#[test]
fn the_pod_has_nothing_but_what_it_mounts() {
    for variant in VARIANTS {
        let objects = objects(variant);
        let (spec, container) = (&pod(&objects)["spec"], container(&objects));
        let security = &container["securityContext"];
        assert_eq!(security["privileged"], false, "{variant}");
        assert_eq!(security["allowPrivilegeEscalation"], false);
        assert_eq!(security["readOnlyRootFilesystem"], true);
        assert_eq!(security["capabilities"], json!({ "drop": ["ALL"] }));
        assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        for host in ["hostNetwork", "hostPID", "hostIPC"] {
            assert_eq!(spec[host], Value::Null, "{variant}");
        }
        for part in ["requests", "limits"] {
            let sizes = container["resources"][part].as_object().unwrap();
            let names: BTreeSet<&str> = sizes.keys().map(String::as_str).collect();
            assert_eq!(names, BTreeSet::from(["cpu", "memory", "ephemeral-storage"]), "{variant}");
        }
        assert_eq!(spec["tolerations"], json!([{ "operator": "Exists" }]));
        assert_eq!(spec["priorityClassName"], "system-node-critical");
        assert_eq!(
            container["env"],
            json!([{
                "name": "NODE_NAME",
                "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } }
            }])
        );
        assert_eq!(container["image"], "jettison:local");
    }
}

#[test]
fn what_is_mounted_is_what_the_command_line_names() {
    for variant in VARIANTS {
        let objects = objects(variant);
        let (spec, container) = (&pod(&objects)["spec"], container(&objects));
        let arguments = arguments(container);
        let volumes = spec["volumes"].as_array().unwrap();
        let mounts = container["volumeMounts"].as_array().unwrap();
        assert_eq!(volumes.len(), mounts.len(), "{variant}");
        let mut mounted = BTreeSet::new();
        for mount in mounts {
            let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap();
            let (at, host) = (mount["mountPath"].as_str().unwrap(), &volume["hostPath"]);
            // The runtime tells paths of the host, and the history names the socket.
            assert_eq!(host["path"], at, "{variant}");
            let is_history = at == "/var/lib/jettison";
            assert_eq!(mount["readOnly"] == true, !is_history, "{variant} {at}");
            let kind = match at {
                "/run/docker.sock" => "Socket",
                _ if is_history || mount["name"] == "static-pods" => "DirectoryOrCreate",
                _ => "Directory",
            };
            assert_eq!(host["type"], kind, "{variant} {at}");
            mounted.insert(at);
        }
        assert!(mounted.contains("/var/lib/jettison"));
        assert_eq!(value_of(&arguments, "--state-dir"), None);
        assert!(mounted.contains(value_of(&arguments, "--static-pods").unwrap()), "{variant}");
        let socket = value_of(&arguments, "--endpoint").unwrap().strip_prefix("unix://").unwrap();
        let directory = socket.rsplit_once('/').unwrap().0;
        assert!(mounted.contains(socket) || mounted.contains(directory), "{variant} {socket}");
        assert!(!mounted.contains("/run") && !mounted.contains("/"));
    }
}

#[test]
fn what_they_run_is_a_command_line() {
    for variant in VARIANTS {
        let objects = objects(variant);
        let arguments = arguments(container(&objects));
        assert_eq!(arguments[0], "prune");
        assert_eq!(value_of(&arguments, "--kubernetes"), Some("required"), "{variant}");
        command_line::assert_runs(&arguments);
    }
}

#[test]
fn probes_metrics_and_policy_meet_at_one_port() {
    for variant in ["base", "k3s", "crio", "docker"] {
        let objects = objects(variant);
        let container = container(&objects);
        let arguments = arguments(container);
        let port = value_of(&arguments, "--metrics-address").unwrap().rsplit_once(':').unwrap().1;
        let named = &container["ports"][0];
        assert_eq!(named["containerPort"].to_string(), port);
        let template = pod(&objects);
        assert_eq!(template["metadata"]["annotations"]["prometheus.io/port"], port);
        let probe = &container["livenessProbe"]["httpGet"];
        assert_eq!((&probe["path"], &probe["port"]), (&json!("/healthz"), &named["name"]));
        let policy = &one(&objects, "NetworkPolicy")["spec"];
        assert_eq!(policy["policyTypes"], json!(["Ingress"]));
        assert_eq!(policy["ingress"][0]["ports"][0]["port"], named["name"]);
        let daemon_set = &one(&objects, "DaemonSet")["spec"];
        for selector in [&policy["podSelector"], &daemon_set["selector"]] {
            assert_eq!(selector["matchLabels"], template["metadata"]["labels"]);
        }
        assert_ne!(daemon_set["updateStrategy"]["rollingUpdate"]["maxUnavailable"], Value::Null);
    }
}

#[test]
fn everything_is_in_the_namespace() {
    for variant in VARIANTS {
        let objects = objects(variant);
        let namespace = &one(&objects, "Namespace")["metadata"]["name"];
        for object in &objects {
            let kind = object["kind"].as_str().unwrap();
            let expected = match kind {
                "Namespace" | "ClusterRole" | "ClusterRoleBinding" => &Value::Null,
                _ => namespace,
            };
            assert_eq!(&object["metadata"]["namespace"], expected, "{variant} {kind}");
        }
        let job = objects.iter().find(|object| object["kind"] == "CronJob");
        let job = job.map(|job| &job["spec"]);
        assert_eq!(job.is_some(), variant == "one-node");
        if let Some(job) = job {
            assert_eq!(job["concurrencyPolicy"], "Forbid");
            let spec = &job["jobTemplate"]["spec"]["template"]["spec"];
            assert_ne!(spec["nodeSelector"]["kubernetes.io/hostname"], Value::Null);
        }
    }
}
