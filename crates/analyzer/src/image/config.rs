//! The image config: what runs, on which platform, and the diff_ids of the layers.

use jettison_oci::{Digest, Platform};

use crate::error::{Error, Result};
use crate::image::document::{self, ConfigFields, Object};
use crate::limits::DESCRIPTORS_MAX;

/// An operating system or processor that a config does not name.
const UNKNOWN: &str = "unknown";

/// The parts of an image's config that this crate uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What the image is for; `unknown` where it does not say.
    pub platform: Platform,
    /// When it was built, as its builder wrote it.
    pub created: Option<String>,
    /// The command's fixed front.
    pub entrypoint: Vec<String>,
    /// The command's replaceable rest.
    pub cmd: Vec<String>,
    /// `USER`, empty for root.
    pub user: String,
    /// `ENV`, as `NAME=value`.
    pub env: Vec<String>,
    /// `WORKDIR`.
    pub working_dir: String,
    /// `HEALTHCHECK` with its first word, `CMD` or `CMD-SHELL`; empty where there is none.
    pub healthcheck: Vec<String>,
    /// When the health check runs, as flags of a Dockerfile.
    pub healthcheck_flags: Vec<String>,
    /// `EXPOSE`, as `80/tcp`.
    pub exposed_ports: Vec<String>,
    /// `LABEL`, by name.
    pub labels: Vec<(String, String)>,
    /// `STOPSIGNAL`, empty for the engine's own.
    pub stop_signal: String,
    /// `SHELL`, empty for the engine's own.
    pub shell: Vec<String>,
    /// `VOLUME`: directories whose content is not the image's while it runs.
    pub volumes: Vec<String>,
    /// Digests of the uncompressed layers, bottom first.
    pub diff_ids: Vec<Digest>,
    /// The history as written, layers and metadata alike.
    pub history: Vec<HistoryEntry>,
}

/// One row of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The instruction, in its builder's words.
    pub created_by: String,
    /// The builder says that this instruction made no layer.
    pub empty_layer: bool,
}

impl Config {
    /// Parses a config; `what` names it in errors.
    pub fn parse(what: &str, bytes: &[u8]) -> Result<Self> {
        let fields: ConfigFields = document::read(what, bytes)?;
        let diff_ids = fields.rootfs.and_then(|Object(rootfs)| rootfs.diff_ids).unwrap_or_default();
        let history = fields.history.unwrap_or_default();
        if diff_ids.len() > DESCRIPTORS_MAX || history.len() > 64 * DESCRIPTORS_MAX {
            return Err(Error::malformed(
                what,
                format!("it lists more than {DESCRIPTORS_MAX} layers or an absurd history"),
            ));
        }
        let Object(run) = fields.config.unwrap_or_default();
        Ok(Self {
            platform: platform_or_unknown(
                fields.os.as_deref(),
                fields.architecture.as_deref(),
                fields.variant.as_deref(),
            ),
            created: fields.created,
            healthcheck: run.healthcheck(),
            volumes: run.volumes(),
            healthcheck_flags: run.healthcheck_flags(),
            exposed_ports: run.exposed_ports(),
            labels: run.labels(),
            stop_signal: run.stop_signal(),
            shell: run.shell(),
            entrypoint: run.entrypoint.map(Vec::from).unwrap_or_default(),
            cmd: run.cmd.map(Vec::from).unwrap_or_default(),
            user: run.user.unwrap_or_default(),
            env: run.env.unwrap_or_default(),
            working_dir: run.working_dir.unwrap_or_default(),
            diff_ids: diff_ids
                .iter()
                .map(|id| id.parse().map_err(|error| Error::malformed(what, error)))
                .collect::<Result<_>>()?,
            history: history
                .into_iter()
                .map(|Object(row)| HistoryEntry {
                    created_by: row.created_by.unwrap_or_default(),
                    empty_layer: row.empty_layer.unwrap_or(false),
                })
                .collect(),
        })
    }

    /// What is odd about it, without keeping the image from being read.
    pub fn warnings(&self) -> Vec<String> {
        let Platform { os, architecture, .. } = &self.platform;
        if os != UNKNOWN && architecture != UNKNOWN {
            return Vec::new();
        }
        vec![format!(
            "the config does not say what the image is for: its platform is given as {}",
            self.platform
        )]
    }
}

/// A platform whose parts may be absent or empty, as Go's decoders leave them.
pub(crate) fn platform_or_unknown(
    os: Option<&str>,
    architecture: Option<&str>,
    variant: Option<&str>,
) -> Platform {
    fn known(text: Option<&str>) -> &str {
        text.filter(|text| !text.is_empty()).unwrap_or(UNKNOWN)
    }
    Platform::new(known(os), known(architecture), variant)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(value: &Value) -> Result<Config> {
        Config::parse("the config", value.to_string().as_bytes())
    }

    #[test]
    fn what_is_absent_or_null_is_the_zero_value() {
        let none = json!({ "os": "linux", "architecture": "amd64" });
        let expected = parse(&none).unwrap();
        assert_eq!((expected.diff_ids.len(), expected.history.len()), (0, 0));
        assert_eq!(
            (expected.platform.to_string().as_str(), expected.warnings().len()),
            ("linux/amd64", 0)
        );
        for (key, value) in [
            ("rootfs", json!(null)),
            ("rootfs", json!({})),
            // Docker's own, of an image without layers.
            ("rootfs", json!({ "type": "layers" })),
            ("rootfs", json!({ "type": "layers", "diff_ids": null })),
            ("config", json!(null)),
            ("config", json!({ "Env": null, "Cmd": null, "Entrypoint": null, "User": null })),
            ("config", json!({ "Volumes": ["/odd"], "Labels": 3, "StopSignal": 9, "Shell": "x" })),
            ("history", json!(null)),
            ("created", json!(null)),
            ("variant", json!("")),
            ("os.features", json!(null)),
        ] {
            let mut config = none.clone();
            config[key] = value;
            assert_eq!(parse(&config).unwrap(), expected, "{config}");
        }
        let rows = json!({ "history": [{ "created_by": null, "empty_layer": null }, {}] });
        assert_eq!(parse(&rows).unwrap().history, vec![HistoryEntry::default(); 2]);
        let one = json!({ "config": { "Cmd": "sh" } });
        assert_eq!(parse(&one).unwrap().cmd, ["sh"]);
    }

    #[test]
    fn a_platform_that_is_not_given_is_unknown_and_said_to_be() {
        for (config, shown) in [
            (json!({}), "unknown/unknown"),
            (json!({ "os": "linux" }), "linux/unknown"),
            (json!({ "os": null, "architecture": "arm64" }), "unknown/arm64"),
            (json!({ "os": "", "architecture": "" }), "unknown/unknown"),
        ] {
            let config = parse(&config).unwrap();
            assert_eq!(config.platform.to_string(), shown);
            assert!(config.warnings()[0].contains(shown), "{:?}", config.warnings());
        }
    }

    #[test]
    fn what_is_no_config_is_malformed() {
        for bad in [
            json!([]),
            json!(null),
            json!("config"),
            json!({ "rootfs": [] }),
            json!({ "rootfs": "nothing" }),
            json!({ "rootfs": { "diff_ids": "sha256:0" } }),
            json!({ "rootfs": { "diff_ids": [null] } }),
            json!({ "rootfs": { "diff_ids": ["md5:1"] } }),
            json!({ "config": [] }),
            json!({ "config": { "Env": "A=1" } }),
            json!({ "config": { "Cmd": 7 } }),
            json!({ "history": [[]] }),
            json!({ "os": 7 }),
        ] {
            let error = parse(&bad).unwrap_err();
            assert!(matches!(error, Error::Malformed { .. }), "{bad}: {error}");
        }
    }
}
