//! Single instructions, written in another way: what findings say of a layer, as the line to write.
//!
//! The history has an instruction's words and not its quotes, so that a line is what it says and not
//! always what was written: whoever pastes it looks at it.

mod command;

use std::collections::BTreeMap;

use jettison_oci::Bytes;

use crate::account::Account;
use crate::advice::suggestion::{Kind, Suggestion};
use crate::facts::evidence::Confidence;
use crate::finding::{Finding, Findings};
use crate::image::Instruction;
use crate::tree::{Cause, Fate};

use self::command::{Line, behind, wrapped};

/// Fewer bytes are not worth a line.
const SAVED_MIN: u64 = 100 << 10;

/// How a RUN is changed for what a rule finds in its layer.
struct Change {
    rule: &'static str,
    title: &'static str,
    edit: fn(&Line) -> Option<String>,
}

const CHANGES: [Change; 14] = [
    Change {
        rule: "recommended-only",
        title: "install without what is only recommended",
        edit: |line| {
            line.without("--no-install-recommends")?;
            line.flag(&["apt-get", "apt"], "install", "--no-install-recommends")
        },
    },
    Change {
        rule: "apt-lists",
        title: "delete apt's lists in the RUN that fetches them",
        edit: |line| line.then(&["apt-get", "apt"], "rm -rf /var/lib/apt/lists/*"),
    },
    Change {
        rule: "apt-cache",
        title: "delete apt's downloads in the RUN that installs",
        edit: |line| line.then(&["apt-get", "apt"], "apt-get clean"),
    },
    Change {
        rule: "apk-cache",
        title: "install without apk's cache",
        edit: |line| {
            line.without("--no-cache")?;
            line.flag(&["apk"], "add", "--no-cache")
        },
    },
    Change {
        rule: "dnf-cache",
        title: "clean dnf's cache in the RUN that installs",
        edit: |line| {
            let tool = ["dnf", "microdnf", "yum", "zypper"].into_iter().find(|t| line.runs(t))?;
            line.then(
                &[tool],
                &format!("{tool} clean {}", if tool == "zypper" { "-a" } else { "all" }),
            )
        },
    },
    Change {
        rule: "pip-cache",
        title: "install without pip's cache",
        edit: |line| {
            line.without("--no-cache-dir")?;
            line.flag(&["pip", "pip3"], "install", "--no-cache-dir")
        },
    },
    Change {
        rule: "conda-cache",
        title: "clean conda's cache in the RUN that installs",
        edit: |line| line.then(&["conda", "mamba"], "conda clean -afy"),
    },
    Change {
        rule: "npm-cache",
        title: "clean npm's cache in the RUN that installs",
        edit: |line| line.then(&["npm"], "npm cache clean --force"),
    },
    Change {
        rule: "yarn-cache",
        title: "clean yarn's cache in the RUN that installs",
        edit: |line| line.then(&["yarn"], "yarn cache clean"),
    },
    Change {
        rule: "composer-cache",
        title: "clean Composer's cache in the RUN that installs",
        edit: |line| line.then(&["composer"], "composer clear-cache"),
    },
    Change {
        rule: "gem-cache",
        title: "delete gems' archives in the RUN that installs",
        edit: |line| line.then(&["bundle", "gem"], "rm -rf \"$(gem env gemdir)\"/cache/*.gem"),
    },
    Change {
        rule: "node-dev-dependencies",
        title: "install without development dependencies",
        edit: |line| {
            line.without("--omit=dev")?;
            line.flag(&["npm"], "ci", "--omit=dev")
                .or_else(|| line.flag(&["npm"], "install", "--omit=dev"))
                .or_else(|| line.flag(&["yarn"], "install", "--production"))
        },
    },
    Change {
        rule: "generic-cache",
        title: "delete what the RUN caches at its end",
        edit: |line| line.always("rm -rf /root/.cache /var/cache/*"),
    },
    Change {
        rule: "logs",
        title: "delete what the RUN logs at its end",
        edit: |line| line.always("find /var/log -type f -delete"),
    },
];

/// Suggestions about single instructions, from what was found in their layers; none of layers of
/// which all is said.
pub fn suggest(
    account: &Account,
    findings: &Findings,
    is_said: &dyn Fn(usize) -> bool,
) -> Vec<Suggestion> {
    let mut found = Vec::new();
    let mut by_layer: BTreeMap<(usize, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in findings.all.iter().filter(|finding| !finding.is_inherited) {
        if let Some(layer) = finding.layer.filter(|layer| !is_said(*layer)) {
            by_layer.entry((layer, finding.rule.id)).or_default().push(finding);
        }
    }
    for ((layer, rule), findings) in &by_layer {
        let change = CHANGES.iter().find(|change| change.rule == *rule);
        let Some(line) = change.and(run(account, *layer)) else { continue };
        let Some((change, text)) = change.and_then(|change| Some((change, (change.edit)(&line)?)))
        else {
            continue;
        };
        found.extend(suggestion(account, *layer, change.title, findings, &text));
    }
    found.extend(stripped(account, &by_layer));
    found.extend(hidden(account, findings, is_said));
    found
}

/// The command line of a layer's RUN.
fn run(account: &Account, layer: usize) -> Option<Line> {
    let row = account.layers.get(layer)?;
    let text = row.instruction.as_ref().map(Instruction::text)?;
    Some(Line::new(text.strip_prefix("RUN ")?))
}

fn suggestion(
    account: &Account,
    layer: usize,
    title: &str,
    findings: &[&Finding],
    text: &str,
) -> Option<Suggestion> {
    let bytes: u64 = findings.iter().map(|finding| finding.bytes.get()).sum();
    let confidence = findings.iter().map(|finding| finding.confidence).min()?;
    (bytes >= SAVED_MIN).then(|| Suggestion {
        kind: Kind::Instruction,
        title: format!("{title} (#{layer})"),
        saved: Bytes(bytes),
        saved_pull: share(account, layer, bytes),
        confidence,
        because: findings
            .iter()
            .map(|finding| format!("{}: {}", finding.rule.id, finding.evidence))
            .collect(),
        dockerfile: wrapped(text),
        diff: None,
        lines: None,
        overlaps: findings.iter().map(|finding| finding.rule.id.to_owned()).take(1).collect(),
    })
}

/// Bytes of a layer's blob that so many bytes of its files take, as well compressed as all of it.
fn share(account: &Account, layer: usize, bytes: u64) -> Option<Bytes> {
    let row = account.layers.get(layer)?;
    let compressed = u128::from(row.compressed_size?.get());
    let share = compressed * u128::from(bytes) / u128::from(row.files.get().max(1));
    Some(Bytes(u64::try_from(share).ok()?))
}

/// Programs that the RUN which made them had better strip.
fn stripped(
    account: &Account,
    by_layer: &BTreeMap<(usize, &str), Vec<&Finding>>,
) -> Vec<Suggestion> {
    let mut found = Vec::new();
    for ((layer, rule), findings) in by_layer {
        if *rule != "debug-symbols" {
            continue;
        }
        let Some(line) = run(account, *layer) else { continue };
        // Those that make up most of it.
        let bytes: u64 = findings.iter().map(|finding| finding.bytes.get()).sum();
        let places = findings.iter().flat_map(|finding| &finding.places);
        let large = places.filter(|place| place.bytes >= bytes / 20).take(12);
        let paths: Vec<String> = large.filter_map(|place| command::word(&place.path)).collect();
        if paths.is_empty() {
            continue;
        }
        if let Some(text) = line.always(&format!("strip --strip-unneeded {}", paths.join(" "))) {
            found.extend(suggestion(account, *layer, "strip what it builds", findings, &text));
        }
    }
    found
}

/// What a later layer hides: to be done in one instruction.
fn hidden(
    account: &Account,
    findings: &Findings,
    is_said: &dyn Fn(usize) -> bool,
) -> Vec<Suggestion> {
    let mut found = Vec::new();
    for finding in findings.all.iter().filter(|finding| !finding.is_inherited) {
        let Some(layer) = finding.layer.filter(|layer| !is_said(*layer)) else { continue };
        let first =
            finding.places.first().map(|place| account.payloads[place.payload as usize].fate);
        let Some(Fate::Wasted { cause, hidden_by, .. }) = first else { continue };
        let hidden_by = hidden_by as usize;
        let text = |at: usize| account.layers[at].instruction.as_ref().map(Instruction::text);
        let (Some(adder), Some(hider)) = (text(layer), text(hidden_by)) else { continue };
        let (title, line) = match (cause, adder.strip_prefix("RUN "), hider.strip_prefix("RUN ")) {
            (Cause::Repeated, ..) => continue,
            (_, Some(one), Some(other)) => (
                format!("join #{layer} and #{hidden_by} into one RUN"),
                format!("RUN {one} && {other}"),
            ),
            (Cause::MetadataOnly, None, Some(other)) if adder.starts_with("COPY ") => {
                let Some(flags) = command::copy_flags(other) else { continue };
                let Some(copy) = behind(&adder, "COPY", &flags) else { continue };
                (format!("copy with {flags} instead of RUN #{hidden_by}"), copy)
            }
            _ => continue,
        };
        if finding.bytes.get() < SAVED_MIN {
            continue;
        }
        found.push(Suggestion {
            kind: Kind::Instruction,
            title,
            saved: finding.bytes,
            saved_pull: share(account, layer, finding.bytes.get()),
            confidence: if hidden_by == layer + 1 { Confidence::High } else { Confidence::Medium },
            because: vec![finding.remedy.clone()],
            dockerfile: wrapped(&line),
            diff: None,
            lines: None,
            overlaps: vec![finding.rule.id.to_owned()],
        });
    }
    found
}
