//! What a watch says: one line an event, with names of fields that do not change.

use jettison_oci::{Bytes, escape};
use serde::Serialize;

use crate::error::Error;
use crate::execute::{Executed, Outcome, Stopped};
use crate::inventory::Capacity;
use crate::plan::{Plan, Row};
use crate::prune::{Look, Node};
use crate::reference::holder::Holder;
use crate::report::span;

/// How grave an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Of each look and each image that stays.
    Debug,
    /// What was done.
    Info,
    /// What is odd.
    Warning,
    /// What somebody should see to.
    Error,
}

/// One event. Fields that it does not have are left out.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event<'a> {
    /// How grave it is.
    pub level: Level,
    /// What it is: `connected`, `look`, `run`, `image`, `done`, `quiet`, `warning`, `refused`,
    /// `threshold-unmet`, `ended`.
    pub event: &'static str,
    /// It in words.
    pub message: String,
    /// The image's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The image's ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    /// `remove` or `keep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<&'static str>,
    /// Why: a code of the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What became of its removal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<&'static str>,
    /// Its age in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u64>,
    /// The bytes that its removal gives back, or that all did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The bytes that were measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<u64>,
    /// How many images it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<usize>,
    /// Who holds it.
    #[serde(skip_serializing_if = "<[Holder]>::is_empty")]
    pub references: &'a [Holder],
}

impl<'a> Event<'a> {
    fn new(level: Level, event: &'static str, message: String) -> Self {
        Self {
            level,
            event,
            message,
            image: None,
            id: None,
            verdict: None,
            reason: None,
            result: None,
            age: None,
            bytes: None,
            measured: None,
            images: None,
            references: &[],
        }
    }

    pub(super) fn connected(node: &Node) -> Self {
        let (name, endpoint) = (node.runtime.name(), node.runtime.endpoint());
        let asked = node.outlook.name().unwrap_or_else(|| "nobody else".to_owned());
        let message = format!("watching {name} at {endpoint} as {}; asked: {asked}", node.name);
        Self::new(Level::Info, "connected", escape::line(&message))
    }

    pub(super) fn looked(node: &Node, look: &Look) -> Self {
        let images = look.inventory.images.len();
        let message = format!("looked at {}: {images} images", escape::line(&node.name));
        Self { images: Some(images), ..Self::new(Level::Debug, "look", message) }
    }

    pub(super) fn warning(text: &str) -> Self {
        Self::new(Level::Warning, "warning", escape::line(text))
    }

    pub(super) fn refused(error: &Error) -> Self {
        let message = format!("nothing is removed: {error}");
        Self::new(Level::Error, "refused", escape::line(&message))
    }

    pub(super) fn quiet() -> Self {
        let message = "a run is due, and waits for the end of the quiet window";
        Self::new(Level::Info, "quiet", message.to_owned())
    }

    pub(super) fn begun(is_pressed: bool, plan: &Plan) -> Self {
        let why = if is_pressed { "the file system is too full" } else { "it is time" };
        let count = plan.removals().count();
        let bytes = plan.predicted().bytes();
        let message = format!("{why}: {count} images may go, {} back", Bytes(bytes));
        let event = Self::new(Level::Info, "run", message);
        Self { images: Some(count), bytes: Some(bytes), ..event }
    }

    fn image(level: Level, row: &'a Row, verdict: &'static str, message: String) -> Self {
        Self {
            image: Some(escape::line(row.image.name())),
            id: Some(row.image.id.as_str()),
            verdict: Some(verdict),
            reason: Some(row.reason.code()),
            age: row.age.map(|age| age.as_secs()),
            bytes: Some(row.reclaimable.bytes()),
            references: &row.holders,
            ..Self::new(level, "image", message)
        }
    }

    pub(super) fn kept(row: &'a Row) -> Self {
        let name = escape::line(row.image.name());
        let mut message = format!("keeps {name}: {}", row.reason.code());
        if let Some(holder) = row.holders.first() {
            message = format!("{message}, {}", holder.sentence());
        } else if let Some(waits) = row.waits {
            message = format!("{message}, may go in {}", span(waits));
        }
        Self::image(Level::Info, row, "keep", message)
    }

    pub(super) fn would_remove(row: &'a Row) -> Self {
        let name = escape::line(row.image.name());
        Self::image(
            Level::Info,
            row,
            "remove",
            format!("would remove {name}: {}", row.reason.code()),
        )
    }

    pub(super) fn outcome(row: &'a Row, outcome: &Outcome) -> Self {
        let name = escape::line(row.image.name());
        let because =
            outcome.because().map(|text| format!(", {}", escape::line(text))).unwrap_or_default();
        let message = format!("{name}: {}{because}", outcome.code());
        let level = match outcome {
            Outcome::Failed(_) => Level::Error,
            _ => Level::Info,
        };
        let event = Self::image(level, row, "remove", message);
        Self { result: Some(outcome.code()), ..event }
    }

    pub(super) fn done(executed: &Executed, predicted: u64) -> Self {
        let (removed, tried) = (executed.removed(), executed.outcomes.len());
        let measured = executed.measured.map(crate::execute::Measured::bytes);
        let mut message = format!("removed {removed} of {tried}");
        if let Some(Stopped::Asked(because) | Stopped::View(because)) = &executed.stopped {
            message = format!("{message}, ended early: {}", escape::line(because));
        }
        let level = if executed.has_failed() || executed.has_lost_sight() {
            Level::Error
        } else {
            Level::Info
        };
        let event = Self::new(level, "done", message);
        Self { images: Some(removed), bytes: Some(predicted), measured, ..event }
    }

    pub(super) fn unmet(capacity: Option<Capacity>) -> Self {
        let used = capacity.map(Capacity::used_percent).unwrap_or_default();
        let message = format!(
            "{used} % of the image file system are still used: nothing more may go. See to what \
             else fills it, or to --pressure-older-than and the keep rules"
        );
        Self::new(Level::Error, "threshold-unmet", message)
    }

    pub(super) fn ended() -> Self {
        Self::new(Level::Info, "ended", "asked to end: nothing is left half done".to_owned())
    }
}
