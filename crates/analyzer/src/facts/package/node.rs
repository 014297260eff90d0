//! Node packages: each directory with a `package.json` below a `node_modules`.

use serde_json::Value;

use crate::error::Result;
use crate::facts::filesystem::Filesystem;
use crate::facts::package::{Ecosystem, Package, Packages};
use crate::tree::NodeId;

/// Reads every package.
pub(super) fn read(files: &Filesystem<'_>, packages: &mut Packages) -> Result<()> {
    let tree = files.tree();
    for &modules in files.nodes() {
        if tree.name(modules) != b"node_modules" || !files.is_directory(modules) {
            continue;
        }
        for child in files.sorted_children(modules) {
            if tree.name(child).starts_with(b"@") {
                for scoped in files.sorted_children(child) {
                    let package = package(files, scoped, packages)?;
                    packages.extend(package);
                }
            } else {
                let package = package(files, child, packages)?;
                packages.extend(package);
            }
        }
    }
    Ok(())
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
            packages.warn(files, manifest, &format!("it is no package's manifest: {error}"));
            return Ok(None);
        }
    };
    let text = |key: &str| manifest[key].as_str().unwrap_or_default().to_owned();
    let keys = |key: &str| -> Vec<Vec<String>> {
        manifest[key]
            .as_object()
            .into_iter()
            .flat_map(|map| map.keys())
            .map(|k| vec![k.clone()])
            .collect()
    };
    // A package in another one's node_modules is that other one's own.
    let files = own_files(files, directory);
    Ok(Some(Package {
        version: text("version"),
        depends: [keys("dependencies"), keys("optionalDependencies")].concat(),
        files,
        ..Package::new(Ecosystem::Node, text("name"))
    }))
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
