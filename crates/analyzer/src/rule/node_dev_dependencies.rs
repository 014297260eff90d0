//! Modules that only development needs.

use crate::entry::Kind;
use crate::facts::evidence::Confidence;
use crate::facts::filesystem::Filesystem;
use crate::facts::package::Ecosystem;
use crate::rule::seen::Image;
use crate::rule::{Look, Rule, Used};
use crate::tree::NodeId;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

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

fn development(image: &Image<'_>) -> Vec<(usize, Confidence)> {
    let files = image.files;
    let tree = files.tree();
    let mut found = Vec::new();
    for &modules in files.nodes() {
        if tree.name(modules) != b"node_modules" || !files.is_directory(modules) {
            continue;
        }
        let Some(application) = tree.parent(modules) else { continue };
        if tree.path(application).split(|b| *b == b'/').any(|name| name == b"node_modules") {
            continue;
        }
        let manifest = tree.child(application, b"package.json");
        let Some(manifest) = manifest.and_then(|node| files.content(node).ok().flatten()) else {
            continue;
        };
        let Ok(manifest) = serde_json::from_slice::<Value>(manifest.text()) else { continue };
        let names = |keys: &[&str]| -> Vec<String> {
            let maps = keys.iter().filter_map(|key| manifest[*key].as_object());
            maps.flat_map(|map| map.keys().cloned()).collect()
        };
        let wanted = names(&["devDependencies"]);
        if wanted.is_empty() {
            continue;
        }
        let below = Below::of(image, modules);
        let mut needed = names(&[
            "dependencies",
            "optionalDependencies",
            "peerDependencies",
            "bundledDependencies",
        ]);
        needed.extend(of_workspaces(files, modules));
        let needed = below.closure(needed);
        for position in below.closure(wanted).difference(&needed) {
            if let Some(installed) = image.installed_at(*position) {
                let sure = installed.unneeded(image, Confidence::Medium);
                found.extend(sure.map(|sure| (*position, sure)));
            }
        }
    }
    found
}

/// What packages of the same repository depend on, which a `node_modules` has links to.
fn of_workspaces(files: &Filesystem<'_>, modules: NodeId) -> Vec<String> {
    let tree = files.tree();
    let scoped = |node: NodeId| {
        let is_scope = tree.name(node).starts_with(b"@");
        if is_scope { files.sorted_children(node) } else { vec![node] }
    };
    let mut found = Vec::new();
    for link in files.sorted_children(modules).into_iter().flat_map(scoped) {
        if tree.kind(link) != Kind::Symlink {
            continue;
        }
        let manifest = [&tree.path(link)[..], b"/package.json"].concat();
        let Ok(Some(manifest)) = files.document(&manifest) else { continue };
        let Ok(manifest) = serde_json::from_slice::<Value>(manifest.text()) else { continue };
        for key in ["dependencies", "optionalDependencies"] {
            found.extend(manifest[key].as_object().into_iter().flat_map(|map| map.keys().cloned()));
        }
    }
    found
}

/// The packages below one `node_modules`, by name.
struct Below<'i, 'a> {
    image: &'i Image<'a>,
    by_name: HashMap<&'a str, Vec<usize>>,
}

impl<'i, 'a> Below<'i, 'a> {
    fn of(image: &'i Image<'a>, modules: NodeId) -> Self {
        let tree = image.files.tree();
        let is_below = |mut node: NodeId| {
            while let Some(parent) = tree.parent(node) {
                if parent == modules {
                    return true;
                }
                node = parent;
            }
            false
        };
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, package) in image.facts.packages.all.iter().enumerate() {
            if package.ecosystem == Ecosystem::Node
                && package.files.first().is_some_and(|node| is_below(*node))
            {
                by_name.entry(&package.name).or_default().push(at);
            }
        }
        Self { image, by_name }
    }

    /// The packages of these names, and all that they depend on.
    fn closure(&self, names: Vec<String>) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open = names;
        while let Some(name) = open.pop() {
            for at in self.by_name.get(name.as_str()).into_iter().flatten() {
                if found.insert(*at) {
                    let depends = &self.image.facts.packages.all[*at].depends;
                    open.extend(depends.iter().flatten().cloned());
                }
            }
        }
        found
    }
}
