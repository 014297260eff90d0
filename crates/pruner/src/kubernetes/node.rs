//! Whether the pods are those of the node whose runtime is looked at: with another node's name the
//! API tells of other pods or of none, and every image here would look unused.

use std::collections::BTreeSet;

use jettison_oci::escape;
use serde_json::Value;

use crate::cluster::Pod;
use crate::{Error, Result};

/// The longest name of a node, in bytes (RFC 1123, as Kubernetes takes it).
const NAME_MAX: usize = 253;

/// Refuses unless a pod that the API binds to `node` has a sandbox in the runtime.
/// `sandbox_uids` are the pod UIDs of all sandboxes, in any state.
///
/// Pods without a sandbox are not started yet; sandboxes of other pods are gone from the API.
pub fn prove(node: &str, pods: &[Pod], sandbox_uids: &BTreeSet<String>) -> Result<()> {
    let proves = |pod: &Pod| {
        [Some(&pod.uid), pod.static_uid.as_ref()]
            .into_iter()
            .flatten()
            .any(|uid| !uid.is_empty() && sandbox_uids.contains(uid))
    };
    if pods.iter().any(proves) {
        return Ok(());
    }
    let (bound, running) = (count(pods.len()), count(sandbox_uids.len()));
    let because = match (pods.is_empty(), sandbox_uids.is_empty()) {
        (true, true) => format!(
            "neither the Kubernetes API nor the runtime knows a pod of the node \"{node}\", so \
             nothing proves that this is the node: wait until a pod runs here, as kube-proxy or a \
             DaemonSet's does"
        ),
        (true, false) => format!(
            "the Kubernetes API knows no pod of the node \"{node}\", but the runtime has sandboxes \
             of {running}: is --node-name as `kubectl get nodes` spells it?"
        ),
        (false, true) => format!(
            "the Kubernetes API binds {bound} to the node \"{node}\", but the runtime has no \
             sandbox of any: is that another node's name, or is this runtime not the kubelet's?"
        ),
        (false, false) => format!(
            "the Kubernetes API binds {bound} to the node \"{node}\", and the runtime has \
             sandboxes of {running}, none of which is among them: is that another node's name or \
             another cluster, or is this runtime not the kubelet's?"
        ),
    };
    Err(Error::Refused(because))
}

/// Whether this can be the name of a node: another one would be another selector.
pub(super) fn check_name(node: &str) -> Result<()> {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    if !node.is_empty() && node.len() <= NAME_MAX && node.bytes().all(plain) {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "\"{}\" is no name of a node: expected small letters, digits, - and ., as \
         `kubectl get nodes` spells it",
        escape::line(node)
    )))
}

/// Whether a pod of a list of this node's pods is bound to it.
pub(super) fn check_pod(node: &str, pod: &Pod, value: &Value) -> Result<(), String> {
    let found = value.pointer("/spec/nodeName").unwrap_or(&Value::Null);
    if found.as_str() == Some(node) {
        return Ok(());
    }
    let found = match found {
        Value::Null => "no node".to_owned(),
        other => format!("the node {}", escape::line(&other.to_string())),
    };
    Err(format!(
        "Pod {}/{} in it is bound to {found}, but only those of \"{node}\" were asked for: does \
         the server, or a proxy before it, pass over the field selector?",
        escape::line(&pod.namespace),
        escape::line(&pod.name)
    ))
}

fn count(pods: usize) -> String {
    if pods == 1 { "1 pod".to_owned() } else { format!("{pods} pods") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(uid: &str, static_uid: Option<&str>) -> Pod {
        Pod { uid: uid.into(), static_uid: static_uid.map(str::to_owned), ..Pod::default() }
    }

    fn uids(uids: &[&str]) -> BTreeSet<String> {
        uids.iter().map(|&uid| uid.to_owned()).collect()
    }

    #[test]
    fn one_pod_in_common_proves_the_node() {
        let pods = [pod("a", None), pod("b", Some("hash")), pod("not-started", None)];
        for sandboxes in [&["a"][..], &["hash", "gone"], &["a", "b"]] {
            prove("n1", &pods, &uids(sandboxes)).unwrap();
        }
    }

    #[test]
    fn each_doubt_has_its_words() {
        let nameless = pod("", Some(""));
        for (pods, sandboxes, words) in [
            (&[][..], &[][..], "neither the Kubernetes API nor the runtime knows a pod of"),
            (
                &[],
                &["a", "b"],
                "knows no pod of the node \"n1\", but the runtime has sandboxes of 2 pods",
            ),
            (
                &[pod("a", None)],
                &[],
                "binds 1 pod to the node \"n1\", but the runtime has no sandbox",
            ),
            (&[pod("a", Some("h"))], &["b"], "of 1 pod, none of which is among them"),
            (&[nameless], &[""], "none of which is among them"),
        ] {
            let error = prove("n1", pods, &uids(sandboxes)).unwrap_err();
            assert!(error.is_refusal());
            assert!(error.to_string().contains(words), "{error}\nlacks: {words}");
        }
    }

    #[test]
    fn names_that_would_select_something_else_are_not_taken() {
        for name in ["n1", "ip-10-0-0-1.eu-west-1.compute.internal"] {
            check_name(name).unwrap();
        }
        for name in ["", "N1", "a,b", "a=b", "a b", "a\n", &"a".repeat(254)] {
            assert!(check_name(name).unwrap_err().is_usage(), "{name}");
        }
    }

    #[test]
    fn a_pod_of_another_node_is_noticed() {
        let check = |spec: Value| check_pod("n1", &pod("a", None), &json!({ "spec": spec }));
        check(json!({ "nodeName": "n1" })).unwrap();
        for (spec, words) in [
            (json!({ "nodeName": "n2" }), "bound to the node \"n2\", but only those of \"n1\""),
            (json!({ "nodeName": "n1\n" }), "the node \"n1\\n\""),
            (json!({ "nodeName": 1 }), "bound to the node 1"),
            (json!({}), "bound to no node"),
        ] {
            let error = check(spec).unwrap_err();
            assert!(error.contains(words), "{error}\nlacks: {words}");
        }
    }
}
