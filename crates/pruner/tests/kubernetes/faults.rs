//! Servers that are busy, broken or not what they should be.

use std::time::Duration;

use jettison_pruner::kubernetes::{Api, Patience};
use jettison_testkit::kubernetes::{Fault, Server};

use crate::{NODE, api, assert_refused, names, patience, server_with};

/// The attempts at one request.
const ATTEMPTS: usize = 4;

#[test]
fn a_busy_server_is_asked_again() {
    let server = server_with(1);
    let api = api(&server);
    let faults = [
        Fault::Status(429),
        Fault::RetryAfter(429, 0),
        Fault::Status(500),
        Fault::Status(503),
        Fault::Replaced(502, b"<html>Bad Gateway</html>".to_vec()),
        Fault::Reset,
        Fault::Truncated(0),
        Fault::Truncated(200),
    ];
    for fault in faults {
        server.forget_requests();
        server.fault("/pods", ATTEMPTS - 1, fault.clone());
        assert_eq!(names(&api.pods(NODE).unwrap()), ["web-0000"], "{fault:?}");
        assert_eq!(server.requests().len(), ATTEMPTS, "{fault:?}");
    }
}

#[test]
fn a_broken_server_is_refused() {
    let server = server_with(3);
    let api = api(&server);
    let html = b"<html>\x1b[2J502 Bad Gateway</html>".to_vec();
    for (fault, words) in [
        (Fault::Status(429), "cannot list pods now (429 Too Many Requests: too many requests"),
        (Fault::RetryAfter(503, 0), "(503 Service Unavailable: apiserver not ready)"),
        (Fault::Status(500), "(500 Internal Server Error: etcdserver: request timed out)"),
        (Fault::Replaced(502, html), "(502 Bad Gateway: <html>\\x1b[2J502 Bad Gateway</html>)"),
        (Fault::Reset, "cannot be reached ("),
        (Fault::Truncated(1000), "breaks off within its answer ("),
    ] {
        server.forget_requests();
        server.fault("/pods", usize::MAX, fault.clone());
        let address = format!("the Kubernetes API at https://{} ", server.address());
        assert_refused(api.pods(NODE), &[&address, words, "asked 4 times"]);
        assert_eq!(server.requests().len(), ATTEMPTS, "{fault:?}");
        server.clear_faults();
    }
}

#[test]
fn every_list_is_needed() {
    let server = server_with(1);
    let api = api(&server);
    for path in [
        "/deployments",
        "/statefulsets",
        "/daemonsets",
        "/replicasets",
        "/cronjobs",
        "/jobs",
        "/replicationcontrollers",
        "fieldSelector=spec.nodeName=",
        "spec.nodeName=n1",
    ] {
        server.fault(path, ATTEMPTS, Fault::Truncated(40));
        assert_refused(api.cluster(NODE, true), &["breaks off", "asked 4 times"]);
        server.clear_faults();
    }
    api.cluster(NODE, true).unwrap();
}

#[test]
fn a_page_in_the_middle_is_needed() {
    let server = server_with(1200);
    let api = api(&server);
    for fault in [Fault::Status(500), Fault::Truncated(90_000), Fault::Reset] {
        server.fault("continue=", ATTEMPTS, fault);
        assert_refused(api.pods(NODE), &["asked 4 times"]);
    }
    server.fault("continue=", 1, Fault::Replaced(200, b"{}".to_vec()));
    assert_refused(api.pods(NODE), &["has the kind none, expected \"PodList\""]);
    assert_eq!(api.pods(NODE).unwrap().len(), 1200);
}

#[test]
fn a_wait_that_is_too_long_is_told_at_once() {
    let server = server_with(1);
    server.fault("/pods", 1, Fault::RetryAfter(429, 3600));
    assert_refused(
        api(&server).pods(NODE),
        &["429 Too Many Requests", "wants to be left alone for 3600 s"],
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let server = server_with(1);
    server.fault("/pods", usize::MAX, Fault::Hang);
    let patience = Patience { answer: Duration::from_millis(100), ..patience() };
    assert_refused(
        api(&server).with_patience(patience).pods(NODE),
        &["does not answer within 100ms", "asked 4 times"],
    );
}

#[test]
fn an_answer_without_end_is_cut() {
    let server = server_with(1);
    server.fault("/pods", 1, Fault::Endless);
    assert_refused(
        api(&server).pods(NODE),
        &["sends more than 64 MiB for one page of pods", "is it the API server?"],
    );
    // It is not asked again: the answer would be no other.
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_is_no_api_server_is_refused() {
    let server = server_with(1);
    let api = api(&server);
    for (status, body, words) in [
        (200, "<html>Log in</html>", "is not JSON"),
        (200, "", "is not JSON"),
        (200, "{\"kind\":\"PodList\",\"items\":[]", "is not JSON"),
        (200, "{}", "has the kind none"),
        (200, "[]", "has the kind none"),
        (204, "", "with 204 No Content, expected 200 OK"),
        (302, "", "with 302 Found, expected 200 OK"),
        (400, "no\nsuch label", "with 400 Bad Request: no such label, expected 200 OK"),
        (404, "404 page not found", "does not serve /api/v1/pods (404 Not Found: 404 page not"),
    ] {
        server.forget_requests();
        server.fault("/pods", 1, Fault::Replaced(status, body.into()));
        assert_refused(api.pods(NODE), &[words]);
        assert_eq!(server.requests().len(), 1, "{status} {body}");
    }
}

#[test]
fn a_server_that_is_gone_is_refused() {
    let server = Server::start().unwrap();
    let path = server.kubeconfig().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    drop(server);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    fs_err::write(&path, text).unwrap();
    let api = Api::from_kubeconfig(&[path], None).unwrap().with_patience(patience());
    assert_refused(api.pods(NODE), &["cannot be reached (", "is it up and reachable from here?"]);
}

#[test]
fn another_servers_certificate_is_refused() {
    let (server, other) = (server_with(1), Server::start().unwrap());
    let text = std::fs::read_to_string(other.kubeconfig().unwrap()).unwrap();
    let path = other.kubeconfig().unwrap();
    let text = text.replace(&other.address().to_string(), &server.address().to_string());
    fs_err::write(&path, text).unwrap();
    let api = Api::from_kubeconfig(&[path], None).unwrap().with_patience(patience());
    assert_refused(api.pods(NODE), &["cannot be reached (", "certificate"]);
    assert!(server.requests().is_empty(), "no token goes to a server that is not known");
}
