//! The account as documents for machines. Keys are a contract: added to, never changed, within a
//! schema version. Sizes are integers of bytes; what a source cannot give is null.

mod advice;
mod diff;
pub mod gate;
mod package;
mod unused;
mod why;

use jettison_oci::{Bytes, Digest, escape};
use schemars::JsonSchema;
use serde::Serialize;

use crate::account::{Account, Duplicate, LayerRow, waste};
use crate::content::secret::hidden_words;
use crate::image::Instruction;
use crate::report::{Analyzed, Detail};

pub use advice::{FindingDocument, IgnoredDocument, SuggestionDocument};
pub use unused::{UnusedDocument, Use, use_of};

pub use diff::{DiffDocument, OldNew, diff};
pub use gate::{GateDocument, gate};
pub use package::{OwnerDocument, PackageDocument};
pub use why::{WhyDocument, why};

/// The version of every document.
pub const SCHEMA_VERSION: u32 = 1;

/// The program that made a document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Tool {
    /// `jettison`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    fn this() -> Self {
        Self { name: "jettison".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// What `jettison analyze --format json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Analysis {
    /// 1.
    pub schema_version: u32,
    /// The program.
    pub tool: Tool,
    /// What was read.
    pub image: ImageDocument,
    /// The sizes.
    pub size: SizeDocument,
    /// Live over all payload bytes; 1 where there are none.
    pub efficiency: f64,
    /// dive's figures by dive's definitions.
    pub dive: DiveDocument,
    /// The base image, where it is known.
    pub base: Option<BaseDocument>,
    /// A row a layer, bottom first.
    pub layers: Vec<LayerDocument>,
    /// Wasted bytes by cause and layers, largest first. All of them: they sum to `size.wasted`.
    pub waste: Vec<WasteDocument>,
    /// Equal live files, largest first. All of them: they sum to `size.duplicate`.
    pub duplicates: Vec<DuplicateDocument>,
    /// Live files that nothing uses; null where that was not asked for.
    pub unused: Option<UnusedDocument>,
    /// Its packages, those with the most bytes first. All of them; null where `unused` is.
    pub packages: Option<Vec<PackageDocument>>,
    /// What rules find, the most bytes first; no byte is in two of them. All of them; null where
    /// that was not asked for.
    pub findings: Option<Vec<FindingDocument>>,
    /// What settings silenced; null where `findings` is.
    pub ignored: Option<Vec<IgnoredDocument>>,
    /// Changes that would save bytes, those that save most first; null where `findings` is.
    pub suggestions: Option<Vec<SuggestionDocument>>,
    /// What was odd about the image.
    pub warnings: Vec<String>,
}

/// What was read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageDocument {
    /// The reference, or the path with its tag.
    pub reference: String,
    /// Where it was read from: `docker-archive`, `oci`, …
    pub transport: String,
    /// Digest of the manifest, where the source has one.
    pub manifest_digest: Option<Digest>,
    /// Digest of the config: Docker's image ID.
    pub config_digest: Digest,
    /// `os/arch[/variant]`.
    pub platform: String,
    /// When it was built, in its builder's words.
    pub created: Option<String>,
    /// The command's fixed front.
    pub entrypoint: Vec<String>,
    /// The command's replaceable rest.
    pub cmd: Vec<String>,
    /// The user it runs as; empty for root.
    pub user: String,
}

/// The sizes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SizeDocument {
    /// Blobs as a registry stores them.
    pub compressed: Option<Bytes>,
    /// Uncompressed layer tars.
    pub layers: Bytes,
    /// Payloads of all layers: live and wasted.
    pub files: Bytes,
    /// Payloads in the final filesystem.
    pub live: Bytes,
    /// Payloads that are in no path of it.
    pub wasted: Bytes,
    /// Live payloads equal to another, beyond the first.
    pub duplicate: Bytes,
    /// Live payloads that nothing reaches; null until that is analyzed.
    pub unused: Option<Bytes>,
}

/// dive's figures.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiveDocument {
    /// dive's `efficiencyScore`.
    pub efficiency_score: f64,
    /// dive's `inefficientBytes`.
    pub wasted_bytes: Bytes,
    /// dive's `userWastedPercent` (a ratio); null where dive divides by zero.
    pub user_wasted_percent: Option<f64>,
}

/// The base image.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BaseDocument {
    /// `annotation`, `count`, `image` or `common-prefix`.
    pub source: String,
    /// Its name, where there is one.
    pub reference: Option<String>,
    /// How many bottom layers are its; null where only its name is known.
    pub layers: Option<usize>,
    /// How many layers the base image has, all told: with `common-prefix` more than are in this
    /// one. Null where it was not read.
    pub image_layers: Option<usize>,
}

/// One layer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LayerDocument {
    /// Position, from 0.
    pub index: usize,
    /// Digest of the uncompressed tar.
    pub diff_id: Digest,
    /// Digest of the blob, where the source has blobs.
    pub digest: Option<Digest>,
    /// Media type of the blob, where the source has blobs.
    pub media_type: Option<String>,
    /// Bytes of the blob, where the source has it compressed.
    pub compressed_size: Option<Bytes>,
    /// Bytes of the uncompressed tar.
    pub size: Bytes,
    /// Entries of the tar.
    pub entries: usize,
    /// Payload bytes the layer brought.
    pub files: Bytes,
    /// Of those, live.
    pub live: Bytes,
    /// Of those, wasted.
    pub wasted: Bytes,
    /// Payload bytes that this layer hides.
    pub hides: Bytes,
    /// The instruction, in its builder's words; in lines, where the layer stands for several.
    pub created_by: Option<String>,
    /// Whether it is the base image's.
    pub base: bool,
}

/// A layer where it is named by another row.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LayerName {
    /// Position, from 0.
    pub layer: usize,
    /// The instruction, as a Dockerfile has it.
    pub instruction: Option<String>,
}

/// Wasted bytes of one cause and one pair of layers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WasteDocument {
    /// `overwritten`, `metadata-only`, `removed`, `opaque`, `replaced` or `repeated`.
    pub cause: String,
    /// Their bytes.
    pub bytes: Bytes,
    /// How many files.
    pub paths: usize,
    /// The layer that brought them.
    pub added_by: LayerName,
    /// The layer that hides them.
    pub hidden_by: LayerName,
    /// The largest: at most `--top`, none under `--min-bytes`.
    pub top_paths: Vec<PathBytes>,
}

/// A path and its bytes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PathBytes {
    /// From the root, with a slash; bytes that are no text are escaped as `\xNN`, a backslash as
    /// `\\`.
    pub path: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Equal live files.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DuplicateDocument {
    /// Bytes beyond the first copy.
    pub bytes: Bytes,
    /// How many copies.
    pub copies: usize,
    /// Their paths, in order: at most `--top`, and none where `bytes` is under `--min-bytes`.
    pub paths: Vec<String>,
}

/// A path of an image as text.
pub(crate) fn path_text(path: &[u8]) -> String {
    format!("/{}", escape::path(path))
}

pub(crate) fn layer_name(account: &Account, layer: usize) -> LayerName {
    let instruction = &account.layers[layer].instruction;
    LayerName { layer, instruction: instruction.as_ref().map(|i| escape::line(&i.text())) }
}

/// The document of an account.
pub fn analysis(of: Analyzed<'_>, detail: Detail) -> Analysis {
    let Analyzed { account, facts, advice } = of;
    let told = facts.filter(|_| detail.unused);
    // Both take as long as all the rest.
    let (unused, packages) = told.map_or((None, None), |facts| {
        std::thread::scope(|scope| {
            let packages = scope.spawn(|| package::packages(account, facts, detail));
            let unused = unused::unused(account, facts, detail);
            let packages = packages.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (Some(unused), Some(packages))
        })
    });
    let image = &account.image;
    Analysis {
        schema_version: SCHEMA_VERSION,
        tool: Tool::this(),
        image: ImageDocument {
            reference: image.origin.reference.clone(),
            transport: image.origin.transport.to_string(),
            manifest_digest: image.manifest_digest.clone(),
            config_digest: image.config_digest.clone(),
            platform: image.config.platform.to_string(),
            created: image.config.created.clone(),
            entrypoint: hidden_words(&image.config.entrypoint),
            cmd: hidden_words(&image.config.cmd),
            user: image.config.user.clone(),
        },
        size: SizeDocument {
            compressed: account.sizes.compressed,
            layers: account.sizes.layers,
            files: account.sizes.files,
            live: account.sizes.live,
            wasted: account.sizes.wasted,
            duplicate: account.sizes.duplicate,
            unused: told.map(|facts| Bytes(facts.unused.bytes)),
        },
        efficiency: account.efficiency(),
        dive: DiveDocument {
            efficiency_score: account.dive.efficiency_score,
            wasted_bytes: Bytes(account.dive.wasted_bytes),
            user_wasted_percent: account.dive.user_wasted_percent,
        },
        base: account.base.as_ref().map(|base| BaseDocument {
            source: base.source.name().to_owned(),
            reference: base.reference.clone(),
            layers: base.layers,
            image_layers: base.image_layers,
        }),
        layers: account.layers.iter().enumerate().map(|(at, row)| layer(at, row)).collect(),
        waste: account.waste.iter().map(|row| waste_row(account, row, detail)).collect(),
        duplicates: account.duplicates.iter().map(|row| duplicate(account, row, detail)).collect(),
        unused,
        packages,
        findings: advice.map(|advice| advice::findings(account, advice, detail)),
        ignored: advice.map(|advice| advice::ignored(&advice.findings)),
        suggestions: advice.map(|advice| advice::suggestions(&advice.suggestions)),
        warnings: account.warnings.clone(),
    }
}

fn layer(index: usize, row: &LayerRow) -> LayerDocument {
    LayerDocument {
        index,
        diff_id: row.diff_id.clone(),
        digest: row.digest.clone(),
        media_type: row.media_type.clone(),
        compressed_size: row.compressed_size,
        size: row.size,
        entries: row.entries,
        files: row.files,
        live: row.live,
        wasted: row.wasted,
        hides: row.hides,
        created_by: row.instruction.as_ref().map(Instruction::created_by),
        base: row.base,
    }
}

fn duplicate(account: &Account, row: &Duplicate, detail: Detail) -> DuplicateDocument {
    let shown = if row.bytes >= detail.min_bytes { detail.top } else { 0 };
    DuplicateDocument {
        bytes: row.bytes,
        copies: row.payloads.len(),
        paths: row
            .payloads
            .iter()
            .take(shown)
            .filter_map(|at| account.nodes[*at as usize])
            .map(|node| path_text(&account.tree.path(node)))
            .collect(),
    }
}

fn waste_row(account: &Account, row: &waste::Waste, detail: Detail) -> WasteDocument {
    let top = row.payloads.iter().take(detail.top).map(|at| &account.payloads[*at as usize]);
    WasteDocument {
        cause: row.cause.name().to_owned(),
        bytes: row.bytes,
        paths: row.payloads.len(),
        added_by: layer_name(account, row.added_by),
        hidden_by: layer_name(account, row.hidden_by),
        top_paths: top
            .map(|payload| PathBytes {
                path: path_text(account.entry_path(payload)),
                bytes: Bytes(payload.size),
            })
            .filter(|row| row.bytes >= detail.min_bytes)
            .collect(),
    }
}
