//! The document of a gate.

use jettison_oci::{Bytes, Digest};
use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::cause::{name, next};
use crate::gate::gated::{Against, Gated};
use crate::gate::grown::{Grown, GrownFile, GrownPart, GrownRow, Origin};
use crate::gate::judge::{Check, worst};
use crate::gate::measure::Metric;
use crate::report::Detail;
use crate::report::model::{SCHEMA_VERSION, Tool, path_text};

/// What `jettison gate --format json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateDocument {
    /// 1.
    pub schema_version: u32,
    /// The program.
    pub tool: Tool,
    /// `pass`, `no-baseline`, `warn` or `fail`: the worst of all images.
    pub verdict: String,
    /// The images, each on its platform.
    pub images: Vec<GatedDocument>,
    /// What to do next, a line each.
    pub next: Vec<String>,
}

/// One image on one platform.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatedDocument {
    /// The name that it is kept under.
    pub image: String,
    /// Its platform.
    pub platform: String,
    /// Where it was read from.
    pub origin: String,
    /// The digest of its manifest.
    pub manifest_digest: Option<Digest>,
    /// The digest of its config.
    pub config_digest: Digest,
    /// The commit that it was built of, where somebody said so.
    pub commit: Option<String>,
    /// `pass`, `no-baseline`, `warn` or `fail`.
    pub verdict: String,
    /// With what it is compared.
    pub against: AgainstDocument,
    /// Why increases beyond their budgets are accepted.
    pub accepted: Option<String>,
    /// Every figure that is known on either side.
    pub metrics: Vec<MetricDocument>,
    /// What was asked, and how it stands to that: the gravest first.
    pub checks: Vec<CheckDocument>,
    /// Who grew; null where there is nothing to compare with.
    pub grown: Option<GrownDocument>,
    /// What else has to be said.
    pub notes: Vec<String>,
}

/// With what an image is compared.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgainstDocument {
    /// `nothing`, `missing`, `baseline` or `image`.
    pub kind: String,
    /// The baseline's file, or where the other image is.
    pub place: Option<String>,
    /// The digest of its config.
    pub config_digest: Option<Digest>,
    /// The digest of its manifest.
    pub manifest_digest: Option<Digest>,
    /// The commit that it was built of.
    pub commit: Option<String>,
}

/// A figure before and now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MetricDocument {
    /// Its name.
    pub name: Metric,
    /// What it was.
    pub base: Option<u64>,
    /// What it is; null where the source does not tell.
    pub value: Option<u64>,
    /// `value - base`.
    pub delta: Option<i64>,
}

/// One limit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckDocument {
    /// What it is about: a metric, `package numpy`, `/opt`, `rule secrets`.
    pub name: String,
    /// The limit's key in settings.
    pub limit: String,
    /// What is allowed, for people.
    pub allowed: String,
    /// What it was.
    pub base: Option<u64>,
    /// What it is.
    pub value: u64,
    /// `pass`, `no-baseline`, `warn` or `fail`.
    pub verdict: String,
    /// By how much it is over the limit.
    pub over: u64,
    /// How much more would be within the limit.
    pub headroom: Option<u64>,
    /// What is so, in one line.
    pub message: String,
    /// Where the limit is written.
    pub place: String,
    /// What to write there for it to pass.
    pub instead: Option<String>,
    /// Paths that it is about.
    pub paths: Vec<String>,
    /// The layer that it is about.
    pub layer: Option<usize>,
}

/// Who grew.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrownDocument {
    /// Change of the final filesystem: the sum over `instructions`.
    pub effective: i64,
    /// Change of uncompressed tars: the sum over `instructions`, and `effective` with all of
    /// `residue`.
    pub uncompressed: i64,
    /// Change of blobs: the sum over `instructions`.
    pub compressed: Option<i64>,
    /// What makes tars larger than the files that are seen.
    pub residue: Vec<ResidueDocument>,
    /// The instructions whose layers differ, the largest change first.
    pub instructions: Vec<GrownRowDocument>,
}

/// A part of a change that is no file's.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResidueDocument {
    /// What it is.
    pub name: String,
    /// Its change.
    pub delta: i64,
}

/// One instruction's part.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrownRowDocument {
    /// `same`, `changed`, `added` or `removed`.
    pub state: String,
    /// The layer's position in the old image.
    pub old: Option<usize>,
    /// The layer's position in the new image.
    pub new: Option<usize>,
    /// The instruction, as a Dockerfile has it.
    pub instruction: String,
    /// The Dockerfile that was given.
    pub dockerfile: Option<String>,
    /// The first of its lines, from 1.
    pub first_line: Option<usize>,
    /// The last of its lines.
    pub last_line: Option<usize>,
    /// Whether the layer is the base's.
    pub base: bool,
    /// Change of its files in the final filesystem: the sum over `parts` and `rest`.
    pub effective: i64,
    /// Change of its uncompressed tar.
    pub uncompressed: i64,
    /// Change of its blob.
    pub compressed: Option<i64>,
    /// Change of the bytes that it hides.
    pub hides: i64,
    /// Where the layer was made anew and holds as much as before: bytes that are sent again.
    pub rebuilt: Option<u64>,
    /// Packages and directories, the largest change first.
    pub parts: Vec<GrownPartDocument>,
    /// The others of them.
    pub rest: RestDocument,
}

/// What a list leaves out.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestDocument {
    /// How many.
    pub count: usize,
    /// Their change.
    pub delta: i64,
}

/// A package's or directory's part.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrownPartDocument {
    /// `package` or `directory`.
    pub kind: String,
    /// `deb:libc6`, or the directory.
    pub name: String,
    /// Its version before.
    pub old_version: Option<String>,
    /// Its version now.
    pub new_version: Option<String>,
    /// Its bytes in the layer before.
    pub old: Bytes,
    /// Its bytes in the layer now.
    pub new: Bytes,
    /// Its change: the sum over `files` and `rest`, where files are known.
    pub delta: i64,
    /// Files whose bytes changed, the largest change first; null where they are not known.
    pub files: Option<Vec<GrownFileDocument>>,
    /// The others of them.
    pub rest: RestDocument,
}

/// A file's part.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrownFileDocument {
    /// Its path.
    pub path: String,
    /// Its bytes in the layer before.
    pub old: Bytes,
    /// Its bytes in the layer now.
    pub new: Bytes,
    /// Its change.
    pub delta: i64,
    /// `moved-from`, `moved-to`, `copy-of` or `same-content`; null where nothing is known.
    pub origin: Option<String>,
    /// The path that it moved from or to, or equals.
    pub other: Option<String>,
}

/// The document of a gate; lists are cut by `detail.top`.
pub fn gate(all: &[Gated], detail: Detail) -> GateDocument {
    GateDocument {
        schema_version: SCHEMA_VERSION,
        tool: Tool::this(),
        verdict: verdict(all).name().to_owned(),
        images: all.iter().map(|gated| gated_document(gated, detail)).collect(),
        next: next(all),
    }
}

/// The worst verdict.
pub fn verdict(all: &[Gated]) -> crate::gate::Verdict {
    all.iter().map(|gated| gated.verdict).max().unwrap_or_else(|| worst([]))
}

fn gated_document(gated: &Gated, detail: Detail) -> GatedDocument {
    let (new, old) = (&gated.snapshot, gated.old.as_ref());
    let (kind, place) = match &gated.against {
        Against::Nothing => ("nothing", None),
        Against::Missing(place) => ("missing", Some(place.clone())),
        Against::Baseline(place) => ("baseline", Some(place.clone())),
        Against::Image(place) => ("image", Some(place.clone())),
    };
    let metric = |name: Metric| {
        let base = old.and_then(|old| old.metrics.get(&name).copied());
        let value = new.metrics.get(&name).copied();
        let delta = base.zip(value).map(|(base, value)| crate::diff::delta(base, value));
        (base.is_some() || value.is_some()).then_some(MetricDocument { name, base, value, delta })
    };
    GatedDocument {
        image: new.image.clone(),
        platform: new.platform.clone(),
        origin: gated.origin.clone(),
        manifest_digest: new.manifest_digest.clone(),
        config_digest: new.config_digest.clone(),
        commit: new.commit.clone(),
        verdict: gated.verdict.name().to_owned(),
        against: AgainstDocument {
            kind: kind.to_owned(),
            place,
            config_digest: old.map(|old| old.config_digest.clone()),
            manifest_digest: old.and_then(|old| old.manifest_digest.clone()),
            commit: old.and_then(|old| old.commit.clone()),
        },
        accepted: gated.accepted.clone(),
        metrics: Metric::all().filter_map(metric).collect(),
        checks: gated.checks.iter().map(check).collect(),
        grown: gated.grown.as_ref().map(|grown| grown_document(gated, grown, detail)),
        notes: gated.notes.clone(),
    }
}

fn check(check: &Check) -> CheckDocument {
    CheckDocument {
        name: check.name.clone(),
        limit: check.limit.name().to_owned(),
        allowed: check.allowed.clone(),
        base: check.base,
        value: check.value,
        verdict: check.verdict.name().to_owned(),
        over: check.over,
        headroom: check.headroom,
        message: check.message.clone(),
        place: check.place.clone(),
        instead: check.instead.clone(),
        paths: check.paths.clone(),
        layer: check.layer,
    }
}

fn grown_document(gated: &Gated, grown: &Grown, detail: Detail) -> GrownDocument {
    GrownDocument {
        effective: grown.effective,
        uncompressed: grown.uncompressed,
        compressed: grown.compressed,
        residue: residue(gated, grown)
            .into_iter()
            .map(|(name, delta)| ResidueDocument { name: name.to_owned(), delta })
            .collect(),
        instructions: grown.rows.iter().map(|row| row_document(gated, row, detail)).collect(),
    }
}

/// What makes the change of tars another than that of the files that are seen.
pub(crate) fn residue(gated: &Gated, grown: &Grown) -> [(&'static str, i64); 2] {
    let wasted = Metric::whole(crate::gate::Measure::Wasted);
    let of = |snapshot: Option<&crate::gate::Snapshot>| {
        snapshot.and_then(|one| one.metrics.get(&wasted).copied()).unwrap_or(0)
    };
    let hidden = crate::diff::delta(of(gated.old.as_ref()), of(Some(&gated.snapshot)));
    [
        ("files that later layers hide", hidden),
        ("tar headers and padding", grown.uncompressed - grown.effective - hidden),
    ]
}

fn row_document(gated: &Gated, row: &GrownRow, detail: Detail) -> GrownRowDocument {
    let lines = gated.lines(row.new);
    let (shown, rest) = row.parts.split_at(detail.top.min(row.parts.len()));
    GrownRowDocument {
        state: row.state.name().to_owned(),
        old: row.old,
        new: row.new,
        instruction: name(row, gated),
        dockerfile: lines.map(|(file, ..)| file.to_owned()),
        first_line: lines.map(|(_, first, _)| first),
        last_line: lines.map(|(.., last)| last),
        base: row.is_base,
        effective: row.effective,
        uncompressed: row.uncompressed,
        compressed: row.compressed,
        hides: row.hides,
        rebuilt: row.rebuilt,
        parts: shown.iter().map(|part| part_document(part, detail)).collect(),
        rest: RestDocument { count: rest.len(), delta: rest.iter().map(GrownPart::delta).sum() },
    }
}

fn part_document(part: &GrownPart, detail: Detail) -> GrownPartDocument {
    let files = part.files.as_deref();
    let (shown, rest) =
        files.map(|files| files.split_at(detail.top.min(files.len()))).unwrap_or_default();
    GrownPartDocument {
        kind: part.part.kind().to_owned(),
        name: match &part.part {
            crate::gate::snapshot::Part::Package(key) => key.clone(),
            other => other.name().to_owned(),
        },
        old_version: part.old_version.clone(),
        new_version: part.new_version.clone(),
        old: Bytes(part.old),
        new: Bytes(part.new),
        delta: part.delta(),
        files: files.map(|_| shown.iter().map(file_document).collect()),
        rest: RestDocument { count: rest.len(), delta: rest.iter().map(GrownFile::delta).sum() },
    }
}

fn file_document(file: &GrownFile) -> GrownFileDocument {
    let (origin, other) = match &file.origin {
        Origin::Unknown => (None, None),
        Origin::MovedFrom(path) => (Some("moved-from"), Some(path)),
        Origin::MovedTo(path) => (Some("moved-to"), Some(path)),
        Origin::CopyOf(path) => (Some("copy-of"), Some(path)),
        Origin::SameContent => (Some("same-content"), None),
    };
    GrownFileDocument {
        path: path_text(&file.path),
        old: Bytes(file.old),
        new: Bytes(file.new),
        delta: file.delta(),
        origin: origin.map(str::to_owned),
        other: other.map(|path| path_text(path)),
    }
}
