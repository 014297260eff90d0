//! What runs opened, against what had been said before.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use jettison_analyzer::account::Account;
use jettison_analyzer::analyze::{Options, analyze};
use jettison_analyzer::facts::Facts;
use jettison_analyzer::facts::evidence::Confidence;
use jettison_analyzer::facts::filesystem::Filesystem;
use jettison_analyzer::facts::profile::Profile;
use jettison_analyzer::source::OpenOptions;
use jettison_oci::{Bytes, escape};

/// How many paths an explanation names.
const LARGEST: usize = 40;

/// Files and their bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) files: usize,
    pub(super) bytes: u64,
}

/// Files that were called unused, surest first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ByConfidence {
    pub(super) high: Sum,
    pub(super) medium: Sum,
    pub(super) low: Sum,
}

/// One image's figures.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) live: Sum,
    pub(super) unused: ByConfidence,
    /// What both runs together opened.
    pub(super) opened: Sum,
    /// Opened, and called unused.
    pub(super) missed: ByConfidence,
    /// Never opened.
    pub(super) never: Sum,
    /// Never opened, and called unused with at least medium confidence.
    pub(super) found: Sum,
    /// Opened by the second run and not by the first: what an image made of the first would lack.
    pub(super) second_only: Sum,
    missed_paths: Vec<(Confidence, String, u64)>,
    /// Never opened and not called unused with at least medium confidence.
    unfound_paths: Vec<(u64, String, String)>,
}

impl Sum {
    const fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

impl ByConfidence {
    const fn of(&mut self, confidence: Confidence) -> &mut Sum {
        match confidence {
            Confidence::High => &mut self.high,
            Confidence::Medium => &mut self.medium,
            Confidence::Low => &mut self.low,
        }
    }
}

impl Verdict {
    pub(super) fn of(image: &str, host: &str, runs: [&[u8]; 2]) -> anyhow::Result<Self> {
        let jobs = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let options = Options {
            open: OpenOptions {
                gather: true,
                docker_host: Some(host.to_owned()),
                ..OpenOptions::default()
            },
            jobs,
            verify: false,
            base: None,
            cache: None,
        };
        let word = format!("docker-daemon:{image}");
        let account = analyze(&word, &mut || Box::new(std::io::empty()), &options)?;
        let facts = Facts::of(&Filesystem::new(&account), None, jobs)?;
        let [first, second] = runs;
        let first = opened(&account, first)?;
        let second = opened(&account, second)?;
        Ok(Self::compare(&account, &facts, &first, &second))
    }

    fn compare(
        account: &Account,
        facts: &Facts,
        first: &BTreeSet<u32>,
        second: &BTreeSet<u32>,
    ) -> Self {
        let mut said = vec![None; account.payloads.len()];
        for group in &facts.unused.groups {
            for payload in group.files.iter().filter_map(|node| account.tree.payload(*node)) {
                said[payload as usize] = Some(group.confidence);
            }
        }
        let mut verdict = Self::default();
        for (at, payload) in (0_u32..).zip(&account.payloads) {
            let Some(node) = account.nodes[at as usize] else { continue };
            if payload.size == 0 {
                continue;
            }
            let path = || format!("/{}", escape::path(&account.tree.path(node)));
            let size = payload.size;
            verdict.live.add(size);
            let confidence = said[at as usize];
            if let Some(confidence) = confidence {
                verdict.unused.of(confidence).add(size);
            }
            if first.contains(&at) || second.contains(&at) {
                verdict.opened.add(size);
                if !first.contains(&at) {
                    verdict.second_only.add(size);
                }
                if let Some(confidence) = confidence {
                    verdict.missed.of(confidence).add(size);
                    verdict.missed_paths.push((confidence, path(), size));
                }
                continue;
            }
            verdict.never.add(size);
            if confidence >= Some(Confidence::Medium) {
                verdict.found.add(size);
            } else {
                let why = match confidence {
                    Some(_) => "low confidence".to_owned(),
                    None => chain(account, facts, node),
                };
                verdict.unfound_paths.push((size, path(), why));
            }
        }
        verdict
    }

    /// Names what was missed, and the largest files that were not found.
    pub(super) fn explain(&self, image: &str) {
        println!("{image}: opened, and called unused:");
        for (confidence, path, size) in &self.missed_paths {
            println!("  {:7} {:>10} {path}", confidence.name(), Bytes(*size).to_string());
        }
        println!("{image}: never opened, and not called unused:");
        let mut unfound: Vec<_> = self.unfound_paths.iter().collect();
        unfound.sort_by_key(|(size, ..)| std::cmp::Reverse(*size));
        for (size, path, why) in unfound.into_iter().take(LARGEST) {
            println!("  {:>10} {path}\n             {why}", Bytes(*size).to_string());
        }
    }
}

fn chain(account: &Account, facts: &Facts, node: jettison_analyzer::tree::NodeId) -> String {
    let evidence = facts.claims.evidence(node).name();
    let chain = facts.claims.chain(node);
    let links = chain
        .iter()
        .map(|(node, how)| format!("/{}: {how}", escape::path(&account.tree.path(*node))));
    format!("{evidence}: {}", links.take(3).collect::<Vec<_>>().join(" <- "))
}

/// The live payloads that a run opened.
fn opened(account: &Account, profile: &[u8]) -> anyhow::Result<BTreeSet<u32>> {
    let mut merged = Profile::default();
    merged.add("the profile", profile)?;
    let paths = merged.executed.iter().chain(&merged.opened);
    let nodes = paths.filter_map(|path| account.tree.find(path.strip_prefix(b"/")?));
    Ok(nodes.filter_map(|node| account.tree.payload(node)).collect())
}
