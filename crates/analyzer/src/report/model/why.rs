//! The document of a path's life.

use jettison_oci::{Bytes, escape};
use schemars::JsonSchema;
use serde::Serialize;

use crate::account::Account;
use crate::report::Detail;
use crate::report::model::unused::ChainLink;
use crate::report::model::{
    LayerName, OwnerDocument, PathBytes, SCHEMA_VERSION, Tool, Use, layer_name, path_text,
};
use crate::why::{Event, Why};

/// What `jettison why --format json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhyDocument {
    /// 1.
    pub schema_version: u32,
    /// The program.
    pub tool: Tool,
    /// The image, with its transport.
    pub image: String,
    /// The path.
    pub path: String,
    /// `live`: the final filesystem has the path, or another path of it leads to the content that
    /// it had; `wasted`: a layer has it and no path leads to its content; `absent`: no layer has
    /// it.
    pub state: String,
    /// What stands there in the final filesystem; null if nothing.
    #[serde(rename = "final")]
    pub final_kind: Option<String>,
    /// The symlink on the way to the path, which makes it another path's name; null if none.
    pub through: Option<ThroughDocument>,
    /// Position of the layer that the content is from; of a path that is gone, of the last layer
    /// that had it; null if none had.
    pub layer: Option<usize>,
    /// That layer's instruction, as a Dockerfile has it.
    pub instruction: Option<String>,
    /// Content bytes of the file that stands there, or stood there last; of anything else, of all
    /// that is below: live, or wasted if it is gone.
    pub bytes: Bytes,
    /// Bytes that the path, and what is below it, leads to in the final filesystem.
    pub live: Bytes,
    /// Bytes that it led to and that are wasted: the sum of what the events hide.
    pub wasted: Bytes,
    /// Live bytes that it led to once and that only paths elsewhere lead to now.
    pub kept: Bytes,
    /// The largest of those, by one of the paths that keep them. At most `--top`, none under
    /// `--min-bytes`.
    pub kept_by: Vec<PathBytes>,
    /// All other names of the file that stands there.
    pub hard_links: Vec<String>,
    /// How what the image runs leads to it: `executed`, `opened`, `needed`, `named`,
    /// `package-mate`, `convention` or `none`. Null where that was not asked for or nothing stands
    /// there in the final filesystem, and so are the four that follow.
    pub evidence: Option<String>,
    /// How sure it is that nothing uses it, `high`, `medium` or `low`; null where something leads
    /// to it.
    pub confidence: Option<String>,
    /// From the file back to what starts the chain; empty where nothing leads to it.
    pub chain: Option<Vec<ChainLink>>,
    /// The package that brought it; null where none did.
    pub owner: Option<String>,
    /// More of that package.
    pub package: Option<OwnerDocument>,
    /// What it would take to drop it, in a sentence.
    pub to_drop: Option<String>,
    /// What happened to it, bottom layer first.
    pub events: Vec<WhyEventDocument>,
    /// The largest that is below it. At most `--top`, none under `--min-bytes`.
    pub below: Vec<BelowDocument>,
}

/// A symlink on the way to a path.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThroughDocument {
    /// The symlink.
    pub link: String,
    /// Its target, as written.
    pub target: String,
    /// The path that the one asked for is a name of; null where links lead in a circle.
    pub leads_to: Option<String>,
}

/// One event in the life of a path.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhyEventDocument {
    /// The layer and its instruction.
    #[serde(flatten)]
    pub by: LayerName,
    /// What the layer did: `adds`, `rewrites`, `removes`, `removes-above`, `removes-below`,
    /// `empties`, `replaces-above`, or `unlinks` where it took the last of the other names that
    /// kept the content alive.
    pub action: String,
    /// Entries of the layer at and below the path.
    pub entries: usize,
    /// The path whose content the layer's hard link took over; null if it is none.
    pub hard_link_to: Option<String>,
    /// Payload bytes the layer brought there.
    pub added: Bytes,
    /// Of those, wasted in the final image.
    pub wasted: Bytes,
    /// Payload bytes that the layer hid there.
    pub hidden: Bytes,
    /// Those bytes by cause.
    pub causes: Vec<CauseBytes>,
}

/// Hidden bytes of one cause.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CauseBytes {
    /// `overwritten`, `metadata-only`, `removed`, `opaque`, `replaced` or `repeated`.
    pub cause: String,
    /// Their bytes.
    pub bytes: Bytes,
}

/// One part of what is below a path.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BelowDocument {
    /// The innermost path that all bytes of the part are at or below.
    pub path: String,
    /// Live bytes.
    pub live: Bytes,
    /// Wasted bytes.
    pub wasted: Bytes,
}

/// The document of a path's life; lists of paths are cut by `detail`.
pub fn why(account: &Account, why: &Why, use_of: Option<&Use>, detail: Detail) -> WhyDocument {
    let is_shown = |bytes: u64| bytes >= detail.min_bytes.get();
    WhyDocument {
        schema_version: SCHEMA_VERSION,
        tool: Tool::this(),
        image: account.image.origin.to_string(),
        path: path_text(&why.path),
        state: why.state.name().to_owned(),
        final_kind: why.final_kind.map(|kind| crate::why::kind_name(kind).to_owned()),
        through: why.through.as_ref().map(|through| ThroughDocument {
            link: path_text(&through.link),
            target: escape::path(&through.target),
            leads_to: through.leads_to.as_deref().map(path_text),
        }),
        layer: why.layer,
        instruction: why.layer.and_then(|at| layer_name(account, at).instruction),
        bytes: Bytes(why.bytes),
        live: Bytes(why.live),
        wasted: Bytes(why.wasted),
        kept: Bytes(why.kept.iter().map(|(_, bytes)| bytes).sum()),
        kept_by: why
            .kept
            .iter()
            .filter(|(_, bytes)| is_shown(*bytes))
            .take(detail.top)
            .map(|(path, bytes)| PathBytes { path: path_text(path), bytes: Bytes(*bytes) })
            .collect(),
        hard_links: why.hard_links.iter().map(|path| path_text(path)).collect(),
        evidence: use_of.map(|of| of.evidence.clone()),
        confidence: use_of.and_then(|of| of.confidence.clone()),
        chain: use_of.map(|of| of.chain.clone()),
        owner: use_of.and_then(|of| of.owner.as_ref()).map(|owner| owner.name.clone()),
        package: use_of.and_then(|of| of.owner.clone()),
        to_drop: use_of.map(|of| of.to_drop.clone()),
        events: why.events.iter().map(|event| event_row(account, event)).collect(),
        below: why
            .below
            .iter()
            .filter(|part| is_shown(part.bytes()))
            .take(detail.top)
            .map(|part| BelowDocument {
                path: path_text(&part.path),
                live: Bytes(part.live),
                wasted: Bytes(part.wasted),
            })
            .collect(),
    }
}

fn event_row(account: &Account, event: &Event) -> WhyEventDocument {
    WhyEventDocument {
        by: layer_name(account, event.layer),
        action: event.action.name().to_owned(),
        entries: event.entries,
        hard_link_to: event.link.as_deref().map(path_text),
        added: Bytes(event.added),
        wasted: Bytes(event.wasted),
        hidden: Bytes(event.hidden()),
        causes: event
            .hides
            .iter()
            .map(|(cause, bytes)| CauseBytes {
                cause: cause.name().to_owned(),
                bytes: Bytes(*bytes),
            })
            .collect(),
    }
}
