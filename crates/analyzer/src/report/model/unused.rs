//! The documents of unused files, and of what leads to one file.

use std::cmp::Reverse;

use jettison_oci::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

use crate::account::Account;
use crate::facts::Facts;
use crate::facts::evidence::Evidence;
use crate::facts::unused::GroupName;
use crate::report::Detail;
use crate::report::model::package::dependants;
use crate::report::model::{OwnerDocument, path_text};
use crate::tree::NodeId;

/// Live files that nothing leads to from what the image runs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnusedDocument {
    /// Their bytes: the sum of the three.
    pub bytes: Bytes,
    /// No program reads files of their kind while it runs.
    pub high: Bytes,
    /// Nothing that was looked into leads to them.
    pub medium: Bytes,
    /// Something that cannot be looked into may well use them.
    pub low: Bytes,
    /// By package, or by directory where no package brought them, the most bytes first. Those
    /// under `--min-bytes` are left out.
    pub groups: Vec<UnusedGroupDocument>,
    /// What could not be looked into.
    pub blind: Vec<String>,
}

/// Unused files of one package or directory.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnusedGroupDocument {
    /// The package that brought them; null where none did.
    pub package: Option<String>,
    /// Its database: `dpkg`, `apk`, `rpm`, `python`, `node`, `ruby`, `go`, `rust` or `java`.
    pub ecosystem: Option<String>,
    /// Its version; empty where it is not known.
    pub version: Option<String>,
    /// Bytes that it takes by its own word; null where it does not say.
    pub installed_size: Option<Bytes>,
    /// Why it is there: `asked`, `dependency`, `recommended` or `orphan`.
    pub reason: Option<String>,
    /// Names of packages that depend on it, in order. At most `--top`.
    pub dependants: Vec<String>,
    /// The directory that they stand in, where no package brought them.
    pub directory: Option<String>,
    /// Their bytes.
    pub bytes: Bytes,
    /// How many they are.
    pub files: usize,
    /// `high`, `medium` or `low`.
    pub confidence: String,
    /// Why it is thought so.
    pub because: String,
    /// The largest of them. At most `--top`.
    pub top_paths: Vec<String>,
}

/// One link of the chain that leads to a file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChainLink {
    /// The file.
    pub path: String,
    /// What it is for the next one: `#! of`, `NEEDED by`; for the last one what starts the chain,
    /// `ENTRYPOINT`.
    pub how: String,
}

/// What leads to a file, and whose it is.
#[derive(Clone, Debug)]
pub struct Use {
    /// `executed`, `opened`, `needed`, `named`, `package-mate`, `convention` or `none`.
    pub evidence: String,
    /// How sure it is that nothing uses it; `None` where something leads to it.
    pub confidence: Option<String>,
    /// From the file back to what starts the chain.
    pub chain: Vec<ChainLink>,
    /// The package that brought it.
    pub owner: Option<OwnerDocument>,
    /// What it would take to drop it, in a sentence.
    pub to_drop: String,
}

/// The document of unused files.
pub(super) fn unused(account: &Account, facts: &Facts, detail: Detail) -> UnusedDocument {
    let unused = &facts.unused;
    let [high, medium, low] = unused.by_confidence.map(Bytes);
    let package = |name: &GroupName| match name {
        GroupName::Package(at) => Some(&facts.packages.all[*at]),
        GroupName::Directory(_) => None,
    };
    let groups = unused.groups.iter().filter(|group| group.bytes >= detail.min_bytes);
    let blind = facts.blind.iter();
    UnusedDocument {
        bytes: Bytes(unused.bytes),
        high,
        medium,
        low,
        groups: groups
            .map(|group| UnusedGroupDocument {
                package: package(&group.name).map(|package| package.name.clone()),
                ecosystem: package(&group.name).map(|p| p.ecosystem.name().to_owned()),
                version: package(&group.name).map(|package| package.version.clone()),
                installed_size: package(&group.name).and_then(|p| p.installed_size).map(Bytes),
                reason: package(&group.name).map(|package| package.reason.name().to_owned()),
                dependants: match group.name {
                    GroupName::Package(at) => dependants(facts, at, detail),
                    GroupName::Directory(_) => Vec::new(),
                },
                directory: match &group.name {
                    GroupName::Directory(path) => {
                        Some(path_text(path.strip_prefix(b"/").unwrap_or(path)))
                    }
                    GroupName::Package(_) => None,
                },
                bytes: group.bytes,
                files: group.files.len(),
                confidence: group.confidence.name().to_owned(),
                because: group.because.clone(),
                top_paths: top(account, &group.files, detail.top),
            })
            .collect(),
        blind: blind
            .map(|(blind, node)| {
                format!("{}: {}", path_text(&account.tree.path(*node)), blind.words())
            })
            .collect(),
    }
}

fn top(account: &Account, files: &[NodeId], top: usize) -> Vec<String> {
    let size = |node: NodeId| {
        account.tree.payload(node).map_or(0, |at| account.payloads[at as usize].size)
    };
    let sizes = files.iter().map(|node| Reverse(size(*node)));
    let mut largest: Vec<(Reverse<u64>, usize)> = sizes.zip(0..).collect();
    if let Some(last) = top.checked_sub(1).filter(|last| *last < largest.len()) {
        largest.select_nth_unstable(last);
    }
    largest.truncate(top);
    largest.sort_unstable();
    largest.into_iter().map(|(_, at)| path_text(&account.tree.path(files[at]))).collect()
}

/// What leads to the file at `node`.
pub fn use_of(account: &Account, facts: &Facts, node: NodeId) -> Use {
    // Another name of the same file may be the one that is used, or by which a group has it.
    let payload = account.tree.payload(node);
    let is_same = |other: &NodeId| {
        *other == node || payload.is_some() && account.tree.payload(*other) == payload
    };
    let strongest = account
        .tree
        .walk(NodeId::ROOT)
        .filter(is_same)
        .max_by_key(|other| (facts.claims.evidence(*other), *other == node))
        .unwrap_or(node);
    let evidence = facts.claims.evidence(strongest);
    let group = facts.unused.groups.iter().find(|group| group.files.iter().any(is_same));
    let position = facts.packages.owner_position(node);
    let owner = position.map(|at| &facts.packages.all[at]);
    let chain: Vec<ChainLink> = facts
        .claims
        .chain(strongest)
        .into_iter()
        .map(|(node, how)| ChainLink {
            path: path_text(&account.tree.path(node)),
            how: how.to_owned(),
        })
        .collect();
    let to_drop = match position {
        _ if evidence != Evidence::None => to_drop_used(evidence, &chain),
        Some(at) if !facts.packages.all[at].ecosystem.is_one_file() => to_drop_package(facts, at),
        _ => "leave it out where it is copied or made".to_owned(),
    };
    Use {
        evidence: evidence.name().to_owned(),
        confidence: group.map(|group| group.confidence.name().to_owned()),
        chain,
        owner: owner.map(|owner| OwnerDocument {
            name: owner.name.clone(),
            ecosystem: owner.ecosystem.name().to_owned(),
            version: owner.version.clone(),
            reason: owner.reason.name().to_owned(),
            dependant_count: position.map_or(0, |at| facts.packages.dependants(at).len()),
            alternative: facts.packages.is_alternative(node),
        }),
        to_drop,
    }
}

/// What has to go before a file that something leads to.
fn to_drop_used(evidence: Evidence, chain: &[ChainLink]) -> String {
    match (evidence, chain) {
        (Evidence::Executed | Evidence::Opened, _) => {
            "a run used it: it cannot be dropped while the image does what that run did".to_owned()
        }
        (Evidence::Convention, [link, ..]) => {
            format!("a rule keeps it ({}): nothing else leads to it", link.how)
        }
        (_, [_, before, ..]) => format!("{} would have to go first", before.path),
        _ => "the image's configuration would have to name something else".to_owned(),
    }
}

/// Packages that a sentence names.
const DEPENDANTS_MAX: usize = 5;

/// What it takes to drop a package's file that nothing leads to.
fn to_drop_package(facts: &Facts, at: usize) -> String {
    let name = &facts.packages.all[at].name;
    let dependants: Vec<&str> = facts
        .packages
        .dependants(at)
        .iter()
        .take(DEPENDANTS_MAX)
        .map(|at| facts.packages.all[*at as usize].name.as_str())
        .collect();
    let more = facts.packages.dependants(at).len() - dependants.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    match dependants.as_slice() {
        [] => format!("remove the package {name}, or leave the file out of the final stage"),
        names => format!(
            "leave the file out of the final stage, or remove the package {name} and what depends \
             on it: {}{more}",
            names.join(", ")
        ),
    }
}
