//! GitLab's [Code Quality] report: a list of degradations.
//!
//! GitLab takes two with one fingerprint for one, and reads paths relative to the repository.
//!
//! [Code Quality]: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::report::briefing::{Briefing, Level, Notice, Subject};
use crate::report::fingerprint::Fingerprints;
use crate::report::json;

/// Degradations of one report. GitLab has no bound but the artifact's size, and its widget pages
/// through no more than people do; the gravest are kept.
pub const DEGRADATIONS_MAX: usize = 10_000;

#[derive(Serialize)]
struct Degradation {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

/// The report.
pub fn render(briefing: &Briefing) -> Vec<u8> {
    let mut prints = Fingerprints::default();
    let mut all = briefing.gravest();
    let more = all.len().saturating_sub(DEGRADATIONS_MAX);
    if more > 0 {
        all.truncate(DEGRADATIONS_MAX - 1);
    }
    let mut report: Vec<Degradation> =
        all.iter().map(|(subject, notice)| degradation(subject, notice, &mut prints)).collect();
    if let (true, Some((subject, _))) = (more > 0, all.last()) {
        report.push(Degradation {
            description: format!("{} more, none graver: other formats have them", more + 1),
            check_name: "left-out".to_owned(),
            fingerprint: prints.of(["left-out"].into_iter()),
            severity: "info",
            location: Location { path: relative(&subject.image), lines: Lines { begin: 1 } },
        });
    }
    json::render(&report)
}

fn degradation(subject: &Subject, notice: &Notice, prints: &mut Fingerprints) -> Degradation {
    let words = notice.fingerprint.iter().map(String::as_str);
    let (path, begin) = match (&notice.lines, notice.paths.first()) {
        (Some(lines), _) => (lines.file.as_str(), lines.first),
        (None, Some(path)) => (path.as_str(), 1),
        (None, None) => (subject.image.as_str(), 1),
    };
    Degradation {
        description: format!("{} ({})", notice.sentence(), subject.platform),
        check_name: notice.id.clone(),
        // One image on two platforms has the same words.
        fingerprint: prints.of(words.chain([subject.platform.as_str()])),
        severity: match notice.level {
            Level::Error => "critical",
            Level::Warning => "minor",
            Level::Note => "info",
        },
        location: Location { path: relative(path), lines: Lines { begin } },
    }
}

/// A path that starts nowhere else: neither at the root nor with `./`.
fn relative(path: &str) -> String {
    let mut rest = path;
    while let Some(shorter) = rest.strip_prefix('/').or_else(|| rest.strip_prefix("./")) {
        rest = shorter;
    }
    if rest.is_empty() { ".".to_owned() } else { rest.to_owned() }
}
