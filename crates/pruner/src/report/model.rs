//! The report as JSON. Its shape is a contract: `schemas/prune.v1.json`.

use jettison_oci::escape;
use jiff::{Timestamp, TimestampRound, Unit};
use schemars::JsonSchema;
use serde::Serialize;

use crate::execute::{Measured, Stopped};
use crate::plan::{Reason, Row, Verdict};
use crate::prune::Origin;
use crate::reclaim::Reclaimable;
use crate::reference::holder::Holder;
use crate::report::Report;

/// The version of the shape.
pub const SCHEMA_VERSION: u32 = 1;

/// A look at a node, and what was done about it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "PruneDocument")]
pub struct Document {
    /// The version of this shape.
    pub schema_version: u32,
    /// The node's name.
    pub node: String,
    /// The runtime's kind: `docker`, `podman` or `cri`.
    pub runtime: String,
    /// Its address.
    pub endpoint: String,
    /// `plan` where nothing was removed, `executed` where it was tried.
    pub mode: Mode,
    /// Every image of the node: what goes in its order, then what stays by name.
    pub images: Vec<ImageDocument>,
    /// The bytes given back.
    pub reclaimed: Reclaimed,
    /// What is known of the time before.
    pub history: HistoryDocument,
    /// Why the run ended before its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// What was odd.
    pub warnings: Vec<String>,
}

/// Whether anything was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing was removed.
    Plan,
    /// It was tried.
    Executed,
}

/// One image.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageDocument {
    /// Its ID.
    pub id: String,
    /// Its names with a tag.
    pub tags: Vec<String>,
    /// Its names with a digest.
    pub digests: Vec<String>,
    /// The bytes that the runtime says it takes.
    pub size: u64,
    /// When it was first seen here.
    pub first_seen: Option<String>,
    /// When something was last seen that needs it.
    pub last_used: Option<String>,
    /// Its age by the policy, in seconds; null where it is unknown, or something needs it.
    pub age: Option<u64>,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// Who holds it, the strongest first.
    pub references: Vec<Holder>,
    /// Seconds until it may go if nothing changes; null where time alone will not do.
    pub waits: Option<u64>,
    /// The bytes that its removal gives back at its place in the order, or after all that go.
    pub reclaimable: u64,
    /// Whether that is exact, rather than a bound.
    pub exact: bool,
    /// What became of its removal: `removed`, `absent`, `skipped`, `failed`, `not-tried`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Why that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// Bytes given back.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reclaimed {
    /// What the plan says, or a bound of it.
    pub predicted: u64,
    /// Whether that is exact, rather than a bound.
    pub exact: bool,
    /// What was measured; null where nothing was removed, or it cannot be measured.
    pub measured: Option<u64>,
    /// How: `store` is what is no longer in the runtime's store, `disk` what the file system has
    /// more of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured_by: Option<String>,
}

/// What is known of the time before.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryDocument {
    /// When it begins.
    pub since: String,
    /// `first`, `continued` or `restarted`.
    pub state: String,
    /// How many looks there were, this one included.
    pub looks: u64,
    /// How many images were back within a day of their removal.
    pub regretted: u64,
}

/// A time, in whole seconds.
pub(super) fn time(time: Timestamp) -> String {
    let round = TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc);
    time.round(round).unwrap_or(time).to_string()
}

impl Document {
    /// The whole report.
    pub fn of(report: &Report<'_>) -> Self {
        let look = report.look;
        let mut outcomes = report.executed.map(|executed| executed.outcomes.iter());
        let images = look.plan.rows.iter().map(|row| {
            let mut image = ImageDocument::of(row);
            if row.verdict == Verdict::Remove
                && let Some(outcome) = outcomes.as_mut().and_then(Iterator::next)
            {
                image.result = Some(outcome.code().to_owned());
                image.because = outcome.because().map(escape::line);
            }
            image
        });
        let images = images.collect();
        let predicted = look.plan.predicted();
        let measured = report.executed.and_then(|executed| executed.measured);
        let stopped = report.executed.and_then(|executed| executed.stopped.as_ref());
        Self {
            schema_version: SCHEMA_VERSION,
            node: report.node.name.clone(),
            runtime: report.node.runtime.kind().name().to_owned(),
            endpoint: report.node.runtime.endpoint(),
            mode: if report.executed.is_some() { Mode::Executed } else { Mode::Plan },
            images,
            reclaimed: Reclaimed {
                predicted: predicted.bytes(),
                exact: matches!(predicted, Reclaimable::Exact(_)),
                measured: measured.map(Measured::bytes),
                measured_by: measured.map(|measured| match measured {
                    Measured::Store(_) => "store".to_owned(),
                    Measured::Disk(_) => "disk".to_owned(),
                }),
            },
            history: HistoryDocument {
                since: time(look.history.since),
                state: match look.origin {
                    Origin::First => "first",
                    Origin::Continued => "continued",
                    Origin::Restarted(_) => "restarted",
                }
                .to_owned(),
                looks: look.history.last.number,
                regretted: look.history.regretted,
            },
            stopped: stopped.map(|stopped| match stopped {
                Stopped::Asked(because) | Stopped::View(because) => escape::line(because),
            }),
            warnings: look.warnings.iter().map(|warning| escape::line(warning)).collect(),
        }
    }

    /// The bytes of the document.
    pub fn render(&self) -> Vec<u8> {
        json(self)
    }
}

/// A value as JSON for files and pipes.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    // Nothing in documents can fail to be serialized: maps have texts for keys.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

impl ImageDocument {
    /// One row.
    pub fn of(row: &Row) -> Self {
        let image = &row.image;
        let names = |names: &[String]| names.iter().map(|name| escape::line(name)).collect();
        Self {
            id: image.id.as_str().to_owned(),
            tags: names(&image.tags),
            digests: names(&image.digests),
            size: image.size,
            first_seen: row.first_seen.map(time),
            last_used: row.last_referenced.map(time),
            age: row.age.map(|age| age.as_secs()),
            verdict: row.verdict,
            reason: row.reason,
            references: row.holders.clone(),
            waits: row.waits.map(|waits| waits.as_secs()),
            reclaimable: row.reclaimable.bytes(),
            exact: matches!(row.reclaimable, Reclaimable::Exact(_)),
            result: None,
            because: None,
        }
    }
}

/// The schema of [`Document`].
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}
