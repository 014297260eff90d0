//! `jettison prune --watch` as a service: its log, its metrics, its end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr};

use jettison_pruner::metrics::NAMES;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::prune::Node;

struct Watching {
    child: Child,
    log: BufReader<ChildStderr>,
    seen: Vec<Value>,
}

impl Watching {
    fn start(node: &Node, more: &[&str]) -> Self {
        let address = ["--metrics-address", "127.0.0.1:0", "--observe-every", "1s"];
        let all =
            [&["prune", "--watch", "--log-format", "json", "-v"], &address[..], more].concat();
        let mut child = node.user.command(&node.arguments(&all)).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log, seen: Vec::new() }
    }

    /// The next event of this kind that `fits`.
    fn wait_for(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            let mut line = String::new();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "it ended: {:?}", self.seen);
            let event: Value = serde_json::from_str(&line).expect("one JSON object a line");
            self.seen.push(event.clone());
            if fits(&event) {
                return event;
            }
        }
        panic!("it never comes: {:?}", self.seen)
    }

    fn address(&mut self) -> String {
        let note = self.wait_for(|event| {
            event["message"].as_str().is_some_and(|text| text.starts_with("metrics at "))
        });
        let text = note["message"].as_str().unwrap();
        let address = text.strip_prefix("metrics at http://").unwrap();
        address.strip_suffix("/metrics").unwrap().to_owned()
    }

    fn end(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}\n{rest}");
        assert!(rest.contains("\"event\":\"ended\""), "{rest}");
    }
}

/// The status and the body of an answer.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[test]
fn a_watch_removes_tells_and_ends() {
    let Some(node) = Node::new() else { return };
    let every_second = ["--schedule", "* * * * *", "--older-than", "2s", "--min-age", "1s"];
    // A run that was missed is made up for at once.
    let mut watching = Watching::start(&node, &every_second);
    let address = watching.address();
    let connected = watching.wait_for(|event| event["event"] == "connected");
    assert!(connected["message"].as_str().unwrap().contains("Docker"), "{connected}");
    let look = watching.wait_for(|event| event["event"] == "look");
    assert_eq!(look["images"], 2);
    assert!(look["time"].as_str().unwrap().ends_with('Z'));
    assert_eq!(get(&address, "/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(get(&address, "/else").0, 404);
    let (status, metrics) = get(&address, "/metrics");
    assert_eq!(status, 200);
    for name in NAMES {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
    assert!(metrics.contains("jettison_prune_kept{reason=\"container\"} 1"), "{metrics}");
    let gone = watching.wait_for(|event| event["result"] == "removed");
    assert_eq!((&gone["image"], &gone["reason"]), (&"free:1".into(), &"old".into()));
    let kept: Vec<_> = watching.seen.iter().filter(|event| event["verdict"] == "keep").collect();
    assert!(kept.iter().any(|event| event["image"] == "used:1"), "{kept:?}");
    for event in kept {
        if event["image"] == "free:1" {
            // A minute that began before it was old enough.
            assert_eq!(event["reason"], "young", "{event}");
        } else {
            assert_eq!(event["image"], "used:1");
            assert_eq!(event["references"][0]["kind"], "container");
        }
    }
    watching.wait_for(|event| event["event"] == "done");
    let (_, metrics) = get(&address, "/metrics");
    assert!(metrics.contains("jettison_prune_removed_total 1"), "{metrics}");
    assert!(!node.has("free:1") && node.has("used:1"));
    watching.end();
}

#[test]
fn a_watch_that_only_shows_removes_nothing_and_lets_others_look() {
    let Some(node) = Node::new() else { return };
    let mut watching = Watching::start(
        &node,
        &["--dry-run", "--schedule", "* * * * *", "--older-than", "1s", "--min-age", "1s"],
    );
    watching.wait_for(|event| event["verdict"] == "remove");
    assert!(node.has("free:1"));
    // The history is given back between looks.
    let observed = node.run(&["prune", "--observe"]);
    assert_eq!(observed.code(), 0, "{}", observed.stderr);
    watching.end();
}
