//! The walk: every rule is asked of every directory, file and payload, and the first that fits has
//! it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use jettison_oci::Bytes;

use crate::account::Waste;
use crate::facts::Facts;
use crate::facts::evidence::{Confidence, Evidence};
use crate::facts::filesystem::Filesystem;
use crate::finding::ignore::{Ignore, silence};
use crate::finding::{Finding, Findings, Place, Severity};
use crate::remedy::{Remedies, brought};
use crate::rule::seen::{Directory, File, Group, Image, Installed, Taken, Wasted};
use crate::rule::{ALL, Look, Rule, Used};
use crate::tree::{Cause, Fate, NodeId};

/// Finds everything.
pub(super) fn find(files: &Filesystem<'_>, facts: &Facts, ignores: &[Ignore]) -> Findings {
    let image = Image::new(facts, files);
    let mut finder = Finder::new(&image);
    finder.walk();
    finder.settle();
    finder.wasted();
    finder.wholes();
    finder.finish(ignores)
}

/// A set of rules: a bit each.
type Rules = u64;

const fn bit(rule: usize) -> Rules {
    1 << rule
}

/// What is known of one payload's names.
#[derive(Clone, Copy, Default)]
struct Names {
    /// The first rule that fits one of them, plus one; 0 where none does.
    rule: u8,
    /// How many of them a rule fits.
    found: u32,
    /// The least sure of them.
    confidence: Option<Confidence>,
    evidence: Evidence,
}

/// What belongs into one finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    rule: usize,
    layer: Option<usize>,
    /// The cause, and the layer that hides it, of wasted payloads.
    hidden: Option<(Cause, usize)>,
    confidence: Confidence,
}

#[derive(Default)]
struct Rows {
    payloads: Vec<(u32, u64)>,
    evidence: Evidence,
    /// Bytes by part.
    parts: BTreeMap<&'static str, u64>,
    group: Option<Group>,
}

struct Finder<'i, 'a> {
    image: &'i Image<'a>,
    /// By package: the rules that have it, with how sure each is.
    packages: HashMap<usize, (Rules, Vec<(usize, Confidence)>)>,
    names: Vec<Names>,
    taken: Taken,
    rows: BTreeMap<Key, Rows>,
}

impl<'i, 'a> Finder<'i, 'a> {
    fn new(image: &'i Image<'a>) -> Self {
        let payloads = image.account.payloads.len();
        Self {
            image,
            packages: packages(image),
            names: vec![Names::default(); payloads],
            taken: Taken { bytes: vec![0; payloads] },
            rows: BTreeMap::new(),
        }
    }

    /// Asks the rules about directories, packages and files.
    fn walk(&mut self) {
        let (image, files) = (self.image, self.image.files);
        let tree = files.tree();
        let volumes = &image.account.image.config.volumes;
        let volumes: Vec<&str> = volumes.iter().map(|path| path.trim_end_matches('/')).collect();
        // The directories above, each with where its path ends and the rules of what is below it.
        // A volume's content is its user's: no rule is asked there.
        let mut above: Vec<(NodeId, usize, Option<Rules>)> = Vec::new();
        let directories = Directories::new();
        let mut path = Vec::new();
        for &node in files.nodes() {
            let parent = tree.parent(node);
            while above.last().is_some_and(|(last, ..)| Some(*last) != parent) {
                above.pop();
            }
            let (end, rules) = above.last().map_or((0, Some(0)), |(_, end, rules)| (*end, *rules));
            path.truncate(end);
            if parent.is_some() {
                path.push(b'/');
                path.extend_from_slice(tree.name(node));
            }
            if files.is_directory(node) {
                let is_volume =
                    volumes.iter().any(|volume| !volume.is_empty() && volume.as_bytes() == path);
                let rules = rules
                    .filter(|_| !is_volume)
                    .map(|rules| directories.rules(&Directory { path: &path, node, image }, rules));
                above.push((node, path.len(), rules));
            } else if let Some(rules) = rules.filter(|_| files.is_file(node)) {
                self.file(node, &path, rules);
            }
        }
    }

    fn file(&mut self, node: NodeId, path: &[u8], above: Rules) {
        let image = self.image;
        let Some(payload) = image.files.tree().payload(node) else { return };
        let owner = image.facts.packages.owner_position(node);
        let file = File::new(image, node, path);
        let of_package = owner.and_then(|owner| self.packages.get(&owner));
        let rules = above | of_package.map_or(0, |(rules, _)| *rules);
        let names = &mut self.names[payload as usize];
        names.evidence = names.evidence.max(file.evidence);
        for (at, rule) in ALL.iter().enumerate() {
            let whole = rules & bit(at) != 0;
            let is = whole
                || rule.looks.iter().any(|look| matches!(look, Look::Files(fits) if fits(&file)));
            if !is {
                continue;
            }
            let told = of_package.and_then(|(_, told)| told.iter().find(|(rule, _)| *rule == at));
            let sure = told.map_or(rule.confidence, |(_, sure)| *sure);
            let Some(sure) = weighed(rule, sure, file.evidence) else { continue };
            names.found += 1;
            let earlier = usize::from(names.rule).checked_sub(1);
            if earlier.is_none_or(|earlier| at < earlier) {
                names.rule = u8::try_from(at + 1).unwrap_or(u8::MAX);
            }
            names.confidence = Some(names.confidence.map_or(sure, |before| before.min(sure)));
            return;
        }
    }

    /// Gives live payloads to rules: whole where a rule fits each of their names, else in part.
    fn settle(&mut self) {
        for at in 0..self.names.len() {
            let payload = self.image.account.payloads[at];
            let Fate::Live(count) = payload.fate else { continue };
            let names = self.names[at];
            let position = crate::layer::index::position(at);
            let layer = Some(payload.entry.layer as usize);
            if names.rule > 0 && names.found >= count && payload.size > 0 {
                let rule = usize::from(names.rule) - 1;
                let confidence = names.confidence.unwrap_or(ALL[rule].confidence);
                let rows =
                    self.rows.entry(Key { rule, layer, hidden: None, confidence }).or_default();
                rows.payloads.push((position, payload.size));
                rows.evidence = rows.evidence.max(names.evidence);
                self.taken.bytes[at] = payload.size;
            } else if names.rule == 0 && payload.size > 0 {
                self.parts(position);
            }
        }
    }

    fn parts(&mut self, payload: u32) {
        let image = self.image;
        let Some(node) = image.account.nodes[payload as usize] else { return };
        let path = image.files.path(node);
        let file = File::new(image, node, &path);
        for (rule, look) in looks() {
            let Look::Parts(look) = look else { continue };
            let parts = look(&file);
            let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
            if bytes == 0 {
                continue;
            }
            let layer = Some(image.account.payloads[payload as usize].entry.layer as usize);
            let key = Key { rule, layer, hidden: None, confidence: ALL[rule].confidence };
            let rows = self.rows.entry(key).or_default();
            rows.payloads.push((payload, bytes));
            rows.evidence = rows.evidence.max(file.evidence);
            for part in parts {
                *rows.parts.entry(part.of).or_default() += part.bytes;
            }
            self.taken.bytes[payload as usize] += bytes;
        }
    }

    /// Gives wasted payloads to rules: the first that fits.
    fn wasted(&mut self) {
        let account = self.image.account;
        for (at, payload) in (0_u32..).zip(&account.payloads) {
            let Fate::Wasted { cause, hidden_by, successor } = payload.fate else { continue };
            if payload.size == 0 {
                continue;
            }
            let successor = account.nodes.get(successor as usize).copied().flatten();
            let wasted = Wasted {
                path: account.entry_path(payload),
                cause,
                successor: successor.and_then(|node| self.image.facts.packages.owner(node)),
            };
            let rule = looks().find_map(|(rule, look)| match look {
                Look::Wasted(fits) => fits(&wasted).then_some(rule),
                _ => None,
            });
            let Some(rule) = rule else { continue };
            let key = Key {
                rule,
                layer: Some(payload.entry.layer as usize),
                hidden: Some((cause, hidden_by as usize)),
                confidence: ALL[rule].confidence,
            };
            self.rows.entry(key).or_default().payloads.push((at, payload.size));
            self.taken.bytes[at as usize] = payload.size;
        }
    }

    /// Asks the rules that look at the whole.
    fn wholes(&mut self) {
        for (rule, look) in looks() {
            let Look::Whole(look) = look else { continue };
            for group in look(self.image, &self.taken) {
                for (payload, bytes) in &group.payloads {
                    self.taken.bytes[*payload as usize] += bytes;
                }
                let key = Key {
                    rule,
                    layer: group.layer,
                    hidden: None,
                    confidence: group.confidence.unwrap_or(ALL[rule].confidence),
                };
                let rows = self.rows.entry(key).or_default();
                rows.payloads.extend(&group.payloads);
                match &mut rows.group {
                    // Two kinds of one rule in one layer: each says its own.
                    Some(before) => {
                        before.evidence = format!("{}; {}", before.evidence, group.evidence);
                        before.places.extend(group.places);
                        before.packages.extend(group.packages);
                        before.is_grave |= group.is_grave;
                    }
                    none => *none = Some(group),
                }
            }
        }
    }

    fn finish(self, ignores: &[Ignore]) -> Findings {
        let image = self.image;
        let account = image.account;
        let remedies = Remedies::of(account);
        for payload in 0..account.payloads.len() {
            assert!(
                self.taken.bytes[payload] <= account.payloads[payload].size,
                "no byte is found twice"
            );
        }
        let package_of = |payload: u32| {
            let node = account.nodes[payload as usize]?;
            Some(image.facts.packages.owner(node)?.name.clone())
        };
        let mut findings = Findings::default();
        for (key, rows) in self.rows {
            let mut finding = finding(image, &remedies, key, rows);
            let is_grave = finding.severity > severity(finding.bytes, finding.is_inherited);
            if silence(&mut finding, ignores, &package_of, &mut findings.ignored) {
                continue;
            }
            if !is_grave {
                finding.severity = severity(finding.bytes, finding.is_inherited);
            }
            let mut packages: BTreeSet<String> =
                finding.places.iter().filter_map(|place| package_of(place.payload)).collect();
            packages.extend(std::mem::take(&mut finding.packages));
            finding.packages = packages.into_iter().collect();
            findings.all.push(finding);
        }
        findings.all.sort_by(|a, b| {
            b.bytes.cmp(&a.bytes).then(a.rule.id.cmp(b.rule.id)).then(a.layer.cmp(&b.layer))
        });
        findings
    }
}

/// Every look with its rule's position.
fn looks() -> impl Iterator<Item = (usize, &'static Look)> {
    ALL.iter().enumerate().flat_map(|(at, rule)| rule.looks.iter().map(move |look| (at, look)))
}

/// Whether a directory is one that a rule is about.
type Fits = fn(&Directory<'_>) -> bool;

/// What is asked of each directory: far fewer than there are looks, and asked a million times.
struct Directories {
    below: Vec<(Rules, Fits)>,
    not_below: Vec<(Rules, Fits)>,
}

impl Directories {
    fn new() -> Self {
        let (mut below, mut not_below) = (Vec::new(), Vec::new());
        for (rule, look) in looks() {
            match look {
                Look::Below(fits) => below.push((bit(rule), *fits)),
                Look::NotBelow(fits) => not_below.push((bit(rule), *fits)),
                _ => {}
            }
        }
        Self { below, not_below }
    }

    /// The rules of what is below a directory.
    fn rules(&self, at: &Directory<'_>, above: Rules) -> Rules {
        let mut rules = above;
        for (rule, fits) in &self.below {
            if fits(at) {
                rules |= rule;
            }
        }
        for (rule, fits) in &self.not_below {
            if fits(at) {
                rules &= !rule;
            }
        }
        rules
    }
}

/// The rules of whole packages.
fn packages(image: &Image<'_>) -> HashMap<usize, (Rules, Vec<(usize, Confidence)>)> {
    let mut found: HashMap<usize, (Rules, Vec<(usize, Confidence)>)> = HashMap::new();
    let mut take = |package: usize, rule: usize, sure: Confidence| {
        let row = found.entry(package).or_default();
        row.0 |= bit(rule);
        row.1.push((rule, sure));
    };
    let installed: Vec<Installed<'_>> = image.installed().collect();
    for (rule, look) in looks() {
        match look {
            Look::Packages(fits) => {
                for one in &installed {
                    if let Some(sure) = fits(image, one) {
                        take(one.position, rule, sure);
                    }
                }
            }
            Look::PackageSets(find) => {
                for (package, sure) in find(image) {
                    take(package, rule, sure);
                }
            }
            _ => {}
        }
    }
    found
}

/// How sure a rule is of a file with this evidence; `None` where it does not fit then.
fn weighed(rule: &Rule, sure: Confidence, evidence: Evidence) -> Option<Confidence> {
    let lower = |sure| match sure {
        Confidence::High => Confidence::Medium,
        Confidence::Medium | Confidence::Low => Confidence::Low,
    };
    match (rule.used, evidence) {
        (Used::Ignored, _) | (_, Evidence::None | Evidence::Convention | Evidence::PackageMate) => {
            Some(sure)
        }
        (_, Evidence::Named) => Some(lower(sure)),
        (Used::Lowers, _) => Some(Confidence::Low),
        (Used::Matters, _) => None,
    }
}

fn finding(image: &Image<'_>, remedies: &Remedies<'_>, key: Key, rows: Rows) -> Finding {
    let account = image.account;
    let rule = ALL[key.rule];
    let bytes: u64 = rows.payloads.iter().map(|(_, bytes)| bytes).sum();
    let is_inherited = key.layer.is_some_and(|layer| brought::is_inherited(account, layer));
    let path = |payload: u32| match account.nodes[payload as usize] {
        Some(node) => account.tree.path(node),
        None => account.entry_path(&account.payloads[payload as usize]).to_vec(),
    };
    let mut places: Vec<Place> = rows
        .payloads
        .iter()
        .map(|(payload, bytes)| Place { path: path(*payload), bytes: *bytes, payload: *payload })
        .collect();
    places.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    let is_grave = rows.group.as_ref().is_some_and(|group| group.is_grave);
    let severity = if is_grave { Severity::High } else { severity(Bytes(bytes), is_inherited) };
    let remedy = match (key.hidden, key.layer) {
        (Some((cause, hidden_by)), Some(added_by)) => remedies.sentence(&Waste {
            cause,
            added_by,
            hidden_by,
            bytes: Bytes(bytes),
            payloads: rows.payloads.iter().map(|(payload, _)| *payload).collect(),
        }),
        (_, Some(layer)) if !is_grave => brought::mended(account, rule, layer),
        _ => rule.fix.to_owned(),
    };
    let (others, packages, told) = match rows.group {
        Some(group) => (group.places, group.packages, Some(group.evidence)),
        None => (Vec::new(), Vec::new(), None),
    };
    let evidence = told.unwrap_or_else(|| evidence_of(rule, key, rows.evidence, &rows.parts));
    Finding {
        rule,
        severity,
        confidence: key.confidence,
        bytes: Bytes(bytes),
        places,
        others,
        layer: key.layer,
        is_inherited,
        packages,
        evidence,
        remedy,
    }
}

/// What so many bytes ask for: of an inherited layer, only the base can be changed.
fn severity(bytes: Bytes, is_inherited: bool) -> Severity {
    let severity = Severity::of(bytes.get());
    if is_inherited { severity.min(Severity::Low) } else { severity }
}

fn evidence_of(
    rule: &Rule,
    key: Key,
    evidence: Evidence,
    parts: &BTreeMap<&'static str, u64>,
) -> String {
    if let Some((cause, _)) = key.hidden {
        return format!("no path leads to them any more ({})", cause.name());
    }
    if !parts.is_empty() {
        let mut text = String::new();
        for (part, bytes) in parts.iter().filter(|(_, bytes)| **bytes > 0) {
            let separator = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{separator}{} in {part}", Bytes(*bytes));
        }
        return text;
    }
    let told = match (rule.used, evidence) {
        (Used::Ignored, _) => "nothing of their kind is needed, whatever the image runs",
        (_, Evidence::None) => "nothing that the image runs leads to them",
        (_, Evidence::Convention | Evidence::PackageMate) => {
            "nothing that the image runs names them; some belong to packages in use"
        }
        (_, Evidence::Named) => "something that the image runs names some of them",
        _ => "something that the image runs needs some of them",
    };
    told.to_owned()
}
