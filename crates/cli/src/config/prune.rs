//! `[prune]`: what may go of a node's images. Each key is the flag of its name.

use std::path::PathBuf;
use std::time::Duration;

use jettison_oci::Bytes;
use serde::{Deserialize, Deserializer};

use super::parsed;
use crate::args::{AgeChoice, Percent, RuntimeChoice};

/// Its keys.
pub(super) const KEYS: &[&str] = &[
    "age-by",
    "allow-unpullable",
    "built-in-keeps",
    "endpoint",
    "keep",
    "keep-newest",
    "max-bytes",
    "max-images",
    "min-age",
    "node-name",
    "older-than",
    "runtime",
    "state-dir",
    "timeout",
    "until-free",
];

/// `[prune]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub(crate) struct Prune {
    pub(crate) age_by: Option<AgeChoice>,
    pub(crate) allow_unpullable: bool,
    /// `false` is `--no-built-in-keeps`.
    pub(crate) built_in_keeps: Option<bool>,
    pub(crate) endpoint: Option<String>,
    pub(crate) keep: Vec<String>,
    pub(crate) keep_newest: Option<usize>,
    #[serde(deserialize_with = "parsed")]
    pub(crate) max_bytes: Option<Bytes>,
    pub(crate) max_images: Option<usize>,
    #[serde(deserialize_with = "duration")]
    pub(crate) min_age: Option<Duration>,
    pub(crate) node_name: Option<String>,
    #[serde(deserialize_with = "duration")]
    pub(crate) older_than: Option<Duration>,
    pub(crate) runtime: Option<RuntimeChoice>,
    pub(crate) state_dir: Option<PathBuf>,
    #[serde(deserialize_with = "duration")]
    pub(crate) timeout: Option<Duration>,
    #[serde(deserialize_with = "parsed")]
    pub(crate) until_free: Option<Percent>,
}

/// A time in the words that flags take.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map(Some).map_err(|error| {
        serde::de::Error::custom(format!("{text:?} is no time such as 7d or 12h: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    #[test]
    fn every_key_is_read() {
        let text = "[prune]\nage-by = \"pulled\"\nallow-unpullable = true\n\
                    built-in-keeps = false\nendpoint = \"unix:///x\"\nkeep = [\"a/*\"]\n\
                    keep-newest = 2\nmax-bytes = \"5 GiB\"\nmax-images = 9\nmin-age = \"10m\"\n\
                    node-name = \"n\"\nolder-than = \"14d\"\nruntime = \"cri\"\n\
                    state-dir = \"/s\"\ntimeout = \"5m\"\nuntil-free = \"20%\"\n";
        let prune = Config::parse(text).unwrap().prune;
        assert_eq!(prune.older_than, Some(Duration::from_hours(14 * 24)));
        assert_eq!(prune.until_free, Some(Percent(20)));
        assert_eq!(prune.max_bytes, Some(Bytes(5 << 30)));
        let keys = text.lines().filter(|line| line.contains('=')).count();
        assert_eq!(keys, KEYS.len());
        for bad in ["older-than = \"much\"", "until-free = \"120%\"", "keeps = []"] {
            Config::parse(&format!("[prune]\n{bad}")).unwrap_err();
        }
    }
}
