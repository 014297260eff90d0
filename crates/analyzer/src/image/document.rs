//! The JSON of manifests, indexes and configs, as Go's decoders read it: what is absent and what
//! is `null` is the zero value. Docker itself writes a config without `diff_ids` for an image
//! without layers. oci-spec's own types ask for every field that the specification requires.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use oci_spec::image::MediaType;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::{Error, Result};

/// A JSON object; serde would take a list for its fields in order, too.
#[derive(Debug, Default)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// Reads a document; `what` names it in errors.
pub(super) fn read<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T> {
    let Object(fields) =
        serde_json::from_slice(bytes).map_err(|error| Error::malformed(what, error))?;
    Ok(fields)
}

/// A value, `null` too, that stands there.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A manifest or an index, whichever its fields make it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ManifestOrIndex {
    pub(super) media_type: Option<MediaType>,
    pub(super) config: Option<Object<DescriptorFields>>,
    pub(super) layers: Option<Vec<Object<DescriptorFields>>>,
    /// The inner `None` is `null`: an index of nothing.
    #[serde(deserialize_with = "present")]
    #[expect(
        clippy::option_option,
        reason = "what is null tells an index, what is absent does not"
    )]
    pub(super) manifests: Option<Option<Vec<Object<DescriptorFields>>>>,
    pub(super) annotations: Option<BTreeMap<String, Option<String>>>,
    /// What only Docker's schema 1 has.
    pub(super) fs_layers: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DescriptorFields {
    pub(super) media_type: Option<MediaType>,
    pub(super) digest: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) annotations: Option<BTreeMap<String, Option<String>>>,
    pub(super) platform: Option<Object<PlatformFields>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PlatformFields {
    pub(super) os: Option<String>,
    pub(super) architecture: Option<String>,
    pub(super) variant: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ConfigFields {
    pub(super) created: Option<String>,
    pub(super) os: Option<String>,
    pub(super) architecture: Option<String>,
    pub(super) variant: Option<String>,
    pub(super) config: Option<Object<RunFields>>,
    pub(super) rootfs: Option<Object<RootFsFields>>,
    pub(super) history: Option<Vec<Object<HistoryFields>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct RunFields {
    pub(super) entrypoint: Option<Words>,
    pub(super) cmd: Option<Words>,
    pub(super) user: Option<String>,
    pub(super) env: Option<Vec<String>>,
    pub(super) working_dir: Option<String>,
    /// Docker's own, and of no weight for the account: whatever stands there, the image is read.
    pub(super) healthcheck: Option<serde_json::Value>,
    /// A set, as Go writes it: an object with empty values.
    pub(super) volumes: Option<serde_json::Value>,
    pub(super) exposed_ports: Option<serde_json::Value>,
    pub(super) labels: Option<serde_json::Value>,
    pub(super) stop_signal: Option<serde_json::Value>,
    pub(super) shell: Option<serde_json::Value>,
}

impl RunFields {
    /// The health check's words.
    pub(super) fn healthcheck(&self) -> Vec<String> {
        let test = self.healthcheck.as_ref().and_then(|health| health.get("Test")?.as_array());
        let words = test.into_iter().flatten();
        words.filter_map(|word| Some(word.as_str()?.to_owned())).collect()
    }

    /// When the health check runs, as flags of a Dockerfile: `--interval=30s`.
    pub(super) fn healthcheck_flags(&self) -> Vec<String> {
        const TIMES: [(&str, &str); 4] = [
            ("Interval", "interval"),
            ("Timeout", "timeout"),
            ("StartPeriod", "start-period"),
            ("StartInterval", "start-interval"),
        ];
        let Some(health) = &self.healthcheck else { return Vec::new() };
        let number =
            |key: &str| health.get(key).and_then(serde_json::Value::as_u64).filter(|n| *n > 0);
        let times = TIMES.iter().filter_map(|(key, flag)| {
            let nanoseconds = number(key)?;
            Some(match nanoseconds % 1_000_000_000 {
                0 => format!("--{flag}={}s", nanoseconds / 1_000_000_000),
                _ => format!("--{flag}={nanoseconds}ns"),
            })
        });
        times.chain(number("Retries").map(|retries| format!("--retries={retries}"))).collect()
    }

    /// The volumes' paths.
    pub(super) fn volumes(&self) -> Vec<String> {
        keys(self.volumes.as_ref())
    }

    /// The ports, `80/tcp`.
    pub(super) fn exposed_ports(&self) -> Vec<String> {
        keys(self.exposed_ports.as_ref())
    }

    /// The labels, by name.
    pub(super) fn labels(&self) -> Vec<(String, String)> {
        let labels = self.labels.as_ref().and_then(serde_json::Value::as_object);
        let rows = labels.into_iter().flatten();
        rows.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    }

    /// The signal that ends it; empty for the engine's own.
    pub(super) fn stop_signal(&self) -> String {
        self.stop_signal.as_ref().and_then(|signal| signal.as_str()).unwrap_or_default().to_owned()
    }

    /// The shell of commands that are lines; empty for the engine's own.
    pub(super) fn shell(&self) -> Vec<String> {
        let words = self.shell.as_ref().and_then(serde_json::Value::as_array);
        words.into_iter().flatten().filter_map(|word| Some(word.as_str()?.to_owned())).collect()
    }
}

/// The keys of a set, as Go writes one.
fn keys(set: Option<&serde_json::Value>) -> Vec<String> {
    let set = set.and_then(serde_json::Value::as_object);
    set.into_iter().flat_map(|map| map.keys().cloned()).collect()
}

/// A command. Old builders wrote a lone word as itself.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Words {
    One(String),
    Many(Vec<String>),
}

impl From<Words> for Vec<String> {
    fn from(words: Words) -> Self {
        match words {
            Words::One(word) => vec![word],
            Words::Many(words) => words,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RootFsFields {
    pub(super) diff_ids: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct HistoryFields {
    pub(super) created_by: Option<String>,
    pub(super) empty_layer: Option<bool>,
}
