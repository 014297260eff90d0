//! The documents of findings and suggestions.

use jettison_oci::{Bytes, escape};
use schemars::JsonSchema;
use serde::Serialize;

use crate::account::Account;
use crate::advice::Advice;
use crate::advice::suggestion::Suggestion;
use crate::finding::{Finding, Findings};
use crate::report::Detail;
use crate::report::model::{PathBytes, layer_name, path_text};

/// What a rule found in one layer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingDocument {
    /// The rule's name; `jettison rules --explain` tells of it.
    pub rule: String,
    /// What it finds, in some words.
    pub title: String,
    /// How much attention it asks for: `info`, `low`, `medium` or `high`.
    pub severity: String,
    /// How sure it is that the bytes can go: `high`, `medium` or `low`.
    pub confidence: String,
    /// Bytes that can go.
    pub bytes: Bytes,
    /// How many files.
    pub paths: usize,
    /// The largest: at most `--top`, none under `--min-bytes` but those without a byte.
    pub top_paths: Vec<PathBytes>,
    /// Places that are no files: `ENV NAME`, `ARG NAME`.
    pub places: Vec<String>,
    /// The layer that brought the bytes; null where it is about all of them.
    pub layer: Option<usize>,
    /// Its instruction, as a Dockerfile has it.
    pub instruction: Option<String>,
    /// The first line of that instruction in the Dockerfile that was given.
    pub line: Option<usize>,
    /// Whether the base image brought them, or the root filesystem that the image starts from.
    pub inherited: bool,
    /// Names of the packages that brought them, in order.
    pub packages: Vec<String>,
    /// What to do.
    pub remedy: String,
    /// What exactly was found, or what makes it so sure.
    pub evidence: String,
}

/// What one `[[ignore]]` of the settings silenced.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IgnoredDocument {
    /// The rule.
    pub rule: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// How many files and other places.
    pub paths: usize,
    /// Why it stays, by the settings.
    pub reason: String,
}

/// A change that would save bytes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SuggestionDocument {
    /// `multi-stage`, `base-image` or `instruction`.
    pub kind: String,
    /// What to do, in a line.
    pub title: String,
    /// Bytes of all layers' files that are not there any more.
    pub bytes: Bytes,
    /// Bytes that a registry neither stores nor sends any more; null where that is not known.
    pub pull_bytes: Option<Bytes>,
    /// How sure it is that the image still does what it did.
    pub confidence: String,
    /// Why it is thought so.
    pub because: Vec<String>,
    /// Lines of a Dockerfile, or a whole one.
    pub dockerfile: String,
    /// The same as a unified diff of a file that was given.
    pub diff: Option<String>,
    /// The first line of the Dockerfile that was given which it is about.
    pub line: Option<usize>,
    /// The last one.
    pub last_line: Option<usize>,
    /// Suggestions and rules of findings whose bytes are among these.
    pub overlaps: Vec<String>,
}

pub(super) fn findings(account: &Account, advice: &Advice, detail: Detail) -> Vec<FindingDocument> {
    let lines = |layer: Option<usize>| advice.lines.get(layer?).copied().flatten();
    let all = advice.findings.all.iter();
    all.map(|finding| document(account, finding, lines(finding.layer), detail)).collect()
}

fn document(
    account: &Account,
    finding: &Finding,
    lines: Option<(usize, usize)>,
    detail: Detail,
) -> FindingDocument {
    let name = finding.layer.map(|layer| layer_name(account, layer));
    let places = finding.places.iter();
    FindingDocument {
        rule: finding.rule.id.to_owned(),
        title: finding.rule.title.to_owned(),
        severity: finding.severity.name().to_owned(),
        confidence: finding.confidence.name().to_owned(),
        bytes: finding.bytes,
        paths: finding.places.len(),
        top_paths: places
            .filter(|place| place.bytes == 0 || Bytes(place.bytes) >= detail.min_bytes)
            .take(detail.top)
            .map(|place| PathBytes { path: path_text(&place.path), bytes: Bytes(place.bytes) })
            .collect(),
        places: finding.others.iter().map(|place| escape::line(place)).collect(),
        layer: finding.layer,
        instruction: name.and_then(|name| name.instruction),
        line: lines.map(|(first, _)| first),
        inherited: finding.is_inherited,
        packages: finding.packages.iter().map(|name| escape::line(name)).collect(),
        remedy: finding.remedy.clone(),
        evidence: finding.evidence.clone(),
    }
}

pub(super) fn ignored(findings: &Findings) -> Vec<IgnoredDocument> {
    let rows = findings.ignored.iter();
    rows.map(|row| IgnoredDocument {
        rule: row.rule.to_owned(),
        bytes: row.bytes,
        paths: row.places,
        reason: row.reason.clone(),
    })
    .collect()
}

pub(super) fn suggestions(suggestions: &[Suggestion]) -> Vec<SuggestionDocument> {
    let rows = suggestions.iter();
    rows.map(|row| SuggestionDocument {
        kind: row.kind.name().to_owned(),
        title: row.title.clone(),
        bytes: row.saved,
        pull_bytes: row.saved_pull,
        confidence: row.confidence.name().to_owned(),
        because: row.because.clone(),
        dockerfile: row.dockerfile.clone(),
        diff: row.diff.clone(),
        line: row.lines.map(|(first, _)| first),
        last_line: row.lines.map(|(_, last)| last),
        overlaps: row.overlaps.clone(),
    })
    .collect()
}
