//! Lists of many pages.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jettison_testkit::kubernetes::object::workload;
use jettison_testkit::kubernetes::{Fault, Server};
use serde_json::{Value, json};

use crate::{NODE, api, assert_refused, names, server_with};

type Edit = fn(&mut Value);

/// Three pages of 500.
const MANY: usize = 1200;

#[test]
fn every_page_is_read() {
    let server = server_with(MANY);
    for number in 0..MANY {
        server.put(workload("CronJob", "jobs", &format!("job-{number}"), &format!("j:{number}")));
    }
    let cluster = api(&server).cluster(NODE, true).unwrap();
    let images = |of: Vec<&str>| of.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let pods =
        cluster.pods.iter().flat_map(|pod| &pod.mentions).map(|one| one.image.as_str()).collect();
    assert_eq!(images(pods), (0..MANY).map(|number| format!("app:{number}")).collect());
    let jobs = cluster.templates.iter().map(|one| one.mentions[0].image.as_str()).collect();
    assert_eq!(images(jobs), (0..MANY).map(|number| format!("j:{number}")).collect());

    let of_node = |request: &&jettison_testkit::kubernetes::Request| {
        request.parameter("fieldSelector") == Some("spec.nodeName=n1")
    };
    let requests = server.requests();
    let pages: Vec<_> = requests.iter().filter(of_node).collect();
    assert_eq!(pages.len(), 3);
    assert!(pages.iter().all(|page| page.parameter("limit") == Some("500")));
    assert_eq!(pages.iter().filter(|page| page.parameter("continue").is_some()).count(), 2);
}

#[test]
fn a_list_that_expired_is_begun_again() {
    let server = server_with(MANY);
    let api = api(&server);
    server.fault("continue=", 2, Fault::Compacted);
    assert_eq!(api.pods(NODE).unwrap().len(), MANY);
    // Twice one page and the token that expired; then the whole.
    assert_eq!(server.requests().len(), 2 + 2 + 3);

    server.forget_requests();
    server.fault("continue=", 3, Fault::Compacted);
    assert_refused(api.pods(NODE), &["forgot a list of pods before it was read", "3 times"]);
    assert_eq!(server.requests().len(), 2 + 2 + 2);
}

#[test]
fn what_was_read_before_a_list_expired_is_not_kept() {
    let server = server_with(MANY);
    server.fault(
        "continue=",
        1,
        Fault::Edited(|list| list["metadata"]["resourceVersion"] = json!("9")),
    );
    let pods = api(&server).pods(NODE).unwrap();
    assert_eq!(pods.len(), MANY);
    assert_eq!(names(&pods).into_iter().collect::<BTreeSet<_>>().len(), MANY);

    // A server that shows each page as of another moment.
    server.fault(
        "continue=",
        3,
        Fault::Edited(|list| list["metadata"]["resourceVersion"] = json!("9")),
    );
    assert_refused(api(&server).pods(NODE), &["forgot a list of pods", "another resourceVersion"]);
}

#[test]
fn a_page_that_lies_is_refused() {
    let server = server_with(MANY);
    for number in 0..MANY {
        server.put(workload("Job", "jobs", &format!("job-{number}"), "job"));
    }
    let api = api(&server);
    let pods_of_node = "fieldSelector=spec.nodeName=n1";

    // The same token for ever.
    server.fault(
        pods_of_node,
        usize::MAX,
        Fault::Edited(|list| {
            static FIRST: OnceLock<Value> = OnceLock::new();
            let token = &mut list["metadata"]["continue"];
            *token = FIRST.get_or_init(|| token.clone()).clone();
        }),
    );
    assert_refused(api.pods(NODE), &["list of pods that cannot be trusted", "token came twice"]);
    assert_eq!(server.requests().len(), 2);
    server.clear_faults();

    // Objects that remain, and no way to them.
    server.fault("/jobs", 1, Fault::Edited(|list| list["metadata"]["continue"] = json!(null)));
    assert_refused(
        api.cluster(NODE, true),
        &["list of jobs that cannot be trusted", "700 objects remain, and not how to ask"],
    );

    let edits: [(&str, Edit); 8] = [
        ("no list of items", |list| list["items"] = json!(null)),
        ("no list of items", |list| *list = json!({ "kind": "PodList", "metadata": {} })),
        ("the kind \"PartialObjectMetadataList\"", |list| {
            list["kind"] = json!("PartialObjectMetadataList");
        }),
        ("the kind \"Status\"", |list| *list = json!({ "kind": "Status", "status": "Success" })),
        ("Pod shop/web-0499 has no spec", |list| list["items"][499]["spec"] = json!(null)),
        ("has no spec.containers[app].image", |list| {
            list["items"][7]["spec"]["containers"][0]["image"] = json!("");
        }),
        ("a Pod is null, expected an object", |list| list["items"][0] = json!(null)),
        ("bound to no node", |list| {
            list["items"][0]["spec"]["nodeName"] = json!(null);
        }),
    ];
    for (words, edit) in edits {
        server.fault(pods_of_node, 1, Fault::Edited(edit));
        assert_refused(api.pods(NODE), &["list of pods that cannot be trusted", words]);
    }
    assert_eq!(api.pods(NODE).unwrap().len(), MANY);
}

#[test]
fn a_node_without_pods_is_an_empty_list() {
    let server = Server::start().unwrap();
    assert_eq!(api(&server).pods(NODE).unwrap(), []);
}
