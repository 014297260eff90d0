use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn pod(spec: &Value, status: &Value) -> Value {
    json!({
        "metadata": { "namespace": "shop", "name": "web", "uid": "u-1" },
        "spec": spec,
        "status": status,
    })
}

fn named(pod: &Pod) -> Vec<(&str, &str, bool)> {
    pod.mentions.iter().map(|m| (m.field.as_str(), m.image.as_str(), m.never_pulled)).collect()
}

#[test]
fn every_field_that_names_an_image() {
    let spec = json!({
        "containers": [
            { "name": "app", "image": "nginx:1", "imagePullPolicy": "Always" },
            { "name": "own", "image": "localhost/own", "imagePullPolicy": "Never" },
        ],
        "initContainers": [
            { "name": "setup", "image": "busybox", "imagePullPolicy": "Never" },
        ],
        "ephemeralContainers": [{ "name": "debug", "image": "alpine" }],
        "volumes": [
            { "name": "models", "image": { "reference": "ghcr.io/m:1", "pullPolicy": "Never" } },
            { "name": "data", "image": { "reference": "ghcr.io/d:1", "pullPolicy": "Always" } },
            { "name": "room", "emptyDir": {} },
        ],
    });
    let mounts = json!([
        { "name": "room", "mountPath": "/room" },
        { "name": "data", "volumeStatus": { "image": { "imageRef": "ghcr.io/d@sha256:9" } } },
    ]);
    let status = json!({
        "phase": "Running",
        "containerStatuses": [{
            "name": "app", "image": "docker.io/library/nginx:1", "imageID": "nginx@sha256:1",
            "volumeMounts": mounts,
            "lastState": { "terminated": { "exitCode": 1, "reason": "Error" } },
        }],
        "initContainerStatuses": [{ "name": "setup", "image": "sha256:2", "imageID": "sha256:3" }],
        "ephemeralContainerStatuses": [{ "name": "debug", "image": "a", "imageID": "b" }],
    });
    let pod = of(&pod(&spec, &status)).unwrap();
    assert_eq!((pod.namespace.as_str(), pod.name.as_str()), ("shop", "web"));
    assert_eq!((pod.uid.as_str(), &pod.static_uid), ("u-1", &None));
    let mount = "status.containerStatuses[app].volumeMounts[data].volumeStatus.image.imageRef";
    assert_eq!(
        named(&pod),
        [
            ("spec.containers[app].image", "nginx:1", false),
            ("spec.containers[own].image", "localhost/own", true),
            ("spec.initContainers[setup].image", "busybox", true),
            ("spec.ephemeralContainers[debug].image", "alpine", false),
            ("spec.volumes[models].image.reference", "ghcr.io/m:1", true),
            ("spec.volumes[data].image.reference", "ghcr.io/d:1", false),
            ("status.containerStatuses[app].image", "docker.io/library/nginx:1", false),
            ("status.containerStatuses[app].imageID", "nginx@sha256:1", false),
            (mount, "ghcr.io/d@sha256:9", false),
            ("status.initContainerStatuses[setup].image", "sha256:2", false),
            ("status.initContainerStatuses[setup].imageID", "sha256:3", false),
            ("status.ephemeralContainerStatuses[debug].image", "a", false),
            ("status.ephemeralContainerStatuses[debug].imageID", "b", false),
        ]
    );
}

#[test]
fn a_container_that_is_not_started_has_an_empty_status() {
    let spec = json!({ "containers": [{ "name": "app", "image": "nginx" }], "volumes": null });
    let waiting = json!({ "containerStatuses": [
        { "name": "app", "image": "nginx", "imageID": "",
          "state": { "waiting": { "reason": "ContainerCreating" } } },
        { "name": "b", "imageID": null },
    ] });
    let pod_ = of(&pod(&spec, &waiting)).unwrap();
    assert_eq!(named(&pod_)[1..], [("status.containerStatuses[app].image", "nginx", false)]);
    for nothing in [json!({}), Value::Null] {
        assert_eq!(of(&pod(&spec, &nothing)).unwrap().mentions.len(), 1);
    }
}

#[test]
fn a_mirror_tells_the_static_pods_uid() {
    let with = |annotations: Value| {
        let mut value = pod(&json!({ "containers": [{ "image": "a" }] }), &Value::Null);
        value["metadata"]["annotations"] = annotations;
        of(&value).map(|pod| pod.static_uid)
    };
    let hash = "kubernetes.io/config.hash";
    let mirror = "kubernetes.io/config.mirror";
    assert_eq!(with(json!({ hash: "h", mirror: "m" })), Ok(Some("h".to_owned())));
    assert_eq!(with(json!({ mirror: "m" })), Ok(Some("m".to_owned())));
    assert_eq!(with(json!({ hash: "", "other": 1 })), Ok(None));
    let error = with(json!({ hash: 7 })).unwrap_err();
    assert_eq!(
        error,
        "Pod shop/web: metadata.annotations[kubernetes.io/config.hash] is a number, \
         expected a string"
    );
}

#[test]
fn a_view_that_cannot_be_trusted_is_an_error() {
    let app = json!({ "name": "app", "image": "nginx" });
    let good = json!({ "containers": [app] });
    let with = |list: &str, element: Value| {
        let mut spec = good.clone();
        spec[list] = json!([element]);
        pod(&spec, &Value::Null)
    };
    let status = |status: Value| pod(&good, &status);
    let table = [
        (json!("pod"), "a Pod is a string, expected an object"),
        (json!({ "spec": good }), "a Pod has no metadata"),
        (json!({ "metadata": {}, "spec": good }), "a Pod has no metadata.name"),
        (json!({ "metadata": { "name": ["x"] } }), "a Pod: metadata.name is a list"),
        (json!({ "metadata": { "name": "x" } }), "Pod default/x has no spec"),
        (json!({ "kind": "Node", "metadata": { "name": "x" } }), "kind is \"Node\", expected Pod"),
        (pod(&json!({}), &Value::Null), "Pod shop/web has no spec.containers"),
        (pod(&json!({ "containers": [] }), &Value::Null), "has no spec.containers"),
        (pod(&json!({ "containers": {} }), &Value::Null), "spec.containers is an object"),
        (pod(&json!({ "containers": ["a"] }), &Value::Null), "spec.containers[0] is a string"),
        (with("initContainers", json!({ "name": "a" })), "has no spec.initContainers[a].image"),
        (with("containers", json!({ "image": "" })), "has no spec.containers[0].image"),
        (with("containers", json!({ "image": " \n" })), "has no spec.containers[0].image"),
        (with("containers", json!({ "image": { "x": 1 } })), "spec.containers[0].image is an obj"),
        (with("containers", json!({ "image": null })), "has no spec.containers[0].image"),
        (with("containers", json!({ "name": 1, "image": "a" })), "spec.containers[0].name is a nu"),
        (
            with("containers", json!({ "name": "a", "image": "a", "imagePullPolicy": true })),
            "spec.containers[a].imagePullPolicy is a boolean, expected a string",
        ),
        (with("volumes", json!({ "name": "m", "image": "a" })), "spec.volumes[m].image is a stri"),
        (
            with("volumes", json!({ "name": "m", "image": {} })),
            "no spec.volumes[m].image.reference",
        ),
        (
            with("volumes", json!({ "name": "m", "image": { "reference": 1 } })),
            "spec.volumes[m].image.reference is a number",
        ),
        (status(json!([])), "status is a list, expected an object"),
        (status(json!({ "containerStatuses": {} })), "status.containerStatuses is an object"),
        (
            status(json!({ "initContainerStatuses": [{ "name": "a", "imageID": 1 }] })),
            "status.initContainerStatuses[a].imageID is a number",
        ),
        (
            status(json!({ "containerStatuses": [{ "name": "a", "volumeMounts": [
                { "name": "m", "volumeStatus": { "image": "x" } }] }] })),
            "volumeMounts[m].volumeStatus.image is a string",
        ),
    ];
    for (value, words) in table {
        let error = of(&value).unwrap_err();
        assert!(error.contains(words), "{error}\nlacks: {words}");
    }
}

#[test]
fn names_in_errors_are_escaped() {
    let value = json!({ "metadata": { "namespace": "a\x1b[2J", "name": "b\nc" },
        "spec": { "containers": [{ "name": "\u{202e}x", "image": 1 }] } });
    let error = of(&value).unwrap_err();
    assert_eq!(
        error,
        "Pod a\\x1b[2J/b c: spec.containers[\\u{202e}x].image is a number, expected a string"
    );
}

/// Every text under a key that names images, wherever it stands: found without knowing the API's
/// structure.
fn oracle(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|one| oracle(one, found)),
        Value::Object(object) => {
            for (key, one) in object {
                match one {
                    Value::String(text)
                        if matches!(
                            key.as_str(),
                            "image" | "imageID" | "reference" | "imageRef"
                        ) && !text.is_empty() =>
                    {
                        found.insert(text.clone());
                    }
                    other => oracle(other, found),
                }
            }
        }
        _ => {}
    }
}

fn image() -> impl Strategy<Value = String> {
    "[a-z]{1,6}(:[0-9]{1,3}|@sha256:[0-9a-f]{4})?"
}

fn containers(least: usize) -> impl Strategy<Value = Value> {
    let one = (image(), "[a-z]{0,4}", any::<bool>()).prop_map(|(image, name, never)| {
        let policy = if never { "Never" } else { "IfNotPresent" };
        json!({ "name": name, "image": image, "imagePullPolicy": policy, "env": [{ "name": "A" }] })
    });
    prop::collection::vec(one, least..4).prop_map(Value::from)
}

fn volumes() -> impl Strategy<Value = Value> {
    let one = prop_oneof![
        image().prop_map(|image| json!({ "name": "m", "image": { "reference": image } })),
        Just(json!({ "name": "e", "emptyDir": {} })),
    ];
    prop::collection::vec(one, 0..4).prop_map(Value::from)
}

fn statuses() -> impl Strategy<Value = Value> {
    let text = || prop_oneof![image().prop_map(Value::from), Just(json!("")), Just(Value::Null)];
    let one = (text(), text(), prop::option::of(image())).prop_map(|(image, id, mount)| {
        let mounts: Vec<Value> = mount
            .into_iter()
            .map(|image| json!({ "name": "m", "volumeStatus": { "image": { "imageRef": image } } }))
            .collect();
        json!({ "name": "a", "image": image, "imageID": id, "volumeMounts": mounts, "ready": true })
    });
    prop_oneof![Just(Value::Null), prop::collection::vec(one, 0..4).prop_map(Value::from)]
}

proptest! {
    #[test]
    fn no_text_that_names_an_image_is_passed_over(
        (app, init, debug) in (containers(1), containers(0), containers(0)),
        volumes in volumes(),
        (a, b, c) in (statuses(), statuses(), statuses()),
    ) {
        let value = json!({
            "kind": "Pod",
            "metadata": { "name": "web", "namespace": "shop", "uid": "u" },
            "spec": { "containers": app, "initContainers": init, "ephemeralContainers": debug,
                      "volumes": volumes },
            "status": { "containerStatuses": a, "initContainerStatuses": b,
                        "ephemeralContainerStatuses": c },
        });
        let mut expected = BTreeSet::new();
        oracle(&value, &mut expected);
        let pod = of(&value).unwrap();
        let found = pod.mentions.into_iter().map(|mention| mention.image).collect();
        prop_assert!(expected.is_subset(&found), "{expected:?} {found:?}");
    }

    #[test]
    fn no_json_makes_it_panic(value in any_json()) {
        let _ = of(&value);
        let _ = of(&json!({ "metadata": { "name": "x" }, "spec": value, "status": value }));
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "spec",
        "containers",
        "volumes",
        "image",
        "reference",
        "name",
        "containerStatuses",
        "volumeMounts",
        "metadata",
        "x",
    ]);
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..4).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(key, one)| (key.to_owned(), one)).collect())
            }),
        ]
    })
}
