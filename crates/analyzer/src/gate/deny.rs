//! What may not be in an image at all: paths, and findings of rules.

use std::collections::BTreeMap;

use jettison_oci::{Bytes, count::counted, escape};

use crate::account::Account;
use crate::facts::evidence::Confidence;
use crate::finding::Findings;
use crate::finding::ignore::Pattern;
use crate::gate::budget::Selection;
use crate::gate::judge::{Check, Limit, Verdict};
use crate::tree::{Fate, NodeId};

/// Paths named of one denial.
const PATHS_MAX: usize = 100;

/// One `[[gate.deny]]`.
#[derive(Clone, Debug)]
pub struct Deny {
    /// In which images.
    pub of: Selection,
    /// What.
    pub what: Denied,
    /// Why, in the words of who wrote it.
    pub reason: Option<String>,
    /// Where it is written.
    pub place: String,
}

/// What is denied.
#[derive(Clone, Debug)]
pub enum Denied {
    /// Findings of a rule.
    Rule {
        /// Its id.
        id: String,
        /// At least so sure.
        confidence: Confidence,
        /// More bytes than this together; 0 for any finding, one without bytes too.
        max: Bytes,
    },
    /// Paths, in any layer: what a later one hides can still be read.
    Path(Pattern),
}

impl Deny {
    /// Whether findings are needed.
    pub const fn needs_findings(&self) -> bool {
        matches!(self.what, Denied::Rule { .. })
    }

    /// Its words in reports.
    pub fn name(&self) -> String {
        match &self.what {
            Denied::Rule { id, .. } => format!("rule {id}"),
            Denied::Path(pattern) => format!("path {}", escape::line(pattern.text())),
        }
    }

    /// Looks for it.
    pub fn judge(&self, account: &Account, findings: Option<&Findings>) -> Check {
        let (found, allowed, max) = match &self.what {
            Denied::Rule { id, confidence, max } => {
                let found = findings.map(|all| of_rule(all, id, *confidence)).unwrap_or_default();
                let allowed = if max.get() == 0 { "none".to_owned() } else { format!("<= {max}") };
                (found, allowed, max.get())
            }
            Denied::Path(pattern) => (of_paths(account, pattern), "none".to_owned(), 0),
        };
        let bytes: u64 = found.layers.values().sum();
        let is_denied = found.count > 0 && (max == 0 || bytes > max);
        let why = self.reason.as_ref().map(|reason| format!(" ({})", escape::line(reason)));
        let why = why.unwrap_or_default();
        let first = found.paths.first().cloned().unwrap_or_default();
        let message = if found.count == 0 {
            format!("{}: nothing found", self.name())
        } else {
            let more = if found.count > 1 {
                format!(" and {} more", found.count - 1)
            } else {
                String::new()
            };
            let denied = if is_denied { "is denied" } else { "is allowed" };
            format!(
                "{} {denied}{why}: {first}{more}, {} in {}",
                self.name(),
                Bytes(bytes),
                counted(found.count, "place")
            )
        };
        let layer =
            found.layers.iter().max_by_key(|(layer, bytes)| (**bytes, std::cmp::Reverse(**layer)));
        Check {
            allowed,
            verdict: if is_denied { Verdict::Fail } else { Verdict::Pass },
            over: if is_denied { bytes.saturating_sub(max) } else { 0 },
            message,
            layer: layer.and_then(|(layer, _)| *layer),
            paths: found.paths,
            ..Check::new(self.name(), Limit::Deny, bytes, &self.place)
        }
    }
}

/// What was found of something denied.
#[derive(Default)]
struct Found {
    count: usize,
    /// The largest first.
    paths: Vec<String>,
    /// Bytes by layer.
    layers: BTreeMap<Option<usize>, u64>,
}

fn of_rule(findings: &Findings, id: &str, confidence: Confidence) -> Found {
    let mut found = Found::default();
    let fitting =
        findings.all.iter().filter(|one| one.rule.id == id && one.confidence >= confidence);
    for finding in fitting {
        let places = finding.places.len() + finding.others.len();
        found.count += places.max(1);
        let paths = finding.places.iter().map(|place| format!("/{}", escape::path(&place.path)));
        let others = finding.others.iter().cloned();
        let whole = (places == 0).then(|| finding.evidence.clone());
        found.paths.extend(paths.chain(others).chain(whole).take(PATHS_MAX));
        *found.layers.entry(finding.layer).or_default() += finding.bytes.get();
    }
    found.paths.truncate(PATHS_MAX);
    found
}

fn of_paths(account: &Account, pattern: &Pattern) -> Found {
    let mut rows: BTreeMap<Vec<u8>, (u64, Option<usize>)> = BTreeMap::new();
    let tree = &account.tree;
    for node in tree.walk(NodeId::ROOT).filter(|node| *node != NodeId::ROOT) {
        let path = tree.path(node);
        if pattern.fits(&path) {
            let size = tree.payload(node).map_or(0, |at| account.payloads[at as usize].size);
            let entry = tree.entry(node);
            rows.insert(path, (size, entry.is_explicit().then_some(entry.layer as usize)));
        }
    }
    let hidden = account.payloads.iter().filter(|one| matches!(one.fate, Fate::Wasted { .. }));
    for payload in hidden {
        let path = account.entry_path(payload);
        if pattern.fits(path) {
            let row = rows.entry(path.to_vec()).or_insert((0, Some(payload.entry.layer as usize)));
            row.0 += payload.size;
        }
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by(|(a, (a_bytes, _)), (b, (b_bytes, _))| {
        b_bytes.cmp(a_bytes).then_with(|| a.cmp(b))
    });
    let mut found = Found { count: rows.len(), ..Found::default() };
    for (path, (bytes, layer)) in rows {
        *found.layers.entry(layer).or_default() += bytes;
        if found.paths.len() < PATHS_MAX {
            found.paths.push(format!("/{}", escape::path(&path)));
        }
    }
    found
}
