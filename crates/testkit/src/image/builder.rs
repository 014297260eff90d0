//! From layers and settings to an image.

use std::collections::BTreeMap;

use jettison_oci::Platform;
use serde_json::{Map, Value, json};

use super::CREATED;
use super::built::{Format, Image, Layer};
use super::compression::Compression;
use super::layer::LayerBuilder;

/// How the configuration's history relates to the layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum History {
    /// One entry a layer, and one marked `empty_layer` for each instruction without files.
    #[default]
    Complete,
    /// No history at all.
    Absent,
    /// All entries, none marked `empty_layer`, as some builders write it.
    Unmarked,
    /// Without its last entries.
    Shortened(usize),
    /// With so many entries too many, none of them marked.
    Lengthened(usize),
}

/// Builds an image of one platform.
#[derive(Clone, Debug)]
pub struct ImageBuilder {
    platform: Platform,
    format: Format,
    compression: Compression,
    history: History,
    created: Option<String>,
    steps: Vec<Step>,
    settings: Map<String, Value>,
    annotations: BTreeMap<String, String>,
    tags: Vec<String>,
}

#[derive(Clone, Debug)]
struct Step {
    created_by: String,
    layer: Option<(LayerBuilder, Option<Compression>, bool)>,
}

impl Default for ImageBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl ImageBuilder {
    /// An image for linux/amd64 with OCI media types, gzip layers and no content yet.
    pub fn new() -> Self {
        Self {
            platform: Platform::new("linux", "amd64", None),
            format: Format::default(),
            compression: Compression::default(),
            history: History::default(),
            created: Some(CREATED.to_owned()),
            steps: Vec::new(),
            settings: Map::new(),
            annotations: BTreeMap::new(),
            tags: Vec::new(),
        }
    }

    /// What the image runs on.
    #[must_use]
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = platform;
        self
    }

    /// Whose media types it uses.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// How the layers that say nothing else are compressed.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// How the history relates to the layers.
    #[must_use]
    pub fn history(mut self, history: History) -> Self {
        self.history = history;
        self
    }

    /// The creation time, or none.
    #[must_use]
    pub fn created(mut self, created: Option<&str>) -> Self {
        self.created = created.map(str::to_owned);
        self
    }

    /// A layer and the instruction that made it.
    #[must_use]
    pub fn layer(self, layer: LayerBuilder, created_by: &str) -> Self {
        self.step(created_by, Some((layer, None, false)))
    }

    /// A layer with a compression of its own.
    #[must_use]
    pub fn layer_with(
        self,
        layer: LayerBuilder,
        created_by: &str,
        compression: Compression,
    ) -> Self {
        self.step(created_by, Some((layer, Some(compression), false)))
    }

    /// A non-distributable layer: the manifest names it, no archive or layout holds it.
    #[must_use]
    pub fn foreign_layer(self, layer: LayerBuilder, created_by: &str) -> Self {
        self.step(created_by, Some((layer, None, true)))
    }

    /// An instruction that adds no files (`ENV`, `CMD`, …).
    #[must_use]
    pub fn empty(self, created_by: &str) -> Self {
        self.step(created_by, None)
    }

    /// The layers and instructions of another image, on top of these.
    #[must_use]
    pub fn append(mut self, other: Self) -> Self {
        self.steps.extend(other.steps);
        self
    }

    fn step(
        mut self,
        created_by: &str,
        layer: Option<(LayerBuilder, Option<Compression>, bool)>,
    ) -> Self {
        self.steps.push(Step { created_by: created_by.to_owned(), layer });
        self
    }

    /// `ENTRYPOINT`, in the exec form.
    #[must_use]
    pub fn entrypoint(self, words: &[&str]) -> Self {
        self.setting("Entrypoint", json!(words))
    }

    /// `CMD`, in the exec form.
    #[must_use]
    pub fn cmd(self, words: &[&str]) -> Self {
        self.setting("Cmd", json!(words))
    }

    /// `SHELL`.
    #[must_use]
    pub fn shell(self, words: &[&str]) -> Self {
        self.setting("Shell", json!(words))
    }

    /// `HEALTHCHECK`, as the configuration has it: `CMD` or `CMD-SHELL`, and what follows.
    #[must_use]
    pub fn healthcheck(self, words: &[&str]) -> Self {
        self.setting("Healthcheck", json!({ "Test": words }))
    }

    /// `USER`.
    #[must_use]
    pub fn user(self, user: &str) -> Self {
        self.setting("User", json!(user))
    }

    /// `WORKDIR`.
    #[must_use]
    pub fn workdir(self, path: &str) -> Self {
        self.setting("WorkingDir", json!(path))
    }

    /// One more `ENV` variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        let list = self.settings.entry("Env").or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(json!(format!("{name}={value}")));
        }
        self
    }

    /// One more `LABEL`.
    #[must_use]
    pub fn label(self, name: &str, value: &str) -> Self {
        self.member("Labels", name, json!(value))
    }

    /// One more `EXPOSE`, such as `8080/tcp`.
    #[must_use]
    pub fn expose(self, port: &str) -> Self {
        self.member("ExposedPorts", port, json!({}))
    }

    /// One more `VOLUME`.
    #[must_use]
    pub fn volume(self, path: &str) -> Self {
        self.member("Volumes", path, json!({}))
    }

    fn member(mut self, key: &str, name: &str, value: Value) -> Self {
        self.settings.entry(key).or_insert_with(|| json!({}))[name] = value;
        self
    }

    /// Any member of the configuration's `config` object, by its JSON name.
    #[must_use]
    pub fn setting(mut self, key: &str, value: Value) -> Self {
        self.settings.insert(key.to_owned(), value);
        self
    }

    /// One more annotation of the manifest.
    #[must_use]
    pub fn annotation(mut self, name: &str, value: &str) -> Self {
        self.annotations.insert(name.to_owned(), value.to_owned());
        self
    }

    /// One more repository tag.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// The finished image.
    pub fn build(self) -> Image {
        let history = self.history_entries();
        let layers: Vec<Layer> = self
            .steps
            .into_iter()
            .filter_map(|step| step.layer)
            .map(|(layer, compression, foreign)| {
                Layer::new(&layer, compression.unwrap_or(self.compression), self.format, foreign)
            })
            .collect();
        let diff_ids: Vec<_> = layers.iter().map(|layer| &layer.diff_id).collect();
        let mut config = json!({
            "architecture": self.platform.architecture,
            "os": self.platform.os,
            "config": self.settings,
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        if let Some(variant) = &self.platform.variant {
            config["variant"] = json!(variant);
        }
        if let Some(created) = &self.created {
            config["created"] = json!(created);
        }
        if let Some(history) = history {
            config["history"] = history;
        }
        Image::new(self.format, self.platform, self.tags, layers, self.annotations, &config)
    }

    fn history_entries(&self) -> Option<Value> {
        let created = self.created.as_deref().unwrap_or(CREATED);
        let mut entries = Vec::new();
        for Step { created_by, layer } in &self.steps {
            let mut entry = json!({ "created": created, "created_by": created_by });
            if layer.is_none() && self.history != History::Unmarked {
                entry["empty_layer"] = json!(true);
            }
            entries.push(entry);
        }
        match self.history {
            History::Complete | History::Unmarked => {}
            History::Absent => return None,
            History::Shortened(by) => entries.truncate(entries.len().saturating_sub(by)),
            History::Lengthened(by) => {
                for number in 0..by {
                    let created_by = format!("/bin/sh -c echo no layer {number}");
                    entries.push(json!({ "created": created, "created_by": created_by }));
                }
            }
        }
        Some(Value::Array(entries))
    }
}
