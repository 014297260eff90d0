//! `.dive-ci`, the rules of dive's gate, read as they are.
//!
//! dive reads `rules:` with the keys `lowestEfficiency`, `highestWastedBytes` and
//! `highestUserWastedPercent`; its newer names of them (`lowest-efficiency`, …) count only in its
//! application's configuration. Both are read here. What is not given is dive's default: 0.9,
//! disabled, 0.1.

use serde::Deserialize;

use crate::account::Account;
use crate::gate::budget::{Budget, DiveFigure, Limits, Selection, Subject};
use crate::gate::judge::{Check, Verdict};
use crate::gate::measure;

/// A file, read.
#[derive(Clone, Debug)]
pub struct DiveRules {
    /// Its rules as budgets.
    pub budgets: Vec<Budget>,
    /// What dive would have made of it otherwise.
    pub notes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    rules: Option<Rules>,
}

/// Values as they are written: dive takes numbers and words for texts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rules {
    #[serde(rename = "lowestEfficiency")]
    lowest_efficiency: Option<Scalar>,
    #[serde(rename = "highestWastedBytes")]
    highest_wasted_bytes: Option<Scalar>,
    #[serde(rename = "highestUserWastedPercent")]
    highest_user_wasted_percent: Option<Scalar>,
    #[serde(rename = "lowest-efficiency")]
    new_lowest_efficiency: Option<Scalar>,
    #[serde(rename = "highest-wasted-bytes")]
    new_highest_wasted_bytes: Option<Scalar>,
    #[serde(rename = "highest-user-wasted-percent")]
    new_highest_user_wasted_percent: Option<Scalar>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Bool(bool),
    Integer(u64),
    Float(f64),
    Text(String),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Reads a file's text; `name` is the file's. The error says what is wrong with it.
pub fn parse(name: &str, text: &str) -> Result<DiveRules, String> {
    let file: Option<File> = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let rules = file.and_then(|file| file.rules).unwrap_or_default();
    let mut notes = Vec::new();
    let mut budgets = Vec::new();
    let rows = [
        (
            DiveFigure::Efficiency,
            ["lowestEfficiency", "lowest-efficiency"],
            [rules.lowest_efficiency, rules.new_lowest_efficiency],
            "0.9",
        ),
        (
            DiveFigure::WastedBytes,
            ["highestWastedBytes", "highest-wasted-bytes"],
            [rules.highest_wasted_bytes, rules.new_highest_wasted_bytes],
            "disabled",
        ),
        (
            DiveFigure::UserWastedPercent,
            ["highestUserWastedPercent", "highest-user-wasted-percent"],
            [rules.highest_user_wasted_percent, rules.new_highest_user_wasted_percent],
            "0.1",
        ),
    ];
    for (figure, [old, new], [old_value, new_value], default) in rows {
        if old_value.is_none() && new_value.is_some() {
            notes.push(format!("{new} is read; dive itself takes only {old} from a .dive-ci"));
        }
        let (key, value) = match (old_value, new_value) {
            (Some(value), _) => (old, value.text()),
            (None, Some(value)) => (new, value.text()),
            (None, None) => (old, default.to_owned()),
        };
        let failed = |error: String| format!("rules.{key}: {error}");
        let limits = match figure {
            _ if is_disabled(&value) => continue,
            DiveFigure::Efficiency => {
                Limits { min: Some(share(&value).map_err(failed)?), ..Limits::default() }
            }
            DiveFigure::WastedBytes => {
                Limits { max: Some(bytes(&value).map_err(failed)?), ..Limits::default() }
            }
            DiveFigure::UserWastedPercent => {
                Limits { max: Some(share(&value).map_err(failed)?), ..Limits::default() }
            }
        };
        budgets.push(Budget {
            of: Selection::default(),
            subject: Subject::Dive(figure),
            limits,
            place: format!("{name}: {key}"),
        });
    }
    Ok(DiveRules { budgets, notes })
}

fn is_disabled(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    ["", "disabled", "off", "false"].contains(&value.as_str())
}

/// A share of one in millionths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to a million")]
fn share(value: &str) -> Result<u64, String> {
    let number: f64 =
        value.trim().parse().map_err(|_| format!("{value:?} is no number from 0 to 1"))?;
    if !(0.0..=1.0).contains(&number) {
        return Err(format!("{value} is not between 0 and 1"));
    }
    Ok((number * 1e6).round() as u64)
}

/// Bytes as go-humanize, which dive uses, reads them: single letters are SI, commas are left out.
fn bytes(value: &str) -> Result<u64, String> {
    let mut text: String = value.trim().replace(',', "");
    if text.ends_with(|c: char| "kmgtpeKMGTPE".contains(c)) {
        text.push('B');
    }
    text.parse::<jettison_oci::Bytes>()
        .map(jettison_oci::Bytes::get)
        .map_err(|error| error.to_string())
}

/// What dive's figures do not see, where that would have made another verdict.
pub fn notes(checks: &[Check], account: &Account) -> Vec<String> {
    let mut notes = Vec::new();
    let sizes = &account.sizes;
    for check in checks {
        let Some(Subject::Dive(figure)) = check.subject else { continue };
        let own = match figure {
            DiveFigure::Efficiency => measure::share(sizes.live.get(), sizes.files.get()),
            DiveFigure::WastedBytes => sizes.wasted.get(),
            DiveFigure::UserWastedPercent => {
                let user: u64 = account.layers.iter().skip(1).map(|row| row.files.get()).sum();
                if user == 0 { 0 } else { measure::share(sizes.wasted.get(), user) }
            }
        };
        let Some(subject) = &check.subject else { continue };
        // The limit, from how far the figure is on either side of it.
        let room = check.headroom.unwrap_or(0);
        let is_over = match figure {
            DiveFigure::Efficiency => own < (check.value + check.over).saturating_sub(room),
            _ => own > (check.value - check.over).saturating_add(room),
        };
        let is_failed = check.verdict == Verdict::Fail;
        if is_over != is_failed {
            notes.push(format!(
                "{}: dive's figure is {}, and by the account of every byte it is {}, which would {}",
                check.name,
                subject.shown(check.value),
                subject.shown(own),
                if is_failed { "pass" } else { "fail" }
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(text: &str) -> Vec<(DiveFigure, Option<u64>, Option<u64>)> {
        let rules = parse(".dive-ci", text).unwrap();
        let row = |budget: &Budget| match budget.subject {
            Subject::Dive(figure) => (figure, budget.limits.min, budget.limits.max),
            _ => unreachable!("only dive's figures"),
        };
        rules.budgets.iter().map(row).collect()
    }

    #[test]
    fn rules_are_read_as_dive_reads_them() {
        let default = [
            (DiveFigure::Efficiency, Some(900_000), None),
            (DiveFigure::UserWastedPercent, None, Some(100_000)),
        ];
        for empty in ["", "rules:", "rules: {}", "# nothing\n"] {
            assert_eq!(limits(empty), default, "{empty:?}");
        }
        assert_eq!(
            limits(
                "rules:\n  lowestEfficiency: 0.95\n  highestWastedBytes: 20MB\n  \
                 highestUserWastedPercent: disabled\n"
            ),
            [
                (DiveFigure::Efficiency, Some(950_000), None),
                (DiveFigure::WastedBytes, None, Some(20_000_000)),
            ]
        );
        assert_eq!(
            limits(
                "rules:\n  lowest-efficiency: \"1\"\n  highest-wasted-bytes: 1,5m\n  \
                    highest-user-wasted-percent: false\n"
            ),
            [
                (DiveFigure::Efficiency, Some(1_000_000), None),
                (DiveFigure::WastedBytes, None, Some(15_000_000)),
            ]
        );
        let notes = parse(".dive-ci", "rules:\n  lowest-efficiency: 1\n").unwrap().notes;
        assert_eq!(notes.len(), 1, "{notes:?}");
    }

    #[test]
    fn mistakes_are_told() {
        for (text, error) in [
            ("rules:\n  lowestEfficiency: 95", "rules.lowestEfficiency: 95 is not between 0 and 1"),
            ("rules:\n  lowestEfficiency: much", "\"much\" is no number from 0 to 1"),
            ("rules:\n  highestWastedBytes: lots", "\"lots\" is not a size"),
            ("rules: [", ""),
        ] {
            let found = parse(".dive-ci", text).unwrap_err();
            assert!(found.contains(error), "{found}");
        }
    }
}
