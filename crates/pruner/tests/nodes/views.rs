//! A view that fails, is partial or contradicts itself removes nothing.

use jettison_pruner::execute::Outcome;
use jettison_pruner::runtime::Kind;
use jettison_testkit::grpc_proxy::{Fault, Proxy};

use crate::containerd::node;
use crate::desk::{Desk, removed};

/// Every call that the interface has and that writes.
const WRITES: [&str; 8] = [
    "RemoveImage",
    "PullImage",
    "RunPodSandbox",
    "StopPodSandbox",
    "RemovePodSandbox",
    "CreateContainer",
    "StopContainer",
    "RemoveContainer",
];

fn writes(proxy: &Proxy) -> Vec<String> {
    let is_write = |call: &String| {
        WRITES.iter().any(|name| call.ends_with(name))
            || ["Create", "Update", "Delete", "Write", "Commit", "Prepare"]
                .iter()
                .any(|verb| call.rsplit('/').next().is_some_and(|name| name.starts_with(verb)))
    };
    proxy.calls().into_iter().filter(is_write).collect()
}

#[test]
fn a_look_writes_nothing_and_says_what_a_run_does() {
    let Some((daemon, _kubelet)) = node(&["a", "b"]) else { return };
    let proxy = Proxy::start(&daemon.socket()).unwrap();
    let mut desk = Desk::new(Kind::Cri, &proxy.endpoint());
    let dry = desk.look_for_a_month();
    assert!(proxy.count("ListImages") > 1);
    assert_eq!(writes(&proxy), [""; 0]);
    let (look, executed) = desk.prune();
    assert_eq!(removed(&dry.plan), removed(&look.plan));
    assert_eq!(executed.removed(), 2);
    assert_eq!(executed.measured.unwrap().bytes(), dry.plan.predicted().bytes());
    // One call for each image, and no other that writes.
    assert_eq!(writes(&proxy), ["/runtime.v1.ImageService/RemoveImage"; 2]);
}

#[test]
fn one_failing_call_ends_everything() {
    let Some((daemon, kubelet)) = node(&["app"]) else { return };
    let pod = kubelet.run_pod("default", "web", "uid").unwrap();
    kubelet.create(&pod, "c", "docker.io/library/app:1").unwrap();
    let proxy = Proxy::start(&daemon.socket()).unwrap();
    let mut desk = Desk::new(Kind::Cri, &proxy.endpoint());
    desk.look_for_a_month();
    // Every call that the look makes, whichever it is.
    let calls: std::collections::BTreeSet<String> = proxy.calls().into_iter().collect();
    assert!(calls.len() >= 12, "{calls:?}");
    for call in calls.iter().filter(|call| !call.ends_with("Version")) {
        // The file system's place bounds nothing unless it is asked to.
        if call.ends_with("ImageFsInfo") {
            continue;
        }
        for fault in [Fault::Status(14), Fault::Status(13), Fault::Lost] {
            proxy.clear();
            proxy.fault(call, 0, fault.clone());
            let error = desk.try_look().err();
            let error = error.unwrap_or_else(|| panic!("{call} failed, and nobody noticed"));
            assert!(error.is_refusal(), "{call}: {error}");
            assert_eq!(writes(&proxy), [""; 0]);
        }
    }
    proxy.clear();
    desk.look();
}

#[test]
fn a_view_that_fails_in_the_midst_of_a_run_ends_it() {
    let Some((daemon, kubelet)) = node(&["a", "b", "c"]) else { return };
    let proxy = Proxy::start(&daemon.socket()).unwrap();
    let mut desk = Desk::new(Kind::Cri, &proxy.endpoint());
    let mut look = desk.look_for_a_month();
    proxy.clear();
    // It is asked for before each removal: the second time it fails.
    proxy.fault("ListContainers", 1, Fault::Status(14));
    let executed = desk.execute(&mut look);
    assert_eq!(executed.removed(), 1);
    assert!(matches!(executed.stopped, Some(jettison_pruner::execute::Stopped::View(_))));
    assert_eq!(proxy.count("RemoveImage"), 1);
    assert_eq!(kubelet.images().unwrap().len(), 3);
}

#[test]
fn one_failing_removal_ends_nothing_else() {
    let Some((daemon, _kubelet)) = node(&["a", "b", "c"]) else { return };
    let proxy = Proxy::start(&daemon.socket()).unwrap();
    let mut desk = Desk::new(Kind::Cri, &proxy.endpoint());
    let mut look = desk.look_for_a_month();
    proxy.fault("RemoveImage", 2, Fault::Status(13));
    let executed = desk.execute(&mut look);
    assert_eq!((executed.removed(), executed.has_failed()), (2, true));
    // What failed is not counted.
    let (measured, predicted) = (executed.measured.unwrap().bytes(), look.plan.predicted().bytes());
    assert!(measured < predicted, "{measured} of {predicted}: {:?}", executed.outcomes);
}

#[test]
fn a_history_that_is_lost_or_damaged_removes_nothing() {
    let Some((daemon, _kubelet)) = node(&["app"]) else { return };
    let mut desk = Desk::new(Kind::Cri, &daemon.endpoint());
    let old = desk.look_for_a_month();
    assert_eq!(removed(&old.plan), ["app"]);
    let bytes = fs_err::read(desk.history()).unwrap();
    let mut flipped = bytes.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for damage in [Some(&flipped[..]), Some(&bytes[..middle]), Some(&b""[..]), None] {
        fs_err::write(desk.history(), &bytes).unwrap();
        match damage {
            Some(damage) => fs_err::write(desk.history(), damage).unwrap(),
            None => fs_err::remove_file(desk.history()).unwrap(),
        }
        let look = desk.look();
        assert!(removed(&look.plan).is_empty());
        assert!(look.warnings.iter().any(|text| text.contains("history was lost")));
    }
}

#[test]
fn a_runtime_that_dies_in_the_midst_of_a_run_ends_it() {
    let Some((daemon, _kubelet)) = node(&["a", "b", "c"]) else { return };
    let mut desk = Desk::new(Kind::Cri, &daemon.endpoint());
    let mut look = desk.look_for_a_month();
    let mut daemon = Some(daemon);
    let executed = desk.execute_telling(&mut look, &mut |_| drop(daemon.take()));
    assert_eq!(executed.removed(), 1);
    assert!(executed.has_lost_sight() && !executed.has_failed(), "{executed:?}");
    assert!(executed.outcomes[1..].iter().all(|one| matches!(one, Outcome::NotTried(_))));
    let error = desk.try_look().err().unwrap();
    assert!(error.is_refusal(), "{error}");
}
