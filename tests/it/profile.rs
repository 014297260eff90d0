//! Which files of its image a container uses, watched from outside.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use jettison_testkit::busybox;
use jettison_testkit::engine::Dockerd;
use jettison_testkit::image::{Image, LayerBuilder, Meta};
use jettison_testkit::podman::Service;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::jettison::{Run, User, names};

const TAG: &str = "example.test/watched:1";

/// Runs the script that it is told, `/app/idle` where it is told none.
fn image() -> Image {
    let script = |text: &str| format!("#!/bin/sh\n{text}\n");
    let layer = LayerBuilder::new()
        .file("app/data", "data")
        .file("app/other", "other")
        .file("app/gone", "gone")
        .file("app/late", "late")
        .symlink("link", "app/data")
        .file_with(
            "app/work",
            script(
                "cat /link /app/gone; echo made > /tmp/made; cat /tmp/made; rm /app/gone; \
                 ls -l /app/other; exit $1",
            ),
            Meta::mode(0o755),
        )
        .file_with(
            "app/idle",
            script("trap 'cat /app/late; exit 0' TERM; while true; do sleep 0.1; done"),
            Meta::mode(0o755),
        );
    busybox::builder(TAG, &["sh"])
        .unwrap()
        .cmd(&["/app/idle"])
        .layer(layer, "COPY app /app # buildkit")
        .build()
}

fn command(user: &User, host: &str, arguments: &[&str]) -> Command {
    let mut command = user.command(&[&["profile"], arguments].concat());
    command.env("DOCKER_HOST", host);
    command
}

fn profile(user: &User, host: &str, arguments: &[&str]) -> Run {
    Run::of(&mut command(user, host, arguments))
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap()
}

fn has(document: &Value, key: &str, path: &str) -> bool {
    document[key].as_array().unwrap().contains(&json!(path))
}

fn containers(docker: &Dockerd) -> String {
    docker.docker(&["ps", "--all", "--format", "{{.Names}} {{.State}}"]).unwrap()
}

fn image_id(docker: &Dockerd) -> String {
    let format = ["image", "inspect", "--format", "{{.Id}}", TAG];
    docker.docker(&format).unwrap().trim().to_owned()
}

/// Waits until `is_so`, which a daemon makes true sooner or later.
fn wait(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "it does not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

/// What a run of `/app/work 3` shows, of either engine.
fn assert_watched(document: &Value) {
    assert_eq!(document["complete"], true);
    assert_eq!(document["fromStart"], true);
    assert_eq!(document["exitCode"], 3);
    let executed = document["executed"].as_array().unwrap();
    assert!(executed.iter().any(|path| path.as_str().unwrap().starts_with("/bin/")), "{document}");
    for used in ["/app/work", "/app/data", "/app/gone"] {
        assert!(has(document, "opened", used), "{used}: {document}");
    }
    // A link is not opened, its target is. What is looked at or made is not opened either.
    for unused in ["/link", "/app/other", "/app/idle", "/tmp/made"] {
        assert!(!has(document, "opened", unused), "{unused}: {document}");
    }
}

#[test]
fn a_new_container_is_watched_to_its_end() {
    let Some(docker) = Dockerd::for_test() else { return };
    docker.load_image(&image()).unwrap();
    let (user, host) = (User::new(), docker.host());
    let options = ["--network", "none", "--env", "A=b", "--output", "run.json", TAG];
    let watched = profile(&user, &host, &[&options[..], &["--", "/app/work", "3"]].concat());
    assert_eq!(watched.code(), 0, "{}", watched.stderr);
    let printed = String::from_utf8(watched.stdout).unwrap();
    assert!(printed.starts_with("datagonemade"), "what it prints is passed on: {printed}");
    assert!(watched.stderr.contains("ended with 3"), "{}", watched.stderr);
    let document = read(&user.path("run.json"));
    assert_eq!(document["image"], image_id(&docker));
    assert_watched(&document);
    assert_eq!(containers(&docker), "");

    // Without --output, the profile is all that stands on standard output.
    let printed = profile(&user, &host, &[TAG, "--", "/app/work", "3"]).json();
    assert_eq!(printed, document);

    // It is evidence.
    let why = ["why", TAG, "--profile", "run.json", "--format", "json", "/app/data"];
    let told = Run::of(user.command(&why).env("DOCKER_HOST", &host)).text();
    assert!(told.contains(r#""evidence": "opened""#), "{told}");
}

#[test]
fn a_container_that_is_not_ours_is_watched_and_left_as_it_is() {
    let Some(docker) = Dockerd::for_test() else { return };
    docker.load_image(&image()).unwrap();
    let (user, host) = (User::new(), docker.host());
    docker.docker(&["create", "--name", "waiting", TAG, "/app/work", "3"]).unwrap();
    let watch = ["--container", "waiting", "--output", "run.json"];
    assert_eq!(profile(&user, &host, &watch).code(), 0);
    assert_watched(&read(&user.path("run.json")));
    assert_eq!(containers(&docker), "waiting exited\n");
    docker.docker(&["rm", "waiting"]).unwrap();
    // One that is removed as it ends tells what it ended with all the same.
    docker.docker(&["create", "--rm", "--name", "waiting", TAG, "/app/work", "3"]).unwrap();
    assert_eq!(profile(&user, &host, &watch).code(), 0);
    assert_watched(&read(&user.path("run.json")));

    docker.docker(&["run", "--detach", "--name", "running", TAG]).unwrap();
    let child = command(&user, &host, &["--container", "running"]).spawn().unwrap();
    // Until it watches, what is opened is not seen: it is opened again and again.
    let pause = || docker.docker(&["exec", "running", "cat", "/app/other"]).unwrap();
    for _ in 0..10 {
        pause();
        std::thread::sleep(Duration::from_millis(100));
    }
    interrupt(&child);
    let watched = Run::wait(child);
    assert!(watched.stderr.contains("ran already"), "{}", watched.stderr);
    let document = watched.json();
    assert_eq!((&document["fromStart"], &document["exitCode"]), (&json!(false), &Value::Null));
    assert!(has(&document, "opened", "/app/other"), "{document}");
    // It had been started before: what runs is seen all the same.
    assert!(has(&document, "executed", "/bin/busybox") || has(&document, "executed", "/bin/sh"));
    assert!(!has(&document, "opened", "/app/late"), "{document}");
    assert_eq!(containers(&docker), "running running\n");
    let timed = profile(&user, &host, &["--container", "running", "--for", "100ms"]).json();
    assert_eq!(timed["complete"], true);
}

#[test]
fn an_end_before_the_end_is_a_shutdown_that_is_watched() {
    let Some(docker) = Dockerd::for_test() else { return };
    docker.load_image(&image()).unwrap();
    let (user, host) = (User::new(), docker.host());
    let timed = profile(&user, &host, &[TAG, "--for", "1s"]).json();
    assert!(has(&timed, "opened", "/app/idle") && has(&timed, "opened", "/app/late"), "{timed}");
    assert_eq!(timed["exitCode"], Value::Null);
    assert_eq!(containers(&docker), "");

    let child = command(&user, &host, &[TAG]).spawn().unwrap();
    wait(|| containers(&docker).contains("running"));
    interrupt(&child);
    let interrupted = Run::wait(child).json();
    assert!(has(&interrupted, "opened", "/app/late"), "{interrupted}");
    assert_eq!(containers(&docker), "");
}

#[test]
fn what_cannot_be_watched_leaves_nothing_behind() {
    let Some(docker) = Dockerd::for_test() else { return };
    docker.load_image(&image()).unwrap();
    let (user, host) = (User::new(), docker.host());
    profile(&user, &host, &["absent:1", "--output", "run.json"]).fails(3, &["absent:1", "pull"]);
    profile(&user, &host, &["--container", "absent"]).fails(3, &["absent", "No such container"]);
    profile(&user, &host, &["--container", "../x"]).fails(2, &["../x"]);
    profile(&user, &host, &["a b"]).fails(2, &["a b"]);
    profile(&user, &host, &[TAG, "--network", "absent"]).fails(3, &["absent"]);
    profile(&user, "tcp://192.0.2.1:2375", &[TAG]).fails(2, &["192.0.2.1", "another machine"]);
    profile(&user, "unix:///no/such.sock", &[TAG]).fails(3, &["/no/such.sock"]);
    // Its entrypoint does not exist.
    let broken = busybox::image("example.test/broken:1", &["/no/such/program"]).unwrap();
    docker.load_image(&broken).unwrap();
    profile(&user, &host, &["example.test/broken:1"]).fails(3, &["broken:1", "/no/such/program"]);
    assert_eq!(containers(&docker), "");
    assert_eq!(names(&user.work()), Vec::<String>::new());
    // Whoever is not root.
    let mut other = Command::new("setpriv");
    other.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]);
    let watch = command(&user, &host, &[TAG]);
    other.arg(watch.get_program()).args(watch.get_args()).env("DOCKER_HOST", &host);
    let refused = other.output().unwrap();
    let message = String::from_utf8_lossy(&refused.stderr);
    assert!(message.contains("by root") || message.contains("denied"), "{message}");
    assert_eq!(containers(&docker), "");
}

#[test]
fn podman_s_containers_are_watched_through_its_compatible_api() {
    let Some(podman) = Service::for_test() else { return };
    podman.load_image(&image()).unwrap();
    let (user, host) = (User::new(), podman.host());
    let options = ["--network", "none", "--output", "run.json", TAG];
    let watched = profile(&user, &host, &[&options[..], &["--", "/app/work", "3"]].concat());
    assert_eq!(watched.code(), 0, "{}", watched.stderr);
    assert_watched(&read(&user.path("run.json")));
    assert_eq!(podman.podman(&["ps", "--all", "--quiet"]).unwrap(), "");
}
