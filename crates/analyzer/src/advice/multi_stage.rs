//! Two stages: what is built today, and of it what runs.
//!
//! The first stage is today's image. The last one starts from nothing and gets exactly the files
//! that something leads to: what nothing leads to stays behind, and so does all that later layers
//! hide. Files are gathered in a stage between, because `COPY` alone follows symlinks and forgets
//! the modes of directories.

mod kept;
mod written;

use std::collections::HashSet;

use jettison_oci::Bytes;
use jettison_oci::count::counted;

use crate::account::Account;
use crate::advice::file::ReadFile;
use crate::advice::suggestion::{Kind, Suggestion};
use crate::facts::Facts;
use crate::facts::evidence::{Confidence, Evidence};
use crate::facts::filesystem::Filesystem;
use crate::image::Instruction;
use crate::tree::NodeId;

use self::kept::Choice;
pub(super) use self::kept::Kept;

/// What today's image is called, and how it is built.
pub struct Built<'a> {
    /// A name or an ID that a builder finds it by.
    pub reference: &'a str,
    /// The Dockerfile that it is built by, where it is known.
    pub file: Option<&'a ReadFile<'a>>,
}

/// Suggestions to build in stages, the one that saves most first.
pub fn suggest(files: &Filesystem<'_>, facts: &Facts, today: &Built<'_>) -> Vec<Suggestion> {
    let account = files.account();
    // Whoever types into a shell may use everything.
    if facts.is_interactive() || !has_copier(files) {
        return Vec::new();
    }
    let mut found: Vec<Suggestion> = Vec::new();
    for sure in [Confidence::Medium, Confidence::High] {
        let Some(kept) = kept::kept(files, facts, Choice::Sure(sure)) else { continue };
        let suggestion = suggestion(account, facts, files, today, &kept, sure);
        // The careful one is worth telling where it is surer.
        found.extend(suggestion.filter(|new| {
            found.iter().all(|other: &Suggestion| other.confidence < new.confidence)
        }));
    }
    if let [lean, safe] = &mut found[..] {
        lean.overlaps.push(safe.title.clone());
        safe.overlaps.push(lean.title.clone());
    }
    found
}

/// An application's own files, to be put on another base. `None` where they cannot be gathered.
pub(super) fn own(files: &Filesystem<'_>, facts: &Facts, own: &HashSet<NodeId>) -> Option<Kept> {
    has_copier(files).then(|| kept::kept(files, facts, Choice::Own(own))).flatten()
}

/// A Dockerfile that puts them there, and the diff to it. `lines` starts from that base, given the
/// name of the stage that makes today's image.
pub(super) fn rebased(
    account: &Account,
    today: &Built<'_>,
    own: &Kept,
    lines: &dyn Fn(&str) -> String,
) -> Option<(String, Option<String>)> {
    written::dockerfile(account, today, own, lines)
}

/// Fewer bytes are not worth a stage.
const SAVED_MIN: u64 = 1 << 20;

fn suggestion(
    account: &Account,
    facts: &Facts,
    files: &Filesystem<'_>,
    today: &Built<'_>,
    kept: &Kept,
    sure: Confidence,
) -> Option<Suggestion> {
    let all = account.sizes.files.get();
    let saved = all.checked_sub(kept.bytes).filter(|saved| *saved >= SAVED_MIN.max(all / 20))?;
    let (dockerfile, diff) =
        written::dockerfile(account, today, kept, &|_| "FROM scratch\n".to_owned())?;
    let confidence = match sure {
        Confidence::High => Confidence::High,
        _ => confidence(facts, files),
    };
    Some(Suggestion {
        kind: Kind::MultiStage,
        title: match sure {
            Confidence::High => "copy into a last stage all but what no program reads".to_owned(),
            _ => "copy into a last stage only what something leads to".to_owned(),
        },
        saved: Bytes(saved),
        saved_pull: pull(account, kept.bytes),
        confidence,
        because: because(account, facts, kept, sure),
        dockerfile,
        diff,
        lines: None,
        overlaps: ["removed-later", "overwritten-later", "metadata-only-rewrite"]
            .map(str::to_owned)
            .to_vec(),
    })
}

/// What is left in a registry is taken to be compressed as well as all is today.
fn pull(account: &Account, kept: u64) -> Option<Bytes> {
    let compressed = account.sizes.compressed?.get();
    let files = u128::from(account.sizes.files.get().max(1));
    let left = u128::from(compressed) * u128::from(kept) / files;
    Some(Bytes(compressed.saturating_sub(u64::try_from(left).ok()?)))
}

/// What nothing leads to is known for programs that their loader alone puts together. Interpreters
/// find more while they run.
fn confidence(facts: &Facts, files: &Filesystem<'_>) -> Confidence {
    use crate::content::Body;
    if !facts.blind.is_empty() {
        return Confidence::Medium;
    }
    let is_interpreted = files.nodes().iter().any(|node| {
        facts.claims.evidence(*node) >= Evidence::Needed
            && files.content(*node).ok().flatten().is_some_and(|content| {
                content.shebang.is_some()
                    || matches!(
                        content.body,
                        Body::Shell(_)
                            | Body::Python(_)
                            | Body::JavaScript(_)
                            | Body::Perl(_)
                            | Body::Ruby(_)
                            | Body::Php(_)
                            | Body::Archive(_)
                            | Body::Other
                    )
            })
    });
    if is_interpreted { Confidence::Medium } else { Confidence::High }
}

/// Whether there is a shell with what it takes to gather files.
fn has_copier(files: &Filesystem<'_>) -> bool {
    let is_there = |name: &str| {
        let places = ["bin", "usr/bin"];
        places.iter().any(|place| files.file(format!("{place}/{name}").as_bytes()).is_some())
    };
    files.file(b"bin/sh").is_some() && ["cp", "install", "mkdir", "rm"].into_iter().all(is_there)
}

fn because(account: &Account, facts: &Facts, kept: &Kept, sure: Confidence) -> Vec<String> {
    let mut because = Vec::new();
    let wasted = account.sizes.wasted;
    if wasted.get() > 0 {
        because.push(format!("{wasted} are hidden by later layers, and do not come along"));
    }
    let groups = facts.unused.groups.iter().filter(|group| group.confidence >= sure);
    let (mut bytes, mut files) = (0, 0);
    for group in groups {
        bytes += group.bytes.get();
        files += group.files.len();
    }
    let why = match sure {
        Confidence::High => "are of kinds that no running program reads",
        _ => "are led to by nothing that the image runs",
    };
    because.push(format!("{} in {} {why}", Bytes(bytes), counted(files, "file")));
    // Instructions of which nothing is left only built.
    for (at, layer) in account.layers.iter().enumerate() {
        let left = kept.by_layer.get(&at).copied().unwrap_or(0);
        let name = layer.instruction.as_ref().map(Instruction::text).unwrap_or_default();
        if layer.files.get() >= SAVED_MIN && left <= layer.files.get() / 100 {
            let name: String = name.chars().take(60).collect();
            because.push(format!(
                "layer #{at} only builds: of its {} nothing is needed but {} ({name})",
                layer.files,
                Bytes(left)
            ));
        }
    }
    if kept.spare > 0 {
        because.push(format!(
            "{} that nothing leads to come along with directories that are copied whole",
            Bytes(kept.spare)
        ));
    }
    if sure != Confidence::High {
        because.push(
            "package databases come along as they are: scanners list packages whose files are gone"
                .to_owned(),
        );
    }
    because
}
