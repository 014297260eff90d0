//! The objects, and lists of them as the real server's storage gives them: in the order of
//! namespace and name, and each page of a list as of the moment of its first.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Request;
use super::answer::Answer;
use super::resource::Resource;

/// Kind, namespace and name.
type Key = (String, String, String);

/// Everything of one moment.
type Objects = BTreeMap<Key, Value>;

#[derive(Debug)]
pub(super) struct Store {
    /// Goes up with each change.
    revision: u64,
    objects: Arc<Objects>,
    /// The moments that lists were begun at, by their revision.
    past: BTreeMap<u64, Arc<Objects>>,
}

impl Default for Store {
    fn default() -> Self {
        // A real one has seen something before its first pod.
        Self { revision: 1000, objects: Arc::default(), past: BTreeMap::new() }
    }
}

impl Store {
    pub(super) fn put(&mut self, mut object: Value) {
        self.revision += 1;
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_else(|| panic!("the object has no {pointer}: {object}"))
                .to_owned()
        };
        let key = (text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
        let metadata = &mut object["metadata"];
        metadata["resourceVersion"] = json!(self.revision.to_string());
        if metadata["uid"].is_null() {
            metadata["uid"] = json!(format!("0a7c2f5e-0000-4000-8000-{:012x}", self.revision));
        }
        Arc::make_mut(&mut self.objects).insert(key, object);
    }

    pub(super) fn remove(&mut self, kind: &str, namespace: &str, name: &str) -> bool {
        self.revision += 1;
        let key = (kind.to_owned(), namespace.to_owned(), name.to_owned());
        Arc::make_mut(&mut self.objects).remove(&key).is_some()
    }

    pub(super) fn compact(&mut self) {
        self.past.clear();
    }

    /// A page of the list that `request` asks for.
    pub(super) fn list(
        &mut self,
        resource: Resource,
        request: &Request,
        selects: bool,
    ) -> Result<Value, Answer> {
        let (revision, objects, after) = match request.parameter("continue") {
            None | Some("") => (self.revision, Arc::clone(&self.objects), None),
            Some(token) => {
                let (revision, after) = parse(token)
                    .ok_or_else(|| Answer::error(400, "BadRequest", "continue key is not valid"))?;
                let objects = self.past.get(&revision).ok_or_else(|| {
                    Answer::error(
                        410,
                        "Expired",
                        "The provided continue parameter is too old to display a consistent list \
                         result. You can start a new list without the continue parameter.",
                    )
                })?;
                (revision, Arc::clone(objects), Some(after))
            }
        };
        let selector = request.parameter("fieldSelector").filter(|text| !text.is_empty());
        let node = selector.map(node_of).transpose()?.filter(|_| selects);
        let mut wanted = objects
            .iter()
            .filter(|((kind, ..), _)| kind == resource.kind)
            .filter(|(key, _)| {
                after.as_ref().is_none_or(|after| (&key.1, &key.2) > (&after.0, &after.1))
            })
            .filter(|(_, object)| {
                let at = object.pointer("/spec/nodeName").and_then(Value::as_str);
                node.is_none_or(|node| at.unwrap_or_default() == node)
            });
        let limit = match request.parameter("limit").map(str::parse) {
            None | Some(Ok(0)) => usize::MAX,
            Some(Ok(limit)) => limit,
            Some(Err(_)) => return Err(Answer::error(400, "BadRequest", "limit is not a number")),
        };
        let page: Vec<_> = wanted.by_ref().take(limit).collect();
        let mut metadata = json!({ "resourceVersion": revision.to_string() });
        let remaining = wanted.count();
        if remaining > 0
            && let Some(((_, namespace, name), _)) = page.last()
        {
            metadata["continue"] = json!(token(revision, namespace, name));
            // How many a selector would let through is not known to the real server.
            if selector.is_none() {
                metadata["remainingItemCount"] = json!(remaining);
            }
            self.past.insert(revision, Arc::clone(&objects));
        }
        let items: Vec<Value> = page.into_iter().map(|(_, object)| shown(object)).collect();
        Ok(json!({
            "kind": format!("{}List", resource.kind),
            "apiVersion": resource.version,
            "metadata": metadata,
            "items": items,
        }))
    }
}

/// An object of a list, which does not say its kind.
fn shown(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("kind");
        fields.remove("apiVersion");
    }
    object
}

/// The node that a selector asks for; empty for pods without one.
fn node_of(selector: &str) -> Result<&str, Answer> {
    selector
        .strip_prefix("spec.nodeName=")
        .map(|node| node.strip_prefix('=').unwrap_or(node))
        .filter(|node| !node.contains([',', '=', '!']))
        .ok_or_else(|| {
            let words = format!("Unable to find \"v1\" that match field selector \"{selector}\"");
            Answer::error(400, "BadRequest", &words)
        })
}

fn token(revision: u64, namespace: &str, name: &str) -> String {
    let start = format!("{namespace}/{name}\0");
    let token = json!({ "v": "meta.k8s.io/v1", "rv": revision, "start": start });
    URL_SAFE_NO_PAD.encode(token.to_string())
}

fn parse(token: &str) -> Option<(u64, (String, String))> {
    let token: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (namespace, name) = token["start"].as_str()?.trim_end_matches('\0').split_once('/')?;
    Some((token["rv"].as_u64()?, (namespace.to_owned(), name.to_owned())))
}
