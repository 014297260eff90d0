//! Live files that nothing leads to, by package and by directory, with how sure that is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jettison_oci::{Bytes, escape};

use crate::entry::split;
use crate::facts::evidence::{Confidence, Evidence};
use crate::facts::filesystem::Filesystem;
use crate::facts::kind::{FileKind, Form};
use crate::facts::package::{Packages, Reason};
use crate::facts::reach::{Blind, Reached};
use crate::tree::{Fate, NodeId};

/// What files of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupName {
    /// The package that brought them, by position.
    Package(usize),
    /// The directory that they stand in, where no package brought them.
    Directory(Vec<u8>),
}

/// Unused files of one package or directory, of one confidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub name: GroupName,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why it is thought so.
    pub because: String,
    /// Their bytes.
    pub bytes: Bytes,
    /// Their nodes, siblings by name.
    pub files: Vec<NodeId>,
}

/// All unused files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unused {
    /// Bytes that nothing leads to.
    pub bytes: u64,
    /// Of those, by confidence: high, medium, low.
    pub by_confidence: [u64; 3],
    /// The groups, the most bytes first.
    pub groups: Vec<Group>,
}

/// Files of one group with their bytes, and what makes it unsure that they are unused.
#[derive(Default)]
struct Rows {
    files: Vec<(NodeId, u64)>,
    doubts: BTreeSet<Blind>,
}

/// Finds them. A file with several names is used if one of its names is.
pub(super) fn find(files: &Filesystem<'_>, packages: &Packages, reached: &Reached) -> Unused {
    let account = files.account();
    let mut is_used = vec![false; account.payloads.len()];
    for payload in reached.claims.nodes().filter_map(|node| files.tree().payload(node)) {
        is_used[payload as usize] = true;
    }
    let blind: BTreeSet<Blind> = reached.blind.iter().map(|(blind, _)| *blind).collect();
    let mut groups: BTreeMap<(GroupName, Confidence, FileKind), Rows> = BTreeMap::new();
    for &node in files.nodes() {
        let Some(at) = files.tree().payload(node) else { continue };
        let payload = &account.payloads[at as usize];
        // Under the first of its names.
        let is_counted = account.nodes[at as usize] == Some(node);
        let is_live = payload.size > 0 && matches!(payload.fate, Fate::Live(_));
        if is_used[at as usize] || !is_counted || !is_live {
            continue;
        }
        let kind = files.kind(node);
        let (confidence, doubt) = confidence(files, node, kind, &blind);
        let name = match packages.owner_position(node) {
            Some(package) => GroupName::Package(package),
            None => GroupName::Directory(top_directory(&files.path(node))),
        };
        let group = groups.entry((name, confidence, kind)).or_default();
        group.files.push((node, payload.size));
        group.doubts.extend(doubt);
    }
    let mut unused = Unused::default();
    for ((name, confidence, kind), Rows { files: rows, doubts }) in groups {
        let bytes: u64 = rows.iter().map(|(_, size)| size).sum();
        unused.bytes += bytes;
        unused.by_confidence[match confidence {
            Confidence::High => 0,
            Confidence::Medium => 1,
            Confidence::Low => 2,
        }] += bytes;
        let because = because(files, packages, reached, &name, kind, &doubts);
        let files = rows.into_iter().map(|(node, _)| node).collect();
        unused.groups.push(Group { name, confidence, because, bytes: Bytes(bytes), files });
    }
    unused.groups.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    unused
}

/// Directories of plugins that rules of their own choose from: character sets, PAM, SASL, OpenSSL.
const SETTLED: [&[u8]; 5] = [b"gconv", b"security", b"sasl2", b"engines-3", b"ossl-modules"];

/// How sure it is that a file without evidence is unused, and what lowers that.
fn confidence(
    files: &Filesystem<'_>,
    node: NodeId,
    kind: FileKind,
    blind: &BTreeSet<Blind>,
) -> (Confidence, Option<Blind>) {
    // A shell that is given no script runs what somebody types, manual pages included.
    let interactive = blind.contains(&Blind::Shell).then_some(Blind::Shell);
    let sure = match kind {
        FileKind::Manual | FileKind::Documentation | FileKind::Translation => {
            let confidence =
                if interactive.is_some() { Confidence::Medium } else { Confidence::High };
            return (confidence, interactive);
        }
        FileKind::PackageTooling => Some(Confidence::High),
        FileKind::Cache if files.place(node).is_in_var() => Some(Confidence::High),
        FileKind::Development | FileKind::Cache | FileKind::Test | FileKind::Other => None,
    };
    if let Some(confidence) = sure {
        return (confidence, None);
    }
    if blind.is_empty() {
        return (Confidence::Medium, None);
    }
    // It may have named anything.
    let damaged = blind.contains(&Blind::Damaged).then_some(Blind::Damaged);
    let doubt = interactive.or(damaged.filter(|_| kind == FileKind::Other)).or_else(|| {
        let doubt = match files.form(node) {
            _ if kind != FileKind::Other => None,
            // Plugins have no version in their names; libraries are named by whoever opens them.
            Form::SharedObject => {
                let name = files.tree().name(node);
                let directory = files.tree().parent(node).map(|parent| files.tree().name(parent));
                let is_settled = directory.is_some_and(|name| SETTLED.contains(&name));
                let is_plugin = name.ends_with(b".so") && !name.starts_with(b"lib");
                (is_plugin && !is_settled).then_some(Blind::Dlopen)
            }
            Form::Program => Some(Blind::ShellEval),
            Form::Data => (!files.place(node).is_in_usr_share()).then_some(Blind::OtherLanguage),
            language => Blind::of_language(language),
        };
        doubt.filter(|doubt| blind.contains(doubt))
    });
    (if doubt.is_some() { Confidence::Low } else { Confidence::Medium }, doubt)
}

/// The first three names of a path's directory: deep enough to say what it is.
fn top_directory(path: &[u8]) -> Vec<u8> {
    let (directory, _) = split(path);
    let mut ends =
        directory.iter().enumerate().skip(1).filter(|(_, b)| **b == b'/').map(|(at, _)| at);
    let end = ends.nth(2).unwrap_or(directory.len());
    directory[..end].to_vec()
}

fn because(
    files: &Filesystem<'_>,
    packages: &Packages,
    reached: &Reached,
    name: &GroupName,
    kind: FileKind,
    doubts: &BTreeSet<Blind>,
) -> String {
    let mut because = match name {
        GroupName::Package(at) => {
            let package = &packages.all[*at];
            let used = package.files.iter().any(|n| reached.claims.evidence(*n) >= Evidence::Named);
            let dependants = packages.dependants(*at).len();
            let mut text = if used {
                "nothing leads to these files of it".to_owned()
            } else {
                "no file of it is reached".to_owned()
            };
            match dependants {
                0 if package.reason == Reason::Recommended => {
                    text.push_str("; others only recommend it");
                }
                0 if package.reason == Reason::Orphan => {
                    text.push_str("; no package depends on it, and nobody asked for it");
                }
                0 => {}
                1 => text.push_str("; 1 package depends on it"),
                several => _ = write!(text, "; {several} packages depend on it"),
            }
            text
        }
        GroupName::Directory(_) => {
            "nothing leads to these files, which no package brought".to_owned()
        }
    };
    if kind != FileKind::Other {
        because = format!("{}: {because}", kind.name());
    }
    if !doubts.is_empty() {
        let doubts: Vec<String> =
            doubts.iter().map(|blind| doubt(files, &reached.blind, *blind)).collect();
        let _ = write!(because, "; but {}", doubts.join(", "));
    }
    because
}

/// What cannot be looked into, with the file that it is about, or one of them.
fn doubt(files: &Filesystem<'_>, blind: &BTreeSet<(Blind, NodeId)>, of: Blind) -> String {
    let mut paths: Vec<Vec<u8>> =
        blind.iter().filter(|(blind, _)| *blind == of).map(|(_, node)| files.path(*node)).collect();
    paths.sort();
    let mut text = of.words().to_owned();
    if let Some(first) = paths.first() {
        let _ = match paths.len() {
            1 => write!(text, " ({})", escape::path(first)),
            several => write!(text, " ({} and {} more)", escape::path(first), several - 1),
        };
    }
    text
}

impl Blind {
    /// What is said where files of a language cannot be looked into.
    pub(super) const fn of_language(form: Form) -> Option<Self> {
        match form {
            Form::Python => Some(Self::Python),
            Form::JavaScript => Some(Self::Node),
            Form::Perl => Some(Self::Perl),
            Form::Ruby => Some(Self::Ruby),
            Form::Php => Some(Self::Php),
            Form::Java => Some(Self::Java),
            Form::SharedObject | Form::Program | Form::Data => None,
        }
    }

    /// What cannot be looked into, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Shell => "a shell is started without a script",
            Self::ShellEval => "a script evaluates commands that it makes up",
            Self::Python => "Python runs what only a run can tell",
            Self::Node => "Node runs what only a run can tell",
            Self::Perl => "Perl loads what only a run can tell",
            Self::Ruby => "Ruby loads what only a run can tell",
            Self::Php => "PHP includes what only a run can tell",
            Self::Java => "Java loads classes from where only a run can tell",
            Self::OtherLanguage => "scripts of other languages are not looked into",
            Self::Dlopen => "shared objects are opened by names that are made up",
            Self::Damaged => "a file that is used is damaged",
        }
    }
}
