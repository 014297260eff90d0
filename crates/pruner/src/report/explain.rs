//! `jettison explain`: why one image stays or goes, and when it would go.

use std::fmt::Write as _;

use jettison_oci::{Bytes, escape};
use schemars::JsonSchema;
use serde::Serialize;

use super::model::{ImageDocument, SCHEMA_VERSION, json, time};
use super::text::{heading, told};
use super::{Report, Style, span};
use crate::inventory::Pullable;
use crate::plan::{Reason, Row, Verdict};
use crate::reference::holder::Kind;

/// One image as JSON: `schemas/explain.v1.json`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "ExplainDocument")]
pub struct Document {
    /// The version of this shape.
    pub schema_version: u32,
    /// The node's name.
    pub node: String,
    /// The image.
    pub image: ImageDocument,
    /// Seconds of age from which on it may go.
    pub limit: u64,
    /// Why it could not be pulled again; null where it could.
    pub unpullable: Option<String>,
}

/// The schema of [`Document`].
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}

/// One row as JSON.
pub fn render_json(report: &Report<'_>, row: &Row) -> Vec<u8> {
    json(&Document {
        schema_version: SCHEMA_VERSION,
        node: report.node.name.clone(),
        image: ImageDocument::of(row),
        limit: row.limit.as_secs(),
        unpullable: match &row.image.pullable {
            Pullable::Yes => None,
            Pullable::No(because) => Some(escape::line(because)),
        },
    })
}

/// One row for people.
pub fn render(report: &Report<'_>, row: &Row, style: Style) -> Vec<u8> {
    let mut text = String::new();
    let image = &row.image;
    let _ = writeln!(text, "{}", style.bold(&escape::line(image.name())));
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "{label:<12} {value}");
    };
    let verdict = match row.verdict {
        Verdict::Remove => format!("goes: {}", heading(row.reason)),
        Verdict::Keep => format!("stays: {}", heading(row.reason)),
    };
    line("verdict", &format!("{verdict} [{}]", row.reason.code()));
    for (at, holder) in row.holders.iter().enumerate() {
        line(if at == 0 { "held by" } else { "" }, &holder.sentence());
    }
    line("ID", image.id.as_str());
    for (at, name) in image.names().enumerate() {
        line(if at == 0 { "names" } else { "" }, &escape::line(name));
    }
    line("size", &format!("{} by the runtime's word", Bytes(image.size)));
    line("gives back", &told(row.reclaimable));
    let unknown = || "unknown".to_owned();
    line("built", &image.created.map_or_else(unknown, time));
    line("pulled", &image.pulled.map_or_else(unknown, time));
    line("first seen", &row.first_seen.map_or_else(unknown, time));
    line("last needed", &row.last_referenced.map_or_else(|| "never seen so".to_owned(), time));
    let by = report.node.policy.age_by.name();
    let age = row.age.map_or_else(unknown, span);
    if row.holders.is_empty() {
        line("age", &format!("{age} by {by}; the limit is {}", span(row.limit)));
    }
    let patience = report.look.history.patience(image);
    if patience > 1 {
        line("", &format!("the limit is {patience}x: it was needed again after a removal"));
    }
    if let Pullable::No(because) = &image.pullable {
        line("pull again", &format!("not possible: {}", escape::line(because)));
    }
    line("would go", &when(row));
    text.into_bytes()
}

fn when(row: &Row) -> String {
    match (row.reason, row.waits) {
        (Reason::Old, _) => "in the next run".to_owned(),
        (_, Some(waits)) => format!("in {}, if nothing needs it until then", span(waits)),
        (Reason::MaxImages | Reason::MaxBytes, _) => "in a later run".to_owned(),
        (Reason::EnoughFree, _) => "when the disk fills".to_owned(),
        (Reason::UnknownAge, _) => "never by this age: try another --age-by".to_owned(),
        (Reason::Unpullable, _) => "never, but with --allow-unpullable".to_owned(),
        (Reason::KeepNewest, _) => "once newer ones of its repository are here".to_owned(),
        (Reason::Held(Kind::KeepRule | Kind::KeepLabel | Kind::BuiltIn | Kind::OddName), _) => {
            "never, while that holds".to_owned()
        }
        (Reason::Held(Kind::Child), _) => "in the run after those are gone".to_owned(),
        _ => format!("{} after nothing needs it any more", span(row.limit)),
    }
}
