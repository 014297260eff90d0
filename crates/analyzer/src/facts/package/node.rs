//! Node packages: each directory with a `package.json` below a `node_modules`. What a package depends
//! on is found from where it stands, as `require` finds it: symlinks of pnpm and of workspaces
//! included. What was asked for is what the `package.json` of an application names, as
//! `npm prune` takes it, and what `npm install -g` put into `lib/node_modules`.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::error::Result;
use crate::facts::filesystem::{Filesystem, Found};
use crate::facts::package::{Ecosystem, Package, Packages, Reason};
use crate::limits::NODE_STEPS_MAX;
use crate::tree::{NodeId, Tree};

/// What an application's manifest asks for.
const ASKED: [&str; 4] =
    ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/// Reads every package.
pub(super) fn read(files: &Filesystem<'_>, packages: &mut Packages) -> Result<()> {
    let tree = files.tree();
    let mut found = Installed { files, places: HashMap::new(), steps: NODE_STEPS_MAX };
    let mut applications = Vec::new();
    for &node in files.nodes() {
        match tree.name(node) {
            b"node_modules" if files.is_directory(node) => {
                for directory in members(files, node) {
                    let Some(package) = package(files, directory, packages)? else { continue };
                    if let Some(at) = packages.push(package) {
                        found.places.insert(directory, at);
                    }
                }
            }
            b"package.json" => applications.extend(tree.parent(node)),
            _ => {}
        }
    }
    if found.places.is_empty() {
        return Ok(());
    }
    applications.retain(|directory| outermost(tree, *directory).is_none());
    let mut places: Vec<_> = found.places.iter().map(|(node, at)| (*node, *at)).collect();
    places.sort_by_key(|place| place.1);
    relate(&mut found, packages, &places);
    reasons(&mut found, packages, &places, &applications)?;
    if found.steps == 0 {
        let warning = "Node packages depend on more than is followed: some dependants are missing";
        packages.warnings.push(warning.to_owned());
    }
    Ok(())
}

/// The packages, by where they stand.
struct Installed<'a> {
    files: &'a Filesystem<'a>,
    /// By directory, the position of the package that stands there.
    places: HashMap<NodeId, u32>,
    /// Lookups that may still be made.
    steps: u32,
}

impl Installed<'_> {
    /// Positions of the packages that `require` finds from a directory, in the order of their names.
    fn find<'n>(&mut self, from: NodeId, names: impl Iterator<Item = &'n String>) -> Vec<u32> {
        let modules: Vec<NodeId> = modules_above(self.files.tree(), from).collect();
        let mut found = Vec::new();
        for name in names {
            for directory in &modules {
                let Some(left) = self.steps.checked_sub(1) else { return found };
                self.steps = left;
                if let Some(package) = self.files.find_from(*directory, name.as_bytes()) {
                    found.extend(self.places.get(&package.node));
                    break;
                }
            }
        }
        found
    }
}

/// The directories of modules that are looked into from a directory, nearest first.
pub(crate) fn modules_above(tree: &Tree, directory: NodeId) -> impl Iterator<Item = NodeId> {
    std::iter::successors(Some(directory), |at| tree.parent(*at))
        .filter_map(|at| tree.child(at, b"node_modules"))
}

/// The package of a name that `require` finds from a directory.
pub(crate) fn installed(files: &Filesystem<'_>, directory: NodeId, name: &str) -> Option<Found> {
    modules_above(files.tree(), directory)
        .find_map(|modules| files.find_from(modules, name.as_bytes()))
}

/// What stands in a `node_modules`, by name: packages and links to them, those of scopes included.
pub(crate) fn members(files: &Filesystem<'_>, modules: NodeId) -> impl Iterator<Item = NodeId> {
    let scoped = |node: NodeId| {
        let is_scope = files.tree().name(node).starts_with(b"@");
        if is_scope { files.sorted_children(node) } else { vec![node] }
    };
    files.sorted_children(modules).into_iter().flat_map(scoped)
}

/// The `node_modules` that a directory is below of, or is, and that is in no other.
pub(crate) fn outermost(tree: &Tree, directory: NodeId) -> Option<NodeId> {
    std::iter::successors(Some(directory), |at| tree.parent(*at))
        .filter(|at| tree.name(*at) == b"node_modules")
        .last()
}

/// Finds what each package depends on.
fn relate(installed: &mut Installed<'_>, packages: &mut Packages, places: &[(NodeId, u32)]) {
    for (directory, at) in places {
        let package = &mut packages.all[*at as usize];
        let mut found = |names: &[Vec<String>]| {
            let mut found = installed.find(*directory, names.iter().flatten());
            found.retain(|on| on != at);
            found
        };
        package.by_place.depends = found(&package.depends);
        package.by_place.recommends = found(&package.recommends);
    }
}

/// Tells what was asked for from what came along.
fn reasons(
    installed: &mut Installed<'_>,
    packages: &mut Packages,
    places: &[(NodeId, u32)],
    applications: &[NodeId],
) -> Result<()> {
    let files = installed.files;
    let tree = files.tree();
    // The directories of modules of which it is known what they were made for.
    let mut told = HashSet::new();
    let mut asked = HashSet::new();
    // What a distribution's package holds came with that.
    let mut ask = |packages: &mut Packages, by: NodeId, on: Vec<u32>| {
        let owner = tree.child(by, b"package.json").and_then(|node| packages.owner_position(node));
        match owner {
            Some(owner) => packages.all[owner].by_place.depends.extend(on),
            None => asked.extend(on),
        }
    };
    for &directory in applications {
        let Some(manifest) = tree.child(directory, b"package.json") else { continue };
        let Some(content) = files.content(manifest)? else { continue };
        let modules = tree.child(directory, b"node_modules");
        let document = match serde_json::from_slice::<Value>(content.text()) {
            Ok(document) => document,
            Err(error) => {
                // Elsewhere it may be a template, or what a test reads.
                if modules.is_some() {
                    packages.warn(files, manifest, &no_manifest(&error));
                }
                continue;
            }
        };
        let names: Vec<String> = ASKED.iter().flat_map(|key| keys(&document, key)).collect();
        if names.is_empty() {
            continue;
        }
        let found = installed.find(directory, names.iter());
        ask(packages, directory, found);
        told.extend(modules);
    }
    for (directory, at) in places {
        let mut parent = tree.parent(*directory);
        if parent.is_some_and(|parent| tree.name(parent).starts_with(b"@")) {
            parent = parent.and_then(|parent| tree.parent(parent));
        }
        let Some(modules) = parent.filter(|modules| is_global(tree, *modules)) else { continue };
        told.insert(modules);
        ask(packages, *directory, vec![*at]);
    }
    for (directory, at) in places {
        if outermost(tree, *directory).is_some_and(|modules| told.contains(&modules)) {
            let package = &mut packages.all[*at as usize];
            package.reason_is_told = true;
            package.reason = if asked.contains(at) { Reason::Asked } else { Reason::Dependency };
        }
    }
    Ok(())
}

/// Whether a `node_modules` is that of `npm install -g`: `PREFIX/lib/node_modules`, with no
/// application beside it.
fn is_global(tree: &Tree, modules: NodeId) -> bool {
    tree.parent(modules).is_some_and(|parent| {
        tree.name(parent) == b"lib"
            && tree.child(parent, b"package.json").is_none()
            && outermost(tree, parent).is_none()
    })
}

fn package(
    files: &Filesystem<'_>,
    directory: NodeId,
    packages: &mut Packages,
) -> Result<Option<Package>> {
    let tree = files.tree();
    if !files.is_directory(directory) {
        return Ok(None);
    }
    let Some(manifest) = tree.child(directory, b"package.json") else { return Ok(None) };
    let Some(document) = files.content(manifest)? else { return Ok(None) };
    let manifest = match serde_json::from_slice::<Value>(document.text()) {
        Ok(manifest) => manifest,
        Err(error) => {
            packages.warn(files, manifest, &no_manifest(&error));
            return Ok(None);
        }
    };
    let text = |key: &str| manifest[key].as_str().unwrap_or_default().to_owned();
    // None has alternatives.
    let row = |name: String| vec![name];
    let is_optional =
        |peer: &String| manifest["peerDependenciesMeta"][peer]["optional"] == Value::Bool(true);
    let needed = keys(&manifest, "dependencies")
        .chain(keys(&manifest, "optionalDependencies"))
        .chain(keys(&manifest, "peerDependencies").filter(|peer| !is_optional(peer)));
    let optional = keys(&manifest, "peerDependencies").filter(is_optional);
    // A package in another one's node_modules is that other one's own.
    let files = own_files(files, directory);
    Ok(Some(Package {
        version: text("version"),
        depends: needed.map(row).collect(),
        recommends: optional.map(row).collect(),
        files,
        ..Package::new(Ecosystem::Node, text("name"))
    }))
}

fn no_manifest(error: &serde_json::Error) -> String {
    format!("it is no package's manifest: {error}")
}

/// The keys of a map in a manifest.
pub(crate) fn keys(manifest: &Value, of: &str) -> impl Iterator<Item = String> {
    manifest[of].as_object().into_iter().flat_map(|map| map.keys().cloned())
}

fn own_files(files: &Filesystem<'_>, directory: NodeId) -> Vec<NodeId> {
    let tree = files.tree();
    let mut found = Vec::new();
    let mut open = vec![directory];
    while let Some(at) = open.pop() {
        for child in files.sorted_children(at) {
            if !files.is_directory(child) {
                found.push(child);
            } else if tree.name(child) != b"node_modules" {
                open.push(child);
            }
        }
    }
    found
}
