//! The document of a path's life.

use jettison_oci::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

use crate::account::Account;
use crate::report::model::{LayerName, SCHEMA_VERSION, Tool, layer_name, path_text};
use crate::why::Why;

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
    /// What stands there in the final filesystem; null if nothing.
    #[serde(rename = "final")]
    pub final_kind: Option<String>,
    /// Live bytes at and below the path.
    pub live: Bytes,
    /// Wasted bytes at and below the path.
    pub wasted: Bytes,
    /// What happened to it, bottom layer first.
    pub events: Vec<WhyEventDocument>,
}

/// One event in the life of a path.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhyEventDocument {
    /// The layer and its instruction.
    #[serde(flatten)]
    pub by: LayerName,
    /// What the layer did, in words.
    pub action: String,
    /// Entries of the layer at and below the path.
    pub entries: usize,
    /// Payload bytes the layer brought there.
    pub added: Bytes,
    /// Of those, wasted in the final image.
    pub wasted: Bytes,
    /// Payload bytes of lower layers that the layer hid there.
    pub hidden: Bytes,
}

/// The document of a path's history.
pub fn why(account: &Account, why: &Why) -> WhyDocument {
    WhyDocument {
        schema_version: SCHEMA_VERSION,
        tool: Tool::this(),
        image: account.image.origin.to_string(),
        path: path_text(&why.path),
        final_kind: why.final_kind.map(|kind| crate::why::kind_name(kind).to_owned()),
        live: Bytes(why.live),
        wasted: Bytes(why.wasted),
        events: why
            .events
            .iter()
            .map(|event| WhyEventDocument {
                by: layer_name(account, event.layer),
                action: event.action.words().to_owned(),
                entries: event.entries,
                added: Bytes(event.added),
                wasted: Bytes(event.wasted),
                hidden: Bytes(event.hidden),
            })
            .collect(),
    }
}
