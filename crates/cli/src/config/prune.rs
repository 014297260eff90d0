//! `[prune]`: what may go of a node's images. Each key is the flag of its name.

use std::path::PathBuf;
use std::time::Duration;

use jettison_oci::Bytes;
use serde::{Deserialize, Deserializer};

use super::parsed;
use crate::args::{AgeChoice, KubernetesChoice, Percent, RuntimeChoice, TemplatesChoice};

/// Its keys.
pub(super) const KEYS: &[&str] = &[
    "age-by",
    "allow-unpullable",
    "built-in-keeps",
    "endpoint",
    "high-threshold",
    "jitter",
    "keep",
    "keep-newest",
    "kubeconfig",
    "kubernetes",
    "low-threshold",
    "max-bytes",
    "max-images",
    "metrics-address",
    "min-age",
    "node-name",
    "observe-every",
    "older-than",
    "pressure-older-than",
    "quiet-windows",
    "runtime",
    "schedule",
    "state-dir",
    "static-pods",
    "templates",
    "time-zone",
    "timeout",
    "until-free",
    "verify-pullable",
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
    #[serde(deserialize_with = "parsed")]
    pub(crate) high_threshold: Option<Percent>,
    #[serde(deserialize_with = "duration")]
    pub(crate) jitter: Option<Duration>,
    pub(crate) keep: Vec<String>,
    pub(crate) keep_newest: Option<usize>,
    pub(crate) kubeconfig: Option<PathBuf>,
    pub(crate) kubernetes: Option<KubernetesChoice>,
    #[serde(deserialize_with = "parsed")]
    pub(crate) low_threshold: Option<Percent>,
    #[serde(deserialize_with = "parsed")]
    pub(crate) max_bytes: Option<Bytes>,
    pub(crate) max_images: Option<usize>,
    pub(crate) metrics_address: Option<String>,
    #[serde(deserialize_with = "duration")]
    pub(crate) min_age: Option<Duration>,
    pub(crate) node_name: Option<String>,
    #[serde(deserialize_with = "duration")]
    pub(crate) observe_every: Option<Duration>,
    #[serde(deserialize_with = "duration")]
    pub(crate) older_than: Option<Duration>,
    #[serde(deserialize_with = "duration")]
    pub(crate) pressure_older_than: Option<Duration>,
    /// Each is one `--quiet-window`.
    pub(crate) quiet_windows: Vec<String>,
    pub(crate) runtime: Option<RuntimeChoice>,
    pub(crate) schedule: Option<String>,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) static_pods: Option<PathBuf>,
    pub(crate) templates: Option<TemplatesChoice>,
    pub(crate) time_zone: Option<String>,
    #[serde(deserialize_with = "duration")]
    pub(crate) timeout: Option<Duration>,
    #[serde(deserialize_with = "parsed")]
    pub(crate) until_free: Option<Percent>,
    pub(crate) verify_pullable: bool,
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
                    state-dir = \"/s\"\nstatic-pods = \"/p\"\ntemplates = \"none\"\n\
                    kubeconfig = \"/k\"\nkubernetes = \"off\"\nschedule = \"0 3 * * *\"\n\
                    time-zone = \"UTC\"\njitter = \"30m\"\nquiet-windows = [\"08:00-18:00\"]\n\
                    high-threshold = 80\nlow-threshold = \"70%\"\nobserve-every = \"1m\"\n\
                    pressure-older-than = \"1d\"\nmetrics-address = \"off\"\ntimeout = \"5m\"\nuntil-free = \"20%\"\nverify-pullable = true\n";
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
