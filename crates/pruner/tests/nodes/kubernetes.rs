//! A node of a cluster: a real containerd, and an API server that serves what a test says.

use std::time::Duration;

use jettison_pruner::execute::Outcome;
use jettison_pruner::kubernetes::{Api, Member, Patience};
use jettison_pruner::runtime::Kind;
use jettison_testkit::containerd::Daemon;
use jettison_testkit::cri::{Kubelet, Pod};
use jettison_testkit::kubernetes::object::{pod, workload};
use jettison_testkit::kubernetes::{Fault, Server};

use crate::containerd::node;
use crate::desk::{Desk, all_removed, reason, removed};

const NODE: &str = "worker-1";

struct Cluster {
    daemon: Daemon,
    kubelet: Kubelet,
    server: Server,
    /// The pod that proves the node's name.
    pod: Pod,
}

impl Cluster {
    fn new(images: &[&str]) -> Option<Self> {
        let (daemon, kubelet) = node(images)?;
        let server = Server::start().unwrap();
        let pod_of_node = kubelet.run_pod("kube-system", "proxy", "uid-proxy").unwrap();
        let proxy = pod("kube-system", "proxy").node(NODE).uid("uid-proxy");
        server.put(proxy.container("proxy", "registry.k8s.io/kube-proxy:v1").build());
        Some(Self { daemon, kubelet, server, pod: pod_of_node })
    }

    fn desk(&self) -> Desk {
        self.desk_of(NODE)
    }

    fn desk_of(&self, node: &str) -> Desk {
        let api = Api::from_kubeconfig(&[self.server.kubeconfig().unwrap()], None).unwrap();
        let patience =
            Patience { answer: Duration::from_secs(2), first_wait: Duration::from_millis(1) };
        Desk::new(Kind::Cri, &self.daemon.endpoint()).outlook(Member {
            api: api.with_patience(patience),
            node: node.to_owned(),
            templates: true,
            static_pods: None,
        })
    }
}

fn name(image: &str) -> String {
    format!("docker.io/library/{image}:1")
}

#[test]
fn what_pods_and_workloads_name_stays() {
    let names = ["pod", "init", "volume", "waiting", "cron", "scaled", "elsewhere", "free"];
    let Some(cluster) = Cluster::new(&names) else { return };
    let server = &cluster.server;
    let mine = pod("default", "mine").node(NODE).uid("uid-mine").container("app", "pod:1");
    let mine = mine.init_container("setup", "docker.io/library/init:1");
    server.put(mine.image_volume("models", &name("volume")).build());
    server.put(pod("default", "late").container("app", &name("waiting")).build());
    server.put(pod("default", "other").node("worker-2").container("a", &name("elsewhere")).build());
    server.put(workload("CronJob", "default", "nightly", &name("cron")));
    server.put(workload("Deployment", "default", "scaled", &name("scaled")));
    let mut desk = cluster.desk();
    let look = desk.look_for_a_month();
    for (image, code) in [
        ("pod", "pod"),
        ("init", "pod"),
        ("volume", "pod"),
        ("waiting", "unscheduled-pod"),
        ("cron", "template"),
        ("scaled", "template"),
        ("elsewhere", "old"),
        ("free", "old"),
    ] {
        assert_eq!(reason(&look.plan, image), code, "{image}");
    }
    // The end of the last reference is the beginning of age.
    assert!(server.remove("CronJob", "default", "nightly"));
    let look = desk.look();
    assert_eq!(reason(&look.plan, "cron"), "first-look");
    let (_, executed) = desk.prune();
    assert!(all_removed(&executed), "{executed:?}");
    assert_eq!(executed.removed(), 2);
    assert!(cluster.kubelet.has(&name("cron")).unwrap());
    assert!(server.requests().iter().all(|request| request.method == "GET"));
}

#[test]
fn a_pod_that_comes_between_plan_and_removal_is_seen() {
    let Some(cluster) = Cluster::new(&["app"]) else { return };
    let mut desk = cluster.desk();
    let mut look = desk.look_for_a_month();
    assert_eq!(removed(&look.plan), ["app"]);
    let late = pod("default", "late").node(NODE).uid("uid-late");
    cluster.server.put(late.container("app", "app:1").build());
    let executed = desk.execute(&mut look);
    let [Outcome::Skipped(because)] = executed.outcomes.as_slice() else { panic!("{executed:?}") };
    assert!(because.contains("pod default/late"), "{because}");
}

#[test]
fn no_answer_is_believed_that_is_not_of_this_node() {
    let Some(cluster) = Cluster::new(&["app"]) else { return };
    let mut desk = cluster.desk_of("worker-9");
    let error = desk.try_look().err().unwrap();
    assert!(error.is_refusal() && error.to_string().contains("--node-name"), "{error}");
    // The name proves itself no more, in the midst of a run.
    desk = cluster.desk();
    let mut look = desk.look_for_a_month();
    assert!(cluster.server.remove("Pod", "kube-system", "proxy"));
    let executed = desk.execute(&mut look);
    assert_eq!(executed.removed(), 0);
    assert!(executed.stopped.is_some());
    // A node without any pod proves nothing.
    cluster.kubelet.remove_pod(&cluster.pod).unwrap();
    let error = desk.try_look().err().unwrap();
    assert!(error.to_string().contains("nothing proves"), "{error}");
}

#[test]
fn an_api_that_fails_removes_nothing() {
    let Some(cluster) = Cluster::new(&["app"]) else { return };
    let mut desk = cluster.desk();
    desk.look_for_a_month();
    for part in ["/api/v1/pods", "cronjobs", "deployments"] {
        for fault in [
            Fault::Status(401),
            Fault::Status(403),
            Fault::Status(500),
            Fault::Truncated(40),
            Fault::Hang,
        ] {
            cluster.server.fault(part, 99, fault);
            let error = desk.try_look().err().unwrap();
            assert!(error.is_refusal(), "{error}");
            cluster.server.clear_faults();
        }
    }
    // Fewer than all of them is a failure, too.
    let mut look = desk.look();
    cluster.server.fault("/api/v1/pods", 99, Fault::Status(500));
    let executed = desk.execute(&mut look);
    assert_eq!(executed.removed(), 0);
    cluster.server.clear_faults();
    assert_eq!(desk.prune().1.removed(), 1);
}

#[test]
fn a_text_of_the_cluster_that_cannot_be_understood_stops_the_run() {
    let Some(cluster) = Cluster::new(&["app"]) else { return };
    let mut desk = cluster.desk();
    desk.look_for_a_month();
    let odd = workload("Deployment", "default", "odd", "Not An Image");
    cluster.server.put(odd);
    let error = desk.try_look().err().unwrap();
    assert!(error.is_refusal(), "{error}");
    assert!(error.to_string().contains("Deployment default/odd"), "{error}");
}
