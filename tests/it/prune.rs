//! `jettison prune` and `jettison explain` as they are typed, on a real dockerd. What is kept and
//! what goes on each runtime is tested in `crates/pruner/tests`.

mod crash;
mod image;
mod kubernetes;
mod service;
mod terminal;

use std::time::Duration;

use jettison_testkit::busybox;
use jettison_testkit::engine::Dockerd;
use jettison_testkit::podman::Service;
use jettison_testkit::registry::Registry;
use serde_json::Value;

use crate::jettison::{Run, User};

/// A user, and a dockerd with two images one of which a container has.
pub(crate) struct Node {
    pub(crate) user: User,
    pub(crate) dockerd: Dockerd,
}

impl Node {
    pub(crate) fn new() -> Option<Self> {
        let dockerd = Dockerd::for_test()?;
        for name in ["free", "used"] {
            let image = busybox::builder(&format!("{name}:1"), &["sleep", "600"]).unwrap();
            dockerd.load_image(&image.label("is", name).build()).unwrap();
        }
        dockerd.docker(&["create", "--network", "none", "--name", "web", "used:1"]).unwrap();
        Some(Self { user: User::new(), dockerd })
    }

    pub(crate) fn arguments(&self, more: &[&str]) -> Vec<String> {
        let (command, rest) = more.split_first().unwrap();
        let state = self.user.path("state").display().to_string();
        let endpoint = self.dockerd.host();
        let mut all = vec![
            (*command).to_owned(),
            "--endpoint".to_owned(),
            endpoint,
            "--state-dir".to_owned(),
            state,
            // Images of tests come from no registry.
            "--allow-unpullable".to_owned(),
        ];
        all.extend(rest.iter().map(|word| (*word).to_owned()));
        all
    }

    pub(crate) fn run(&self, more: &[&str]) -> Run {
        self.user.run(&self.arguments(more))
    }

    pub(crate) fn has(&self, image: &str) -> bool {
        let listed = self.dockerd.docker(&["images", "--quiet", image]).unwrap();
        !listed.is_empty()
    }
}

/// Ages that a test can wait for.
pub(crate) const SOON: [&str; 4] = ["--older-than", "1s", "--min-age", "1s"];

pub(crate) fn wait() {
    std::thread::sleep(Duration::from_millis(1100));
}

/// Fails where a document is not what its published schema says.
fn assert_valid(name: &str, document: &Value) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/");
    let schema = fs_err::read(format!("{path}{name}")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(document).map(|one| one.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {errors:?}");
}

fn image_of<'a>(document: &'a Value, name: &str) -> &'a Value {
    let images = document["images"].as_array().unwrap();
    images.iter().find(|image| image["tags"][0] == name).unwrap()
}

#[test]
fn the_first_run_removes_nothing_and_says_how_to_go_on() {
    let Some(node) = Node::new() else { return };
    let run = node.run(&["prune", "--yes", "--older-than", "0s", "--min-age", "0s"]);
    let text = run.text();
    for part in [
        "This is the first look",
        "jettison prune --observe",
        "--age-by pulled",
        "a job needs it tonight",
        "REMOVE nothing of 2 images",
        "a container has it (1)",
        "container web (created)",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(node.has("free:1"));
}

#[test]
fn what_is_old_goes_and_what_is_used_stays() {
    let Some(node) = Node::new() else { return };
    let observed = node.run(&["prune", "--observe"]);
    assert_eq!(observed.code(), 0);
    assert!(observed.stderr.contains("2 images looked at"), "{}", observed.stderr);
    assert!(observed.stdout.is_empty());
    wait();
    let soon = |more: &[&str]| node.run(&[&["prune"], &SOON[..], more].concat());
    let dry = soon(&["--yes", "--dry-run", "--format", "json"]).json();
    assert_valid("prune.v1.json", &dry);
    assert_eq!((&dry["mode"], &dry["runtime"]), (&"plan".into(), &"docker".into()));
    assert_eq!(image_of(&dry, "free:1")["verdict"], "remove");
    assert_eq!(image_of(&dry, "free:1")["reason"], "old");
    let used = image_of(&dry, "used:1");
    assert_eq!((&used["verdict"], &used["reason"]), (&"keep".into(), &"container".into()));
    assert_eq!(used["references"][0]["name"], "web");
    assert!(node.has("free:1"));
    let run = soon(&["--yes", "--format", "json", "--output", "text=report.txt"]);
    let done = run.json();
    assert_valid("prune.v1.json", &done);
    assert_eq!(done["mode"], "executed");
    assert_eq!(image_of(&done, "free:1")["result"], "removed");
    assert_eq!(done["reclaimed"]["measured"], dry["reclaimed"]["predicted"]);
    assert_eq!(done["reclaimed"]["measuredBy"], "store");
    assert!(!node.has("free:1") && node.has("used:1"));
    let text = fs_err::read_to_string(node.user.path("report.txt")).unwrap();
    assert!(text.contains("REMOVE 1 image") && text.contains("removed 1 of 1"), "{text}");
    // Again: there is nothing to do.
    assert!(soon(&["--yes"]).text().contains("REMOVE nothing"));
}

#[test]
fn one_image_is_explained() {
    let Some(node) = Node::new() else { return };
    let text = node.run(&["explain", "used"]).code();
    assert_ne!(text, 0, "used:latest is no image of the node");
    let text = node.run(&["explain", "used:1"]).text();
    for part in ["stays: a container has it [container]", "container web (created)", "would go"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let document = node.run(&["explain", "free:1", "--format", "json"]).json();
    assert_valid("explain.v1.json", &document);
    assert_eq!(document["image"]["reason"], "young");
    let id = document["image"]["id"].as_str().unwrap();
    let short = &id["sha256:".len()..][..12];
    for name in [id, short, "docker.io/library/free:1"] {
        let same = node.run(&["explain", name, "--format", "json"]).json();
        assert_eq!(same["image"]["id"], id, "{name}");
    }
    node.run(&["explain", "nobody:1"]).fails(3, &["the node has no image nobody:1"]);
    node.run(&["explain", "No Name"]).fails(2, &["names no image"]);
}

#[test]
fn settings_stand_in_the_configuration() {
    let Some(node) = Node::new() else { return };
    let settings = "[prune]\nolder-than = \"1s\"\nmin-age = \"1s\"\nkeep = [\"fr*\"]\n";
    fs_err::write(node.user.path("jettison.toml"), settings).unwrap();
    node.run(&["prune", "--observe"]).bytes();
    wait();
    let document = node.run(&["prune", "--format", "json"]).json();
    assert_eq!(image_of(&document, "free:1")["reason"], "keep-rule");
    fs_err::write(node.user.path("jettison.toml"), "[prune]\nolder-then = \"1d\"\n").unwrap();
    node.run(&["prune"]).fails(2, &["unknown key older-then", "did you mean older-than?"]);
}

#[test]
fn mistakes_end_with_their_code_and_do_nothing() {
    let Some(node) = Node::new() else { return };
    for (arguments, code, words) in [
        (&["prune", "--keep", "["][..], 2, &["keep pattern"][..]),
        (&["prune", "--until-free", "120%"], 2, &["no share"]),
        (&["prune", "--older-than", "soon"], 2, &["--older-than"]),
        (&["prune", "--high-threshold", "80", "--watch"], 2, &["--low-threshold"]),
        (&["prune", "--watch", "--schedule", "0 3 * *"], 2, &["five fields"]),
        (&["prune", "--watch", "--metrics-address", "here"], 2, &["expected an IP address"]),
        (&["prune", "--watch", "--metrics-address", "off", "--keep", "["], 2, &["keep pattern"]),
        (&["prune", "--static-pods", "/nowhere", "--kubernetes", "off"], 4, &["/nowhere"]),
        (&["prune", "--kubernetes", "required", "--kubeconfig", "/none"], 4, &["/none"]),
        (&["prune", "--kubernetes", "required"], 4, &["--kubeconfig", "--kubernetes off"]),
    ] {
        node.run(arguments).fails(code, words);
    }
    // Nobody is there.
    let run = node.user.run(&["prune", "--runtime", "docker", "--endpoint", "unix:///none.sock"]);
    run.fails(4, &["/none.sock", "does not exist"]);
    let run = node.user.run(&["prune", "--runtime", "cri", "--endpoint", "/none.sock"]);
    run.fails(4, &["/none.sock", "no such socket"]);
    // Docker's engine is no runtime of the CRI.
    let endpoint = node.dockerd.host();
    let socket = node.dockerd.socket().display().to_string();
    node.user.run(&["prune", "--runtime", "cri", "--endpoint", &endpoint]).fails(4, &[&socket]);
    let podman = ["prune", "--runtime", "podman", "--endpoint", &endpoint];
    node.user.run(&podman).fails(2, &["not podman"]);
}

#[test]
fn of_several_runtimes_one_has_to_be_named() {
    let Some(node) = Node::new() else { return };
    let Some(podman) = Service::for_test() else { return };
    let both = |arguments: &[&str]| {
        let mut command = node.user.command(arguments);
        command.env("DOCKER_HOST", node.dockerd.host()).env("CONTAINER_HOST", podman.host());
        Run::of(&mut command)
    };
    let (docker, other) = (node.dockerd.host(), podman.host());
    both(&["prune"]).fails(2, &["several container runtimes answer", &docker, &other]);
    let state = node.user.path("state").display().to_string();
    let one = both(&["prune", "--runtime", "podman", "--state-dir", &state]).text();
    assert!(one.contains("runtime  podman"), "{one}");
    let one = both(&["prune", "--runtime", "docker", "--state-dir", &state]).text();
    assert!(one.contains("runtime  Docker"), "{one}");
    let run = node.user.run(&["prune", "--runtime", "docker"]);
    run.fails(4, &["no container runtime answers", "no-such.sock"]);
}

#[test]
fn what_a_registry_no_longer_has_stays_where_it_is_asked() {
    let Some(node) = Node::new() else { return };
    let Some(registry) = Registry::for_test() else { return };
    let image = busybox::builder("x:1", &["sleep"]).unwrap().label("is", "pulled").build();
    registry.push(image, "pulled", "1").unwrap();
    let name = registry.reference("pulled:1");
    node.dockerd.docker(&["pull", "--quiet", &name]).unwrap();
    let run = |more: &[&str]| {
        let (endpoint, state) = (node.dockerd.host(), node.user.path("state"));
        let state = state.display().to_string();
        let fixed = ["prune", "--endpoint", &endpoint, "--state-dir", &state, "--verify-pullable"];
        node.user.run(&[&fixed[..], &SOON[..], more].concat())
    };
    run(&["--observe"]).bytes();
    wait();
    let asked = run(&["--dry-run", "--format", "json"]).json();
    assert_eq!(image_of(&asked, &name)["reason"], "old");
    drop(registry);
    let run = run(&["--yes", "--format", "text", "--output", "json=done.json"]).text();
    assert!(run.contains("its registry does not give it now"), "{run}");
    let done = fs_err::read(node.user.path("done.json")).unwrap();
    let done: Value = serde_json::from_slice(&done).unwrap();
    assert_eq!(image_of(&done, &name)["reason"], "unpullable");
    assert!(node.has(&name));
}

#[test]
fn a_history_that_cannot_be_kept_removes_nothing() {
    let Some(node) = Node::new() else { return };
    let nowhere = ["--state-dir", "/proc/jettison"];
    let run = |more: &[&str]| {
        let endpoint = node.dockerd.host();
        let all = [&["prune", "--endpoint", &endpoint], &nowhere[..], more].concat();
        node.user.run(&all)
    };
    run(&["--yes"]).fails(3, &["the history cannot be kept", "--state-dir"]);
    run(&["--observe"]).fails(3, &["the history cannot be kept"]);
    // Who only looks is told, and sees the plan.
    let look = run(&["--dry-run"]);
    assert!(look.stderr.contains("this look is not remembered"), "{}", look.stderr);
    assert!(look.text().contains("REMOVE nothing"));
    // A history that is damaged is lost loudly, and kept aside.
    node.run(&["prune", "--observe"]).bytes();
    let path = node.user.path("state/docker.history.json");
    fs_err::write(&path, "{\"schemaVersion\": 1").unwrap();
    let damaged = node.run(&["prune", "--older-than", "0s", "--min-age", "0s", "--yes"]);
    assert!(damaged.stderr.contains("the history was lost"), "{}", damaged.stderr);
    assert!(damaged.text().contains("REMOVE nothing"));
    assert!(node.user.path("state/docker.history.json.unusable").exists());
    // In a pod the node has another name, and its history stays its history.
    let renamed = node.run(&["prune", "--dry-run", "--node-name", "worker-1", "--format", "json"]);
    assert_eq!(renamed.json()["history"]["state"], "continued");
    // That of a later jettison is left alone.
    let later = "{\"schemaVersion\": 9, \"digest\": \"\"}\n{}\n";
    fs_err::write(&path, later).unwrap();
    node.run(&["prune"]).fails(4, &["a later jettison wrote it"]);
    assert_eq!(fs_err::read_to_string(&path).unwrap(), later);
}
