//! The image from scratch: built by its own recipe, weighed by the gate, run on a node.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::prune::Node;

const TAG: &str = "example.test/tools/jettison:test";

/// What the test builds is not optimised, and so may weigh more than what is released.
const BUDGET: &str = "[[gate.budget]]\nmetric = \"effective\"\nmax = \"160 MiB\"\n\
                      [[gate.budget]]\nmetric = \"wasted\"\nmax = \"0\"\n\
                      [[gate.budget]]\nmax-layers = 3\n";

fn build(node: &Node) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut build = Command::new(format!("{root}/examples/ci/image/build"));
    let client = node.dockerd.command();
    build.envs(client.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // What cargo says to tests is not for other builds.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_") && name != "CARGO_HOME" {
            build.env_remove(name);
        }
    }
    let output = build.arg(TAG).env("PROFILE", "dev").stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_image_from_scratch_is_gated_and_prunes() {
    let Some(node) = Node::new() else { return };
    build(&node);
    // Its size is gated by the gate.
    fs_err::write(node.user.path("budget.toml"), BUDGET).unwrap();
    let mut gate = node.user.command(&[
        "gate",
        &format!("docker-daemon:{TAG}"),
        "--config",
        "budget.toml",
        "--format",
        "json",
    ]);
    let gated = crate::jettison::Run::of(gate.env("DOCKER_HOST", node.dockerd.host())).json();
    assert_eq!(gated["verdict"], "pass", "{gated}");
    // The released image's budget is one that the gate understands.
    let released = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/ci/image/jettison.toml");
    let mut gate = node.user.command(&["gate", "--exit-zero", &format!("docker-daemon:{TAG}")]);
    gate.args(["--config", released]).env("DOCKER_HOST", node.dockerd.host());
    assert_eq!(crate::jettison::Run::of(&mut gate).code(), 0);

    // As in the DaemonSet: no capability, nothing to write to but the history.
    let state = node.user.path("state");
    fs_err::create_dir_all(&state).unwrap();
    let socket = node.dockerd.socket();
    let directory = socket.parent().unwrap().display().to_string();
    let run = |more: &[&str]| -> String {
        let (runtime, history) =
            (format!("{directory}:/run/node:ro"), format!("{}:/var/lib/jettison", state.display()));
        let fixed = [
            "run",
            "--rm",
            "--network",
            "none",
            "--read-only",
            "--cap-drop",
            "ALL",
            "--security-opt",
            "no-new-privileges",
            "--volume",
            &runtime,
            "--volume",
            &history,
            "--env",
            "NODE_NAME=worker-1",
            "--name",
            "jettison",
            TAG,
            "prune",
            "--endpoint",
            "unix:///run/node/sock",
            "--older-than",
            "1s",
            "--min-age",
            "1s",
            "--allow-unpullable",
        ];
        node.dockerd.docker(&[&fixed[..], more].concat()).unwrap()
    };
    run(&["--observe"]);
    crate::prune::wait();
    let done: Value = serde_json::from_str(&run(&["--yes", "--format", "json"])).unwrap();
    assert_eq!(done["node"], "worker-1");
    let images = done["images"].as_array().unwrap();
    let of = |name: &str| images.iter().find(|image| image["tags"][0] == name).unwrap();
    assert_eq!(
        (&of("free:1")["result"], &of("used:1")["reason"]),
        (&"removed".into(), &"container".into())
    );
    // Its own image stays: its container has it, and a rule would.
    let kinds: Vec<&Value> =
        of(TAG)["references"].as_array().unwrap().iter().map(|holder| &holder["kind"]).collect();
    assert_eq!(kinds, ["container", "built-in"]);
    assert!(!node.has("free:1") && node.has(TAG));
}
