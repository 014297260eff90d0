use serde_json::{Value, json};

use super::*;

fn spec() -> Value {
    json!({
        "containers": [{ "name": "app", "image": "nginx:1" }],
        "initContainers": [{ "name": "setup", "image": "own", "imagePullPolicy": "Never" }],
        "volumes": [{ "name": "models", "image": { "reference": "m:1" } }],
    })
}

fn object(spec: &Value) -> Value {
    json!({ "metadata": { "namespace": "shop", "name": "web" }, "spec": spec })
}

fn named(template: &Template) -> Vec<(&str, &str, bool)> {
    template.mentions.iter().map(|m| (m.field.as_str(), m.image.as_str(), m.never_pulled)).collect()
}

#[test]
fn every_kind_has_its_template() {
    for kind in Kind::ALL {
        let template = json!({ "replicas": 0, "template": { "spec": spec() } });
        let (value, at) = if kind == Kind::CronJob {
            (json!({ "jobTemplate": { "spec": template } }), "spec.jobTemplate.spec.template.spec")
        } else {
            (template, "spec.template.spec")
        };
        let template = of(kind, &object(&value)).unwrap();
        assert_eq!(template.kind, kind.name());
        assert_eq!((template.namespace.as_str(), template.name.as_str()), ("shop", "web"));
        assert_eq!(
            named(&template),
            [
                (format!("{at}.containers[app].image").as_str(), "nginx:1", false),
                (format!("{at}.initContainers[setup].image").as_str(), "own", true),
                (format!("{at}.volumes[models].image.reference").as_str(), "m:1", false),
            ],
            "{kind:?}"
        );
    }
}

#[test]
fn only_a_controller_may_lack_its_template() {
    for without in [json!({ "replicas": 1 }), json!({ "template": null })] {
        for kind in Kind::ALL {
            let read = of(kind, &object(&without));
            if kind == Kind::ReplicationController {
                assert!(read.unwrap().mentions.is_empty());
            } else {
                let error = read.unwrap_err();
                assert!(error.starts_with(&format!("{} shop/web has no spec.", kind.name())));
            }
        }
    }
    let error = of(Kind::ReplicationController, &object(&json!({ "template": {} }))).unwrap_err();
    assert!(error.contains("has no spec.template.spec"), "{error}");
}

#[test]
fn what_is_filled_in_later_names_nothing() {
    let spec = json!({ "template": { "spec": {
        "containers": [{ "name": "app", "image": " " }, { "name": "b", "image": " nginx " }],
        "volumes": [{ "name": "m", "image": { "pullPolicy": "Always" } }],
    } } });
    let template = of(Kind::Deployment, &object(&spec)).unwrap();
    assert_eq!(named(&template), [("spec.template.spec.containers[b].image", "nginx", false)]);
}

#[test]
fn a_template_that_cannot_be_trusted_is_an_error() {
    let of = |spec: Value| super::of(Kind::Job, &object(&spec)).unwrap_err();
    for (spec, words) in [
        (json!(null), "Job shop/web has no spec, which every Job has"),
        (json!({ "template": [] }), "Job shop/web: spec.template is a list, expected an object"),
        (json!({ "template": {} }), "has no spec.template.spec"),
        (json!({ "template": { "spec": {} } }), "has no spec.template.spec.containers"),
        (
            json!({ "template": { "spec": { "containers": [{ "name": "a" }] } } }),
            "has no spec.template.spec.containers[a].image",
        ),
        (
            json!({ "template": { "spec": { "containers": [{ "name": "a", "image": [] }] } } }),
            "spec.template.spec.containers[a].image is a list, expected a string",
        ),
    ] {
        let error = of(spec);
        assert!(error.contains(words), "{error}\nlacks: {words}");
    }
    let mut other = object(&json!({}));
    other["kind"] = json!("Deployment");
    let error = super::of(Kind::Job, &other).unwrap_err();
    assert!(error.contains("kind is \"Deployment\", expected Job"), "{error}");
}
