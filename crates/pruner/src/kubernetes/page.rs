//! One page of a list, read without believing it.

use jettison_oci::escape;
use serde_json::Value;

use super::Resource;

/// A page.
#[derive(Debug, PartialEq)]
pub(super) struct Page {
    /// The objects, unread.
    pub(super) items: Vec<Value>,
    /// What the next page is asked for with; `None` on the last one.
    pub(super) next: Option<String>,
    /// The moment that the list is of.
    pub(super) revision: Option<String>,
}

/// Reads a page of a list of `resource`. An error is the rest of a sentence about the list.
pub(super) fn parse(resource: Resource, body: &[u8]) -> Result<Page, String> {
    let mut list: Value = serde_json::from_slice(body)
        .map_err(|error| format!("is not JSON ({error}): does a proxy answer instead?"))?;
    let expected = format!("{}List", resource.kind);
    match list.get("kind") {
        Some(Value::String(kind)) if *kind == expected => {}
        found => {
            let found = found.map_or_else(|| "none".to_owned(), Value::to_string);
            let found: String = escape::line(&found).chars().take(100).collect();
            return Err(format!("has the kind {found}, expected \"{expected}\""));
        }
    }
    let text = |pointer: &str| match list.pointer(pointer) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("has a {} that is no string", &pointer[1..].replace('/', "."))),
    };
    let next = text("/metadata/continue")?;
    let revision = text("/metadata/resourceVersion")?;
    match list.pointer("/metadata/remainingItemCount") {
        None | Some(Value::Null) => {}
        Some(count) => match count.as_u64() {
            None => {
                return Err(format!(
                    "says that {} objects remain",
                    escape::line(&count.to_string())
                ));
            }
            Some(0) => {}
            Some(count) if next.is_none() => {
                return Err(format!(
                    "says that {count} objects remain, and not how to ask for them"
                ));
            }
            Some(_) => {}
        },
    }
    match list.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(Page { items, next, revision }),
        _ => Err("has no list of items".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse_pods(list: &Value) -> Result<Page, String> {
        parse(Resource::PODS, list.to_string().as_bytes())
    }

    #[test]
    fn reads_a_page() {
        let items = vec![json!({ "metadata": { "name": "a" } })];
        let last = json!({ "kind": "PodList", "metadata": { "resourceVersion": "7",
            "continue": "", "remainingItemCount": 0 }, "items": items, "more": 1 });
        let page = Page { items: items.clone(), next: None, revision: Some("7".into()) };
        assert_eq!(parse_pods(&last), Ok(page));
        let first = json!({ "kind": "PodList", "metadata": { "continue": "abc",
            "remainingItemCount": 12 }, "items": items });
        let page = Page { items, next: Some("abc".into()), revision: None };
        assert_eq!(parse_pods(&first), Ok(page));
    }

    #[test]
    fn a_page_that_contradicts_itself_is_an_error() {
        let page =
            |metadata: Value| json!({ "kind": "PodList", "metadata": metadata, "items": [] });
        for (list, words) in [
            (json!([]), "has the kind none, expected \"PodList\""),
            (json!({ "kind": "DeploymentList", "items": [] }), "the kind \"DeploymentList\""),
            (json!({ "kind": "Status", "status": "Failure" }), "the kind \"Status\""),
            (json!({ "kind": "Table", "rows": [] }), "the kind \"Table\""),
            (json!({ "kind": ["PodList"], "items": [] }), "the kind [\"PodList\"]"),
            (json!({ "kind": "PodList" }), "has no list of items"),
            (json!({ "kind": "PodList", "items": null }), "has no list of items"),
            (json!({ "kind": "PodList", "items": {} }), "has no list of items"),
            (page(json!({ "continue": 7 })), "metadata.continue that is no string"),
            (page(json!({ "resourceVersion": 7 })), "metadata.resourceVersion that is no string"),
            (page(json!({ "remainingItemCount": 3 })), "3 objects remain, and not how to ask"),
            (page(json!({ "remainingItemCount": 3, "continue": "" })), "3 objects remain, and"),
            (page(json!({ "remainingItemCount": -3, "continue": "x" })), "that -3 objects remain"),
        ] {
            let error = parse_pods(&list).unwrap_err();
            assert!(error.contains(words), "{error}\nlacks: {words}");
        }
        for garbage in ["", "<html>", "{\"kind\":\"PodList\",\"items\":[", "\u{feff}{}"] {
            let error = parse(Resource::PODS, garbage.as_bytes()).unwrap_err();
            assert!(error.contains("is not JSON"), "{error}");
        }
    }
}
