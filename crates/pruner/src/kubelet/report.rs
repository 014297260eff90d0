//! The advice for people in 80 columns, and for machines.

use std::fmt::Write as _;

use jettison_oci::count::counted;
use jettison_oci::{Bytes, escape};
use schemars::JsonSchema;
use serde::Serialize;

use super::advice::Advice;
use super::configuration::{Amount, Configuration, HIGH, LOW, MAXIMUM_AGE, MINIMUM_AGE, Setting};
use super::{Intent, quantity};
use crate::report::{Style, json, span};

/// The version of the document.
const SCHEMA_VERSION: u32 = 1;
/// How wide text is.
const WIDTH: usize = 80;

/// What a configuration says, what is wanted, and what follows.
pub struct Report<'a> {
    /// Where the configuration is from.
    pub source: &'a str,
    /// The configuration.
    pub configuration: &'a Configuration,
    /// What is wanted.
    pub intent: &'a Intent,
    /// What follows.
    pub advice: &'a [Advice],
}

/// The whole advice: `schemas/kubelet.v1.json`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "KubeletDocument")]
pub struct Document<'a> {
    /// The version of this document's form.
    pub schema_version: u32,
    /// Where the configuration is from.
    pub source: String,
    /// The kubelet's fields that images depend on.
    pub configuration: Vec<Field>,
    /// What jettison is to do.
    pub policy: PolicyDocument,
    /// What acts against it; what keeps a kubelet from starting is first.
    pub advice: &'a [Advice],
    /// The lines of all advice together.
    pub write: String,
}

/// One field of the kubelet.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Its name; a signal's behind that of the field that it is in.
    pub field: String,
    /// What it says.
    pub value: String,
    /// Whether it is the kubelet's default.
    pub is_default: bool,
}

/// What jettison is to do.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyDocument {
    /// The age from which on an image may go, in seconds.
    pub older_than: u64,
    /// How long an image has to be on the node at least, in seconds.
    pub min_age: u64,
    /// From which share of the disk in use on images go, in percent; null where they only go by
    /// age.
    pub high_threshold: Option<u8>,
    /// Until which share.
    pub low_threshold: Option<u8>,
}

impl Report<'_> {
    /// For people.
    pub fn text(&self, style: Style) -> Vec<u8> {
        let mut text = String::new();
        let _ = writeln!(text, "kubelet  {}", escape::line(self.source));
        for field in self.fields() {
            let default = if field.is_default { "  (default)" } else { "" };
            let _ = writeln!(text, "  {:<32}{}{default}", field.field, field.value);
        }
        let _ = writeln!(text, "policy   {}", self.policy());
        if self.advice.is_empty() {
            let _ = writeln!(text, "\nNothing there acts against this policy.");
            return text.into_bytes();
        }
        let title = format!("{} for the kubelet", counted(self.advice.len(), "change"));
        let _ = writeln!(text, "\n{}", style.bold(&title));
        for advice in self.advice {
            let _ = writeln!(text, "  {} ({})", advice.field, advice.code.name());
            for line in wrap(&advice.because, WIDTH - 6) {
                let _ = writeln!(text, "      {line}");
            }
        }
        let _ =
            writeln!(text, "\nWrite into the kubelet's configuration, and restart the kubelet:\n");
        for line in self.write().lines() {
            let _ = writeln!(text, "  {line}");
        }
        text.into_bytes()
    }

    /// For machines.
    pub fn json(&self) -> Vec<u8> {
        json(&Document {
            schema_version: SCHEMA_VERSION,
            source: escape::line(self.source),
            configuration: self.fields(),
            policy: PolicyDocument {
                older_than: self.intent.older_than.as_secs(),
                min_age: self.intent.min_age.as_secs(),
                high_threshold: self.intent.thresholds.map(|(high, _)| high),
                low_threshold: self.intent.thresholds.map(|(_, low)| low),
            },
            advice: self.advice,
            write: self.write(),
        })
    }

    fn fields(&self) -> Vec<Field> {
        let configuration = self.configuration;
        let time = |name: &str, setting: Setting<std::time::Duration>| Field {
            field: name.to_owned(),
            value: quantity::go(setting.value),
            is_default: setting.is_default,
        };
        let percent = |name: &str, setting: Setting<u8>| Field {
            field: name.to_owned(),
            value: setting.value.to_string(),
            is_default: setting.is_default,
        };
        let mut fields = vec![
            time(MINIMUM_AGE, configuration.minimum_age),
            time(MAXIMUM_AGE, configuration.maximum_age),
            percent(HIGH, configuration.high),
            percent(LOW, configuration.low),
        ];
        fields.extend(configuration.evictions.iter().map(|eviction| Field {
            field: eviction.field(),
            value: match eviction.free {
                Amount::Share(share) => format!("{}%", quantity::percent(share)),
                Amount::Bytes(bytes) => Bytes(bytes).to_string(),
            },
            is_default: eviction.is_default,
        }));
        fields
    }

    fn policy(&self) -> String {
        let (older_than, min_age) = (span(self.intent.older_than), span(self.intent.min_age));
        let mut text = format!("older than {older_than}, and on the node for {min_age}");
        if let Some((high, low)) = self.intent.thresholds {
            let _ = write!(text, "; from {high} % in use down to {low} %");
        }
        text
    }

    /// The lines of all advice, each once.
    fn write(&self) -> String {
        let mut lines: Vec<&str> = Vec::new();
        for line in self.advice.iter().flat_map(|advice| advice.write.lines()) {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines.join("\n")
    }
}

/// The lines of a sentence.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// The schema of [`Document`].
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Document<'_>)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::kubelet::advise;

    fn report(more: &str, thresholds: Option<(u8, u8)>, read: impl Fn(&Report<'_>)) {
        let text = format!("kind: KubeletConfiguration\n{more}");
        let configuration = Configuration::read(text.as_bytes()).unwrap();
        let intent = Intent {
            older_than: Duration::from_hours(168),
            min_age: Duration::from_hours(1),
            thresholds,
        };
        let advice = advise(&configuration, &intent);
        let source = "config.yaml";
        read(&Report { source, configuration: &configuration, intent: &intent, advice: &advice });
    }

    #[test]
    fn people_read_what_there_is_why_it_is_amiss_and_what_to_write() {
        report("imageMaximumGCAge: 72h\n", Some((80, 70)), |report| {
            let text = String::from_utf8(report.text(Style::default())).unwrap();
            assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
            let expected = "\
kubelet  config.yaml
  imageMinimumGCAge               2m  (default)
  imageMaximumGCAge               72h
  imageGCHighThresholdPercent     85  (default)
  imageGCLowThresholdPercent      80  (default)
  evictionHard imagefs.available  15%  (default)
  evictionHard nodefs.available   10%  (default)
policy   older than 7d, and on the node for 1h; from 80 % in use down to 70 %

3 changes for the kubelet
  imageMaximumGCAge (maximum-age)
      The kubelet removes what no container had for 3d, which is before
      jettison's 7d, and knows no keep rules, no templates and no history. It
      counts in memory, from its own start: what no container ever had goes as
      soon as the kubelet has been up for that long, however new it is.
  imageGCHighThresholdPercent (high-threshold-eviction)
      Pods are evicted with less than 15 % free, which is above 85 % in use
      (evictionHard imagefs.available, by default); the kubelet removes images
      only from 85 % on: pods go before unused images do.
  imageMinimumGCAge (minimum-age)
      For space the kubelet removes what it first saw 2min ago, jettison nothing
      that it first saw less than 1h ago: an image that was pulled ahead of its
      pod goes.

Write into the kubelet's configuration, and restart the kubelet:

  imageMaximumGCAge: 0s
  imageGCHighThresholdPercent: 83
  imageGCLowThresholdPercent: 80
  imageMinimumGCAge: 1h
";
            assert_eq!(text, expected);
        });
    }

    #[test]
    fn what_is_written_leaves_nothing_to_advise() {
        for more in ["", "imageMaximumGCAge: 1h\n", "imageGCHighThresholdPercent: 60\n"] {
            for thresholds in [None, Some((80, 70)), Some((60, 50))] {
                report(more, thresholds, |before| {
                    let written = format!("imageGCLowThresholdPercent: 55\n{}\n", before.write());
                    // Written lines are the last of their kind, as an editor would leave them.
                    let mut lines: Vec<&str> = Vec::new();
                    for line in written.lines().rev() {
                        let field = line.split(':').next().unwrap();
                        if !lines.iter().any(|known| known.starts_with(field)) {
                            lines.push(line);
                        }
                    }
                    report(&format!("{}\n", lines.join("\n")), thresholds, |after| {
                        assert_eq!(after.advice, [], "{more}\n{written}");
                    });
                });
            }
        }
    }

    #[test]
    fn machines_read_the_same() {
        report("imageGCHighThresholdPercent: 83\n", None, |report| {
            let document: Value = serde_json::from_slice(&report.json()).unwrap();
            assert_eq!(document["schemaVersion"], 1);
            assert_eq!(document["policy"]["olderThan"], 604_800);
            assert_eq!(document["policy"]["highThreshold"], Value::Null);
            let advice = &document["advice"];
            assert_eq!(advice.as_array().unwrap().len(), 1);
            assert_eq!(advice[0]["code"], "minimum-age");
            assert_eq!(advice[0]["field"], "imageMinimumGCAge");
            assert_eq!(advice[0]["value"], "2m");
            assert_eq!(advice[0]["isDefault"], true);
            assert_eq!(advice[0]["write"], "imageMinimumGCAge: 1h");
            assert_eq!(document["write"], "imageMinimumGCAge: 1h");
            assert_eq!(document["configuration"].as_array().unwrap().len(), 6);
        });
        let named = advise_none();
        assert!(named.contains("Nothing there acts against this policy."), "{named}");
    }

    fn advise_none() -> String {
        let text = std::cell::RefCell::new(String::new());
        report("imageGCHighThresholdPercent: 83\nimageMinimumGCAge: 1h\n", None, |report| {
            *text.borrow_mut() = String::from_utf8(report.text(Style::default())).unwrap();
        });
        text.into_inner()
    }
}
