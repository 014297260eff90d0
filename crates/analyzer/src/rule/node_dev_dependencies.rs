//! Modules that only development needs.

use crate::entry::Kind;
use crate::facts::evidence::Confidence;
use crate::facts::filesystem::Filesystem;
use crate::facts::package::node::{installed, keys, members, outermost};
use crate::rule::seen::Image;
use crate::rule::{Look, Rule, Used};
use crate::tree::NodeId;
use serde_json::Value;

pub(super) const RULE: Rule = Rule {
    id: "node-dev-dependencies",
    title: "development dependencies of Node",
    what: "Packages in `node_modules` that `devDependencies` of the application's \
           `package.json` lead to and `dependencies` do not, its workspaces' included, as far as \
           nothing that runs leads to them.",
    why: "Compilers, test runners and linters take more than most applications do.",
    fix: "use npm ci --omit=dev, after the build in a first stage",
    example: "FROM node:22 AS build\n\
           COPY package*.json .\n\
           RUN npm ci\n\
           COPY . .\n\
           RUN npm run build && npm prune --omit=dev\n\
           \n\
           FROM node:22-slim\n\
           COPY --from=build /app/dist /app/node_modules …",
    confidence: Confidence::Medium,
    used: Used::Matters,
    looks: &[Look::PackageSets(development)],
};

/// What an application names for when it runs.
const NEEDED: [&str; 3] =
    ["dependencies", "optionalDependencies", "peerDependencies"];

fn development(image: &Image<'_>) -> Vec<(usize, Confidence)> {
    let files = image.files;
    let tree = files.tree();
    let mut found = Vec::new();
    for &modules in files.nodes() {
        if tree.name(modules) != b"node_modules" || !files.is_directory(modules) {
            continue;
        }
        let Some(application) = tree.parent(modules) else { continue };
        if outermost(tree, application).is_some() {
            continue;
        }
        let manifest = tree.child(application, b"package.json");
        let Some(manifest) = manifest.and_then(|node| files.content(node).ok().flatten()) else {
            continue;
        };
        let Ok(manifest) = serde_json::from_slice::<Value>(manifest.text()) else { continue };
        let wanted = named(files, application, &manifest, &["devDependencies"]);
        if wanted.is_empty() {
            continue;
        }
        let mut needed = named(files, application, &manifest, &NEEDED);
        needed.extend(of_workspaces(files, modules));
        let positions = |manifests: Vec<NodeId>| {
            let packages = &image.facts.packages;
            let roots = manifests.into_iter().filter_map(|node| packages.owner_position(node));
            packages.closure(roots)
        };
        let needed = positions(needed);
        for position in positions(wanted).difference(&needed) {
            if let Some(installed) = image.installed_at(*position) {
                let sure = installed.unneeded(image, Confidence::Medium);
                found.extend(sure.map(|sure| (*position, sure)));
            }
        }
    }
    found
}

/// The manifests of the packages that a manifest names.
fn named(files: &Filesystem<'_>, from: NodeId, manifest: &Value, of: &[&str]) -> Vec<NodeId> {
    of.iter()
        .flat_map(|key| keys(manifest, key))
        .filter_map(|name| installed(files, from, &name))
        .filter_map(|package| files.tree().child(package.node, b"package.json"))
        .collect()
}

/// What packages of the same repository depend on, which a `node_modules` has links to.
fn of_workspaces(files: &Filesystem<'_>, modules: NodeId) -> Vec<NodeId> {
    let tree = files.tree();
    let mut found = Vec::new();
    for link in members(files, modules) {
        if tree.kind(link) != Kind::Symlink {
            continue;
        }
        let Some(package) = files.find(&tree.absolute_path(link)) else { continue };
        let Some(manifest) = tree.child(package.node, b"package.json") else { continue };
        // pnpm links to every package.
        if outermost(tree, package.node).is_some() {
            continue;
        }
        let Ok(Some(manifest)) = files.content(manifest) else { continue };
        let Ok(manifest) = serde_json::from_slice::<Value>(manifest.text()) else { continue };
        let runs = ["dependencies", "optionalDependencies"];
        found.extend(named(files, package.node, &manifest, &runs));
    }
    found
}
