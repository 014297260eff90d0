//! Pulls and pods beside the pruner.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jettison_pruner::runtime::Kind;
use jettison_testkit::cri::Kubelet;
use jettison_testkit::registry::Registry;

use crate::containerd::{node, small};
use crate::desk::Desk;

/// Pulls and containers beside the pruner.
const ROUNDS: usize = 500;

#[test]
fn no_pull_and_no_container_fails_beside_the_pruner() {
    let Some((daemon, kubelet)) = node(&[]) else { return };
    let Some(registry) = Registry::for_test() else { return };
    registry.push(small("app"), "app", "1").unwrap();
    let reference = registry.reference("app:1");
    let pod = kubelet.run_pod("default", "web", "uid").unwrap();
    let is_over = AtomicBool::new(false);
    let endpoint = daemon.endpoint();
    let (created, looks) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut desk = Desk::new(Kind::Cri, &endpoint);
            desk.node.policy.older_than = Duration::ZERO;
            desk.node.policy.min_age = Duration::from_mins(10);
            desk.node.policy.age_by = jettison_pruner::policy::AgeBy::Created;
            let mut rounds = 0;
            while !is_over.load(Ordering::SeqCst) {
                let (_, executed) = desk.prune();
                assert_eq!(executed.removed(), 0, "an image went that had just come");
                rounds += 1;
            }
            rounds
        });
        let mut created = 0;
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..ROUNDS {
                kubelet.pull(&reference).unwrap();
                let id = kubelet.create(&pod, "app", &reference).unwrap();
                kubelet.remove_container(&id).unwrap();
                kubelet.remove_image(&reference).unwrap();
                created += 1;
            }
        }));
        is_over.store(true, Ordering::SeqCst);
        let looked = looking.join();
        assert!(ended.is_ok(), "a pull or a container failed after {created} rounds");
        (created, looked.unwrap())
    });
    assert_eq!(created, ROUNDS);
    assert!(looks > 10, "the pruner looked {looks} times");
}

#[test]
fn a_container_at_the_very_moment_of_removal_can_be_made_again() {
    let Some((daemon, kubelet)) = node(&[]) else { return };
    let Some(registry) = Registry::for_test() else { return };
    registry.push(small("app"), "app", "1").unwrap();
    let reference = registry.reference("app:1");
    let starter = Kubelet::connect(&daemon.socket()).unwrap();
    let pod = kubelet.run_pod("default", "web", "uid").unwrap();
    for _ in 0..20 {
        kubelet.pull(&reference).unwrap();
        let mut desk = Desk::new(Kind::Cri, &daemon.endpoint());
        desk.node.policy.allow_unpullable = false;
        let mut look = desk.look_for_a_month();
        let (executed, container) = std::thread::scope(|scope| {
            let container = scope.spawn(|| starter.create(&pod, "app", &reference));
            let executed = desk.execute(&mut look);
            (executed, container.join().unwrap())
        });
        // Either the pruner saw it, or the kubelet has to pull again, which it can.
        let id = container.unwrap_or_else(|_| {
            assert_eq!(executed.removed(), 1);
            kubelet.pull(&reference).unwrap();
            kubelet.create(&pod, "app", &reference).unwrap()
        });
        kubelet.remove_container(&id).unwrap();
    }
}
