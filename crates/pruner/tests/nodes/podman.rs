//! podman, through its Docker-compatible service and the files of its store.

use jettison_pruner::execute::Measured;
use jettison_pruner::reclaim::Reclaimable;
use jettison_pruner::runtime::Kind;
use jettison_testkit::busybox;
use jettison_testkit::podman::Service;
use jettison_testkit::registry::Registry;

use crate::desk::{Desk, all_removed, reason, removed};
use crate::docker::layered;

#[test]
fn images_of_podman_are_pruned_by_the_same_rules() {
    let Some(podman) = Service::for_test() else { return };
    for (name, own, mib) in [("one", b'1', 5), ("two", b'2', 3)] {
        podman.load_image(&layered(&format!("{name}:1"), own, mib)).unwrap();
    }
    podman.load_image(&busybox::image("used:1", &["sleep", "600"]).unwrap()).unwrap();
    podman.podman(&["create", "--network", "none", "--name", "web", "used:1"]).unwrap();
    let mut desk = Desk::new(Kind::Podman, &podman.host());
    assert!(desk.node.runtime.name().starts_with("podman"), "{}", desk.node.runtime.name());
    let mut look = desk.look_for_a_month();
    assert_eq!(reason(&look.plan, "used"), "container");
    assert_eq!(look.plan.removals().count(), 2);
    let predicted = look.plan.predicted();
    let Reclaimable::Exact(bytes) = predicted else { panic!("{predicted:?}") };
    let own = 12 << 20;
    assert!((own..own + 8192).contains(&bytes), "{bytes}");
    let executed = desk.execute(&mut look);
    assert!(all_removed(&executed), "{executed:?}");
    assert_eq!(executed.measured, Some(Measured::Store(bytes)));
    assert!(podman.podman(&["start", "web"]).is_ok());
}

#[test]
fn what_was_loaded_has_a_digest_and_is_kept_all_the_same() {
    let Some(podman) = Service::for_test() else { return };
    let Some(registry) = Registry::for_test() else { return };
    podman.load_image(&busybox::image("docker.io/team/loaded:1", &["sleep"]).unwrap()).unwrap();
    let image =
        busybox::builder("x:1", &["sleep"]).unwrap().label("is", "pulled").build().gzipped();
    registry.push(image, "pulled", "1").unwrap();
    podman
        .podman(&["pull", "--quiet", "--tls-verify=false", &registry.reference("pulled:1")])
        .unwrap();
    let mut desk = Desk::new(Kind::Podman, &podman.host());
    desk.node.policy.allow_unpullable = false;
    let look = desk.look_for_a_month();
    assert_eq!(reason(&look.plan, "docker.io/team/loaded"), "unpullable");
    assert_eq!(look.plan.removals().count(), 1);
    assert!(look.plan.removals().all(|row| row.image.pulled.is_some()));
    let (_, executed) = desk.prune();
    assert!(all_removed(&executed), "{executed:?}");
}

#[test]
fn containers_that_are_none_of_podman_s_count_too() {
    let Some(podman) = Service::for_test() else { return };
    podman.load_image(&busybox::image("build:1", &["sleep"]).unwrap()).unwrap();
    podman.store().buildah(&["from", "--name", "working", "localhost/build:1"]).unwrap();
    let mut desk = Desk::new(Kind::Podman, &podman.host());
    let look = desk.look_for_a_month();
    assert!(removed(&look.plan).is_empty());
    assert_eq!(reason(&look.plan, "build"), "container");
    podman.store().buildah(&["rm", "working"]).unwrap();
}
