//! What runtimes tell when they are asked to be verbose: JSON of no standard.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// What a runtime tells of an image beyond the interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ImageInfo {
    /// The labels of its configuration; `None` where the runtime does not tell them.
    pub(super) labels: Option<BTreeMap<String, String>>,
    pub(super) created: Option<Timestamp>,
}

impl ImageInfo {
    /// Reads `info` of an image's status: containerd and CRI-O put the image's configuration into
    /// it under `imageSpec`.
    pub(super) fn read(info: &HashMap<String, String>) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Info {
            #[serde(default)]
            image_spec: Option<Spec>,
        }
        #[derive(Deserialize)]
        struct Spec {
            #[serde(default)]
            created: Option<String>,
            #[serde(default)]
            config: Option<Config>,
        }
        #[derive(Deserialize)]
        struct Config {
            #[serde(default, rename = "Labels")]
            labels: Option<BTreeMap<String, String>>,
        }
        let info = info.get("info").and_then(|text| serde_json::from_str::<Info>(text).ok());
        let Some(spec) = info.and_then(|info| info.image_spec) else { return Self::default() };
        let labels = spec.config.and_then(|config| config.labels).unwrap_or_default();
        Self { labels: Some(labels), created: spec.created.and_then(|time| time.parse().ok()) }
    }
}

/// The images that sandboxes are made from: `sandboxImage` and CRI-O's `pause_image`, wherever in
/// the runtime's configuration they stand.
pub(super) fn sandbox_images(info: &HashMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for text in info.values() {
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            walk(&value, &mut found);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// JSON nests no deeper than its reader lets it.
fn walk(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.to_ascii_lowercase().replace('_', "");
                match value {
                    Value::String(text) if key == "sandboximage" || key == "pauseimage" => {
                        found.push(text.clone());
                    }
                    // containerd 2 has it under "pinnedImages": {"sandbox": ...}.
                    Value::Object(pinned) if key == "pinnedimages" => {
                        found.extend(pinned.values().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => walk(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, found)),
        _ => {}
    }
    found.retain(|text| !text.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(key: &str, text: &str) -> HashMap<String, String> {
        HashMap::from([(key.to_owned(), text.to_owned())])
    }

    #[test]
    fn an_image_s_configuration_is_read() {
        let text = r#"{"chainID": "x", "imageSpec": {"created": "2026-01-02T03:04:05Z",
                       "config": {"Labels": {"jettison.io/keep": "yes"}}}}"#;
        let read = ImageInfo::read(&info("info", text));
        assert_eq!(read.labels.unwrap()["jettison.io/keep"], "yes");
        assert_eq!(read.created.unwrap().to_string(), "2026-01-02T03:04:05Z");
        let bare = ImageInfo::read(&info("info", "{\"imageSpec\": {}}"));
        assert_eq!(bare.labels, Some(BTreeMap::new()));
        for odd in ["", "[]", "{\"imageSpec\": 3}", "{}"] {
            assert_eq!(ImageInfo::read(&info("info", odd)), ImageInfo::default());
        }
    }

    #[test]
    fn the_sandbox_image_is_found_wherever_it_stands() {
        for text in [
            r#"{"sandboxImage": "registry.k8s.io/pause:3.9"}"#,
            r#"{"crio": {"image": {"pause_image": "registry.k8s.io/pause:3.9"}}}"#,
            r#"{"a": [{"pinnedImages": {"sandbox": "registry.k8s.io/pause:3.9"}}]}"#,
        ] {
            let found = sandbox_images(&info("config", text));
            assert_eq!(found, ["registry.k8s.io/pause:3.9"], "{text}");
        }
        assert!(sandbox_images(&info("config", "no JSON")).is_empty());
    }
}
