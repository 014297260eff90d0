//! Kubeconfigs.

use std::path::PathBuf;
use std::process::Command;

use jettison_pruner::kubernetes::Api;
use jettison_testkit::kubernetes::Server;
use jettison_testkit::kubernetes::object::pod;
use jettison_testkit::require::{self, Part};

use crate::{NODE, assert_refused, names, patience, server_with};

fn write(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs_err::write(&path, text).unwrap();
    path
}

fn text_of(server: &Server) -> String {
    std::fs::read_to_string(server.kubeconfig().unwrap()).unwrap()
}

#[test]
fn files_are_merged_and_a_context_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (server_with(1), Server::start().unwrap());
    second.put(pod("b", "of-second").node(NODE).container("app", "b").build());
    let second_text = text_of(&second).replace("fake", "other");
    let paths = [
        folder.path().join("missing"),
        first.kubeconfig().unwrap(),
        write(&folder, "second", &second_text),
    ];
    for (context, expected) in
        [(None, "web-0000"), (Some("fake"), "web-0000"), (Some("other"), "of-second")]
    {
        let api = Api::from_kubeconfig(&paths, context).unwrap().with_patience(patience());
        assert_eq!(names(&api.pods(NODE).unwrap()), [expected]);
    }
    let error = Api::from_kubeconfig(&paths, Some("third\u{1b}")).unwrap_err();
    assert!(error.is_usage());
    assert!(error.to_string().contains("no context \"third\\x1b\": name one of"), "{error}");
}

#[test]
fn a_kubeconfig_that_cannot_be_used_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start().unwrap();
    let good = text_of(&server);
    let missing = folder.path().join("missing");
    assert_refused(
        Api::from_kubeconfig(std::slice::from_ref(&missing), None),
        &["missing: not a kubeconfig that can be used (", "No such file"],
    );
    assert_refused(Api::from_kubeconfig(&[missing.clone(), missing], None), &["no kubeconfig at"]);
    assert_refused(Api::from_kubeconfig(&[], None), &["no kubeconfig at all"]);

    let none = good.replace("current-context: fake\n", "");
    let error = Api::from_kubeconfig(&[write(&folder, "none", &none)], None).unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("no current context"), "{error}");

    let no_server = good.lines().filter(|line| !line.contains("server:")).collect::<Vec<_>>();
    let proxied = good.replace("    server:", "    proxy-url: http://127.0.0.1:1\n    server:");
    for (text, words) in [
        ("kind: [", "not a kubeconfig that can be used"),
        (&good.replace("cluster: fake-cluster", "cluster: gone"), "the cluster of context: gone"),
        (&no_server.join("\n"), "cluster url is missing"),
        (&good.replace("certificate-authority-data: ", "certificate-authority-data: /"), "not a k"),
        (&proxied, "proxy"),
    ] {
        let path = write(&folder, "bad", text);
        assert_refused(Api::from_kubeconfig(&[path], None), &[words]);
    }
}

#[test]
fn a_token_may_come_from_a_file_or_a_program() {
    let folder = tempfile::tempdir().unwrap();
    let server = server_with(1);
    write(&folder, "token", "first-token");
    let credential = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
        "status":{"token":"first-token"}}"#;
    write(&folder, "credential.json", credential);
    let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, \
                command: cat, args: [CREDENTIAL]}"
        .replace("CREDENTIAL", folder.path().join("credential.json").to_str().unwrap());
    for way in ["tokenFile: token", exec.as_str()] {
        let text = text_of(&server).replace("token: first-token", way);
        let api = Api::from_kubeconfig(&[write(&folder, "config", &text)], None).unwrap();
        assert_eq!(names(&api.pods(NODE).unwrap()), ["web-0000"]);
    }
}

#[test]
fn outside_of_a_pod_there_is_no_service_account() {
    // Where this runs in a pod after all, there is one.
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
        assert_refused(Api::in_cluster(), &["no service account of a pod", "name a kubeconfig"]);
    }
}

/// Set for the process of its own that is started as a pod's.
const IN_POD: &str = "JETTISON_TEST_IN_POD";

/// The service account is at a fixed path, so that a process of its own sees one there.
#[test]
fn a_pod_has_its_service_account() {
    if std::env::var_os(IN_POD).is_some() {
        let pods = Api::in_cluster().unwrap().pods(NODE).unwrap();
        assert_eq!(names(&pods), ["web-0000", "web-0001"]);
        return;
    }
    if require::skipped(Part::Root) {
        return;
    }
    require::root().unwrap();
    let server = server_with(2);
    let account = tempfile::tempdir().unwrap();
    server.service_account(account.path()).unwrap();
    let script = "mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io && \
                  cp -r \"$1\" /run/secrets/kubernetes.io/serviceaccount && \
                  exec \"$2\" --exact config::a_pod_has_its_service_account";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(account.path())
        .arg(std::env::current_exe().unwrap())
        .env(IN_POD, "1")
        .env("KUBERNETES_SERVICE_HOST", server.address().ip().to_string())
        .env("KUBERNETES_SERVICE_PORT", server.address().port().to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{words}");
    assert_eq!(server.requests().len(), 1);
}
