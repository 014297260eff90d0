//! The report for people, in 80 columns.

use std::fmt::Write as _;

use jettison_oci::count::counted;
use jettison_oci::{Bytes, escape};

use super::model::time;
use super::{Report, Style, span};
use crate::execute::{Measured, Outcome, Stopped};
use crate::inventory::Pullable;
use crate::plan::{Reason, Row};
use crate::policy::AgeBy;
use crate::prune::Origin;
use crate::reclaim::Reclaimable;
use crate::reference::holder::Kind;

/// The whole report.
pub fn render(report: &Report<'_>, style: Style) -> Vec<u8> {
    let mut text = String::new();
    head(&mut text, report);
    first_run(&mut text, report);
    removals(&mut text, report, style);
    kept(&mut text, report, style);
    done(&mut text, report, style);
    text.into_bytes()
}

fn head(text: &mut String, report: &Report<'_>) {
    let (node, look) = (report.node, report.look);
    let runtime = &node.runtime;
    let _ = writeln!(text, "node     {}", escape::line(&node.name));
    let _ = writeln!(text, "runtime  {} at {}", runtime.name(), runtime.endpoint());
    let asked = node.outlook.name().unwrap_or_else(|| "nobody but the runtime".to_owned());
    let _ = writeln!(text, "asked    {}", escape::line(&asked));
    let _ = writeln!(text, "policy   {}", policy(report));
    let since = match look.origin {
        Origin::First | Origin::Restarted(_) => "begins with this look".to_owned(),
        Origin::Continued => {
            let counted = std::time::Duration::from_secs(look.history.last.counted);
            format!(
                "since {} ({} of it measured, {})",
                time(look.history.since),
                span(counted),
                counted_looks(look.history.last.number)
            )
        }
    };
    let _ = writeln!(text, "history  {since}");
    if let Some(capacity) = look.inventory.capacity {
        let (free, total) = (Bytes(capacity.free), Bytes(capacity.total));
        let _ =
            writeln!(text, "disk     {free} of {total} free, {} % used", capacity.used_percent());
    }
}

fn counted_looks(looks: u64) -> String {
    counted(usize::try_from(looks).unwrap_or(usize::MAX), "look")
}

fn policy(report: &Report<'_>) -> String {
    let policy = &report.node.policy;
    let what = match policy.age_by {
        AgeBy::Unused => "unused for",
        AgeBy::Pulled => "pulled before",
        AgeBy::Created => "built before",
    };
    let limit = span(policy.older_than);
    let min = span(policy.min_age);
    let mut text = format!("{what} {limit}, and on the node for {min}");
    if policy.keep_newest > 0 {
        let _ = write!(text, "; the newest {} of each stay", policy.keep_newest);
    }
    text
}

/// What those need to know who see this for the first time.
fn first_run(text: &mut String, report: &Report<'_>) {
    let look = report.look;
    if look.origin == Origin::Continued || report.node.policy.age_by != AgeBy::Unused {
        return;
    }
    let soonest = look
        .plan
        .kept()
        .filter(|row| row.reason == Reason::FirstLook)
        .filter_map(|row| row.waits)
        .min();
    let _ = writeln!(
        text,
        "\nThis is the first look: nobody knows yet since when anything is unused, so\n\
         nothing goes today. Look again (`jettison prune --observe`, from cron or\n\
         with --watch) as often as images come and go."
    );
    if let Some(soonest) = soonest {
        let _ = writeln!(
            text,
            "What nothing needs may go in {} at the earliest; `jettison explain IMAGE`\n\
             says when for each.",
            span(soonest)
        );
    }
    let _ = writeln!(
        text,
        "To prune today: --age-by pulled counts from when the runtime got an image.\n\
         It cannot know that something used it until a minute ago: what was pulled\n\
         long ago and is unused at this moment goes, also if a job needs it tonight."
    );
}

fn removals(text: &mut String, report: &Report<'_>, style: Style) {
    let plan = &report.look.plan;
    let count = plan.removals().count();
    let what = counted(count, "image");
    let title = match (count, report.executed) {
        (0, _) => format!("REMOVE nothing of {}", counted(plan.rows.len(), "image")),
        (_, Some(_)) => format!("REMOVE {what}, {} predicted", told(plan.predicted())),
        (_, None) => format!("REMOVE {what}, {} back", told(plan.predicted())),
    };
    let _ = writeln!(text, "\n{}", style.bold(&title));
    let mut outcomes = report.executed.map(|executed| executed.outcomes.iter());
    for row in plan.removals() {
        let age = row.age.map(span).unwrap_or_default();
        let _ = writeln!(
            text,
            "{:>11}  {:>8}  {}",
            told(row.reclaimable),
            age,
            escape::line(row.image.name())
        );
        for name in row.image.tags.iter().skip(1) {
            let _ = writeln!(text, "{:>23}{}", "", escape::line(name));
        }
        if let Some(outcome) = outcomes.as_mut().and_then(Iterator::next) {
            let line = match outcome.because() {
                Some(because) => format!("{}: {}", outcome.code(), escape::line(because)),
                None => outcome.code().to_owned(),
            };
            let line = match outcome {
                Outcome::Failed(_) => style.red(&line),
                _ => style.dim(&line),
            };
            let _ = writeln!(text, "{:>23}{line}", "");
        }
    }
}

fn kept(text: &mut String, report: &Report<'_>, style: Style) {
    let plan = &report.look.plan;
    let reasons = plan.kept_by_reason();
    let count: usize = reasons.values().sum();
    if count == 0 {
        return;
    }
    let title = format!("KEEP {}", counted(count, "image"));
    let _ = writeln!(text, "\n{}", style.bold(&title));
    for (reason, count) in reasons {
        let _ = writeln!(text, "  {} ({count})", heading(reason));
        let rows = plan.kept().filter(|row| row.reason == reason);
        let shown = style.top.unwrap_or(usize::MAX);
        for row in rows.take(shown) {
            let _ = writeln!(text, "    {}", escape::line(row.image.name()));
            if let Some(why) = why(row) {
                let _ = writeln!(text, "        {}", style.dim(&why));
            }
        }
        if count > shown {
            let _ = writeln!(text, "    and {} more", count - shown);
        }
    }
}

/// What is worth saying of one image that stays.
pub(super) fn why(row: &Row) -> Option<String> {
    if let Some(holder) = row.holders.first() {
        let more = match row.holders.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        return Some(format!("{}{more}", holder.sentence()));
    }
    if let (Reason::Unpullable, Pullable::No(because)) = (row.reason, &row.image.pullable) {
        return Some(escape::line(because));
    }
    let waits = row.waits?;
    let age = row.age.map(|age| format!("{} old, ", span(age))).unwrap_or_default();
    Some(format!("{age}may go in {}", span(waits)))
}

/// A reason as the heading of a list.
pub(super) fn heading(reason: Reason) -> &'static str {
    match reason {
        Reason::Held(kind) => held(kind),
        Reason::Old => "nothing needs it, and it is old enough",
        Reason::KeepNewest => "one of the newest of its repository",
        Reason::Unpullable => "it could not be pulled again (--allow-unpullable)",
        Reason::MinAge => "too short on the node (--min-age)",
        Reason::FirstLook => "first found unneeded by this look",
        Reason::UnknownAge => "of unknown age, which counts as young",
        Reason::Young => "younger than the limit",
        Reason::MaxImages => "the run is full (--max-images)",
        Reason::MaxBytes => "the run is full (--max-bytes)",
        Reason::EnoughFree => "enough is free (--until-free)",
    }
}

fn held(kind: Kind) -> &'static str {
    match kind {
        Kind::Container => "a container has it",
        Kind::Sandbox => "a pod's sandbox has it",
        Kind::SandboxImage => "the runtime makes sandboxes from it",
        Kind::Pinned => "the runtime says that it must stay",
        Kind::Pod => "a pod of this node names it",
        Kind::StaticPod => "a static pod names it",
        Kind::UnscheduledPod => "a pod that waits for a node names it",
        Kind::Template => "a workload names it",
        Kind::Child => "other images of the node are built on it",
        Kind::KeepRule => "a keep rule",
        Kind::KeepLabel => "its own label",
        Kind::BuiltIn => "a node cannot do without (built-in keep rules)",
        Kind::OddName => "a name that cannot be understood",
    }
}

pub(super) fn told(bytes: Reclaimable) -> String {
    match bytes {
        Reclaimable::Exact(bytes) => Bytes(bytes).to_string(),
        Reclaimable::AtMost(bytes) => format!("<= {}", Bytes(bytes)),
    }
}

fn done(text: &mut String, report: &Report<'_>, style: Style) {
    let Some(executed) = report.executed else { return };
    let tried = executed.outcomes.len();
    if tried == 0 {
        return;
    }
    let mut line = format!("removed {} of {tried}", executed.removed());
    match executed.measured {
        Some(Measured::Store(bytes)) => {
            let _ = write!(line, ": {} less in the store", Bytes(bytes));
        }
        Some(Measured::Disk(bytes)) => {
            let _ = write!(line, ": {} more free on the disk, which others use too", Bytes(bytes));
        }
        None => {}
    }
    let _ = writeln!(text, "\n{}", style.bold(&line));
    if let Some(Stopped::Asked(because) | Stopped::View(because)) = &executed.stopped {
        let _ = writeln!(text, "ended early: {}", escape::line(because));
    }
}
