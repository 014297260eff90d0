//! Who grew: the change of an image handed down to the instructions that made it, and from each to
//! packages, directories and files. Every list sums exactly to what it explains.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::delta;
use crate::diff::layers::{Aligned, LayerState, align};
use crate::gate::snapshot::{Part, Snapshot, SnapshotLayer};

/// The change between two snapshots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grown {
    /// The instructions whose layers differ, the largest change first.
    pub rows: Vec<GrownRow>,
    /// Change of the final filesystem.
    pub effective: i64,
    /// Change of uncompressed tars.
    pub uncompressed: i64,
    /// Change of blobs, each layer's counted; `None` where a side does not have them.
    pub compressed: Option<i64>,
}

/// One instruction's part in the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrownRow {
    /// What became of its layer.
    pub state: LayerState,
    /// The layer's position in the old image.
    pub old: Option<usize>,
    /// The layer's position in the new image.
    pub new: Option<usize>,
    /// The instruction, as a Dockerfile has it.
    pub instruction: Option<String>,
    /// Whether the layer is the base's, in the image where it is.
    pub is_base: bool,
    /// Change of its files in the final filesystem.
    pub effective: i64,
    /// Change of its uncompressed tar.
    pub uncompressed: i64,
    /// Change of its blob.
    pub compressed: Option<i64>,
    /// Change of the bytes that it hides.
    pub hides: i64,
    /// The change of `effective` by whose files they are, the largest first: they sum to it.
    pub parts: Vec<GrownPart>,
    /// Where the layer was made anew and holds as much as before: bytes that are sent again.
    pub rebuilt: Option<u64>,
}

/// A package's or directory's part in the change of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrownPart {
    /// Whose bytes.
    pub part: Part,
    /// Its version before.
    pub old_version: Option<String>,
    /// Its version now.
    pub new_version: Option<String>,
    /// Its bytes in the layer before.
    pub old: u64,
    /// Its bytes in the layer now.
    pub new: u64,
    /// Its files whose bytes changed, the largest change first: they sum to its change. `None` where
    /// they are not known.
    pub files: Option<Vec<GrownFile>>,
}

/// A file's part in the change of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrownFile {
    /// Its path, without a slash in front: the first of several.
    pub path: Vec<u8>,
    /// Its bytes in the layer before.
    pub old: u64,
    /// Its bytes in the layer now.
    pub new: u64,
    /// Where its content was or is besides.
    pub origin: Origin,
}

/// Where the content of a file was before, or is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere else, as far as is known.
    Unknown,
    /// It stood at this path.
    MovedFrom(Vec<u8>),
    /// It stands at this path now.
    MovedTo(Vec<u8>),
    /// It equals the file at this path, which was there before.
    CopyOf(Vec<u8>),
    /// Another instruction's layer has the same file in the other image.
    SameContent,
}

impl GrownFile {
    /// Its change.
    pub fn delta(&self) -> i64 {
        delta(self.old, self.new)
    }
}

impl GrownPart {
    /// Its change.
    pub fn delta(&self) -> i64 {
        delta(self.old, self.new)
    }

    /// `numpy 1.26 -> 2.1`.
    pub fn title(&self) -> String {
        let name = self.part.name();
        match (&self.old_version, &self.new_version) {
            (Some(old), Some(new)) if old != new => format!("{name} {old} -> {new}"),
            (_, Some(version)) | (Some(version), None) => format!("{name} {version}"),
            (None, None) => name.to_owned(),
        }
    }
}

impl GrownRow {
    /// Whether it is the same layer in a blob of another size.
    pub fn is_recompressed(&self) -> bool {
        self.state == LayerState::Same && self.compressed.is_some_and(|bytes| bytes != 0)
    }

    /// What orders the rows: its change of files, then of its tar.
    pub fn weight(&self) -> (u64, u64) {
        (self.effective.unsigned_abs(), self.uncompressed.unsigned_abs())
    }
}

/// Compares two snapshots.
pub fn grown(old: &Snapshot, new: &Snapshot) -> Grown {
    let aligned = |layers: &[SnapshotLayer]| -> Vec<Aligned> {
        let row = |layer: &SnapshotLayer| Aligned {
            diff_id: layer.diff_id.clone(),
            instruction: layer.instruction.clone(),
            size: layer.uncompressed,
        };
        layers.iter().map(row).collect()
    };
    let (before, after): (Vec<Parts<'_>>, Vec<Parts<'_>>) = (
        old.layers.iter().map(SnapshotLayer::parts).collect(),
        new.layers.iter().map(SnapshotLayer::parts).collect(),
    );
    let is_similar = |a: usize, b: usize| are_similar(&before[a], &after[b]);
    let changes = align(&aligned(&old.layers), &aligned(&new.layers), is_similar);
    let mut rows: Vec<GrownRow> = changes
        .iter()
        .map(|change| {
            let was = change.old.map(|at| (at, &old.layers[at]));
            let is = change.new.map(|at| (at, &new.layers[at]));
            let parts = parts(change.old.map(|at| &before[at]), change.new.map(|at| &after[at]));
            row(change.state, was, is, (old.base_layers, new.base_layers), parts)
        })
        .collect();
    let sum = |of: &dyn Fn(&GrownRow) -> i64| rows.iter().map(of).sum::<i64>();
    let compressed = rows.iter().map(|row| row.compressed).sum::<Option<i64>>();
    let (effective, uncompressed) = (sum(&|row| row.effective), sum(&|row| row.uncompressed));
    rows.retain(|row| {
        let has_moved = row.effective != 0 || row.hides != 0;
        row.state != LayerState::Same || has_moved || row.is_recompressed()
    });
    rows.sort_by_key(|row| (std::cmp::Reverse(row.weight()), row.new, row.old));
    Grown { rows, effective, uncompressed, compressed }
}

/// Bytes of a layer's packages and directories, with a package's version.
type Parts<'a> = BTreeMap<Part, (u64, Option<&'a str>)>;

/// Bytes of one of them; 0 where it is not there.
fn bytes_of(parts: &Parts<'_>, part: &Part) -> u64 {
    parts.get(part).map_or(0, |(bytes, _)| *bytes)
}

/// Whether two layers bring the same things: at least half of the bytes of both together are of the
/// same packages and directories.
fn are_similar(old: &Parts<'_>, new: &Parts<'_>) -> bool {
    let common = old.iter().map(|(part, (was, _))| u128::from(*was.min(&bytes_of(new, part))));
    let common: u128 = common.sum();
    let sum = |parts: &Parts<'_>| parts.values().map(|(bytes, _)| u128::from(*bytes)).sum::<u128>();
    // What both have counts once in the whole.
    let whole = sum(old) + sum(new) - common;
    whole > 0 && common * 2 >= whole
}

fn row(
    state: LayerState,
    old: Option<(usize, &SnapshotLayer)>,
    new: Option<(usize, &SnapshotLayer)>,
    base: (Option<usize>, Option<usize>),
    parts: Vec<GrownPart>,
) -> GrownRow {
    let change = |of: &dyn Fn(&SnapshotLayer) -> u64| {
        delta(old.map_or(0, |(_, layer)| of(layer)), new.map_or(0, |(_, layer)| of(layer)))
    };
    let blob = |side: Option<(usize, &SnapshotLayer)>| match side {
        Some((_, layer)) => layer.compressed,
        None => Some(0),
    };
    let is_base = match (old, new) {
        (_, Some((at, _))) => base.1.is_some_and(|layers| at < layers),
        (Some((at, _)), None) => base.0.is_some_and(|layers| at < layers),
        (None, None) => false,
    };
    let same_content = |a: &SnapshotLayer, b: &SnapshotLayer| {
        (a.effective, a.hides, a.entries, &a.packages, &a.directories, a.rest)
            == (b.effective, b.hides, b.entries, &b.packages, &b.directories, b.rest)
    };
    let rebuilt = match (old, new) {
        (Some((_, a)), Some((_, b))) if state == LayerState::Changed && same_content(a, b) => {
            Some(b.compressed.unwrap_or(b.uncompressed))
        }
        _ => None,
    };
    GrownRow {
        state,
        old: old.map(|(at, _)| at),
        new: new.map(|(at, _)| at),
        instruction: new.or(old).and_then(|(_, layer)| layer.instruction.clone()),
        is_base,
        effective: change(&|layer| layer.effective),
        uncompressed: change(&|layer| layer.uncompressed),
        compressed: blob(old).zip(blob(new)).map(|(old, new)| delta(old, new)),
        hides: change(&|layer| layer.hides),
        parts,
        rebuilt,
    }
}

fn parts(old: Option<&Parts<'_>>, new: Option<&Parts<'_>>) -> Vec<GrownPart> {
    let none = Parts::new();
    let (before, after) = (old.unwrap_or(&none), new.unwrap_or(&none));
    let all: BTreeSet<&Part> = before.keys().chain(after.keys()).collect();
    let version = |parts: &Parts<'_>, part| parts.get(part)?.1.map(str::to_owned);
    let mut rows: Vec<GrownPart> = all
        .into_iter()
        .map(|part| GrownPart {
            part: part.clone(),
            old_version: version(before, part),
            new_version: version(after, part),
            old: bytes_of(before, part),
            new: bytes_of(after, part),
            files: None,
        })
        .filter(|part| part.delta() != 0)
        .collect();
    rows.sort_by(|a, b| {
        b.delta().unsigned_abs().cmp(&a.delta().unsigned_abs()).then_with(|| a.part.cmp(&b.part))
    });
    rows
}
