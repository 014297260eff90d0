//! `jettison prune` on a node of a cluster: a real containerd, and an API server that says what a
//! test wants.

use jettison_testkit::busybox;
use jettison_testkit::containerd::{CRI_NAMESPACE, Daemon};
use jettison_testkit::cri::Kubelet;
use jettison_testkit::kubernetes::object::{pod, workload};
use jettison_testkit::kubernetes::{Fault, Server};
use serde_json::Value;

use crate::jettison::{Run, User};
use crate::prune::{SOON, wait};

struct Member {
    user: User,
    daemon: Daemon,
    kubelet: Kubelet,
    server: Server,
}

impl Member {
    fn new() -> Option<Self> {
        let daemon = Daemon::for_test()?;
        let images = ["nightly", "free"].map(|name| {
            let tag = format!("docker.io/library/{name}:1");
            busybox::builder(&tag, &["sleep", "600"]).unwrap().label("is", name).build()
        });
        daemon.import(CRI_NAMESPACE, images).unwrap();
        let kubelet = Kubelet::connect(&daemon.socket()).unwrap();
        while kubelet.images().unwrap().len() < 3 {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let server = Server::start().unwrap();
        Some(Self { user: User::new(), daemon, kubelet, server })
    }

    /// A pod of the node, by the word of both.
    fn run_pod(&self) {
        self.kubelet.run_pod("default", "web", "uid-web").unwrap();
        let web = pod("default", "web").node("worker-1").uid("uid-web");
        self.server.put(web.container("app", "docker.io/library/elsewhere:1").build());
    }

    fn run(&self, more: &[&str]) -> Run {
        let endpoint = self.daemon.endpoint();
        let state = self.user.path("state").display().to_string();
        let fixed = ["prune", "--endpoint", &endpoint, "--state-dir", &state, "--allow-unpullable"];
        let mut command = self.user.command(&[&fixed[..], &SOON[..], more].concat());
        Run::of(command.env("NODE_NAME", "worker-1"))
    }

    fn run_in_cluster(&self, more: &[&str]) -> Run {
        let kubeconfig = self.server.kubeconfig().unwrap().display().to_string();
        self.run(&[&["--kubeconfig", &kubeconfig], more].concat())
    }
}

fn reason(document: &Value, name: &str) -> String {
    let images = document["images"].as_array().unwrap();
    let image = images.iter().find(|image| image["tags"][0].as_str().unwrap().contains(name));
    image.unwrap()["reason"].as_str().unwrap().to_owned()
}

#[test]
fn what_the_cluster_needs_tonight_stays() {
    let Some(member) = Member::new() else { return };
    member.run_pod();
    member.server.put(workload("CronJob", "default", "nightly", "nightly:1"));
    member.run_in_cluster(&["--observe"]).bytes();
    wait();
    let text = member.run_in_cluster(&["--dry-run"]).text();
    assert!(text.contains("and the Kubernetes API at https://127.0.0.1"), "{text}");
    assert!(text.contains("CronJob default/nightly"), "{text}");
    let done = member.run_in_cluster(&["--yes", "--format", "json"]).json();
    assert_eq!((done["node"].as_str(), done["runtime"].as_str()), (Some("worker-1"), Some("cri")));
    assert_eq!(
        (reason(&done, "nightly"), reason(&done, "free")),
        ("template".into(), "old".into())
    );
    assert!(member.kubelet.has("docker.io/library/nightly:1").unwrap());
    assert!(!member.kubelet.has("docker.io/library/free:1").unwrap());
    assert!(member.server.requests().iter().all(|request| request.method == "GET"));
}

#[test]
fn a_right_that_is_missing_is_named_and_only_left_out_on_request() {
    let Some(member) = Member::new() else { return };
    member.run_pod();
    member.run_in_cluster(&["--observe"]).bytes();
    wait();
    member.server.fault("cronjobs", 99, Fault::Status(403));
    let refused = member.run_in_cluster(&["--yes"]);
    refused.fails(4, &["cronjobs", "list", "--templates none"]);
    assert!(member.kubelet.has("docker.io/library/free:1").unwrap());
    let done = member.run_in_cluster(&["--yes", "--templates", "none"]);
    assert!(done.text().contains("pods, not workloads"));
    assert!(!member.kubelet.has("docker.io/library/free:1").unwrap());
}

#[test]
fn a_node_of_a_cluster_is_not_taken_for_one_of_its_own() {
    let Some(member) = Member::new() else { return };
    // No pod: nothing says that this is a cluster's node.
    assert!(member.run(&["--dry-run"]).text().contains("nobody but the runtime"));
    member.run_pod();
    member.run(&["--dry-run"]).fails(4, &["pods of Kubernetes run here", "--kubernetes off"]);
    assert!(member.run(&["--dry-run", "--kubernetes", "off"]).text().contains("nobody but"));
    let wrong = member.run_in_cluster(&["--node-name", "worker-9", "--dry-run"]);
    wrong.fails(4, &["worker-9", "--node-name"]);
    let odd = member.run_in_cluster(&["--node-name", "no node", "--dry-run"]);
    odd.fails(2, &["is no name of a node"]);
}

#[test]
fn static_pods_count_with_and_without_a_cluster() {
    let Some(member) = Member::new() else { return };
    let manifests = member.user.path("manifests");
    fs_err::create_dir(&manifests).unwrap();
    let manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: etcd}\nspec:\n  containers:\n  \
                    - {name: etcd, image: nightly:1}\n";
    fs_err::write(manifests.join("etcd.yaml"), manifest).unwrap();
    let directory = manifests.display().to_string();
    let document =
        member.run(&["--static-pods", &directory, "--dry-run", "--format", "json"]).json();
    assert_eq!(reason(&document, "nightly"), "static-pod");
    fs_err::write(manifests.join("broken.yaml"), "kind: [").unwrap();
    member.run(&["--static-pods", &directory, "--yes"]).fails(4, &["broken.yaml"]);
}
