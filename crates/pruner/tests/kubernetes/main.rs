//! What is read of a Kubernetes API server, and that nothing is lost where it goes wrong.
#![cfg(feature = "kubernetes")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod access;
mod cluster;
mod config;
mod faults;
mod pages;

use std::time::Duration;

use jettison_pruner::cluster::{Mention, Pod};
use jettison_pruner::kubernetes::{Api, Patience};
use jettison_testkit::kubernetes::{Server, object};

/// The node of these tests.
const NODE: &str = "n1";

/// Waits so short that no test waits.
fn patience() -> Patience {
    Patience { first_wait: Duration::from_millis(1), ..Patience::default() }
}

fn api(server: &Server) -> Api {
    let path = server.kubeconfig().unwrap();
    Api::from_kubeconfig(&[path], None).unwrap().with_patience(patience())
}

/// A server with `pods` pods on [`NODE`].
fn server_with(pods: usize) -> Server {
    let server = Server::start().unwrap();
    for number in 0..pods {
        let pod = object::pod("shop", &format!("web-{number:04}"));
        server.put(pod.node(NODE).container("app", &format!("app:{number}")).build());
    }
    server
}

/// The names of pods, in the order of the list.
fn names(pods: &[Pod]) -> Vec<&str> {
    pods.iter().map(|pod| pod.name.as_str()).collect()
}

fn named(mentions: &[Mention]) -> Vec<(&str, &str)> {
    mentions.iter().map(|one| (one.field.as_str(), one.image.as_str())).collect()
}

/// The words of a refusal, which must have all of `parts`.
#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: jettison_pruner::Result<T>, parts: &[&str]) {
    let error = result.unwrap_err();
    assert!(error.is_refusal(), "{error}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text}\nlacks: {part}");
    }
}
