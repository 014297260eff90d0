//! containerd through the CRI: it removes what runs without a word, so the pruner is the only guard.

use jettison_pruner::execute::Measured;
use jettison_pruner::reclaim::Reclaimable;
use jettison_pruner::runtime::Kind;
use jettison_testkit::busybox;
use jettison_testkit::containerd::{CRI_NAMESPACE, Daemon, SANDBOX_IMAGE};
use jettison_testkit::cri::Kubelet;
use jettison_testkit::grpc_proxy::{Fault, Proxy};
use jettison_testkit::image::Image;
use jettison_testkit::registry::Registry;

use crate::desk::{Desk, all_removed, disk_usage, reason, removed};
use crate::docker::layered;

pub(crate) fn small(name: &str) -> Image {
    let tag = format!("docker.io/library/{name}:1");
    busybox::builder(&tag, &["sleep", "600"]).unwrap().label("is", name).build()
}

/// A containerd with images of these names, and a kubelet for it.
pub(crate) fn node(names: &[&str]) -> Option<(Daemon, Kubelet)> {
    let daemon = Daemon::for_test()?;
    if !names.is_empty() {
        daemon.import(CRI_NAMESPACE, names.iter().map(|name| small(name))).unwrap();
    }
    let kubelet = Kubelet::connect(&daemon.socket()).unwrap();
    settle(&kubelet, names.len());
    Some((daemon, kubelet))
}

/// Waits until the CRI plugin has heard of what `ctr` imported.
pub(crate) fn settle(kubelet: &Kubelet, count: usize) {
    for _ in 0..200 {
        if kubelet.images().unwrap().len() > count {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the CRI plugin does not see {count} images");
}

/// Waits until containerd has collected a blob that nothing holds any more: what else it collects
/// then would count as freed by who looks meanwhile.
fn collected(daemon: &Daemon, digest: &str) {
    for _ in 0..200 {
        let blobs =
            daemon.ctr(&["--namespace", CRI_NAMESPACE, "content", "ls", "--quiet"]).unwrap();
        if !blobs.contains(digest) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("containerd does not collect {digest}");
}

#[test]
fn what_runs_or_will_run_stays() {
    let Some((daemon, kubelet)) = node(&["running", "created", "exited", "free"]) else { return };
    what_is_needed_stays(&daemon, &kubelet, &daemon.endpoint(), "sandbox");
}

/// The same where only the interface answers, as of CRI-O.
#[test]
fn what_runs_or_will_run_stays_by_the_interface_alone() {
    let Some((daemon, kubelet)) = node(&["running", "created", "exited", "free"]) else { return };
    let proxy = Proxy::start(&daemon.socket()).unwrap();
    // "Unimplemented": what a runtime says that is not containerd.
    proxy.fault("containerd.services.version.v1.Version/Version", 0, Fault::Status(12));
    what_is_needed_stays(&daemon, &kubelet, &proxy.endpoint(), "sandbox-image");
    assert!(
        proxy
            .calls()
            .iter()
            .all(|call| { call.starts_with("/runtime.v1.") || call.ends_with("Version/Version") })
    );
    // Where the images are says whose store may tell more: it has to be told.
    let desk = Desk::new(Kind::Cri, &proxy.endpoint());
    desk.look();
    proxy.fault("ImageFsInfo", 0, Fault::Status(14));
    assert!(desk.try_look().err().unwrap().is_refusal());
}

fn what_is_needed_stays(daemon: &Daemon, kubelet: &Kubelet, endpoint: &str, pause_by: &str) {
    let pod = kubelet.run_pod("default", "web", "uid-1").unwrap();
    for name in ["running", "created", "exited"] {
        let id = kubelet.create(&pod, name, &format!("docker.io/library/{name}:1")).unwrap();
        if name != "created" {
            kubelet.start(&id).unwrap();
        }
        if name == "exited" {
            kubelet.stop(&id).unwrap();
        }
    }
    // No built-in rule helps here: this pause image has another name than any known one.
    let mut desk = Desk::new(Kind::Cri, endpoint);
    desk.node.keep = jettison_pruner::reference::keep::KeepRules::new(&[], false).unwrap();
    desk.look_for_a_month();
    let (look, executed) = desk.prune();
    assert_eq!(removed(&look.plan), ["free"]);
    assert!(all_removed(&executed), "{executed:?}");
    for name in ["running", "created", "exited"] {
        assert_eq!(reason(&look.plan, name), "container");
        assert!(kubelet.has(&format!("docker.io/library/{name}:1")).unwrap());
    }
    assert!(!kubelet.has("docker.io/library/free:1").unwrap());
    assert!(
        daemon.ctr(&["--namespace", CRI_NAMESPACE, "images", "list"]).unwrap().contains("pause")
    );
    // The interface says that nothing uses the pause image, and that it is not pinned.
    let pause = kubelet.images().unwrap().into_iter();
    let pause = pause.filter(|image| image.repo_tags.iter().any(|tag| tag == SANDBOX_IMAGE));
    assert!(pause.map(|image| image.pinned).eq([false]));
    assert_eq!(reason(&look.plan, "pause"), pause_by);
    let late = kubelet.run_pod("default", "late", "uid-2").unwrap();
    kubelet.remove_pod(&late).unwrap();
    // Without a pod, the runtime's configuration still names it.
    kubelet.remove_pod(&pod).unwrap();
    desk.pass(30);
    let look = desk.look();
    assert_eq!(reason(&look.plan, "pause"), "sandbox-image");
}

#[test]
fn a_container_that_comes_between_plan_and_removal_is_seen() {
    let Some((daemon, kubelet)) = node(&["app"]) else { return };
    let mut desk = Desk::new(Kind::Cri, &daemon.endpoint());
    let mut look = desk.look_for_a_month();
    assert_eq!(removed(&look.plan), ["app"]);
    let pod = kubelet.run_pod("default", "web", "uid").unwrap();
    kubelet.create(&pod, "app", "docker.io/library/app:1").unwrap();
    let executed = desk.execute(&mut look);
    assert_eq!(executed.removed(), 0);
    assert!(executed.outcomes[0].because().unwrap().contains("container app"), "{executed:?}");
    assert!(kubelet.has("docker.io/library/app:1").unwrap());
}

#[test]
fn pins_hold_whatever_the_interface_says() {
    let Some((daemon, _kubelet)) = node(&["pinned", "plain"]) else { return };
    let name = "docker.io/library/pinned:1";
    let label = "io.cri-containerd.pinned=pinned";
    daemon.ctr(&["--namespace", CRI_NAMESPACE, "images", "label", name, label]).unwrap();
    let mut desk = Desk::new(Kind::Cri, &daemon.endpoint());
    let look = desk.look_for_a_month();
    assert_eq!(reason(&look.plan, "pinned"), "pinned");
    assert_eq!(removed(&look.plan), ["plain"]);
}

#[test]
fn all_names_of_an_image_are_one_decision() {
    let Some((daemon, kubelet)) = node(&["app"]) else { return };
    let tag = ["--namespace", CRI_NAMESPACE, "images", "tag"];
    let names = ["docker.io/library/app:1", "docker.io/trash/y:2"];
    daemon.ctr(&[tag.as_slice(), names.as_slice()].concat()).unwrap();
    let pod = kubelet.run_pod("default", "web", "uid").unwrap();
    let id = kubelet.create(&pod, "app", "docker.io/trash/y:2").unwrap();
    let mut desk = Desk::new(Kind::Cri, &daemon.endpoint());
    let look = desk.look_for_a_month();
    assert!(removed(&look.plan).is_empty());
    kubelet.remove_container(&id).unwrap();
    desk.look();
    desk.pass(8);
    let (_, executed) = desk.prune();
    assert!(all_removed(&executed), "{executed:?}");
    let left = daemon.ctr(&["--namespace", CRI_NAMESPACE, "images", "list", "--quiet"]).unwrap();
    assert!(
        left.lines().all(|name| name.contains("pause") || name.starts_with("sha256:")),
        "{left}"
    );
    assert_eq!(left.lines().count(), 2, "{left}");
}

#[test]
fn bytes_are_both_copies_without_what_others_hold() {
    let Some(daemon) = Daemon::for_test() else { return };
    let images = [("one", b'1', 5), ("two", b'2', 3), ("run", b'r', 2)]
        .map(|(name, own, mib)| layered(&format!("docker.io/library/{name}:1"), own, mib));
    let gone = images[2].config_digest().to_string();
    daemon.import(CRI_NAMESPACE, images).unwrap();
    let kubelet = Kubelet::connect(&daemon.socket()).unwrap();
    settle(&kubelet, 3);
    // A container whose image is gone: nothing but the container holds the layers that it shares
    // with the others.
    let pod = kubelet.run_pod("default", "run", "uid").unwrap();
    kubelet.create(&pod, "c", "docker.io/library/run:1").unwrap();
    kubelet.remove_image("docker.io/library/run:1").unwrap();
    collected(&daemon, &gone);
    // A blob that another namespace has does not come back.
    daemon.import("other", [layered("docker.io/library/two:1", b'2', 3)]).unwrap();
    let mut desk = Desk::new(Kind::Cri, &daemon.endpoint());
    let mut look = desk.look_for_a_month();
    assert_eq!(look.plan.removals().count(), 2, "{:?}", look.plan);
    let predicted = look.plan.predicted();
    let Reclaimable::Exact(bytes) = predicted else { panic!("{predicted:?}") };
    let before = disk_usage(&daemon.root());
    let executed = desk.execute(&mut look);
    assert!(all_removed(&executed), "{executed:?}");
    assert_eq!(executed.measured, Some(Measured::Store(bytes)));
    let freed = before - disk_usage(&daemon.root());
    // The database does not shrink, directories come on top.
    let difference = freed.abs_diff(bytes);
    assert!(difference < 512 * 1024, "{freed} freed, {bytes} predicted");
    assert!(bytes > (8 << 20), "{bytes}");
}

#[test]
fn what_was_imported_is_kept_and_what_was_pulled_goes() {
    let Some((daemon, kubelet)) = node(&["imported"]) else { return };
    let Some(registry) = Registry::for_test() else { return };
    registry.push(small("pulled"), "pulled", "1").unwrap();
    kubelet.pull(&registry.reference("pulled:1")).unwrap();
    let mut desk = Desk::new(Kind::Cri, &daemon.endpoint());
    desk.node.policy.allow_unpullable = false;
    let look = desk.look_for_a_month();
    assert_eq!(reason(&look.plan, "imported"), "unpullable");
    assert_eq!(look.plan.removals().count(), 1);
    let row = look.plan.removals().next().unwrap();
    // containerd's own record tells when it came.
    assert!(row.image.pulled.is_some());
    let (_, executed) = desk.prune();
    assert!(all_removed(&executed), "{executed:?}");
    assert!(!kubelet.has(&registry.reference("pulled:1")).unwrap());
}

#[test]
fn a_removal_that_was_cut_off_is_finished_by_the_next_run() {
    let Some((daemon, kubelet)) = node(&[]) else { return };
    let Some(registry) = Registry::for_test() else { return };
    registry.push(small("app"), "app", "1").unwrap();
    let id = kubelet.pull(&registry.reference("app:1")).unwrap();
    let proxy = Proxy::start(&daemon.socket()).unwrap();
    let mut desk = Desk::new(Kind::Cri, &proxy.endpoint());
    desk.node.policy.allow_unpullable = false;
    let mut look = desk.look_for_a_month();
    assert_eq!(look.plan.removals().count(), 1);
    // What an interrupted removal leaves: the record of the ID alone, which holds everything.
    proxy.fault("RemoveImage", 0, Fault::Status(14));
    let executed = desk.execute(&mut look);
    assert!(executed.has_failed());
    for name in
        daemon.ctr(&["--namespace", CRI_NAMESPACE, "images", "list", "--quiet"]).unwrap().lines()
    {
        if name.contains("app") {
            daemon.ctr(&["--namespace", CRI_NAMESPACE, "images", "remove", name]).unwrap();
        }
    }
    proxy.clear();
    for _ in 0..100 {
        let listed = kubelet.images().unwrap();
        if listed.iter().any(|image| image.id == id && image.repo_tags.is_empty()) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let (look, executed) = desk.prune();
    assert!(
        look.warnings.iter().any(|text| text.contains("without a name")),
        "{:?}",
        look.warnings
    );
    assert_eq!(executed.removed(), 1, "{:?}", look.plan);
    let left = daemon.ctr(&["--namespace", CRI_NAMESPACE, "images", "list", "--quiet"]).unwrap();
    assert!(!left.contains(&id), "{left}");
}

#[test]
fn other_namespaces_are_left_alone() {
    let Some((daemon, _kubelet)) = node(&["app"]) else { return };
    daemon.import("other", [small("app")]).unwrap();
    let list = || daemon.ctr(&["--namespace", "other", "images", "list"]).unwrap();
    let before = list();
    let mut desk = Desk::new(Kind::Cri, &daemon.endpoint());
    desk.look_for_a_month();
    let (_, executed) = desk.prune();
    assert_eq!(executed.removed(), 1);
    assert_eq!(list(), before);
}
