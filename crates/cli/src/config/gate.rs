//! `[gate]`: what images may weigh.

use std::path::PathBuf;

use jettison_analyzer::facts::evidence::Confidence;
use jettison_analyzer::finding::ignore::Pattern;
use jettison_analyzer::gate::asked::Asked;
use jettison_analyzer::gate::budget::{Budget, Limits, NamePattern, Percent, Selection, Subject};
use jettison_analyzer::gate::deny::{Denied, Deny};
use jettison_analyzer::gate::{Measure, Metric};
use jettison_analyzer::rule;
use jettison_oci::Bytes;
use serde::Deserialize;
use toml::Value;

use super::{known, parsed};

/// `[gate]`. Each key but `budget` and `deny` is the flag of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub(crate) struct Gate {
    /// The base image, or how many of the bottom layers are its.
    pub(crate) base: Option<String>,
    /// The baseline's file, from where the settings stand.
    pub(crate) baseline: Option<PathBuf>,
    /// Whether an image that the baseline does not know fails.
    pub(crate) require_baseline: bool,
    /// `[[gate.budget]]`.
    pub(crate) budget: Vec<BudgetRow>,
    /// `[[gate.deny]]`.
    pub(crate) deny: Vec<DenyRow>,
}

/// `[[gate.budget]]`. It has no flag: budgets are to be read and reviewed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub(crate) struct BudgetRow {
    /// A pattern of images.
    image: Option<String>,
    /// A pattern of platforms.
    platform: Option<String>,
    /// The figure that the limits are on,
    #[serde(deserialize_with = "parsed")]
    metric: Option<Metric>,
    /// or a directory,
    directory: Option<String>,
    /// or a pattern of packages.
    package: Option<String>,
    #[serde(deserialize_with = "parsed")]
    max: Option<Bytes>,
    #[serde(deserialize_with = "parsed")]
    warn: Option<Bytes>,
    #[serde(deserialize_with = "parsed")]
    max_increase: Option<Bytes>,
    #[serde(deserialize_with = "percent")]
    max_increase_percent: Option<Percent>,
    #[serde(deserialize_with = "parsed")]
    percent_floor: Option<Bytes>,
    #[serde(deserialize_with = "parsed")]
    tolerance: Option<Bytes>,
    /// Short for `metric = "layers"` with `max`.
    max_layers: Option<u64>,
    /// The most bytes of one uncompressed layer.
    #[serde(deserialize_with = "parsed")]
    max_layer_size: Option<Bytes>,
    /// The least of live bytes over all, in millionths.
    #[serde(deserialize_with = "share")]
    min_efficiency: Option<u64>,
}

/// `[[gate.deny]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub(crate) struct DenyRow {
    /// A pattern of images.
    image: Option<String>,
    /// A pattern of platforms.
    platform: Option<String>,
    /// A rule, whose findings are denied,
    rule: Option<String>,
    /// or a pattern of paths.
    path: Option<String>,
    /// Findings that are at least so sure: `low`, `medium` or `high`.
    confidence: Option<String>,
    /// Findings of so many bytes together are allowed.
    #[serde(deserialize_with = "parsed")]
    max: Option<Bytes>,
    /// Why.
    reason: Option<String>,
}

/// The keys of `[[gate.budget]]` and `[[gate.deny]]`.
pub(super) const BUDGET_KEYS: &[&str] = &[
    "directory",
    "image",
    "max",
    "max-increase",
    "max-increase-percent",
    "max-layer-size",
    "max-layers",
    "metric",
    "min-efficiency",
    "package",
    "percent-floor",
    "platform",
    "tolerance",
    "warn",
];
pub(super) const DENY_KEYS: &[&str] =
    &["confidence", "image", "max", "path", "platform", "reason", "rule"];

/// A percentage, as a number or a text.
fn percent<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Percent>, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        other => {
            let message = format!("expected a percentage, found {}", other.type_str());
            return Err(serde::de::Error::custom(message));
        }
    };
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// A share of one, or a percentage with its sign, in millionths.
fn share<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let error = |text: &str| {
        serde::de::Error::custom(format!("{text} is no share: expected 0.95 or \"95 %\""))
    };
    let (text, is_percent) = match Value::deserialize(deserializer)? {
        Value::String(text) => (text.clone(), text.trim().ends_with('%')),
        Value::Integer(number) => (number.to_string(), false),
        Value::Float(number) => (number.to_string(), false),
        other => return Err(error(other.type_str())),
    };
    // Thousandths of a percent are hundred-thousandths of one.
    let millionths = if is_percent {
        text.parse::<Percent>().ok().map(|percent| percent.0.saturating_mul(10))
    } else {
        let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && text.len() <= 6;
        (is_digits(whole) && is_digits(part) && !whole.is_empty())
            .then(|| format!("{whole}{part:0<6}").parse().ok())
            .flatten()
    };
    millionths.filter(|share| *share <= 1_000_000).map(Some).ok_or_else(|| error(&text))
}

impl Gate {
    /// What is asked of images; `file` is where the settings stand. The error is a sentence.
    pub(crate) fn asked(&self, file: &str) -> Result<Asked, String> {
        let mut asked = Asked { require_baseline: self.require_baseline, ..Asked::default() };
        for (at, row) in self.budget.iter().enumerate() {
            let place = format!("{file}: [[gate.budget]] {}", at + 1);
            asked.budgets.extend(row.budgets(&place).map_err(|error| format!("{place}: {error}"))?);
        }
        for (at, row) in self.deny.iter().enumerate() {
            let place = format!("{file}: [[gate.deny]] {}", at + 1);
            asked.denials.push(row.deny(&place).map_err(|error| format!("{place}: {error}"))?);
        }
        Ok(asked)
    }
}

fn selection(image: Option<&String>, platform: Option<&String>) -> Result<Selection, String> {
    let pattern = |text: Option<&String>| text.map(|text| NamePattern::new(text)).transpose();
    Ok(Selection { image: pattern(image)?, platform: pattern(platform)? })
}

impl BudgetRow {
    fn budgets(&self, place: &str) -> Result<Vec<Budget>, String> {
        let of = selection(self.image.as_ref(), self.platform.as_ref())?;
        let bytes = |size: Option<Bytes>| size.map(Bytes::get);
        let limits = Limits {
            max: bytes(self.max),
            min: None,
            warn: bytes(self.warn),
            max_increase: bytes(self.max_increase),
            max_increase_percent: self.max_increase_percent,
            percent_floor: bytes(self.percent_floor).unwrap_or(0),
            tolerance: bytes(self.tolerance),
        };
        let budget = |subject: Subject, limits: Limits| Budget {
            of: of.clone(),
            subject,
            limits,
            place: place.to_owned(),
        };
        let subjects = [
            self.metric.map(Subject::Metric),
            self.directory.as_ref().map(|path| Subject::Directory(path.trim_matches('/').into())),
            self.package.as_deref().map(NamePattern::new).transpose()?.map(Subject::Package),
        ];
        let mut subjects = subjects.into_iter().flatten();
        let is_limited = limits.max.is_some()
            || limits.warn.is_some()
            || limits.max_increase.is_some()
            || limits.max_increase_percent.is_some();
        let mut budgets = Vec::new();
        match (subjects.next(), subjects.next()) {
            (Some(_), Some(_)) => {
                return Err("it is about one of metric, directory and package, not several".into());
            }
            (Some(_), None) if !is_limited => {
                return Err(
                    "it has no limit: max, warn, max-increase or max-increase-percent".into()
                );
            }
            (Some(subject), None) => budgets.push(budget(subject, limits)),
            (None, _) if is_limited => {
                return Err("its limits are on nothing: add metric, directory or package".into());
            }
            (None, _) => {}
        }
        if self.percent_floor.is_some() && self.max_increase_percent.is_none() {
            return Err("percent-floor is of use only beside max-increase-percent".into());
        }
        if let (Some(warn), Some(max)) = (self.warn, self.max)
            && warn > max
        {
            return Err(format!("warn ({warn}) is above max ({max})"));
        }
        let at_most = |max| Limits { max: Some(max), ..Limits::default() };
        budgets.extend(
            self.max_layers
                .map(|max| budget(Subject::Metric(Metric::whole(Measure::Layers)), at_most(max))),
        );
        budgets
            .extend(self.max_layer_size.map(|max| budget(Subject::LayerSize, at_most(max.get()))));
        budgets.extend(self.min_efficiency.map(|min| {
            budget(Subject::Efficiency, Limits { min: Some(min), ..Limits::default() })
        }));
        if budgets.is_empty() {
            return Err("it asks for nothing".into());
        }
        Ok(budgets)
    }
}

impl DenyRow {
    fn deny(&self, place: &str) -> Result<Deny, String> {
        let what = match (&self.rule, &self.path) {
            (Some(id), None) => {
                let ids: Vec<&str> = rule::ALL.iter().map(|rule| rule.id).collect();
                known(id, &ids).map_err(|hint| format!("there is no rule {id}{hint}"))?;
                let confidence = match self.confidence.as_deref() {
                    None => Confidence::Low,
                    Some(word) => {
                        let names = Confidence::ALL.map(Confidence::name);
                        known(word, &names)
                            .map_err(|hint| format!("there is no confidence {word}{hint}"))?;
                        let all = Confidence::ALL.into_iter();
                        all.rev().find(|one| one.name() == word).unwrap_or(Confidence::Low)
                    }
                };
                Denied::Rule { id: id.clone(), confidence, max: self.max.unwrap_or(Bytes(0)) }
            }
            (None, Some(path)) => {
                if self.confidence.is_some() || self.max.is_some() {
                    return Err("confidence and max are of rules, not of paths".into());
                }
                Denied::Path(Pattern::new(path)?)
            }
            _ => return Err("it denies one of rule and path".into()),
        };
        let of = selection(self.image.as_ref(), self.platform.as_ref())?;
        Ok(Deny { of, what, reason: self.reason.clone(), place: place.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Asked, String> {
        crate::config::Config::parse(text)?.gate.asked("jettison.toml")
    }

    #[test]
    fn budgets_are_read() {
        let text = r#"
            [gate]
            require-baseline = true
            [[gate.budget]]
            image = "registry.example/app*"
            metric = "own-effective"
            max = "300 MB"
            warn = "250MiB"
            max-increase = "10 MiB"
            max-increase-percent = 2.5
            percent-floor = "1 MiB"
            tolerance = 4096
            [[gate.budget]]
            max-layers = 20
            max-layer-size = "100MiB"
            min-efficiency = 0.95
            [[gate.budget]]
            directory = "/opt/app/"
            max = "50MiB"
            [[gate.budget]]
            package = "deb:libc*"
            max-increase = 0
            [[gate.deny]]
            rule = "secrets"
            [[gate.deny]]
            path = "/root/.ssh/**"
            reason = "keys"
        "#;
        let asked = asked(text).unwrap();
        assert!(asked.require_baseline);
        assert_eq!((asked.budgets.len(), asked.denials.len()), (6, 2));
        let first = &asked.budgets[0];
        assert_eq!(first.limits.max, Some(300_000_000));
        assert_eq!(first.limits.max_increase_percent, Some(Percent(2500)));
        assert_eq!(first.place, "jettison.toml: [[gate.budget]] 1");
        assert_eq!(asked.budgets[3].limits.min, Some(950_000));
        assert_eq!(asked.wanted().directories, ["opt/app"]);
        assert!(asked.wanted().findings && !asked.wanted().unused);
    }

    #[test]
    fn mistakes_are_told() {
        for (text, error) in [
            ("[gate]\nbudgets = 1", "unknown key budgets in [gate]: did you mean budget?"),
            (
                "[[gate.budget]]\nmax-increse = 1",
                "unknown key max-increse in [gate.budget]: did you mean max-increase?",
            ),
            ("[[gate.deny]]\nrules = 'a'", "unknown key rules in [gate.deny]: did you mean rule?"),
            ("[[gate.budget]]\nmax = 1", "its limits are on nothing"),
            ("[[gate.budget]]\nmetric = 'wasted'", "[[gate.budget]] 1: it has no limit"),
            ("[[gate.budget]]\nmetric = 'size'\nmax = 1", "\"size\" is no metric"),
            ("[[gate.budget]]\nimage = 'a'", "it asks for nothing"),
            ("[[gate.budget]]\nimage = 'a['\nmax-layers = 1", "a["),
            ("[[gate.budget]]\nmetric='wasted'\nmax=1\nwarn=2", "warn (2 B) is above max (1 B)"),
            ("[[gate.budget]]\nmin-efficiency = 95", "95 is no share"),
            ("[[gate.deny]]\nrule = 'secret'", "there is no rule secret: did you mean secrets?"),
            ("[[gate.deny]]\nreason = 'x'", "it denies one of rule and path"),
            ("[[gate.deny]]\nrule='docs'\nconfidence='sure'", "there is no confidence sure"),
        ] {
            let found = asked(text).unwrap_err();
            assert!(found.contains(error), "{text}: {found}");
        }
    }
}
