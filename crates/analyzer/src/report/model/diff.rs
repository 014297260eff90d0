//! The document of a comparison.

use jettison_oci::{Bytes, escape};
use schemars::JsonSchema;
use serde::Serialize;

use crate::diff::Diff;
use crate::report::Detail;
use crate::report::model::{SCHEMA_VERSION, Tool, path_text};

/// What `jettison diff --format json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffDocument {
    /// 1.
    pub schema_version: u32,
    /// The program.
    pub tool: Tool,
    /// The old image, with its transport.
    pub old: String,
    /// The new image, with its transport.
    pub new: String,
    /// Each size in the old and the new image.
    pub size: DiffSizes,
    /// Layers; their deltas sum to the delta of `size.layers`.
    pub layers: Vec<DiffLayerDocument>,
    /// Live bytes by what became of the files; the deltas sum to the delta of `size.live`.
    pub changes: Vec<DiffChangeDocument>,
    /// Directories with their deltas, each with all that is below it, largest first: the root
    /// with the whole, then at most `--top` others, none whose delta is under `--min-bytes`.
    pub directories: Vec<PathDelta>,
    /// Files, the largest delta first. All of them but those that have less than `--min-bytes` in
    /// both images; without that, the deltas sum to the delta of `size.live`.
    pub files: Vec<DiffFileDocument>,
}

/// Sizes of two images.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffSizes {
    /// Blobs as a registry stores them.
    pub compressed: Option<OldNew>,
    /// Uncompressed layer tars.
    pub layers: OldNew,
    /// Payloads of all layers.
    pub files: OldNew,
    /// Payloads in the final filesystem.
    pub live: OldNew,
    /// Payloads in no path of it.
    pub wasted: OldNew,
    /// Live payloads equal to another.
    pub duplicate: OldNew,
}

/// A size before and after.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct OldNew {
    /// In the old image.
    pub old: Bytes,
    /// In the new image.
    pub new: Bytes,
    /// `new - old`.
    pub delta: i64,
}

impl OldNew {
    pub(crate) fn of(old: Bytes, new: Bytes) -> Self {
        Self { old, new, delta: crate::diff::delta(old.get(), new.get()) }
    }
}

/// A layer of either image.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffLayerDocument {
    /// `same`, `changed`, `added` or `removed`.
    pub state: String,
    /// Position in the old image.
    pub old: Option<usize>,
    /// Position in the new image.
    pub new: Option<usize>,
    /// Change of the uncompressed tar.
    pub delta: i64,
    /// The instruction, as a Dockerfile has it.
    pub instruction: Option<String>,
}

/// Files of one kind of change.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffChangeDocument {
    /// `added`, `removed`, `grown`, `shrunk`, `changed` or `moved`.
    pub change: String,
    /// How many.
    pub files: usize,
    /// Change of live bytes.
    pub delta: i64,
}

/// A path and its change.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PathDelta {
    /// From the root, with a slash.
    pub path: String,
    /// Change of live bytes.
    pub delta: i64,
}

/// One file that differs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffFileDocument {
    /// `added`, `removed`, `grown`, `shrunk`, `changed` or `moved`.
    pub change: String,
    /// Where it is, or was.
    pub path: String,
    /// Where it was, if it moved.
    pub from: Option<String>,
    /// Its bytes in the old image.
    pub old: Bytes,
    /// Its bytes in the new image.
    pub new: Bytes,
    /// Change of live bytes.
    pub delta: i64,
}

/// The document of a diff; directories and files are cut by `detail`.
pub fn diff(diff: &Diff<'_>, detail: Detail) -> DiffDocument {
    let (old, new) = (&diff.old.sizes, &diff.new.sizes);
    let (root, directories): (Vec<_>, Vec<_>) =
        diff.directories().into_iter().partition(|(path, _)| path.is_empty());
    let directories =
        directories.into_iter().filter(|(_, delta)| delta.unsigned_abs() >= detail.min_bytes.get());
    DiffDocument {
        schema_version: SCHEMA_VERSION,
        tool: Tool::this(),
        old: diff.old.image.origin.to_string(),
        new: diff.new.image.origin.to_string(),
        size: DiffSizes {
            compressed: old.compressed.zip(new.compressed).map(|(o, n)| OldNew::of(o, n)),
            layers: OldNew::of(old.layers, new.layers),
            files: OldNew::of(old.files, new.files),
            live: OldNew::of(old.live, new.live),
            wasted: OldNew::of(old.wasted, new.wasted),
            duplicate: OldNew::of(old.duplicate, new.duplicate),
        },
        layers: diff
            .layers
            .iter()
            .map(|row| DiffLayerDocument {
                state: row.state.name().to_owned(),
                old: row.old,
                new: row.new,
                delta: row.delta,
                instruction: row.instruction.as_ref().map(|text| escape::line(text)),
            })
            .collect(),
        changes: diff
            .totals()
            .into_iter()
            .map(|(change, files, delta)| DiffChangeDocument {
                change: change.name().to_owned(),
                files,
                delta,
            })
            .collect(),
        directories: root
            .into_iter()
            .chain(directories.take(detail.top))
            .map(|(path, delta)| PathDelta { path: path_text(&path), delta })
            .collect(),
        files: diff
            .files
            .iter()
            .filter(|file| file.bytes() >= detail.min_bytes.get())
            .map(|file| DiffFileDocument {
                change: file.change.name().to_owned(),
                path: path_text(&file.path),
                from: file.from.as_deref().map(path_text),
                old: Bytes(file.old),
                new: Bytes(file.new),
                delta: crate::diff::delta(file.old, file.new),
            })
            .collect(),
    }
}
