//! As much of kustomize as the examples use: resources and strategic merge patches.

use serde_json::Value;

use super::{documents, path, texts};

/// All objects of a directory with a kustomization.
pub(super) fn build(directory: &str) -> Vec<Value> {
    let kustomization = documents(&format!("{directory}/kustomization.yaml")).remove(0);
    assert_eq!(kustomization["kind"], "Kustomization", "{directory}");
    let mut objects = Vec::new();
    for resource in texts(&kustomization["resources"]) {
        // kustomize follows no directory that holds the one it comes from.
        let name = match resource.strip_prefix("../") {
            Some(beside) => format!("{}/{beside}", directory.rsplit_once('/').unwrap().0),
            None => format!("{directory}/{resource}"),
        };
        if path(&name).is_dir() {
            objects.extend(build(&name));
        } else {
            objects.extend(documents(&name));
        }
    }
    for patch in kustomization["patches"].as_array().into_iter().flatten() {
        let name = format!("{directory}/{}", patch["path"].as_str().unwrap());
        for patch in documents(&name) {
            let same = |object: &&mut Value| {
                object["kind"] == patch["kind"]
                    && object["metadata"]["name"] == patch["metadata"]["name"]
            };
            let object = objects.iter_mut().find(same).unwrap_or_else(|| panic!("{name}"));
            merge(object, &patch, "");
        }
    }
    objects
}

/// Merges as Kubernetes does: lists by their key where they have one, else as a whole.
fn merge(target: &mut Value, patch: &Value, field: &str) {
    let key = match field {
        "containers" | "volumes" | "env" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        _ => None,
    };
    match (target, patch, key) {
        (Value::Object(target), Value::Object(patch), _) => {
            for (name, value) in patch {
                merge(target.entry(name).or_insert(Value::Null), value, name);
            }
        }
        (Value::Array(target), Value::Array(patch), Some(key)) => {
            for item in patch {
                let found = target.iter().position(|known| known[key] == item[key]);
                match (found, item["$patch"] == "delete") {
                    (Some(at), true) => drop(target.remove(at)),
                    (None, true) => panic!("nothing to delete: {item}"),
                    (Some(at), false) => merge(&mut target[at], item, ""),
                    (None, false) => target.push(item.clone()),
                }
            }
        }
        (target, patch, _) => *target = patch.clone(),
    }
}
