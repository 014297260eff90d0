//! SARIF 2.1.0, for code scanning: a run an image, a result a notice.
//!
//! GitHub's [limits] are kept: 20 runs a file, 25,000 results a run of which it shows 5,000, 1,000
//! locations a result of which it shows 100, 20 tags a rule, 10 MB as gzip. What is left out is told
//! as a notification of the run.
//!
//! [limits]: https://docs.github.com/code-security/code-scanning/troubleshooting-sarif-uploads/results-exceed-limit

mod document;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::Write as _;

use flate2::write::GzEncoder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::report::briefing::{Briefing, Notice, Subject};
use crate::report::fingerprint::Fingerprints;
use crate::rule;
use jettison_oci::count::counted;
use jettison_oci::escape;

use self::document::{
    Artifact, Automation, Descriptor, Driver, Facts, Help, Invocation, Location, Log, Message,
    Notification, Outcome, Physical, Prints, Region, Run, SCHEMA, Tags, Tool,
};

/// Runs of one file.
pub const RUNS_MAX: usize = 20;
/// Results of one run: as many as are shown.
pub const RESULTS_MAX: usize = 5000;
/// Locations of one result: as many as are shown.
pub const LOCATIONS_MAX: usize = 100;
/// Bytes of the file as gzip. Those who upload it may compress it worse: a part is kept free.
pub const GZIP_MAX: usize = 9_000_000;

/// What a URI's path may hold as it is; a colon could be taken for a scheme's.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The file, in one line: it is large, and nobody but programs reads it.
pub fn render(briefing: &Briefing) -> Vec<u8> {
    let mut results = RESULTS_MAX;
    loop {
        let log = log(briefing, results);
        // Documents are plain data with string keys, which cannot fail to serialize.
        let mut bytes = serde_json::to_vec(&log).unwrap_or_default();
        if results <= 1 || bytes.len() <= GZIP_MAX || gzipped(&bytes) <= GZIP_MAX {
            bytes.push(b'\n');
            return bytes;
        }
        results /= 2;
    }
}

fn gzipped(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // It goes into memory: nothing fails.
    let _ = encoder.write_all(bytes);
    encoder.finish().map_or(usize::MAX, |gzip| gzip.len())
}

fn log(briefing: &Briefing, results: usize) -> Log {
    // The images with the gravest notices are kept, in the order they were asked for.
    let mut kept: Vec<(usize, &Subject)> = briefing.subjects.iter().enumerate().collect();
    kept.sort_by_key(|(_, subject)| subject.notices.iter().map(Notice::weight).min());
    // An image without a notice has no weight, which sorts before all others.
    kept.sort_by_key(|(_, subject)| subject.notices.is_empty());
    let more = kept.len().saturating_sub(RUNS_MAX);
    kept.truncate(RUNS_MAX);
    kept.sort_by_key(|(at, _)| *at);
    let mut ids: HashMap<String, usize> = HashMap::new();
    let mut runs: Vec<Run> = kept
        .into_iter()
        .map(|(_, subject)| {
            let about = briefing.about.name();
            let name = subject.lasting_name();
            let mut id = format!("jettison/{about}/{name}/{}/", subject.platform);
            let times = ids.entry(id.clone()).or_default();
            *times += 1;
            if *times > 1 {
                id = format!("{id}{times}/");
            }
            run(subject, id, results)
        })
        .collect();
    if let (true, Some(run)) = (more > 0, runs.first_mut()) {
        let told = format!("{} left out: GitHub takes {RUNS_MAX} runs", counted(more, "image"));
        run.invocations[0].tool_execution_notifications.push(notification(told));
    }
    Log { schema: SCHEMA, version: "2.1.0", runs }
}

fn run(subject: &Subject, id: String, results_max: usize) -> Run {
    let mut notices: Vec<&Notice> = subject.notices.iter().collect();
    notices.sort_by_key(|notice| notice.weight());
    let all = notices.len();
    notices.truncate(results_max);
    let mut rules: Vec<Descriptor> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut prints = Fingerprints::default();
    let results: Vec<Outcome> = notices
        .iter()
        .map(|notice| {
            let rule = *places.entry(&notice.id).or_insert_with(|| {
                rules.push(descriptor(notice));
                rules.len() - 1
            });
            outcome(subject, notice, rule, &mut prints)
        })
        .collect();
    let mut notifications = Vec::new();
    if all > results.len() {
        let told = format!(
            "{} of {} left out for room, none graver",
            all - results.len(),
            counted(all, "result")
        );
        notifications.push(notification(told));
    }
    Run {
        automation_details: Automation { id },
        tool: Tool {
            driver: Driver { name: "jettison", semantic_version: env!("CARGO_PKG_VERSION"), rules },
        },
        invocations: [Invocation {
            execution_successful: true,
            tool_execution_notifications: notifications,
        }],
        results,
    }
}

fn notification(text: String) -> Notification {
    Notification { level: "warning", message: Message { text } }
}

fn descriptor(notice: &Notice) -> Descriptor {
    let help = match rule::find(&notice.id) {
        Some(rule) => Help {
            text: format!("{} {} How to mend it: {}.", rule.what, rule.why, rule.fix),
            markdown: Some(rule.page()),
        },
        None => Help {
            text: notice.help.clone().unwrap_or_else(|| notice.title.clone()),
            markdown: None,
        },
    };
    let kind = if notice.id == "secrets" { "security" } else { "size" };
    Descriptor {
        id: notice.id.clone(),
        short_description: Message { text: notice.title.clone() },
        help,
        properties: Tags { tags: vec!["container-image", kind] },
    }
}

fn outcome(subject: &Subject, notice: &Notice, rule: usize, prints: &mut Fingerprints) -> Outcome {
    let own = prints.of(notice.fingerprint.iter().map(String::as_str));
    let locations = match &notice.lines {
        Some(lines) => vec![location(file_uri(&lines.file), lines.first, lines.last)],
        None if notice.paths.is_empty() => vec![location(encoded(subject.lasting_name()), 1, 1)],
        None => {
            let paths = notice.paths.iter().take(LOCATIONS_MAX);
            paths.map(|path| location(encoded(path), 1, 1)).collect()
        }
    };
    Outcome {
        rule_id: notice.id.clone(),
        rule_index: rule,
        level: notice.level.name(),
        message: Message { text: format!("{} ({})", notice.sentence(), subject.platform) },
        locations,
        partial_fingerprints: Prints {
            line: notice.lines.is_none().then(|| format!("{own}:1")),
            own,
        },
        properties: Facts {
            image: subject.image.clone(),
            platform: subject.platform.clone(),
            bytes: notice.bytes,
            paths: notice.paths.len(),
        },
    }
}

fn location(uri: String, start_line: usize, end_line: usize) -> Location {
    let region = Region { start_line, end_line };
    Location { physical_location: Physical { artifact_location: Artifact { uri }, region } }
}

/// A file of this machine: relative to the repository, where it was named so.
fn file_uri(file: &str) -> String {
    let path = encoded(file);
    if path.starts_with('/') { format!("file://{path}") } else { path }
}

/// Escaped text as the bytes that it shows, percent-encoded.
fn encoded(text: &str) -> String {
    let bytes = escape::unescape(text).unwrap_or_else(|| text.as_bytes().to_vec());
    percent_encode(&bytes, PATH).to_string()
}
