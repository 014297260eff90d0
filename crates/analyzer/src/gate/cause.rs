//! What a check fails for most, and what to do next.

use jettison_oci::change::signed;
use jettison_oci::count::counted;
use jettison_oci::escape;

use crate::diff::layers::LayerState;
use crate::gate::budget::Subject;
use crate::gate::gated::{Against, Gated};
use crate::gate::grown::{GrownFile, GrownPart, GrownRow};
use crate::gate::judge::{Check, Limit, Verdict};
use crate::gate::measure::Measure;

/// The instruction that weighs most in a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The instruction, as a Dockerfile has it; where the history says nothing, the layer.
    pub instruction: String,
    /// Its layer in the image.
    pub layer: Option<usize>,
    /// Its bytes; of a growth, how much they changed.
    pub bytes: i64,
    /// Whether that is a change, rather than all that it weighs.
    pub is_change: bool,
    /// The package or directory of most of those bytes.
    pub part: Option<String>,
    /// The paths of most of those, with a slash in front, the largest first.
    pub paths: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

/// Paths named of a cause.
const PATHS_MAX: usize = 10;

impl Cause {
    /// What weighs most in a check of an image; `None` where nothing does.
    pub fn of(gated: &Gated, check: &Check) -> Option<Self> {
        match check.limit {
            Limit::RequireBaseline => None,
            Limit::Deny => Some(Self {
                instruction: instruction_of(gated, check.layer?),
                layer: check.layer,
                bytes: i64::try_from(check.value).unwrap_or(i64::MAX),
                is_change: false,
                part: None,
                paths: check.paths.iter().take(PATHS_MAX).cloned().collect(),
                more: check.paths.len().saturating_sub(PATHS_MAX),
            }),
            _ => match &gated.grown {
                Some(grown) => {
                    let (own, weigh) = weight(check);
                    let rows = grown.rows.iter().filter(|row| !(own && row.is_base));
                    let most = rows.max_by_key(|row| (weigh(row), std::cmp::Reverse(row.new)));
                    most.filter(|row| weigh(row) > 0)
                        .map(|row| Self::of_row(gated, row, weigh(row)))
                        .or_else(|| heaviest(gated, own))
                }
                None => heaviest(gated, weight(check).0),
            },
        }
    }

    fn of_row(gated: &Gated, row: &GrownRow, bytes: i64) -> Self {
        let part = row.parts.iter().max_by_key(|part| part.delta()).filter(|one| one.delta() > 0);
        Self {
            instruction: name(row, gated),
            layer: row.new,
            bytes,
            is_change: true,
            part: part.map(GrownPart::title),
            more: part.map_or(0, |part| grown_files(part).count().saturating_sub(PATHS_MAX)),
            paths: part.map(grown_paths).unwrap_or_default(),
        }
    }

    /// In a sentence: ``+39.8 MiB by `RUN pip install` (Dockerfile:12), most of it numpy 2.1
    /// (/usr/lib/python3/numpy/core.so and 3 more files)``.
    pub fn words(&self, gated: &Gated) -> String {
        let bytes = if self.is_change {
            signed(self.bytes)
        } else {
            jettison_oci::Bytes(self.bytes.unsigned_abs()).to_string()
        };
        let line = gated.lines(self.layer).map(|(file, first, _)| format!(" ({file}:{first})"));
        let files = match &self.paths[..] {
            [] => String::new(),
            [one] => format!(" ({one})"),
            [one, two] => format!(" ({one}, {two})"),
            [one, two, rest @ ..] => {
                let more = counted(rest.len() + self.more, "more file");
                format!(" ({one}, {two} and {more})")
            }
        };
        let part = self.part.as_ref().map(|part| format!(", most of it {part}{files}"));
        format!(
            "{bytes} by `{}`{}{}",
            self.instruction.replace('`', "'"),
            line.unwrap_or_default(),
            part.unwrap_or_default()
        )
    }
}

/// Files of a part that grew, the largest change first.
fn grown_files(part: &GrownPart) -> impl Iterator<Item = &GrownFile> {
    part.files.iter().flatten().filter(|file| file.delta() > 0)
}

/// Their paths, the first of them.
fn grown_paths(part: &GrownPart) -> Vec<String> {
    let files = grown_files(part).take(PATHS_MAX);
    files.map(|file| format!("/{}", escape::path(&file.path))).collect()
}

/// The instruction of a row of a growth, or its layer.
pub fn name(row: &GrownRow, gated: &Gated) -> String {
    match (&row.instruction, row.new) {
        (Some(instruction), _) => instruction.clone(),
        (None, Some(layer)) => instruction_of(gated, layer),
        (None, None) => "a layer without an instruction in the history".to_owned(),
    }
}

fn instruction_of(gated: &Gated, layer: usize) -> String {
    let row = gated.snapshot.layers.get(layer);
    row.and_then(|row| row.instruction.clone()).unwrap_or_else(|| format!("layer {layer}"))
}

/// Whether a check is about what stands above the base only, and what of a row it counts.
fn weight(check: &Check) -> (bool, fn(&GrownRow) -> i64) {
    let Some(subject) = &check.subject else { return (false, |row| row.effective) };
    match subject {
        Subject::Metric(metric) => {
            let weigh: fn(&GrownRow) -> i64 = match metric.measure {
                Measure::Compressed => |row| row.compressed.unwrap_or(row.uncompressed),
                Measure::Uncompressed => |row| row.uncompressed,
                Measure::Wasted => |row| row.hides,
                Measure::Layers => |row| i64::from(row.state == LayerState::Added),
                _ => |row| row.effective,
            };
            (metric.own, weigh)
        }
        Subject::LayerSize => (false, |row| row.uncompressed),
        Subject::Dive(_) | Subject::Efficiency => (false, |row| row.hides),
        Subject::Directory(_) | Subject::Package(_) => (false, |row| row.effective),
    }
}

/// The layer with the most bytes, where nothing is known of a growth.
fn heaviest(gated: &Gated, own: bool) -> Option<Cause> {
    let from = if own { gated.snapshot.base_layers.unwrap_or(0) } else { 0 };
    let layers = gated.snapshot.layers.iter().enumerate().skip(from);
    let (at, layer) = layers.max_by_key(|(at, layer)| (layer.effective, std::cmp::Reverse(*at)))?;
    let part = layer.parts().into_iter().max_by_key(|(_, (bytes, _))| *bytes);
    Some(Cause {
        instruction: instruction_of(gated, at),
        layer: Some(at),
        bytes: i64::try_from(layer.effective).unwrap_or(i64::MAX),
        is_change: false,
        part: part.map(|(part, _)| part.name().to_owned()),
        paths: Vec::new(),
        more: 0,
    })
}

/// What to do next, a line each; commands stand between backticks. Nothing where all is well.
pub fn next(all: &[Gated]) -> Vec<String> {
    let mut lines = Vec::new();
    for gated in all {
        let image = &gated.snapshot.image;
        if let Some(check) = gated.failed().next() {
            lines.push(of_failure(gated, check));
        } else if gated.verdict == Verdict::NoBaseline
            && let Against::Missing(place) = &gated.against
        {
            lines
                .push(format!("{image} has no baseline in {place}: `{}` writes one", gated.update));
        }
    }
    lines
}

fn of_failure(gated: &Gated, check: &Check) -> String {
    let said = said(gated, check, Cause::of(gated, check).as_ref());
    let change = check.change();
    let accept = match (check.limit, &gated.against) {
        (Limit::MaxIncrease | Limit::MaxIncreasePercent, Against::Baseline(_)) => {
            format!("`{} --allow-increase REASON` accepts it, or {change}", gated.update)
        }
        (Limit::MaxIncrease | Limit::MaxIncreasePercent, _) => {
            format!("--allow-increase REASON accepts it, or {change}")
        }
        (Limit::RequireBaseline, _) => format!("`{}` writes one", gated.update),
        (Limit::Deny, _) => format!("take it out, or {change}"),
        _ => format!("make it smaller, or {change}"),
    };
    format!("{said}; {accept}")
}

/// What is so of an image, and what it is owed to, in one line without a full stop.
pub fn said(gated: &Gated, check: &Check, cause: Option<&Cause>) -> String {
    let cause = cause.map(|cause| format!("; most of it: {}", cause.words(gated)));
    format!("{}: {}{}", gated.snapshot.image, check.message, cause.unwrap_or_default())
}
