//! Holds an image to its budgets. Exact integers are compared, and what equals a limit is within
//! it.

use std::fmt;

use jettison_oci::change::percent;

use crate::account::DiveFigures;
use crate::gate::budget::{Budget, DiveFigure, Limits, Percent, Subject};
use crate::gate::measure::Measure;
use crate::gate::snapshot::Snapshot;

/// How something stands to what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// There is nothing to compare with.
    NoBaseline,
    /// Worth a look; nothing fails.
    Warn,
    /// Over its budget.
    Fail,
}

impl Verdict {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NoBaseline => "no-baseline",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// Which limit of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// `max`
    Max,
    /// `min`
    Min,
    /// `warn`
    Warn,
    /// `max-increase`
    MaxIncrease,
    /// `max-increase-percent`
    MaxIncreasePercent,
    /// `[[gate.deny]]`
    Deny,
    /// `require-baseline`
    RequireBaseline,
}

impl Limit {
    /// Its key in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::Min => "min",
            Self::Warn => "warn",
            Self::MaxIncrease => "max-increase",
            Self::MaxIncreasePercent => "max-increase-percent",
            Self::Deny => "deny",
            Self::RequireBaseline => "require-baseline",
        }
    }
}

/// One limit, and how an image stands to it.
#[derive(Clone, Debug)]
pub struct Check {
    /// What it is about; `None` where something is denied or missing.
    pub subject: Option<Subject>,
    /// The same in words: `own-effective`, `rule secrets`.
    pub name: String,
    /// Which limit.
    pub limit: Limit,
    /// What is allowed, for people: `<= 300.0 MiB`, `+10.0 MiB`, `none`.
    pub allowed: String,
    /// What it was.
    pub base: Option<u64>,
    /// What it is.
    pub value: u64,
    /// How it stands.
    pub verdict: Verdict,
    /// By how much it is over the limit; 0 where it is not.
    pub over: u64,
    /// How much more would still be within the limit.
    pub headroom: Option<u64>,
    /// What is so, in one line without a full stop.
    pub message: String,
    /// Where the limit is written.
    pub place: String,
    /// What to write there instead for it to pass: `max = "222 MiB"`.
    pub instead: Option<String>,
    /// Paths that it is about, with a slash in front, the largest first; of denials only.
    pub paths: Vec<String>,
    /// The layer that it is about; of denials only.
    pub layer: Option<usize>,
}

impl Check {
    /// One that is passed, and says nothing yet.
    pub(super) fn new(name: String, limit: Limit, value: u64, place: &str) -> Self {
        Self {
            subject: None,
            name,
            limit,
            allowed: String::new(),
            base: None,
            value,
            verdict: Verdict::Pass,
            over: 0,
            headroom: None,
            message: String::new(),
            place: place.to_owned(),
            instead: None,
            paths: Vec::new(),
            layer: None,
        }
    }

    /// What to change in settings for it to pass, without a full stop.
    pub fn change(&self) -> String {
        match &self.instead {
            Some(instead) => format!("write {instead} at {}", self.place),
            None => format!("change {}", self.place),
        }
    }
}

/// What an image is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// Its figures.
    pub snapshot: &'a Snapshot,
    /// Live bytes over all bytes, in millionths, cut.
    pub efficiency: u64,
    /// dive's figures.
    pub dive: &'a DiveFigures,
}

/// Why a budget cannot be judged.
#[derive(Clone, Copy, Debug)]
pub struct Unknown<'a> {
    /// The budget, whose figure is not known.
    pub budget: &'a Budget,
}

impl fmt::Display for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Budget { place, subject, .. } = self.budget;
        write!(f, "{place}: {} is not known of this image", subject.name())
    }
}

/// Judges an image by the budgets that are meant for it, against what it was.
pub fn judge<'a>(
    present: &Present<'_>,
    old: Option<&Snapshot>,
    budgets: impl IntoIterator<Item = &'a Budget>,
) -> Result<Vec<Check>, Unknown<'a>> {
    let mut checks = Vec::new();
    for budget in budgets {
        let value = present.value(&budget.subject).ok_or(Unknown { budget })?;
        let base = old.and_then(|old| of_snapshot(old, &budget.subject));
        checks.extend(limits(budget, base, value));
    }
    Ok(checks)
}

impl Present<'_> {
    fn value(&self, subject: &Subject) -> Option<u64> {
        match subject {
            Subject::Efficiency => Some(self.efficiency),
            Subject::Dive(DiveFigure::Efficiency) => Some(millionths(self.dive.efficiency_score)),
            Subject::Dive(DiveFigure::WastedBytes) => Some(self.dive.wasted_bytes),
            // Where only the first layer has bytes, dive divides by nothing: nothing by nothing
            // exceeds no limit, anything else exceeds each.
            Subject::Dive(DiveFigure::UserWastedPercent) => {
                Some(match (self.dive.user_wasted_percent, self.dive.wasted_bytes) {
                    (Some(share), _) => millionths(share),
                    (None, 0) => 0,
                    (None, _) => u64::MAX,
                })
            }
            other => of_snapshot(self.snapshot, other),
        }
    }
}

/// A share in millionths. dive's floats are of integers far below 2^53.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to some hundreds")]
fn millionths(share: f64) -> u64 {
    (share * 1e6).floor().max(0.0) as u64
}

fn of_snapshot(snapshot: &Snapshot, subject: &Subject) -> Option<u64> {
    match subject {
        Subject::Metric(metric) => snapshot.metrics.get(metric).copied(),
        Subject::LayerSize => {
            let from = snapshot.base_layers.unwrap_or(0);
            let layers = snapshot.layers.iter().skip(from);
            Some(layers.map(|layer| layer.uncompressed).max().unwrap_or(0))
        }
        Subject::Directory(path) => snapshot.directories.get(&format!("/{path}")).copied(),
        Subject::Package(pattern) => Some(snapshot.package_bytes(|name| pattern.fits(name))),
        Subject::Efficiency | Subject::Dive(_) => None,
    }
}

fn limits(budget: &Budget, base: Option<u64>, value: u64) -> Vec<Check> {
    let Limits { max, min, warn, max_increase, max_increase_percent, .. } = budget.limits;
    let all = [
        max.map(|limit| upper(budget, Limit::Max, limit, base, value)),
        min.map(|limit| lower(budget, limit, base, value)),
        warn.map(|limit| upper(budget, Limit::Warn, limit, base, value)),
        max_increase.map(|limit| increase(budget, limit, base, value)),
        max_increase_percent.map(|limit| increase_percent(budget, limit, base, value)),
    ];
    all.into_iter().flatten().collect()
}

/// A value and a limit as people read them: exact where both would look the same.
fn shown(subject: &Subject, value: u64, limit: u64) -> (String, String) {
    let rounded = (subject.shown(value), subject.shown(limit));
    if rounded.0 == rounded.1 && value != limit {
        return (subject.exact(value), subject.exact(limit));
    }
    rounded
}

fn check(budget: &Budget, limit: Limit, base: Option<u64>, value: u64) -> Check {
    Check {
        subject: Some(budget.subject.clone()),
        base,
        ..Check::new(budget.subject.name(), limit, value, &budget.place)
    }
}

fn upper(budget: &Budget, limit: Limit, max: u64, base: Option<u64>, value: u64) -> Check {
    let subject = &budget.subject;
    let over = value.saturating_sub(max);
    let (value_text, max_text) = shown(subject, value, max);
    let what = if limit == Limit::Warn { "mark of" } else { "maximum of" };
    let name = subject.name();
    let message = if over == 0 {
        format!(
            "{name} is {value_text}, {} below its {what} {max_text}",
            subject.shown(max - value)
        )
    } else {
        format!("{name} is {value_text}, {} over its {what} {max_text}", subject.shown(over))
    };
    let failed = if limit == Limit::Warn { Verdict::Warn } else { Verdict::Fail };
    Check {
        allowed: format!("<= {max_text}"),
        verdict: if over == 0 { Verdict::Pass } else { failed },
        over,
        headroom: max.checked_sub(value),
        message,
        instead: (over > 0).then(|| format!("{} = {}", limit.name(), enough(subject, value))),
        ..check(budget, limit, base, value)
    }
}

fn lower(budget: &Budget, min: u64, base: Option<u64>, value: u64) -> Check {
    let subject = &budget.subject;
    let (value_text, min_text) = shown(subject, value, min);
    let (name, over) = (subject.name(), min.saturating_sub(value));
    let relation = if over == 0 { "not below" } else { "below" };
    Check {
        allowed: format!(">= {min_text}"),
        verdict: if over == 0 { Verdict::Pass } else { Verdict::Fail },
        over,
        headroom: value.checked_sub(min),
        message: format!("{name} is {value_text}, {relation} its minimum of {min_text}"),
        ..check(budget, Limit::Min, base, value)
    }
}

/// The check where there is nothing to compare with.
fn no_baseline(budget: &Budget, limit: Limit, allowed: String, value: u64) -> Check {
    Check {
        allowed,
        verdict: Verdict::NoBaseline,
        message: format!(
            "{} is {}; there is no baseline to tell whether it grew",
            budget.subject.name(),
            budget.subject.shown(value)
        ),
        ..check(budget, limit, None, value)
    }
}

fn tolerance(budget: &Budget) -> u64 {
    budget.limits.tolerance.unwrap_or(match budget.subject {
        Subject::Metric(metric) => metric.measure.tolerance(),
        _ => 0,
    })
}

fn increase(budget: &Budget, max: u64, base: Option<u64>, value: u64) -> Check {
    let subject = &budget.subject;
    let (limit, allowed) = (Limit::MaxIncrease, format!("+{}", subject.shown(max)));
    let Some(was) = base else { return no_baseline(budget, limit, allowed, value) };
    let grown = value.saturating_sub(was);
    let allowed_bytes = max.max(tolerance(budget));
    let over = grown.saturating_sub(allowed_bytes);
    let (grown_text, max_text) = shown(subject, grown, allowed_bytes);
    let (from, to) = shown(subject, was, value);
    let name = subject.name();
    let message = if over > 0 {
        format!(
            "{name} grew by {grown_text} ({from} -> {to}), {} more than the {max_text} allowed",
            subject.shown(over)
        )
    } else {
        format!("{name} {}, within the {max_text} allowed", moved(subject, was, value))
    };
    Check {
        allowed: format!("+{max_text}"),
        verdict: if over > 0 { Verdict::Fail } else { Verdict::Pass },
        over,
        headroom: Some(allowed_bytes.saturating_sub(grown)),
        message,
        instead: (over > 0).then(|| format!("{} = {}", limit.name(), enough(subject, grown))),
        ..check(budget, limit, base, value)
    }
}

fn increase_percent(budget: &Budget, max: Percent, base: Option<u64>, value: u64) -> Check {
    let subject = &budget.subject;
    let floor = budget.limits.percent_floor.max(tolerance(budget));
    let above = if floor > 0 { format!(" above {}", subject.shown(floor)) } else { String::new() };
    let (limit, allowed) = (Limit::MaxIncreasePercent, format!("+{max}{above}"));
    let Some(was) = base else { return no_baseline(budget, limit, allowed, value) };
    let grown = value.saturating_sub(was);
    // Of nothing everything is more: only the floor counts then.
    let is_over = u128::from(grown) * 100_000 > u128::from(max.0) * u128::from(was);
    let allowed_bytes =
        u64::try_from(u128::from(was) * u128::from(max.0) / 100_000).unwrap_or(u64::MAX).max(floor);
    let over = if is_over { grown.saturating_sub(allowed_bytes) } else { 0 };
    let name = subject.name();
    let (from, to) = shown(subject, was, value);
    let message = if over > 0 {
        format!(
            "{name} grew by {} ({from} -> {to}, {}), more than the {max}{above} allowed",
            subject.shown(grown),
            percent(was, value).unwrap_or_default()
        )
    } else {
        format!("{name} {}, within the {max}{above} allowed", moved(subject, was, value))
    };
    Check {
        allowed,
        verdict: if over > 0 { Verdict::Fail } else { Verdict::Pass },
        over,
        headroom: Some(allowed_bytes.saturating_sub(grown)),
        message,
        ..check(budget, limit, base, value)
    }
}

fn moved(subject: &Subject, was: u64, value: u64) -> String {
    match value.cmp(&was) {
        std::cmp::Ordering::Equal => format!("is {}, as before", subject.shown(value)),
        std::cmp::Ordering::Greater => {
            let (from, to) = shown(subject, was, value);
            format!("grew by {} ({from} -> {to})", subject.shown(value - was))
        }
        std::cmp::Ordering::Less => {
            let (from, to) = shown(subject, was, value);
            format!("shrank by {} ({from} -> {to})", subject.shown(was - value))
        }
    }
}

/// The next round value that is enough, as settings have it.
pub fn enough(subject: &Subject, value: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")];
    if matches!(subject, Subject::Metric(metric) if metric.measure == Measure::Layers) {
        return value.to_string();
    }
    // A tenth more than it takes is round enough.
    let unit = UNITS.iter().find(|(unit, _)| value >= unit * 10).unwrap_or(&UNITS[2]);
    format!("\"{} {}\"", value.div_ceil(unit.0), unit.1)
}

/// The verdict on the whole: the worst of all.
pub fn worst<'a>(checks: impl IntoIterator<Item = &'a Check>) -> Verdict {
    checks.into_iter().map(|check| check.verdict).max().unwrap_or(Verdict::Pass)
}

#[cfg(test)]
mod tests;
