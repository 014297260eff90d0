//! The outcome: one image on one platform, held to what was asked of it.

use crate::diff::Diff;
use crate::error::{Error, Result};
use crate::finding::Findings;
use crate::gate::asked::Asked;
use crate::gate::budget::Subject;
use crate::gate::dive_ci;
use crate::gate::files::{Side, fill};
use crate::gate::grown::{Grown, grown};
use crate::gate::judge::{Check, Limit, Present, Verdict, judge, worst};
use crate::gate::measure::{efficiency, missing};
use crate::gate::snapshot::Snapshot;

/// What an image is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// Nothing: nobody said with what.
    Nothing,
    /// A baseline that is not there, or does not know the image.
    Missing(String),
    /// An entry of a baseline file, by the file's name.
    Baseline(String),
    /// Another image, by where it is.
    Image(String),
}

/// The image that is compared with.
pub struct Before<'a> {
    /// Its snapshot.
    pub snapshot: Snapshot,
    /// The image itself, where it can be read, and the comparison with it.
    pub image: Option<(Side<'a>, &'a Diff<'a>)>,
}

/// The Dockerfile that an image is built by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuiltBy {
    /// The file, as it was named.
    pub file: String,
    /// By layer: the lines that made it, from 1.
    pub lines: Vec<Option<(usize, usize)>>,
}

/// An image as it was read for the gate.
pub struct Candidate<'a> {
    /// The image and its packages.
    pub side: Side<'a>,
    /// Its figures.
    pub snapshot: Snapshot,
    /// What rules found, where that is asked for.
    pub findings: Option<&'a Findings>,
    /// The Dockerfile that it is built by.
    pub built_by: Option<BuiltBy>,
    /// The command that notes its present state as the baseline.
    pub update: String,
}

/// One image on one platform, judged.
pub struct Gated {
    /// The state of the image.
    pub snapshot: Snapshot,
    /// What it was.
    pub old: Option<Snapshot>,
    /// With what it is compared.
    pub against: Against,
    /// Where it was read from.
    pub origin: String,
    /// What was asked, and how it stands to that: the gravest first.
    pub checks: Vec<Check>,
    /// The verdict on all of it.
    pub verdict: Verdict,
    /// Who grew, where there is something to compare with.
    pub grown: Option<Grown>,
    /// Why increases are accepted.
    pub accepted: Option<String>,
    /// What else has to be said.
    pub notes: Vec<String>,
    /// The Dockerfile that it is built by.
    pub built_by: Option<BuiltBy>,
    /// The command that notes its present state as the baseline.
    pub update: String,
}

impl Gated {
    /// Judges an image. `accepted` is why increases beyond their budgets are fine this time. Fails
    /// where a budget is on a figure that the source does not tell.
    pub fn of(
        candidate: Candidate<'_>,
        before: Option<Before<'_>>,
        against: Against,
        asked: &Asked,
        accepted: Option<&str>,
    ) -> Result<Self> {
        let Candidate { side, snapshot, findings, built_by, update } = candidate;
        let account = side.account;
        let old = before.as_ref().map(|before| &before.snapshot);
        let present =
            Present { snapshot: &snapshot, efficiency: efficiency(account), dive: &account.dive };
        let mut checks = judge(&present, old, &asked.budgets).map_err(|unknown| {
            let why = match unknown.budget.subject {
                Subject::Metric(metric) => format!(": {}", missing(metric, account)),
                _ => String::new(),
            };
            Error::Usage(format!("{unknown} ({}){why}", account.image.origin))
        })?;
        checks.extend(asked.denials.iter().map(|deny| deny.judge(account, findings)));
        if asked.require_baseline && old.is_none() {
            checks.push(required(&against));
        }
        let mut notes = dive_ci::notes(&checks, account);
        if accepted.is_some() {
            accept(&mut checks);
        }
        checks.sort_by_key(|check| {
            (
                std::cmp::Reverse(check.verdict),
                std::cmp::Reverse(check.over),
                check.name.clone(),
                check.limit,
            )
        });
        let is_missing = old.is_none() && against != Against::Nothing;
        let least = if is_missing { Verdict::NoBaseline } else { Verdict::Pass };
        let verdict = worst(&checks).max(least);
        let mut growth = old.map(|old| grown(old, &snapshot));
        if let Some(growth) = &mut growth {
            let image = before.as_ref().and_then(|before| {
                let (side, diff) = before.image?;
                Some((&before.snapshot, side, diff))
            });
            fill(growth, &snapshot, side, image);
        }
        if let Some(old) = old
            && old.base_layers != snapshot.base_layers
            && let (Some(was), Some(is)) = (old.base_layers, snapshot.base_layers)
        {
            notes.push(format!("the base has {is} layers, and had {was}"));
        }
        Ok(Self {
            old: before.map(|before| before.snapshot),
            origin: account.image.origin.to_string(),
            snapshot,
            against,
            checks,
            verdict,
            grown: growth,
            accepted: accepted.map(str::to_owned),
            notes,
            built_by,
            update,
        })
    }

    /// Whether there is nothing to read: all is within its budget, and nothing changed, or nothing by
    /// more than `threshold` bytes.
    pub fn is_quiet(&self, threshold: u64) -> bool {
        let is_small = |change: i64| change.unsigned_abs() <= threshold;
        self.verdict == Verdict::Pass
            && self.notes.is_empty()
            && self.grown.as_ref().is_none_or(|grown| {
                let totals = [grown.effective, grown.uncompressed, grown.compressed.unwrap_or(0)];
                grown.rows.is_empty() || (threshold > 0 && totals.into_iter().all(is_small))
            })
    }

    /// The checks that are not passed.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.verdict == Verdict::Fail)
    }

    /// The lines that made a layer.
    pub fn lines(&self, layer: Option<usize>) -> Option<(&str, usize, usize)> {
        let built_by = self.built_by.as_ref()?;
        let (first, last) = built_by.lines.get(layer?).copied().flatten()?;
        Some((&built_by.file, first, last))
    }
}

/// What fails for its growth alone is only worth a look where somebody accepted it.
fn accept(checks: &mut [Check]) {
    let is_growth = |limit| matches!(limit, Limit::MaxIncrease | Limit::MaxIncreasePercent);
    for check in checks.iter_mut().filter(|check| is_growth(check.limit)) {
        if check.verdict == Verdict::Fail {
            check.verdict = Verdict::Warn;
            check.message.push_str(", accepted");
        }
    }
}

fn required(against: &Against) -> Check {
    let why = match against {
        Against::Missing(place) => format!("{place} does not have this image"),
        _ => "none was given: --baseline FILE or --against IMAGE".to_owned(),
    };
    Check {
        allowed: "required".to_owned(),
        verdict: Verdict::Fail,
        message: format!("a baseline is required, and {why}"),
        ..Check::new("baseline".to_owned(), Limit::RequireBaseline, 0, "require-baseline")
    }
}
