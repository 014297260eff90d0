//! Node: what `node` runs, and what that requires, resolved as Node's documentation describes
//! (<https://nodejs.org/api/modules.html#all-together>, <https://nodejs.org/api/esm.html>).

use std::rc::Rc;

use serde_json::Value;

use crate::content::{Body, Content, JavaScript};
use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::package::node::{installed, keys, modules_above};
use crate::facts::reach::{Blind, Reach, Whole, application, command, elf};
use crate::tree::NodeId;

/// Conditions of `exports` that Node itself knows.
const CONDITIONS: [&str; 6] =
    ["node", "import", "require", "module-sync", "node-addons", "default"];
/// Files of one package that are looked at.
const FILES_MAX: usize = 100_000;
/// Alternatives inside each other in `exports`.
const DEPTH_MAX: usize = 16;

/// What `node ARGUMENTS` runs.
pub(super) fn command(reach: &mut Reach<'_>, arguments: &[Vec<u8>], program: NodeId) -> Result<()> {
    let working = reach.environment.working_directory(reach.files);
    application::of_working_directory(reach, program);
    if let Some(options) = reach.environment.get("NODE_OPTIONS") {
        reach.source_maps |= memchr::memmem::find(options, b"--enable-source-maps").is_some();
    }
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match &word[..] {
            b"-e" | b"-p" | b"--eval" | b"--print" => {
                let Some(text) = rest.next() else { break };
                let module = crate::content::javascript::scan(text);
                for specifier in &module.specifiers {
                    require(reach, working, specifier, program)?;
                }
                return Ok(());
            }
            b"-r" | b"--require" | b"--import" | b"--loader" => {
                if let Some(module) = rest.next() {
                    require(reach, working, &String::from_utf8_lossy(module), program)?;
                }
            }
            b"--enable-source-maps" => reach.source_maps = true,
            option if option.starts_with(b"-") => {}
            _ => {
                let path = String::from_utf8_lossy(word).into_owned();
                let found = file_or_directory(reach, working, &path)?;
                if let Some(found) = found {
                    reach.claim(found, Evidence::Needed, "script of", Some(program));
                    application::of_script(reach, found);
                }
                for word in rest {
                    command::argument(reach, word, Some(program));
                }
                return Ok(());
            }
        }
    }
    reach.blind.insert((Blind::Node, program));
    Ok(())
}

/// Claims what a module requires.
pub(super) fn visit(reach: &mut Reach<'_>, node: NodeId, module: &JavaScript) -> Result<()> {
    let Some(directory) = reach.files.tree().parent(node) else { return Ok(()) };
    for specifier in &module.specifiers {
        require(reach, directory, specifier, node)?;
    }
    if reach.source_maps {
        let map = [reach.files.tree().name(node), b".map"].concat();
        if let Some(map) = reach.files.tree().child(directory, &map) {
            reach.claim(map, Evidence::Named, "source map of", Some(node));
        }
    }
    named_dependencies(reach, directory, module, node)?;
    for path in &module.beside {
        let Some(found) = reach.files.find_from(directory, path.as_bytes()) else { continue };
        if reach.files.is_file(found.node) {
            reach.claim_found(&found, Evidence::Named, "named in", Some(node));
        } else if found.node != directory && command::is_small(reach, found.node) {
            reach.claim_below(found.node, Evidence::Named, "below a path named in", Some(node));
        }
    }
    if module.dynamic {
        reach.blind.insert((Blind::Node, node));
        // What is required by a computed name is mostly the package's own.
        if let Some(top) = package_of(reach, directory) {
            own_modules(reach, top, node)?;
        }
    }
    if let Some(top) = package_of(reach, directory)
        && let Some(manifest) = reach.files.tree().child(top, b"package.json")
    {
        reach.claim(manifest, Evidence::Needed, "package.json of", Some(node));
    }
    Ok(())
}

/// Requires the dependencies that the texts of an application's own code name.
fn named_dependencies(
    reach: &mut Reach<'_>,
    directory: NodeId,
    module: &JavaScript,
    node: NodeId,
) -> Result<()> {
    if memchr::memmem::find(&reach.files.path(node), b"/node_modules/").is_some() {
        return Ok(());
    }
    let Some(top) = package_of(reach, directory) else { return Ok(()) };
    let Some(manifest) = manifest(reach, top)? else { return Ok(()) };
    for name in &module.names {
        if manifest["dependencies"].get(&**name).is_some() {
            require(reach, directory, name, node)?;
        }
    }
    Ok(())
}

/// The nearest directory above with a `package.json`.
fn package_of(reach: &Reach<'_>, directory: NodeId) -> Option<NodeId> {
    let tree = reach.files.tree();
    std::iter::successors(Some(directory), |at| tree.parent(*at))
        .find(|at| tree.child(*at, b"package.json").is_some())
}

/// Claims the modules and native addons of a package, not those of packages inside it.
fn own_modules(reach: &mut Reach<'_>, top: NodeId, from: NodeId) -> Result<()> {
    if !reach.begins(Whole::NodeModules, top, from) {
        return Ok(());
    }
    let tree = reach.files.tree();
    let mut open = vec![top];
    while let Some(at) = open.pop() {
        for child in reach.files.sorted_children(at) {
            let name = tree.name(child);
            if reach.files.is_directory(child) {
                if !matches!(name, b"node_modules" | b"test" | b"tests" | b"docs" | b".git") {
                    open.push(child);
                }
            } else if [&b".js"[..], b".cjs", b".mjs", b".json", b".node", b".wasm"]
                .iter()
                .any(|end| name.ends_with(end))
                && is_loadable(reach, child)?
            {
                reach.claim(child, Evidence::Named, "of the same package as", Some(from));
            }
        }
    }
    Ok(())
}

/// Whether a native addon is one for this image. Packages bring those for other systems, machines
/// and C libraries, too.
fn is_loadable(reach: &Reach<'_>, node: NodeId) -> Result<bool> {
    let name = reach.files.tree().name(node);
    let is_addon = name.ends_with(b".node");
    if !is_addon && memchr::memmem::find(name, b".so").is_none() {
        return Ok(true);
    }
    Ok(match reach.files.content(node)?.as_deref() {
        Some(Content { body: Body::Elf(elf), .. }) => elf::can_load(reach, elf),
        Some(_) => true,
        // An addon that is no ELF file is Windows's or macOS's.
        None => !is_addon,
    })
}

fn require(reach: &mut Reach<'_>, directory: NodeId, specifier: &str, from: NodeId) -> Result<()> {
    let specifier = specifier.split('?').next().unwrap_or_default();
    if specifier.is_empty() || specifier.starts_with("node:") || specifier.contains("://") {
        return Ok(());
    }
    if specifier.starts_with(['.', '/']) {
        if let Some(found) = file_or_directory(reach, directory, specifier)? {
            claim(reach, found, from)?;
        }
        return Ok(());
    }
    if specifier.starts_with('#') {
        if let Some(top) = package_of(reach, directory) {
            for target in mapped(reach, top, "imports", specifier)? {
                if target.starts_with('.') {
                    if let Some(found) = file_or_directory(reach, top, &target)? {
                        claim(reach, found, from)?;
                    }
                } else if !target.starts_with('#') {
                    require(reach, top, &target, from)?;
                }
            }
        }
        return Ok(());
    }
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    let at = specifier.match_indices('/').nth(parts - 1).map_or(specifier.len(), |(at, _)| at);
    let (name, rest) = (&specifier[..at], specifier[at..].trim_start_matches('/'));
    // A package that has `exports` may require itself by its own name, before any other.
    if let Some(own) = package_of(reach, directory)
        && let Some(manifest) = manifest(reach, own)?
        && manifest["name"].as_str() == Some(name)
        && !manifest["exports"].is_null()
    {
        return inside(reach, own, rest, from);
    }
    let tree = reach.files.tree();
    let mut places: Vec<NodeId> = modules_above(tree, directory).collect();
    for path in reach.environment.list("NODE_PATH") {
        places.extend(reach.files.find(&path).map(|found| found.node));
    }
    for place in places {
        let Some(package) = reach.files.find_from(place, name.as_bytes()) else { continue };
        for link in &package.links {
            reach.claim(*link, Evidence::Needed, "required by", Some(from));
        }
        return inside(reach, package.node, rest, from);
    }
    Ok(())
}

/// What `rest` means inside the package at `package`; empty for the package itself.
fn inside(reach: &mut Reach<'_>, package: NodeId, rest: &str, from: NodeId) -> Result<()> {
    let key = if rest.is_empty() { ".".to_owned() } else { format!("./{rest}") };
    let targets = mapped(reach, package, "exports", &key)?;
    for target in &targets {
        if let Some(found) = file_or_directory(reach, package, target)? {
            claim(reach, found, from)?;
        }
    }
    if targets.is_empty() {
        let path = if rest.is_empty() { "." } else { rest };
        if let Some(found) = file_or_directory(reach, package, path)? {
            claim(reach, found, from)?;
        }
    }
    if let Some(manifest) = reach.files.tree().child(package, b"package.json") {
        reach.claim(manifest, Evidence::Needed, "package.json of what is required by", Some(from));
    }
    Ok(())
}

/// Claims a module; with a native addon, the shared objects of its package and of its optional
/// dependencies, which are opened by names of the platform.
fn claim(reach: &mut Reach<'_>, module: NodeId, from: NodeId) -> Result<()> {
    reach.claim(module, Evidence::Needed, "required by", Some(from));
    let Some(package) = reach.files.tree().parent(module).and_then(|at| package_of(reach, at))
    else {
        return Ok(());
    };
    natives(reach, package, module)?;
    let Some(manifest) = manifest(reach, package)? else { return Ok(()) };
    let tree = reach.files.tree();
    for name in keys(&manifest, "optionalDependencies") {
        if let Some(found) = installed(reach.files, package, &name) {
            natives(reach, found.node, module)?;
            if let Some(manifest) = tree.child(found.node, b"package.json") {
                reach.claim(manifest, Evidence::Named, "optional dependency of", Some(module));
            }
            own_modules(reach, found.node, module)?;
        }
    }
    Ok(())
}

/// Claims the native addons and shared objects of a package.
fn natives(reach: &mut Reach<'_>, package: NodeId, from: NodeId) -> Result<()> {
    if !reach.begins(Whole::NodeNatives, package, from) {
        return Ok(());
    }
    let tree = reach.files.tree();
    let owner = |node| reach.packages.owner_position(node);
    let own = tree.child(package, b"package.json").and_then(owner);
    for node in tree.walk(package).take(FILES_MAX).collect::<Vec<_>>() {
        let name = tree.name(node);
        let is_native = name.ends_with(b".node")
            || name.ends_with(b".wasm")
            || memchr::memmem::find(name, b".so").is_some();
        if !is_native || !reach.files.is_file(node) || !is_loadable(reach, node)? {
            continue;
        }
        // What is in the node_modules of this package is another one's.
        if owner(node) == own || memchr::memmem::find(&tree.path(node), b"node_modules").is_none() {
            reach.claim(node, Evidence::Named, "native addon of the package of", Some(from));
        }
    }
    Ok(())
}

/// The manifest of the package at a directory, read once: each `require` asks for one.
fn manifest(reach: &Reach<'_>, package: NodeId) -> Result<Option<Rc<Value>>> {
    if let Some(known) = reach.manifests.borrow().get(&package) {
        return Ok(known.clone());
    }
    let node = reach.files.tree().child(package, b"package.json");
    let content = node.map_or(Ok(None), |node| reach.files.content(node))?;
    let read = content.and_then(|content| serde_json::from_slice(content.text()).ok());
    let manifest = read.map(Rc::new);
    reach.manifests.borrow_mut().insert(package, manifest.clone());
    Ok(manifest)
}

/// Targets of a key of `exports` or `imports`, for every condition that Node may ask for.
fn mapped(reach: &Reach<'_>, package: NodeId, table: &str, key: &str) -> Result<Vec<String>> {
    let Some(manifest) = manifest(reach, package)? else { return Ok(Vec::new()) };
    let map = &manifest[table];
    let mut targets = Vec::new();
    match map {
        Value::Object(rows) if rows.keys().any(|k| k.starts_with('.') || k.starts_with('#')) => {
            for (pattern, value) in rows {
                if pattern == key {
                    collect(value, "", &mut targets, 0);
                } else if let Some((front, back)) = pattern.split_once('*')
                    && let Some(rest) = key.strip_prefix(front)
                    && let Some(star) = rest.strip_suffix(back)
                {
                    collect(value, star, &mut targets, 0);
                }
            }
        }
        Value::Null => {}
        value if key == "." => collect(value, "", &mut targets, 0),
        _ => {}
    }
    Ok(targets)
}

fn collect(value: &Value, star: &str, targets: &mut Vec<String>, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::String(target) => targets.push(target.replace('*', star)),
        Value::Array(choices) => {
            for choice in choices {
                collect(choice, star, targets, depth + 1);
            }
        }
        Value::Object(conditions) => {
            for (condition, value) in conditions {
                if CONDITIONS.contains(&condition.as_str()) {
                    collect(value, star, targets, depth + 1);
                }
            }
        }
        _ => {}
    }
}

/// `LOAD_AS_FILE`, then `LOAD_AS_DIRECTORY`.
fn file_or_directory(reach: &Reach<'_>, from: NodeId, path: &str) -> Result<Option<NodeId>> {
    let files = reach.files;
    let file = |path: &str| {
        let found = files.find_from(from, path.as_bytes())?;
        files.is_file(found.node).then_some(found.node)
    };
    for end in ["", ".js", ".json", ".node", ".cjs", ".mjs"] {
        if let Some(found) = file(&format!("{path}{end}")) {
            return Ok(Some(found));
        }
    }
    let Some(directory) = files.find_from(from, path.as_bytes()) else { return Ok(None) };
    let main = manifest(reach, directory.node)?
        .and_then(|manifest| Some(manifest["main"].as_str()?.to_owned()))
        .filter(|main| !main.is_empty());
    for main in main.iter().map(String::as_str).chain(["index"]) {
        for end in ["", ".js", ".json", ".node", "/index.js", "/index.json", ".cjs", ".mjs"] {
            if let Some(found) = file(&format!("{path}/{main}{end}")) {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}
