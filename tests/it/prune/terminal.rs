//! On a terminal the plan is shown and a question asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use jettison_testkit::busybox;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::jettison::binary;
use crate::prune::{Node, SOON, wait};

/// Runs on a terminal of its own, and types an answer.
fn typed(node: &Node, answer: &str) -> String {
    let quote = |word: &String| format!("'{word}'");
    let words: Vec<String> =
        node.arguments(&[&["prune"], &SOON[..]].concat()).iter().map(quote).collect();
    let line = format!("stty cols 80; {} {}", binary().display(), words.join(" "));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.env("NO_COLOR", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = script.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(answer.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    String::from_utf8_lossy(&output.stdout).replace('\r', "")
}

#[test]
fn only_a_plain_yes_removes() {
    let Some(node) = Node::new() else { return };
    node.run(&["prune", "--observe"]).bytes();
    wait();
    for answer in ["\n", "n\n", "what\n", "\u{4}"] {
        let shown = typed(&node, answer);
        assert!(shown.contains("REMOVE 1 image"), "{shown}");
        assert!(shown.contains("[y/N]"), "{shown}");
        assert!(node.has("free:1"), "{answer:?} was taken for a yes");
    }
    let shown = typed(&node, "y\n");
    assert!(shown.contains("removed 1 of 1"), "{shown}");
    assert!(!node.has("free:1"));
    // With nothing to remove there is no question.
    let shown = typed(&node, "");
    assert!(!shown.contains("[y/N]") && shown.contains("REMOVE nothing"), "{shown}");
}

#[test]
fn a_run_that_is_asked_to_end_finishes_what_it_began() {
    let Some(node) = Node::new() else { return };
    for number in 0..40 {
        let image = busybox::builder(&format!("old-{number}:1"), &["sleep"]).unwrap();
        node.dockerd.load_image(&image.label("is", &number.to_string()).build()).unwrap();
    }
    node.run(&["prune", "--observe"]).bytes();
    wait();
    let run = [&["prune", "--yes", "-v", "--format", "json"], &SOON[..]].concat();
    let mut child = node.user.command(&node.arguments(&run)).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(": removed") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended without a removal");
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{rest}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["stopped"].as_str().unwrap().contains("asked to end"), "{document}");
    let images = document["images"].as_array().unwrap();
    for image in images.iter().filter(|image| image["verdict"] == "remove") {
        let name = image["tags"][0].as_str().unwrap();
        assert_eq!(node.has(name), image["result"] == "not-tried", "{image}");
    }
    let of = |result: &str| images.iter().filter(|image| image["result"] == result).count();
    assert!(of("removed") > 0 && of("not-tried") > 0);
}

#[test]
fn elsewhere_nothing_goes_without_a_yes() {
    let Some(node) = Node::new() else { return };
    node.run(&["prune", "--observe"]).bytes();
    wait();
    let run = node.run(&[&["prune"], &SOON[..]].concat());
    assert!(
        run.stderr.contains("no terminal to ask on, and --yes was not given"),
        "{}",
        run.stderr
    );
    assert!(run.text().contains("REMOVE 1 image"));
    assert!(node.has("free:1"));
}
