//! What is measured of an image. Each metric is defined here, once, and none is ever taken for
//! another: "the size of an image" is five different numbers, depending on who tells it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;

use jettison_oci::Bytes;
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::facts::unused::Unused;
use crate::tree::Fate;

/// A figure of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// Blobs as a registry stores and sends them, each distinct blob once.
    Compressed,
    /// Uncompressed layer tars, headers and padding included.
    Uncompressed,
    /// Files of the final filesystem, hard links once.
    Effective,
    /// Files of lower layers that later ones hide.
    Wasted,
    /// Files of the final filesystem that equal another, beyond the first.
    Duplicate,
    /// Files of the final filesystem that nothing leads to from what the image runs.
    Unused,
    /// Of those, what no program reads while it runs.
    UnusedHigh,
    /// Of those, what nothing that was looked into leads to.
    UnusedMedium,
    /// Of those, what something that cannot be looked into may well use.
    UnusedLow,
    /// Layers, the empty ones too.
    Layers,
}

impl Measure {
    /// Every measure, in the order of reports.
    pub const ALL: [Self; 10] = [
        Self::Compressed,
        Self::Uncompressed,
        Self::Effective,
        Self::Wasted,
        Self::Duplicate,
        Self::Unused,
        Self::UnusedHigh,
        Self::UnusedMedium,
        Self::UnusedLow,
        Self::Layers,
    ];

    /// Its word in settings and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compressed => "compressed",
            Self::Uncompressed => "uncompressed",
            Self::Effective => "effective",
            Self::Wasted => "wasted",
            Self::Duplicate => "duplicate",
            Self::Unused => "unused",
            Self::UnusedHigh => "unused-high",
            Self::UnusedMedium => "unused-medium",
            Self::UnusedLow => "unused-low",
            Self::Layers => "layers",
        }
    }

    /// What it counts, for people.
    pub const fn definition(self) -> &'static str {
        match self {
            Self::Compressed => "blobs as a registry stores and sends them, each once",
            Self::Uncompressed => "uncompressed layer tars",
            Self::Effective => "files of the final filesystem, hard links once",
            Self::Wasted => "files of lower layers that later ones hide",
            Self::Duplicate => "files of the final filesystem that equal another",
            Self::Unused => "files that nothing leads to from what the image runs",
            Self::UnusedHigh => "unused files of high confidence",
            Self::UnusedMedium => "unused files of medium confidence",
            Self::UnusedLow => "unused files of low confidence",
            Self::Layers => "layers",
        }
    }

    /// Whether it takes to know what each file is for.
    pub const fn is_of_use(self) -> bool {
        matches!(self, Self::Unused | Self::UnusedHigh | Self::UnusedMedium | Self::UnusedLow)
    }

    /// By how much it may differ without having changed: compressors are not exact, all other
    /// figures are.
    pub const fn tolerance(self) -> u64 {
        match self {
            Self::Compressed => 64 << 10,
            _ => 0,
        }
    }
}

/// A measure of the whole image, or of what stands above its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Metric {
    /// What is measured.
    pub measure: Measure,
    /// Whether only layers above the base count.
    pub own: bool,
}

impl Metric {
    /// Of the whole image.
    pub const fn whole(measure: Measure) -> Self {
        Self { measure, own: false }
    }

    /// Every metric: each measure, then the same above the base.
    pub fn all() -> impl Iterator<Item = Self> {
        Measure::ALL.into_iter().flat_map(|measure| [false, true].map(|own| Self { measure, own }))
    }

    /// A value of it, for people.
    pub fn shown(self, value: u64) -> String {
        match self.measure {
            Measure::Layers => value.to_string(),
            _ => Bytes(value).to_string(),
        }
    }

    /// The exact value, for people.
    pub fn exact(self, value: u64) -> String {
        match self.measure {
            Measure::Layers => self.shown(value),
            _ => format!("{value} B"),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&if self.own {
            format!("own-{}", self.measure.name())
        } else {
            self.measure.name().to_owned()
        })
    }
}

/// Why a text is no metric.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no metric: known are {known}, and own- before each", known = names())]
pub struct MetricError(String);

fn names() -> String {
    Measure::ALL.map(Measure::name).join(", ")
}

impl FromStr for Metric {
    type Err = MetricError;

    fn from_str(text: &str) -> Result<Self, MetricError> {
        let (own, name) = match text.strip_prefix("own-") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let measure = Measure::ALL.into_iter().find(|measure| measure.name() == name);
        measure.map(|measure| Self { measure, own }).ok_or_else(|| MetricError(text.to_owned()))
    }
}

impl From<Metric> for String {
    fn from(metric: Metric) -> Self {
        metric.to_string()
    }
}

impl TryFrom<String> for Metric {
    type Error = MetricError;

    fn try_from(text: String) -> Result<Self, MetricError> {
        text.parse()
    }
}

impl schemars::JsonSchema for Metric {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Metric".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<String> = Self::all().map(|metric| metric.to_string()).collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}

/// The figures of an image that are known. `unused` is what nothing leads to, where that was asked
/// for.
pub fn measure(account: &Account, unused: Option<&Unused>) -> BTreeMap<Metric, u64> {
    let base = account.base.as_ref().and_then(|base| base.layers);
    let mut all = BTreeMap::new();
    for (own, from) in [(false, Some(0)), (true, base)] {
        let Some(from) = from else { continue };
        for measure in Measure::ALL {
            if let Some(value) = value(account, unused, measure, from) {
                all.insert(Metric { measure, own }, value);
            }
        }
    }
    all
}

/// A measure of the layers from `from` on.
fn value(account: &Account, unused: Option<&Unused>, measure: Measure, from: usize) -> Option<u64> {
    let rows = account.layers.get(from..).unwrap_or_default();
    let is_above = |payload: u32| account.payloads[payload as usize].entry.layer as usize >= from;
    Some(match measure {
        Measure::Compressed => compressed(account, from)?,
        Measure::Uncompressed => rows.iter().map(|row| row.size.get()).sum(),
        Measure::Effective => rows.iter().map(|row| row.live.get()).sum(),
        // Whoever hides bytes wastes them, whoever brought them.
        Measure::Wasted => rows.iter().map(|row| row.hides.get()).sum(),
        Measure::Duplicate => account
            .duplicates
            .iter()
            .map(|group| {
                let size =
                    group.payloads.first().map_or(0, |at| account.payloads[*at as usize].size);
                let above = group.payloads.iter().filter(|at| is_above(**at)).count() as u64;
                // The lowest copy is the first: where the base has it, all of these are more.
                let copies = if above == group.payloads.len() as u64 { above - 1 } else { above };
                size.saturating_mul(copies)
            })
            .sum(),
        Measure::Unused | Measure::UnusedHigh | Measure::UnusedMedium | Measure::UnusedLow => {
            let unused = unused?;
            let is_meant = |at: usize| match measure {
                Measure::UnusedHigh => at == 0,
                Measure::UnusedMedium => at == 1,
                Measure::UnusedLow => at == 2,
                _ => true,
            };
            let confidences = crate::facts::evidence::Confidence::ALL;
            unused
                .groups
                .iter()
                .filter(|group| {
                    confidences
                        .iter()
                        .position(|one| *one == group.confidence)
                        .is_some_and(is_meant)
                })
                .flat_map(|group| &group.files)
                .filter_map(|node| account.tree.payload(*node))
                .filter(|at| is_above(*at))
                .map(|at| account.payloads[at as usize].size)
                .sum()
        }
        Measure::Layers => rows.len() as u64,
    })
}

/// Bytes that a registry sends to who has the layers below `from` already.
fn compressed(account: &Account, from: usize) -> Option<u64> {
    let mut seen = HashSet::new();
    let mut sum = 0_u64;
    for (at, row) in account.layers.iter().enumerate() {
        let size = row.compressed_size?.get();
        // Archives that store compressed layers name them by their content alone.
        let key = row.digest.as_ref().unwrap_or(&row.diff_id);
        if seen.insert(key) && at >= from {
            sum = sum.checked_add(size)?;
        }
    }
    Some(sum)
}

/// A part of a whole in millionths, cut; all of it where there is no whole.
pub fn share(part: u64, whole: u64) -> u64 {
    const ALL: u64 = 1_000_000;
    if whole == 0 {
        return ALL;
    }
    u64::try_from(u128::from(part) * u128::from(ALL) / u128::from(whole)).unwrap_or(u64::MAX)
}

/// Live bytes over all bytes, in millionths.
pub fn efficiency(account: &Account) -> u64 {
    share(account.sizes.live.get(), account.sizes.files.get())
}

/// Why a metric is not known of an image, and which source tells it.
pub fn missing(metric: Metric, account: &Account) -> String {
    let transport = account.image.origin.transport;
    if metric.own && account.base.as_ref().and_then(|base| base.layers).is_none() {
        return "which layers are the base's is not known: give --base IMAGE or a number, or \
                annotate the image (org.opencontainers.image.base.name)"
            .to_owned();
    }
    match metric.measure {
        Measure::Compressed => format!(
            "{transport} does not hold the layers compressed: docker://, oci:, oci-archive: and \
             containerd: do"
        ),
        _ => "it was not asked for".to_owned(),
    }
}

/// Live bytes below a directory, which has no slash at either end.
pub fn below(account: &Account, directory: &[u8]) -> u64 {
    let is_below = |path: &[u8]| {
        directory.is_empty()
            || path.strip_prefix(directory).is_some_and(|rest| rest.first() == Some(&b'/'))
    };
    let nodes = account.nodes.iter().zip(&account.payloads);
    nodes
        .filter(|(_, payload)| matches!(payload.fate, Fate::Live(_)))
        .filter_map(|(node, payload)| Some((account.tree.path((*node)?), payload.size)))
        .filter(|(path, _)| is_below(path))
        .map(|(_, size)| size)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_name() {
        for metric in Metric::all() {
            assert_eq!(metric.to_string().parse(), Ok(metric));
        }
        let error = "own-size".parse::<Metric>().unwrap_err().to_string();
        assert!(error.contains("known are compressed, uncompressed, effective"), "{error}");
        assert!("own-own-wasted".parse::<Metric>().is_err());
    }
}
