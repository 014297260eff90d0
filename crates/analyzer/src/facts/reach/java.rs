//! Java: the runtime, which is kept whole, and the class path of what it runs.
//!
//! A runtime loads its own parts in too many ways to take files of it away; what only developers
//! need stands in places of its own. Applications find plugins, configurations and libraries below
//! the directory that they are installed in: that is kept, too.

use crate::content::Archive;
use crate::entry::split;
use crate::error::Result;
use crate::facts::configuration::words;
use crate::facts::evidence::Evidence;
use crate::facts::filesystem::Found;
use crate::facts::reach::{Blind, Reach, Whole, application, command};
use crate::limits::BELOW_MAX;
use crate::tree::{NodeId, Tree};

/// Of a runtime's directory, what no program that runs reads.
const DEVELOPMENT: [&[u8]; 8] =
    [b"jmods", b"src.zip", b"include", b"man", b"demo", b"sample", b"docs", b"bin"];
/// Variables whose options every `java` takes.
const OPTIONS: [&str; 3] = ["JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"];
/// Words of scripts that put a class path together.
pub(super) const LAUNCHER_WORDS: [&[u8]; 5] =
    [b"CLASSPATH", b"JAVACMD", b"JAVA_HOME", b"JAVA_OPTS", b"JRE_HOME"];

/// Claims the runtime that a `java` belongs to, and what the environment tells it to load.
pub(super) fn started(reach: &mut Reach<'_>, node: NodeId) -> Result<()> {
    reach.languages.entry(Blind::Java).or_insert(node);
    let tree = reach.files.tree();
    let Some(found) = reach.files.file(&tree.path(node)) else { return Ok(()) };
    let bin = tree.parent(found.node).filter(|bin| tree.name(*bin) == b"bin");
    if let Some(home) = bin.and_then(|bin| tree.parent(bin)) {
        runtime(reach, home, node, &DEVELOPMENT);
    }
    application::of_working_directory(reach, node);
    for variable in OPTIONS {
        let Some(value) = reach.environment.get(variable) else { continue };
        let options = words(value);
        run(reach, &options, node)?;
    }
    Ok(())
}

/// Claims all of the runtime that a compiler or another tool of developers belongs to.
pub(super) fn development(reach: &mut Reach<'_>, node: NodeId) {
    let tree = reach.files.tree();
    let Some(found) = reach.files.file(&tree.path(node)) else { return };
    let bin = tree.parent(found.node).filter(|bin| tree.name(*bin) == b"bin");
    if let Some(home) = bin.and_then(|bin| tree.parent(bin)) {
        runtime(reach, home, node, &[]);
    }
}

/// Claims the runtime of a `libjvm.so` that another program has loaded.
pub(super) fn library(reach: &mut Reach<'_>, node: NodeId) {
    let tree = reach.files.tree();
    let has_classes = |at: &NodeId| {
        [&b"lib/modules"[..], b"lib/rt.jar"]
            .iter()
            .any(|path| reach.files.find_from(*at, path).is_some())
    };
    let home = std::iter::successors(tree.parent(node), |at| tree.parent(*at)).find(has_classes);
    if let Some(home) = home {
        runtime(reach, home, node, &DEVELOPMENT);
    }
}

fn runtime(reach: &mut Reach<'_>, home: NodeId, from: NodeId, except: &[&[u8]]) {
    // `/usr/bin/java` that is no link has the system around it.
    let tree = reach.files.tree();
    let is_runtime = [&b"lib/modules"[..], b"lib/rt.jar", b"jre/lib/rt.jar", b"release"]
        .iter()
        .any(|path| reach.files.find_from(home, path).is_some());
    let key = if except.is_empty() { home } else { tree.child(home, b"lib").unwrap_or(home) };
    if !is_runtime || !command::is_small(reach, home) || !reach.begins(Whole::JavaHome, key, from) {
        return;
    }
    for child in reach.files.sorted_children(home) {
        let name = tree.name(child);
        if except.contains(&name) {
            continue;
        }
        let (evidence, how) = match name {
            b"legal" => (Evidence::Convention, "kept: licence"),
            _ => (Evidence::Named, "of the runtime of"),
        };
        for node in tree.walk(child).take(BELOW_MAX).collect::<Vec<_>>() {
            if reach.files.is_directory(node) || is_source(tree, node) && !except.is_empty() {
                continue;
            }
            reach.claim(node, evidence, how, Some(from));
            // `lib/security/cacerts` is a link to where certificates are.
            if !reach.files.is_file(node)
                && let Some(found) = reach.files.file(&tree.path(node))
            {
                reach.claim_found(&found, evidence, how, Some(from));
            }
        }
    }
}

fn is_source(tree: &Tree, node: NodeId) -> bool {
    tree.name(node) == b"src.zip"
}

/// What `java ARGUMENTS` runs.
pub(super) fn command(
    reach: &mut Reach<'_>,
    arguments: &[Vec<u8>],
    program: NodeId,
    from: Option<NodeId>,
) -> Result<()> {
    if let Some(script) = from {
        launcher(reach, script);
    }
    run(reach, arguments, program)
}

/// Claims the application that a script stands in that puts a class path together: the directory
/// above its `bin`.
pub(super) fn launcher(reach: &mut Reach<'_>, script: NodeId) {
    let tree = reach.files.tree();
    let Some(directory) = tree.parent(script) else { return };
    let home = match tree.name(directory) {
        b"bin" | b"sbin" => tree.parent(directory),
        _ => Some(directory),
    };
    if let Some(home) = home {
        application(reach, home, script);
    }
}

/// Claims an application's directory, unless it is one that all of them share.
fn application(reach: &mut Reach<'_>, home: NodeId, from: NodeId) {
    let path = reach.files.path(home);
    let shared: [&[u8]; 10] = [
        b"/usr/share/java",
        b"/usr/lib/jvm",
        b"/usr/local/bin",
        b"/usr/local/lib",
        b"/usr/local/sbin",
        b"/usr/local/share",
        b"/root",
        b"/home",
        b"/tmp",
        b"/srv",
    ];
    if !shared.contains(&&path[..]) && !path.starts_with(b"/etc") {
        application::claim(reach, home, &[], from);
    }
}

fn run(reach: &mut Reach<'_>, arguments: &[Vec<u8>], program: NodeId) -> Result<()> {
    let mut class_path: Option<Vec<u8>> = None;
    let mut has_main = false;
    let mut rest: Vec<Vec<u8>> = arguments.iter().rev().cloned().collect();
    let mut files = 0;
    while let Some(word) = rest.pop() {
        match &word[..] {
            b"-jar" => {
                let Some(jar) = rest.pop() else { break };
                main_archive(reach, &jar, program);
                // What follows is the application's.
                rest.reverse();
                for word in rest {
                    command::argument(reach, &word, Some(program));
                }
                return Ok(());
            }
            b"-cp" | b"-classpath" | b"--class-path" => class_path = rest.pop(),
            b"-p" | b"--module-path" | b"--upgrade-module-path" => {
                let Some(path) = rest.pop() else { break };
                classes(reach, &path, program);
                class_path.get_or_insert_default();
            }
            b"-m" | b"--module" => {
                has_main = true;
                break;
            }
            b"--add-modules" | b"--add-opens" | b"--add-exports" | b"--add-reads" | b"--source" => {
                rest.pop();
            }
            [b'@', path @ ..] => {
                let Some(found) = reach.environment.path(reach.files, path) else { continue };
                reach.claim_found(&found, Evidence::Needed, "argument of", Some(program));
                let content = reach.files.content(found.node)?;
                files += 1;
                match content {
                    Some(content) if files < 16 && !content.text().is_empty() => {
                        rest.extend(words(content.text()).into_iter().rev());
                    }
                    // Kept under a name that says nothing: what it holds is not known.
                    _ => _ = reach.blind.insert((Blind::Java, found.node)),
                }
            }
            option if option.starts_with(b"-") => {
                self::option(reach, option, &mut class_path, program);
            }
            _ => {
                has_main = true;
                break;
            }
        }
    }
    if let Some(path) = &class_path {
        classes(reach, path, program);
    } else if has_main {
        let path = reach.environment.get("CLASSPATH").unwrap_or(b".").to_vec();
        classes(reach, &path, program);
    }
    rest.reverse();
    for word in rest {
        command::argument(reach, &word, Some(program));
    }
    if has_main {
        reach.entered.insert(Blind::Java);
    }
    Ok(())
}

fn option(reach: &mut Reach<'_>, option: &[u8], class_path: &mut Option<Vec<u8>>, program: NodeId) {
    let behind = |front: &[u8]| option.strip_prefix(front);
    if let Some(path) = behind(b"--class-path=") {
        *class_path = Some(path.to_vec());
    } else if let Some(path) = behind(b"--module-path=").or(behind(b"-Xbootclasspath/a:")) {
        classes(reach, path, program);
    } else if let Some(agent) = behind(b"-javaagent:").or(behind(b"-agentpath:")) {
        // Options of the agent follow its path.
        let path = agent.split(|b| *b == b'=').next().unwrap_or_default();
        if let Some(found) = reach.environment.path(reach.files, path) {
            reach.claim_found(&found, Evidence::Needed, "agent of", Some(program));
            if let Some(directory) = reach.files.tree().parent(found.node) {
                application(reach, directory, found.node);
            }
        }
    } else if let Some(path) = behind(b"-Djava.library.path=")
        .or(behind(b"-Djava.ext.dirs="))
        .or(behind(b"-Dloader.path="))
    {
        for directory in path.split(|b| matches!(b, b':' | b',')) {
            if let Some(found) = reach.environment.path(reach.files, directory)
                && command::is_small(reach, found.node)
            {
                let how = "below an argument of";
                reach.claim_below(found.node, Evidence::Named, how, Some(program));
            }
        }
    } else {
        command::argument(reach, option, Some(program));
    }
}

/// `-jar`: the archive, and the directory that it is installed in.
fn main_archive(reach: &mut Reach<'_>, jar: &[u8], program: NodeId) {
    let Some(found) = reach.environment.path(reach.files, jar) else {
        // `-jar $APP`, `-jar /app/*.jar`.
        let pattern = if jar.starts_with(b"/") {
            jar.to_vec()
        } else {
            let working = reach.environment.working_directory(reach.files);
            [&reach.files.path(working)[..], b"/", jar].concat()
        };
        let matching = reach.files.matching(&pattern);
        if jar.contains(&b'$') || matching.is_empty() {
            reach.blind.insert((Blind::Java, program));
            reach.entered.insert(Blind::Java);
            return;
        }
        for found in matching {
            archive_of(reach, &found, program);
        }
        return;
    };
    archive_of(reach, &found, program);
}

fn archive_of(reach: &mut Reach<'_>, found: &Found, program: NodeId) {
    reach.entered.insert(Blind::Java);
    reach.claim_found(found, Evidence::Needed, "-jar of", Some(program));
    let tree = reach.files.tree();
    let Some(directory) = tree.parent(found.node) else { return };
    let home = match tree.name(directory) {
        b"lib" | b"libs" | b"target" => tree.parent(directory),
        _ => Some(directory),
    };
    for place in [Some(directory), home].into_iter().flatten() {
        application(reach, place, found.node);
    }
}

/// Claims what a class path names: archives, `lib/*`, directories of classes.
fn classes(reach: &mut Reach<'_>, path: &[u8], program: NodeId) {
    for entry in path.split(|b| *b == b':') {
        let entry = if entry.is_empty() { b"." } else { entry };
        if entry.contains(&b'$') {
            reach.blind.insert((Blind::Java, program));
            continue;
        }
        let (place, is_star) = match entry.strip_suffix(b"*") {
            Some(place) => (if place.is_empty() { b"." } else { place }, true),
            None => (entry, false),
        };
        // The working directory may be the root: nothing of that is taken.
        let Some(found) = reach.environment.path(reach.files, place) else { continue };
        if reach.files.is_file(found.node) {
            reach.claim_found(&found, Evidence::Needed, "class path of", Some(program));
            let directory = reach.files.tree().parent(found.node);
            if let Some(directory) = directory.filter(|_| split(place).0.len() > 1) {
                application(reach, directory, found.node);
            }
        } else if is_star {
            for child in reach.files.sorted_children(found.node) {
                let name = reach.files.tree().name(child);
                let Some(jar) = reach.files.find_from(found.node, name) else { continue };
                if is_archive(name) && reach.files.is_file(jar.node) {
                    reach.claim_found(&jar, Evidence::Needed, "class path of", Some(program));
                }
            }
        } else if command::is_small(reach, found.node) {
            let how = "below the class path of";
            reach.claim_below(found.node, Evidence::Named, how, Some(program));
        }
    }
}

/// Claims what the manifest of an archive in use puts on the class path: URLs relative to it.
pub(super) fn archive(reach: &mut Reach<'_>, node: NodeId, archive: &Archive) {
    let Some(directory) = reach.files.tree().parent(node) else { return };
    let path = archive.attribute("Class-Path").unwrap_or_default();
    for entry in path.split(u8::is_ascii_whitespace).filter(|entry| !entry.is_empty()) {
        let entry = entry.strip_prefix(b"file:").unwrap_or(entry);
        let Some(found) = reach.files.find_from(directory, entry) else { continue };
        if reach.files.is_file(found.node) {
            reach.claim_found(&found, Evidence::Needed, "Class-Path of", Some(node));
        } else if command::is_small(reach, found.node) && found.node != directory {
            let how = "below the Class-Path of";
            reach.claim_below(found.node, Evidence::Named, how, Some(node));
        }
    }
    // What it loads may stand anywhere beside it.
    if archive.is_damaged {
        reach.blind.insert((Blind::Java, node));
        application(reach, directory, node);
    }
}

fn is_archive(name: &[u8]) -> bool {
    name.to_ascii_lowercase().ends_with(b".jar")
}
