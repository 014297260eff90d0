//! What rules find in an image, each byte once.

mod found;
pub mod ignore;

use std::collections::BTreeMap;

use jettison_oci::Bytes;

use crate::facts::Facts;
use crate::facts::evidence::Confidence;
use crate::facts::filesystem::Filesystem;
use crate::rule::Rule;

pub use ignore::{Ignore, Ignored};

/// How much attention a finding asks for, by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Under 1 MiB.
    Info,
    /// From 1 MiB, and whatever the base image brings: no instruction of this image can be changed
    /// for it, only its base.
    Low,
    /// From 10 MiB.
    Medium,
    /// From 100 MiB, and what is grave whatever its bytes: secrets.
    High,
}

impl Severity {
    /// The severity of so many bytes.
    pub const fn of(bytes: u64) -> Self {
        const MIB: u64 = 1 << 20;
        match bytes {
            0..MIB => Self::Info,
            bytes if bytes < 10 * MIB => Self::Low,
            bytes if bytes < 100 * MIB => Self::Medium,
            _ => Self::High,
        }
    }

    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// One file of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its path, without a slash in front.
    pub path: Vec<u8>,
    /// Bytes of it that can go.
    pub bytes: u64,
    /// Its payload.
    pub payload: u32,
}

/// What a rule found in one layer.
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How much attention it asks for.
    pub severity: Severity,
    /// How sure it is that the bytes can go.
    pub confidence: Confidence,
    /// Bytes that can go. None of them is in another finding.
    pub bytes: Bytes,
    /// The files, those with the most bytes first.
    pub places: Vec<Place>,
    /// Places that are no files: variables, build arguments.
    pub others: Vec<String>,
    /// The layer that brought the bytes.
    pub layer: Option<usize>,
    /// Whether that is the base image's, or the root filesystem that the image starts from.
    pub is_inherited: bool,
    /// Names of the packages that brought them, in order.
    pub packages: Vec<String>,
    /// What exactly was found, or what makes it so sure.
    pub evidence: String,
    /// What to do.
    pub remedy: String,
}

/// All findings of an image.
#[derive(Default)]
pub struct Findings {
    /// The findings: those with the most bytes first.
    pub all: Vec<Finding>,
    /// What settings silenced.
    pub ignored: Vec<Ignored>,
}

impl Findings {
    /// Asks every rule, in one walk over the tree.
    pub fn of(files: &Filesystem<'_>, facts: &Facts, ignores: &[Ignore]) -> Self {
        found::find(files, facts, ignores)
    }

    /// Bytes of all of them.
    pub fn bytes(&self) -> Bytes {
        Bytes(self.all.iter().map(|finding| finding.bytes.get()).sum())
    }

    /// Bytes and files by rule: the most bytes first.
    pub fn by_rule(&self) -> Vec<RuleSum<'_>> {
        let mut sums: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in &self.all {
            sums.entry(finding.rule.id).or_default().push(finding);
        }
        let mut sums: Vec<RuleSum<'_>> =
            sums.into_values().map(|findings| RuleSum { findings }).collect();
        sums.sort_by_key(|sum| {
            (
                std::cmp::Reverse(sum.severity().max(Severity::Medium)),
                std::cmp::Reverse(sum.bytes()),
                sum.rule().id,
            )
        });
        sums
    }
}

/// The findings of one rule: never none.
pub struct RuleSum<'a> {
    /// The findings, those with the most bytes first.
    pub findings: Vec<&'a Finding>,
}

impl RuleSum<'_> {
    /// The rule.
    pub fn rule(&self) -> &'static Rule {
        self.findings[0].rule
    }

    /// Their bytes.
    pub fn bytes(&self) -> Bytes {
        Bytes(self.findings.iter().map(|finding| finding.bytes.get()).sum())
    }

    /// Their files and other places.
    pub fn places(&self) -> usize {
        self.findings.iter().map(|finding| finding.places.len() + finding.others.len()).sum()
    }

    /// The gravest of them.
    pub fn severity(&self) -> Severity {
        self.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Info)
    }

    /// The confidence of most of the bytes.
    pub fn confidence(&self) -> Confidence {
        let mut bytes: BTreeMap<Confidence, u64> = BTreeMap::new();
        for finding in &self.findings {
            *bytes.entry(finding.confidence).or_default() += finding.bytes.get();
        }
        let most = bytes.into_iter().max_by_key(|(confidence, bytes)| (*bytes, *confidence));
        most.map_or(Confidence::Low, |(confidence, _)| confidence)
    }
}
