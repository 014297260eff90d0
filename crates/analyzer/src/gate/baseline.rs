//! Baselines: the snapshots that a repository keeps, one for each image and platform.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::measure::{Measure, Metric};
use crate::gate::snapshot::Snapshot;

/// The version of the form. Another one is an error, never a number to compare with.
pub const BASELINE_VERSION: u32 = 1;
/// Bytes of a baseline file that are read.
pub const BASELINE_MAX: u64 = 64 << 20;
/// The largest figure of a baseline, 1 PiB, and the most layers of an image: what can be added up.
const FIGURE_MAX: u64 = 1 << 50;
const LAYERS_MAX: usize = 1024;

/// A baseline file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Baseline {
    /// 1.
    pub schema_version: u32,
    /// The program that wrote it, with its version.
    pub tool: String,
    /// What each figure counts, for who reads the file.
    pub definitions: BTreeMap<String, String>,
    /// The images, by name and platform.
    pub images: Vec<Snapshot>,
}

/// Why a file is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not JSON of this form.
    #[error("it is no baseline: {0}")]
    Malformed(String),
    /// It is of another version.
    #[error(
        "it is a baseline of version {0}, and this program reads {BASELINE_VERSION}: write it anew \
         with `jettison baseline update`"
    )]
    Version(u64),
    /// An image stands in it twice.
    #[error("it has {0} on {1} twice")]
    Twice(String, String),
}

/// What became of one image in an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// It was not there.
    Added,
    /// It moved beyond tolerance.
    Moved,
    /// It stands as it was.
    Kept,
}

impl Default for Baseline {
    fn default() -> Self {
        Self {
            schema_version: BASELINE_VERSION,
            tool: format!("jettison {}", env!("CARGO_PKG_VERSION")),
            definitions: Measure::ALL
                .map(|measure| (measure.name().to_owned(), measure.definition().to_owned()))
                .into(),
            images: Vec::new(),
        }
    }
}

impl Baseline {
    /// Reads a file's text.
    pub fn parse(bytes: &[u8]) -> Result<Self, BaselineError> {
        /// What every version has.
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Versioned {
            schema_version: u64,
        }
        let failed = |error: serde_json::Error| BaselineError::Malformed(error.to_string());
        let Versioned { schema_version } = serde_json::from_slice(bytes).map_err(failed)?;
        if schema_version != u64::from(BASELINE_VERSION) {
            return Err(BaselineError::Version(schema_version));
        }
        let baseline: Self = serde_json::from_slice(bytes).map_err(failed)?;
        let mut keys: Vec<_> =
            baseline.images.iter().map(|one| (&one.image, &one.platform)).collect();
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(BaselineError::Twice(pair[0].0.clone(), pair[0].1.clone()));
        }
        baseline.images.iter().try_for_each(check)?;
        Ok(baseline)
    }

    /// The file's text.
    pub fn render(&self) -> Vec<u8> {
        crate::report::json::render(self)
    }

    /// An image on a platform.
    pub fn find(&self, image: &str, platform: &str) -> Option<&Snapshot> {
        self.images.iter().find(|one| one.image == image && one.platform == platform)
    }

    /// The platforms that an image is there on.
    pub fn platforms(&self, image: &str) -> Vec<&str> {
        self.images
            .iter()
            .filter(|one| one.image == image)
            .map(|one| one.platform.as_str())
            .collect()
    }

    /// Takes an image's present state, where a figure moved by more than `tolerance` allows.
    pub fn update(&mut self, new: Snapshot, tolerance: impl Fn(Metric) -> u64) -> Update {
        let is_key = |one: &Snapshot| one.image == new.image && one.platform == new.platform;
        let Some(at) = self.images.iter().position(is_key) else {
            self.images.push(new);
            self.images.sort_by(|a, b| (&a.image, &a.platform).cmp(&(&b.image, &b.platform)));
            return Update::Added;
        };
        let old = &self.images[at];
        let has_moved = |metric: &Metric| match (old.metrics.get(metric), new.metrics.get(metric)) {
            (Some(old), Some(new)) => old.abs_diff(*new) > tolerance(*metric),
            (old, new) => old.is_some() != new.is_some(),
        };
        let is_moved = Metric::all().any(|metric| has_moved(&metric))
            || old.directories.keys().ne(new.directories.keys())
            || new.accepted.is_some();
        if is_moved {
            self.images[at] = new;
            Update::Moved
        } else {
            Update::Kept
        }
    }
}

/// Whether the figures of an image can be, and sum to each other.
fn check(image: &Snapshot) -> Result<(), BaselineError> {
    let failed = |what: String| {
        BaselineError::Malformed(format!("{} on {}: {what}", image.image, image.platform))
    };
    if image.layers.len() > LAYERS_MAX {
        return Err(failed(format!("it has {} layers", image.layers.len())));
    }
    let figures = image.metrics.values().chain(image.directories.values()).copied();
    let of_layers = image.layers.iter().flat_map(|layer| {
        let compressed = layer.compressed.unwrap_or(0);
        [layer.uncompressed, compressed, layer.effective, layer.hides, layer.entries]
    });
    if let Some(figure) = figures.chain(of_layers).find(|figure| *figure > FIGURE_MAX) {
        return Err(failed(format!("{figure} is more than any image has")));
    }
    for layer in &image.layers {
        let parts = layer.parts().values().map(|(bytes, _)| u128::from(*bytes)).sum::<u128>();
        if parts != u128::from(layer.effective) {
            return Err(failed(format!(
                "the packages and directories of layer {} do not sum to its {} bytes",
                layer.diff_id, layer.effective
            )));
        }
    }
    Ok(())
}
