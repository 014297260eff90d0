//! Docker: never by force, by reference, tag by tag; a conflict is no error.

use std::sync::atomic::AtomicBool;

use jettison_pruner::execute::{Measured, Outcome};
use jettison_pruner::plan::Verdict;
use jettison_pruner::reclaim::Reclaimable;
use jettison_pruner::runtime::Kind;
use jettison_testkit::busybox;
use jettison_testkit::engine::Dockerd;
use jettison_testkit::image::{Image, ImageBuilder, LayerBuilder};
use jettison_testkit::registry::Registry;

use crate::desk::{Desk, all_removed, reason, removed};

const MIB: usize = 1 << 20;

/// An image of a layer that all of them have, and one of its own.
pub(crate) fn layered(tag: &str, own: u8, mib: usize) -> Image {
    let base = LayerBuilder::new().file("base", vec![b'b'; 4 * MIB]);
    builder(tag, base, own, mib).build()
}

fn builder(tag: &str, base: LayerBuilder, own: u8, mib: usize) -> ImageBuilder {
    ImageBuilder::new()
        .platform(jettison_oci::Platform::host())
        .layer(base, "COPY base /")
        .layer(LayerBuilder::new().file("own", vec![own; mib * MIB]), "COPY own /")
        .cmd(&["/own"])
        .tag(tag)
}

fn desk(dockerd: &Dockerd) -> Desk {
    Desk::new(Kind::Docker, &dockerd.host())
}

fn images(dockerd: &Dockerd) -> String {
    dockerd.docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]).unwrap()
}

#[test]
fn what_a_container_has_in_any_state_stays() {
    let Some(dockerd) = Dockerd::for_test() else { return };
    for name in ["running", "created", "exited", "paused", "free"] {
        let image = busybox::builder(&format!("{name}:1"), &["sleep", "600"]).unwrap();
        dockerd.load_image(&image.label("is", name).build()).unwrap();
    }
    dockerd.docker(&["create", "--network", "none", "created:1"]).unwrap();
    for name in ["running", "exited", "paused"] {
        let run = ["run", "--detach", "--network", "none", "--name", name, &format!("{name}:1")];
        dockerd.docker(&run).unwrap();
    }
    dockerd.docker(&["kill", "exited"]).unwrap();
    dockerd.docker(&["pause", "paused"]).unwrap();
    let before = dockerd.docker(&["ps", "--all", "--quiet", "--no-trunc"]).unwrap();
    let mut desk = desk(&dockerd);
    desk.look_for_a_month();
    let (look, executed) = desk.prune();
    assert_eq!(removed(&look.plan), ["free"]);
    assert!(all_removed(&executed));
    for name in ["running", "created", "exited", "paused"] {
        assert_eq!(reason(&look.plan, name), "container");
        assert!(images(&dockerd).contains(&format!("{name}:1")));
    }
    assert!(!images(&dockerd).contains("free"));
    // Containers are none of its business.
    let after = dockerd.docker(&["ps", "--all", "--quiet", "--no-trunc"]).unwrap();
    assert_eq!(before, after);
    dockerd.docker(&["unpause", "paused"]).unwrap();
    dockerd.docker(&["start", "created", "exited"]).unwrap_err();
    dockerd.docker(&["start", "exited"]).unwrap();
}

#[test]
fn one_tag_in_use_keeps_all_of_them() {
    let Some(dockerd) = Dockerd::for_test() else { return };
    dockerd.load_image(&busybox::image("app:1", &["sleep", "600"]).unwrap()).unwrap();
    dockerd.docker(&["tag", "app:1", "trash/y:2"]).unwrap();
    dockerd.docker(&["create", "--network", "none", "--name", "web", "trash/y:2"]).unwrap();
    let mut desk = desk(&dockerd);
    let look = desk.look_for_a_month();
    assert!(removed(&look.plan).is_empty());
    dockerd.docker(&["rm", "web"]).unwrap();
    desk.look();
    desk.pass(8);
    // Without a reference both tags go, one by one: by ID Docker would refuse.
    let (look, executed) = desk.prune();
    assert_eq!(look.plan.removals().count(), 1);
    assert!(all_removed(&executed));
    assert_eq!(images(&dockerd), "");
}

#[test]
fn a_container_that_comes_between_plan_and_removal_is_seen() {
    let Some(dockerd) = Dockerd::for_test() else { return };
    dockerd.load_image(&busybox::image("app:1", &["sleep", "600"]).unwrap()).unwrap();
    dockerd.docker(&["tag", "app:1", "app:2"]).unwrap();
    let mut desk = desk(&dockerd);
    let mut look = desk.look_for_a_month();
    dockerd.docker(&["create", "--network", "none", "--name", "late", "app:1"]).unwrap();
    let executed = desk.execute(&mut look);
    let [Outcome::Skipped(because)] = executed.outcomes.as_slice() else { panic!("{executed:?}") };
    assert!(because.contains("container late"), "{because}");
    assert_eq!(images(&dockerd).lines().count(), 2);
}

#[test]
fn a_conflict_is_a_skip_and_takes_no_name_away() {
    let Some(dockerd) = Dockerd::for_test() else { return };
    dockerd.load_image(&busybox::image("app:1", &["sleep", "600"]).unwrap()).unwrap();
    dockerd.docker(&["tag", "app:1", "b/app:2"]).unwrap();
    let mut desk = desk(&dockerd);
    let look = desk.look_for_a_month();
    let image = look.plan.removals().next().unwrap().image.clone();
    // Docker untags while a container of another name is there, and refuses the last tag.
    dockerd.docker(&["create", "--network", "none", "--name", "late", "app:1"]).unwrap();
    let removal = desk.node.runtime.remove(&image);
    assert!(
        matches!(&removal, jettison_pruner::runtime::Removal::Refused(because)
            if because.contains("conflict")),
        "{removal:?}"
    );
    assert_eq!(images(&dockerd).lines().count(), 2, "a name was lost");
}

#[test]
fn what_changed_since_the_plan_is_left_alone() {
    let Some(dockerd) = Dockerd::for_test() else { return };
    for name in ["tagged", "gone", "plain"] {
        let image = busybox::builder(&format!("{name}:1"), &["sleep"]).unwrap();
        dockerd.load_image(&image.label("is", name).build()).unwrap();
    }
    let mut desk = desk(&dockerd);
    let mut look = desk.look_for_a_month();
    dockerd.docker(&["tag", "tagged:1", "wanted:1"]).unwrap();
    dockerd.docker(&["rmi", "gone:1"]).unwrap();
    let executed = desk.execute(&mut look);
    for (row, outcome) in look.plan.removals().zip(&executed.outcomes) {
        match row.image.name() {
            "tagged:1" => assert!(matches!(outcome, Outcome::Skipped(_)), "{outcome:?}"),
            // What was gone is neither a failure nor counted.
            "gone:1" => assert_eq!(*outcome, Outcome::Absent),
            _ => assert_eq!(*outcome, Outcome::Removed),
        }
    }
    assert_eq!(executed.removed(), 1);
    assert!(!executed.has_failed());
}

#[test]
fn bytes_are_what_the_disk_gives_back() {
    let Some(dockerd) = Dockerd::for_test() else { return };
    for (name, own, mib) in [("one", b'1', 5), ("two", b'2', 3), ("three", b'3', 2)] {
        dockerd.load_image(&layered(&format!("{name}:1"), own, mib)).unwrap();
    }
    dockerd.docker(&["create", "--network", "none", "three:1", "x"]).unwrap();
    let mut desk = desk(&dockerd);
    let mut look = desk.look_for_a_month();
    // The shared layer stays with "three".
    let predicted = look.plan.predicted();
    let Reclaimable::Exact(bytes) = predicted else { panic!("{predicted:?}") };
    let own = (8 * MIB) as u64;
    assert!((own..own + 8192).contains(&bytes), "{bytes}");
    let store = dockerd.data_root().join("overlay2");
    let before = crate::desk::disk_usage(&store);
    let executed = desk.execute(&mut look);
    assert_eq!(executed.measured, Some(Measured::Store(bytes)));
    let freed = before - crate::desk::disk_usage(&store);
    // Directories and links of the driver come on top.
    assert!((bytes..bytes + 256 * 1024).contains(&freed), "{freed} of {bytes}");
    // Once nothing has it, the shared layer counts with the last image.
    dockerd.docker(&["container", "prune", "--force"]).unwrap();
    desk.look();
    desk.pass(8);
    let (look, executed) = desk.prune();
    let total = (6 * MIB) as u64;
    assert!((total..total + 8192).contains(&look.plan.predicted().bytes()));
    assert_eq!(executed.measured.unwrap().bytes(), look.plan.predicted().bytes());
}

#[test]
fn what_was_loaded_or_built_is_kept_and_what_was_pulled_goes() {
    let Some(dockerd) = Dockerd::for_test() else { return };
    let Some(registry) = Registry::for_test() else { return };
    dockerd.load_image(&busybox::image("loaded:1", &["sleep"]).unwrap()).unwrap();
    let image = busybox::builder("x:1", &["sleep"]).unwrap().label("is", "pulled").build();
    registry.push(image, "pulled", "1").unwrap();
    dockerd.docker(&["pull", "--quiet", &registry.reference("pulled:1")]).unwrap();
    let mut desk = desk(&dockerd);
    desk.node.policy.allow_unpullable = false;
    let look = desk.look_for_a_month();
    assert_eq!(reason(&look.plan, "loaded"), "unpullable");
    assert_eq!(look.plan.removals().count(), 1);
    let (_, executed) = desk.prune();
    assert!(all_removed(&executed));
    assert!(!images(&dockerd).contains("pulled"));
    // Wanted again at once: its limit doubles.
    dockerd.docker(&["pull", "--quiet", &registry.reference("pulled:1")]).unwrap();
    let look = desk.look();
    assert_eq!(look.seen.regretted.len(), 1);
    assert!(look.warnings.iter().any(|text| text.contains("limit doubles")));
    desk.pass(13);
    assert!(removed(&desk.look().plan).is_empty());
    desk.pass(1);
    assert_eq!(desk.look().plan.removals().count(), 1);
}

#[test]
fn times_of_images_are_not_believed_without_need() {
    let Some(dockerd) = Dockerd::for_test() else { return };
    for (name, created) in [
        ("epoch", "1970-01-01T00:00:00Z"),
        ("zero", "0001-01-01T00:00:00Z"),
        ("future", "2099-01-01T00:00:00Z"),
        ("past", "2020-01-01T00:00:00Z"),
    ] {
        let image = busybox::builder(&format!("{name}:1"), &["sleep"]).unwrap();
        dockerd.load_image(&image.created(Some(created)).label("is", name).build()).unwrap();
    }
    for by in [jettison_pruner::policy::AgeBy::Unused, jettison_pruner::policy::AgeBy::Pulled] {
        let mut desk = desk(&dockerd);
        desk.node.policy.age_by = by;
        // `docker image prune --filter until=1h` removes all four here.
        desk.node.policy.older_than = std::time::Duration::from_hours(1);
        assert!(removed(&desk.look().plan).is_empty(), "{by:?}");
    }
    let mut desk = desk(&dockerd);
    desk.node.policy.age_by = jettison_pruner::policy::AgeBy::Created;
    let look = desk.look_for_a_month();
    assert_eq!(removed(&look.plan), ["past"]);
    for name in ["epoch", "zero", "future"] {
        assert_eq!(reason(&look.plan, name), "unknown-age");
    }
}

#[test]
fn the_time_of_a_pull_is_the_engine_s_own_record() {
    let Some(dockerd) = Dockerd::for_test() else { return };
    dockerd.load_image(&busybox::image("app:1", &["sleep"]).unwrap()).unwrap();
    let mut desk = desk(&dockerd);
    desk.node.policy.age_by = jettison_pruner::policy::AgeBy::Pulled;
    desk.pass(8);
    // The first look, and the image may go: it has been here for eight days.
    let look = desk.look();
    assert_eq!(removed(&look.plan), ["app"]);
    assert!(look.plan.rows[0].image.pulled.is_some());
}

#[test]
fn parents_wait_for_their_children() {
    let Some(dockerd) = Dockerd::for_test() else { return };
    dockerd.load_image(&busybox::image("base:1", &["sleep"]).unwrap()).unwrap();
    let room = tempfile::tempdir().unwrap();
    let dockerfile = "FROM base:1\nRUN [\"/bin/touch\", \"/a\"]\nRUN [\"/bin/touch\", \"/b\"]\n";
    fs_err::write(room.path().join("Dockerfile"), dockerfile).unwrap();
    dockerd.build(room.path(), "child:1").unwrap();
    let mut desk = desk(&dockerd);
    let look = desk.look_for_a_month();
    assert_eq!(
        (removed(&look.plan), reason(&look.plan, "base")),
        (vec!["child".to_owned()], "child")
    );
    let (_, executed) = desk.prune();
    assert!(all_removed(&executed));
    let (look, executed) = desk.prune();
    assert_eq!(removed(&look.plan), ["base"]);
    assert!(all_removed(&executed));
    assert_eq!(dockerd.docker(&["images", "--all", "--quiet"]).unwrap(), "");
}

#[test]
fn rules_and_bounds_hold() {
    let Some(dockerd) = Dockerd::for_test() else { return };
    for name in ["kept/x", "label", "registry.k8s.io/pause", "a", "b", "c"] {
        let mut image = busybox::builder(&format!("{name}:1"), &["sleep"]).unwrap();
        image = image.label("is", name);
        if name == "label" {
            image = image.label("jettison.io/keep", "");
        }
        dockerd.load_image(&image.build()).unwrap();
    }
    let mut desk = desk(&dockerd).keep(&["kept/*"]);
    desk.node.policy.bounds.max_images = Some(2);
    let mut look = desk.look_for_a_month();
    for (name, code) in
        [("kept/x", "keep-rule"), ("label", "keep-label"), ("registry.k8s.io/pause", "built-in")]
    {
        assert_eq!(reason(&look.plan, name), code);
    }
    assert_eq!(look.plan.removals().count(), 2);
    // Asked to stop, it removes nothing more.
    let stopped = desk.execute_until(&mut look, &AtomicBool::new(true), &|| false);
    assert!(stopped.outcomes.iter().all(|one| matches!(one, Outcome::NotTried(_))));
    let late = desk.execute_until(&mut look, &AtomicBool::new(false), &|| true);
    assert!(late.stopped.is_some() && late.removed() == 0);
    // What was planned is what is done.
    let planned = removed(&look.plan);
    let executed = desk.execute(&mut look);
    assert!(all_removed(&executed));
    let again = desk.look();
    assert!(again.plan.rows.iter().all(|row| {
        let name = row.image.name().trim_end_matches(":1");
        !planned.contains(&name.to_owned())
    }));
    assert_eq!(again.plan.rows.iter().filter(|row| row.verdict == Verdict::Remove).count(), 1);
}
