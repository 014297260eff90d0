//! The history survives whatever ends a run, and one run at a time removes.

use std::process::{Command, Stdio};

use jettison_testkit::require;

use crate::jettison::{Run, binary};
use crate::prune::Node;

/// The calls that write the history. Each is counted by itself.
const CALLS: [&str; 4] = ["openat", "write", "fsync", "rename"];

/// A look that is killed at its n-th `call` to the history's files.
fn killed_look(node: &Node, call: &str, at: usize) -> Run {
    let strace = require::program("strace", "strace").unwrap();
    let state = node.user.path("state").display().to_string();
    let mut plain = node.user.command::<&str>(&[]);
    let mut traced = Command::new(strace);
    traced.args(["--follow-forks", "--quiet=all", "--output", "/dev/null", "--trace", call]);
    for name in ["", "/docker.history.json", "/docker.history.json.part"] {
        traced.args(["--trace-path", &format!("{state}{name}")]);
    }
    traced.arg(format!("--inject={call}:signal=KILL:when={at}"));
    traced.arg(binary()).args(node.arguments(&["prune", "--observe"]));
    let variables = plain.stdin(Stdio::null()).get_envs();
    traced.current_dir(node.user.work()).env_clear();
    traced.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    Run::of(traced.stdout(Stdio::piped()).stderr(Stdio::piped()))
}

#[test]
fn a_kill_at_any_write_loses_nothing() {
    let Some(node) = Node::new() else { return };
    node.run(&["prune", "--observe"]).bytes();
    let history =
        || node.run(&["prune", "--dry-run", "--format", "json"]).json()["history"].clone();
    let first = history();
    let mut looks = first["looks"].as_u64().unwrap();
    let mut killed = Vec::new();
    for call in CALLS {
        for at in 1.. {
            let run = killed_look(&node, call, at);
            let now = history();
            assert_eq!(
                (&now["state"], &now["since"]),
                (&"continued".into(), &first["since"]),
                "{call} {at}"
            );
            let seen = now["looks"].as_u64().unwrap();
            assert!(seen > looks, "killed at {call} {at}: a look was forgotten");
            looks = seen;
            if run.status.success() {
                break;
            }
            killed.push((call, at));
            assert!(at < 20, "the run never ends: {}", run.stderr);
        }
    }
    // Read, begun, directory; written; file and directory synced; put in place.
    for call in [("openat", 2), ("write", 1), ("fsync", 2), ("rename", 1)] {
        assert!(killed.contains(&call), "{killed:?}");
    }
}

#[test]
fn two_do_not_prune_at_the_same_time() {
    let Some(node) = Node::new() else { return };
    node.run(&["prune", "--observe"]).bytes();
    let lock = fs_err::File::open(node.user.path("state/docker.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    node.run(&["prune", "--yes"]).fails(4, &["another jettison prunes this node", "docker.lock"]);
    // Who only looks sees the history.
    let shown = node.run(&["prune", "--dry-run", "--format", "json"]);
    assert!(shown.stderr.contains("this look is not remembered"), "{}", shown.stderr);
    assert_eq!(shown.json()["history"]["state"], "continued");
}
