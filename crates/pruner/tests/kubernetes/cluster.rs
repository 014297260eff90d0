//! A server that does as it should.

use std::collections::BTreeSet;

use jettison_pruner::kubernetes::node;
use jettison_testkit::kubernetes::object::{pod, workload};
use jettison_testkit::kubernetes::{Fault, Server};

use crate::{NODE, api, assert_refused, named, names, server_with};

const KINDS: [&str; 7] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "CronJob",
    "Job",
    "ReplicationController",
];

#[test]
fn every_field_of_a_pod_counts() {
    let server = Server::start().unwrap();
    server.put(
        pod("shop", "web")
            .uid("u-web")
            .node(NODE)
            .container("app", "nginx:1")
            .container_never_pulled("own", "localhost/own")
            .init_container("setup", "busybox")
            .ephemeral_container("debug", "alpine")
            .image_volume("models", "ghcr.io/models:1")
            .status("containerStatuses", "app", "docker.io/library/nginx:1", "nginx@sha256:1")
            .status("initContainerStatuses", "setup", "busybox:old", "sha256:2")
            .status("ephemeralContainerStatuses", "debug", "sha256:3", "")
            .annotation("kubernetes.io/config.hash", "hash")
            .annotation("kubernetes.io/config.mirror", "hash")
            .build(),
    );
    let pods = api(&server).pods(NODE).unwrap();
    assert_eq!(names(&pods), ["web"]);
    let web = &pods[0];
    assert_eq!((web.uid.as_str(), web.static_uid.as_deref()), ("u-web", Some("hash")));
    assert_eq!(
        named(&web.mentions),
        [
            ("spec.containers[app].image", "nginx:1"),
            ("spec.containers[own].image", "localhost/own"),
            ("spec.initContainers[setup].image", "busybox"),
            ("spec.ephemeralContainers[debug].image", "alpine"),
            ("spec.volumes[models].image.reference", "ghcr.io/models:1"),
            ("status.containerStatuses[app].image", "docker.io/library/nginx:1"),
            ("status.containerStatuses[app].imageID", "nginx@sha256:1"),
            ("status.initContainerStatuses[setup].image", "busybox:old"),
            ("status.initContainerStatuses[setup].imageID", "sha256:2"),
            ("status.ephemeralContainerStatuses[debug].image", "sha256:3"),
        ]
    );
    let never: Vec<_> = web.mentions.iter().filter(|one| one.never_pulled).collect();
    assert_eq!(never.len(), 1);
    assert_eq!(never[0].image, "localhost/own");
}

#[test]
fn pods_of_the_node_those_without_one_and_workloads() {
    let server = Server::start().unwrap();
    for phase in ["Pending", "Running", "Succeeded", "Failed", "Unknown"] {
        let pod = pod("shop", &phase.to_lowercase()).node(NODE).container("app", phase);
        server.put(pod.phase(phase).build());
    }
    server.put(pod("shop", "elsewhere").node("n2").container("app", "elsewhere").build());
    // Its name begins with the node's.
    server.put(pod("shop", "near").node("n1-b").container("app", "near").build());
    server.put(pod("shop", "waiting").container("app", "waiting").build());
    for kind in KINDS {
        server.put(workload(kind, "jobs", "made", &format!("of-{kind}")));
    }
    let api = api(&server);
    let cluster = api.cluster(NODE, true).unwrap();
    assert_eq!(names(&cluster.pods), ["failed", "pending", "running", "succeeded", "unknown"]);
    assert_eq!(names(&cluster.unscheduled), ["waiting"]);
    let templates: Vec<_> = cluster
        .templates
        .iter()
        .map(|one| (one.kind.as_str(), one.namespace.as_str(), one.mentions[0].image.as_str()))
        .collect();
    let images = KINDS.map(|kind| format!("of-{kind}"));
    let expected: Vec<_> =
        KINDS.iter().zip(&images).map(|(&kind, image)| (kind, "jobs", image.as_str())).collect();
    assert_eq!(templates, expected);

    let requests = server.requests();
    assert!(requests.iter().all(|request| request.method == "GET"), "{requests:?}");
    // What moves from one list to the next is seen twice rather than never.
    let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
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
            "/api/v1/pods",
            "/api/v1/pods",
        ]
    );
    assert_eq!(requests[7].parameter("fieldSelector"), Some("spec.nodeName="));
    assert_eq!(requests[8].parameter("fieldSelector"), Some("spec.nodeName=n1"));
    assert!(requests.iter().all(|request| request.parameter("resourceVersion").is_none()));
}

#[test]
fn without_templates_no_workload_is_asked_for() {
    let server = server_with(1);
    server.put(workload("Deployment", "shop", "web", "web:1"));
    let cluster = api(&server).cluster(NODE, false).unwrap();
    assert!(cluster.templates.is_empty());
    assert_eq!(names(&cluster.pods), ["web-0000"]);
    assert!(server.requests().iter().all(|request| request.path == "/api/v1/pods"));
}

#[test]
fn each_reading_is_of_now() {
    let server = server_with(2);
    let api = api(&server);
    assert_eq!(names(&api.pods(NODE).unwrap()), ["web-0000", "web-0001"]);
    server.put(pod("a", "new").node(NODE).container("app", "new:1").build());
    assert!(server.remove("Pod", "shop", "web-0000"));
    assert_eq!(names(&api.pods(NODE).unwrap()), ["new", "web-0001"]);
}

#[test]
fn another_nodes_name_is_noticed() {
    let server = Server::start().unwrap();
    server.put(pod("shop", "here").uid("here").node(NODE).container("a", "a").build());
    server.put(pod("shop", "there").uid("there").node("n2").container("a", "a").build());
    let api = api(&server);
    let sandboxes = BTreeSet::from(["here".to_owned(), "gone".to_owned()]);
    node::prove(NODE, &api.pods(NODE).unwrap(), &sandboxes).unwrap();

    let prove = |name: &str| node::prove(name, &api.pods(name).unwrap(), &sandboxes);
    assert_refused(prove("n2"), &["binds 1 pod to the node \"n2\"", "none of which"]);
    assert_refused(prove("n3"), &["no pod of the node \"n3\"", "sandboxes of 2 pods"]);

    server.forget_requests();
    for name in ["", "N1", "n1,spec.nodeName=n2"] {
        assert!(api.cluster(name, true).unwrap_err().is_usage());
        assert!(api.pods(name).unwrap_err().is_usage());
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_selector_that_is_passed_over_is_noticed() {
    let server = server_with(1);
    server.put(pod("shop", "elsewhere").node("n2").container("app", "elsewhere").build());
    server.fault("spec.nodeName=n1", 1, Fault::IgnoreSelector);
    assert_refused(
        api(&server).pods(NODE),
        &[
            "a list of pods that cannot be trusted",
            "Pod shop/elsewhere in it is bound to the node \"n2\"",
            "pass over the field selector",
        ],
    );
    // More pods that wait for a node than there are keep more images.
    server.fault("spec.nodeName=", 1, Fault::IgnoreSelector);
    let cluster = api(&server).cluster(NODE, false).unwrap();
    assert_eq!(names(&cluster.unscheduled), ["elsewhere", "web-0000"]);
    assert_eq!(names(&cluster.pods), ["web-0000"]);
}
