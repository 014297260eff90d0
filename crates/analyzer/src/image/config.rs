//! The image config: what runs, on which platform, and the diff_ids of the layers.

use jettison_oci::{Digest, Platform};
use oci_spec::image as spec;

use crate::error::{Error, Result};
use crate::limits::DESCRIPTORS_MAX;

/// The parts of an image's config that this crate uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What the image is for.
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
        let config: spec::ImageConfiguration =
            serde_json::from_slice(bytes).map_err(|error| Error::malformed(what, error))?;
        let diff_ids = config.rootfs().diff_ids();
        let history = config.history().as_deref().unwrap_or_default();
        if diff_ids.len() > DESCRIPTORS_MAX || history.len() > 64 * DESCRIPTORS_MAX {
            return Err(Error::malformed(
                what,
                format!("it lists more than {DESCRIPTORS_MAX} layers or an absurd history"),
            ));
        }
        let run = config.config().clone().unwrap_or_default();
        Ok(Self {
            platform: Platform::new(
                &config.os().to_string(),
                &config.architecture().to_string(),
                config.variant().as_deref(),
            ),
            created: config.created().clone(),
            entrypoint: run.entrypoint().clone().unwrap_or_default(),
            cmd: run.cmd().clone().unwrap_or_default(),
            user: run.user().clone().unwrap_or_default(),
            env: run.env().clone().unwrap_or_default(),
            working_dir: run.working_dir().clone().unwrap_or_default(),
            diff_ids: diff_ids
                .iter()
                .map(|id| id.parse().map_err(|error| Error::malformed(what, error)))
                .collect::<Result<_>>()?,
            history: history
                .iter()
                .map(|entry| HistoryEntry {
                    created_by: entry.created_by().clone().unwrap_or_default(),
                    empty_layer: entry.empty_layer().unwrap_or(false),
                })
                .collect(),
        })
    }
}
