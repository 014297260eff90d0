//! The documents of packages.

use jettison_oci::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

use crate::account::Account;
use crate::facts::Facts;
use crate::facts::unused::GroupName;
use crate::report::Detail;
use crate::tree::Fate;

/// A package of the image.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageDocument {
    /// Its name.
    pub name: String,
    /// Its database: `dpkg`, `apk`, `rpm`, `python`, `node`, `ruby`, `go`, `rust` or `java`.
    pub ecosystem: String,
    /// Its version; empty where it is not known.
    pub version: String,
    /// Bytes that it takes by its own word; null where it does not say.
    pub installed_size: Option<Bytes>,
    /// Bytes of its files in the final filesystem.
    pub bytes: Bytes,
    /// Of those, bytes of files that nothing leads to.
    pub unused: Bytes,
    /// Why it is there: `asked`, `dependency`, `recommended` or `orphan`.
    pub reason: String,
    /// How many packages depend on it.
    pub dependant_count: usize,
    /// Their names, in order. At most `--top`.
    pub dependants: Vec<String>,
    /// What it holds of others, `name version`: Go modules, crates, archives in an archive.
    pub contains: Vec<String>,
}

/// Whose a file is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnerDocument {
    /// The package's name.
    pub name: String,
    /// Its database.
    pub ecosystem: String,
    /// Its version; empty where it is not known.
    pub version: String,
    /// Why it is there: `asked`, `dependency`, `recommended` or `orphan`.
    pub reason: String,
    /// How many packages depend on it.
    pub dependant_count: usize,
    /// Whether the path is a link of the alternatives system, which leads to the package's file.
    pub alternative: bool,
}

/// All packages, those with the most bytes first.
pub(super) fn packages(account: &Account, facts: &Facts, detail: Detail) -> Vec<PackageDocument> {
    let mut bytes = vec![0_u64; facts.packages.all.len()];
    for (at, payload) in account.payloads.iter().enumerate() {
        if matches!(payload.fate, Fate::Live(_))
            && let Some(owner) = account.nodes[at].and_then(|n| facts.packages.owner_position(n))
        {
            bytes[owner] += payload.size;
        }
    }
    let mut unused = vec![0_u64; facts.packages.all.len()];
    for group in &facts.unused.groups {
        if let GroupName::Package(at) = group.name {
            unused[at] += group.bytes.get();
        }
    }
    let mut packages: Vec<PackageDocument> = facts
        .packages
        .all
        .iter()
        .enumerate()
        .map(|(at, package)| PackageDocument {
            name: package.name.clone(),
            ecosystem: package.ecosystem.name().to_owned(),
            version: package.version.clone(),
            installed_size: package.installed_size.map(Bytes),
            bytes: Bytes(bytes[at]),
            unused: Bytes(unused[at]),
            reason: package.reason.name().to_owned(),
            dependant_count: facts.packages.dependants(at).len(),
            dependants: dependants(facts, at, detail),
            contains: package.contains.clone(),
        })
        .collect();
    packages.sort_by(|a, b| {
        (b.bytes, &a.name, &a.ecosystem, &a.version).cmp(&(
            a.bytes,
            &b.name,
            &b.ecosystem,
            &b.version,
        ))
    });
    packages
}

/// Names of the packages that depend on the one at `position`.
pub(super) fn dependants(facts: &Facts, position: usize, detail: Detail) -> Vec<String> {
    let name = |at: &u32| facts.packages.all[*at as usize].name.as_str();
    let mut names: Vec<&str> = facts.packages.dependants(position).iter().map(name).collect();
    names.sort_unstable();
    names.into_iter().take(detail.top).map(str::to_owned).collect()
}
