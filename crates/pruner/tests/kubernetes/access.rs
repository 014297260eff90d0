//! Servers that do not let us.

use jettison_testkit::kubernetes::Fault;
use jettison_testkit::kubernetes::object::workload;

use crate::{NODE, api, assert_refused, names, server_with};

#[test]
fn a_token_that_expired_is_refused() {
    let server = server_with(1);
    let api_ = api(&server);
    assert_eq!(names(&api_.pods(NODE).unwrap()), ["web-0000"]);
    server.rotate_token("second-token");
    server.forget_requests();
    let words = ["does not accept the credentials (401 Unauthorized: Unauthorized)", "expired?"];
    assert_refused(api_.pods(NODE), &words);
    assert_refused(api_.cluster(NODE, true), &words);
    assert_eq!(server.requests().len(), 2, "it is not asked again with what it refused");
    assert_eq!(names(&api(&server).pods(NODE).unwrap()), ["web-0000"]);
}

#[test]
fn pods_that_may_not_be_listed_are_refused_with_the_rule() {
    let server = server_with(1);
    server.fault("/pods", 1, Fault::Status(403));
    assert_refused(
        api(&server).pods(NODE),
        &[
            "does not allow to list pods of all namespaces (403 Forbidden: pods is forbidden: User",
            "ClusterRole with the rule {apiGroups: [\"\"], resources: [\"pods\"], verbs: [\"list\"]}",
        ],
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn workloads_that_may_not_be_listed_are_refused_with_the_rule() {
    let server = server_with(1);
    server.put(workload("CronJob", "jobs", "nightly", "nightly:1"));
    let api = api(&server);
    server.fault("/cronjobs", 1, Fault::Status(403));
    assert_refused(
        api.cluster(NODE, true),
        &[
            "does not allow `list` on `cronjobs.batch` (403 Forbidden: cronjobs.batch is",
            "the images of each CronJob are not known",
            "the rule {apiGroups: [\"batch\"], resources: [\"cronjobs\"], verbs: [\"list\"]}",
            "`--templates none` goes on without workloads, at the risk",
        ],
    );
    // What the words promise.
    server.fault("/cronjobs", 1, Fault::Status(403));
    assert_eq!(names(&api.cluster(NODE, false).unwrap().pods), ["web-0000"]);
    server.clear_faults();

    server.fault("/replicationcontrollers", 1, Fault::Status(404));
    assert_refused(
        api.cluster(NODE, true),
        &["does not serve /api/v1/replicationcontrollers (404 Not Found", "`--templates none`"],
    );
    assert_eq!(api.cluster(NODE, true).unwrap().templates.len(), 1);
}

#[test]
fn a_servers_words_are_escaped_and_cut() {
    let server = server_with(1);
    let message = format!("\u{1b}[2J{}", "x".repeat(10_000));
    let body = serde_json::json!({ "kind": "Status", "message": message }).to_string();
    server.fault("/pods", 1, Fault::Replaced(403, body.into_bytes()));
    let text = api(&server).pods(NODE).unwrap_err().to_string();
    assert!(text.contains("\\x1b[2Jxxx") && text.contains("xxx…)"), "{text}");
    assert!(text.len() < 800 && !text.contains('\u{1b}'), "{text}");
}
