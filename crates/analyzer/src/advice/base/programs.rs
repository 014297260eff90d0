//! Shells, programs and package managers of the distribution that the application starts.

use crate::advice::base::gather::Workload;
use crate::advice::base::install::Install;
use crate::advice::base::needs::{Command, Proof};
use crate::advice::base::origin::{Origin, Starter};
use crate::content::script::is_shell;
use crate::content::{self, Body};
use crate::entry::Kind;
use crate::entry::split;
use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::tree::NodeId;

/// What shells do themselves.
const BUILTINS: [&[u8]; 12] = [
    b"[", b"echo", b"false", b"kill", b"printf", b"pwd", b"read", b"test", b"time", b"true",
    b"type", b"wait",
];
/// Package managers.
const MANAGERS: [&[u8]; 15] = [
    b"apt",
    b"apt-get",
    b"dpkg",
    b"apk",
    b"dnf",
    b"microdnf",
    b"yum",
    b"rpm",
    b"pip",
    b"pip3",
    b"npm",
    b"yarn",
    b"gem",
    b"bundle",
    b"zypper",
];
/// Directories of programs, as `PATH` of most images has them.
const PATHS: [&[u8]; 6] =
    [b"/usr/local/sbin", b"/usr/local/bin", b"/usr/sbin", b"/usr/bin", b"/sbin", b"/bin"];

/// Finds all of them.
pub(super) fn find(workload: &mut Workload<'_>) -> Result<()> {
    configuration(workload);
    let files = workload.files;
    for &node in files.nodes() {
        if workload.origins.evidence(node) < Evidence::Named || !files.is_file(node) {
            continue;
        }
        match workload.origins.of(node) {
            Origin::Application => script(workload, node)?,
            Origin::Package(_) | Origin::Interpreter(_) if files.is_executable(node) => {
                started(workload, node)?;
            }
            _ => {}
        }
    }
    links(workload);
    let needs = &mut workload.needs;
    needs.commands.sort_by(|a, b| (&a.name, &a.package).cmp(&(&b.name, &b.package)));
    Ok(())
}

/// Names of programs that another package brought than the program: `redis-server` of the package
/// `redis-server` leads to `redis-check-rdb` of `redis-tools`.
fn links(workload: &mut Workload<'_>) {
    let files = workload.files;
    for &link in files.nodes() {
        if files.tree().kind(link) != Kind::Symlink
            || workload.origins.evidence(link) < Evidence::Named
        {
            continue;
        }
        let path = files.path(link);
        let (directory, name) = split(&path);
        let Some(found) = files.file(&path) else { continue };
        if !matches!(split(directory).1, b"bin" | b"sbin") {
            continue;
        }
        let (Some(of_link), Some(of_program)) =
            (workload.package_name(link), workload.package_name(found.node))
        else {
            continue;
        };
        let program = text_of(files.tree().name(found.node));
        let mut commands = workload.needs.commands.iter();
        let is_started = |c: &&Command| c.name == program && c.package == of_program;
        if of_link != of_program
            && let Some(command) = commands.find(is_started)
        {
            let proof = command.proof.clone();
            let (name, package) = (text_of(name), of_link.to_owned());
            workload.needs.commands.push(Command { name, package, proof });
        }
    }
}

/// The shell that the configuration itself starts, and what the text behind its `-c` does: a health
/// check in one line, an entrypoint.
fn configuration(workload: &mut Workload<'_>) {
    let config = &workload.files.account().image.config;
    let how = if config.entrypoint.is_empty() { "CMD" } else { "ENTRYPOINT" };
    let mut starts = vec![(how, [&config.entrypoint[..], &config.cmd].concat())];
    match config.healthcheck.split_first() {
        Some((first, rest)) if first == "CMD-SHELL" => {
            let shell = ["/bin/sh", "-c"].map(str::to_owned);
            starts.push(("HEALTHCHECK", [&shell[..], rest].concat()));
        }
        Some((_, rest)) => starts.push(("HEALTHCHECK", rest.to_vec())),
        None => {}
    }
    for (how, words) in starts {
        let Some((first, rest)) = words.split_first() else { continue };
        let name = split(first.as_bytes()).1;
        if !is_shell(name) {
            continue;
        }
        need_shell(workload, &text_of(name), how.to_owned());
        let is_text =
            |word: &&String| word.starts_with('-') && !word.starts_with("--") && word.contains('c');
        let text = rest.iter().skip_while(|word| !is_text(word)).nth(1);
        if let Some(text) = text {
            words_of(workload, &content::shell::scan(text.as_bytes()), how);
        }
    }
}

/// Notes the programs that a text for a shell names.
fn words_of(workload: &mut Workload<'_>, shell: &content::Shell, from: &str) {
    for word in &shell.words {
        if !BUILTINS.contains(&&**word) && !is_shell(split(word).1) {
            command(workload, word, from);
        }
    }
}

fn need_shell(workload: &mut Workload<'_>, shell: &str, path: String) {
    if !workload.needs.shells.contains_key(shell) {
        let program = [b"/bin/", shell.as_bytes()].concat();
        let found = workload.files.file(&program);
        let package = found.and_then(|found| workload.package_name(found.node).map(str::to_owned));
        if let Some(package) = package {
            workload.needs.shell_packages.insert(shell.to_owned(), package);
        }
    }
    workload.needs.shells.entry(shell.to_owned()).or_default().add(path);
}

/// A script of the application: its shell, and the programs that it names.
fn script(workload: &mut Workload<'_>, node: NodeId) -> Result<()> {
    let files = workload.files;
    let Some(content) = files.content(node)? else { return Ok(()) };
    // Configurations are kept as they are, scripts among them.
    let read = content::script(content.text());
    let content = read.as_ref().unwrap_or(&content);
    let path = workload.path(node);
    let shebang = content.shebang.as_ref().filter(|_| workload.origins.is_program(node));
    let program = shebang.map(|shebang| shebang.program().to_vec());
    let shell = match (&program, &content.body) {
        (Some(program), _) if is_shell(program) => Some(program.clone()),
        (None, Body::Shell(_)) => Some(b"sh".to_vec()),
        _ => None,
    };
    if shell.is_some() && workload.origins.is_wrapper(node) {
        workload.needs.left_behind.add(path);
        return Ok(());
    }
    if let Some(shell) = shell {
        need_shell(workload, &String::from_utf8_lossy(&shell), path.clone());
    }
    if shebang.is_some_and(content::Shebang::is_wrapped) {
        command(workload, b"env", &path);
    }
    if let Body::Shell(shell) = &content.body {
        words_of(workload, shell, &path);
    }
    Ok(())
}

/// Notes a word of a script where it is a program of the distribution.
fn command(workload: &mut Workload<'_>, word: &[u8], from: &str) {
    let files = workload.files;
    let found = if word.starts_with(b"/") {
        files.file(word)
    } else if word.contains(&b'/') {
        None
    } else {
        PATHS.iter().find_map(|directory| files.file(&[directory, &b"/"[..], word].concat()))
    };
    let Some(found) = found.filter(|found| files.is_executable(found.node)) else { return };
    // Words that are no commands lead to no program, either.
    if workload.origins.evidence(found.node) >= Evidence::Named {
        need(workload, split(word).1, found.node, from);
    }
}

/// A program of the distribution that is reached: what starts it, where that is the application.
fn started(workload: &mut Workload<'_>, node: NodeId) -> Result<()> {
    let name = workload.files.tree().name(node).to_vec();
    let path = workload.files.path(node);
    let (directory, _) = split(&path);
    if !matches!(split(directory).1, b"bin" | b"sbin") {
        return Ok(());
    }
    let from = match workload.origins.starter(node)? {
        Starter::Distribution => return Ok(()),
        Starter::Configuration => {
            let chain = workload.facts.claims.chain(node);
            chain.last().map_or("the configuration", |(_, how)| *how).to_owned()
        }
        Starter::File(file) => {
            if workload.origins.is_wrapper(file) {
                return Ok(());
            }
            let content = workload.files.content(file)?;
            let is_elf = content.is_some_and(|content| matches!(content.body, Body::Elf(_)));
            let from = workload.path(file);
            let how = workload.facts.claims.get(node).map(|claim| claim.how);
            // A program's data names many others, most of which it never starts.
            if is_elf && matches!(how, Some("path in" | "command in")) {
                if !is_shell(&name) {
                    let program = workload.path(node);
                    workload.needs.doubts.insert(format!("{from} names {program} in its data"));
                }
                return Ok(());
            }
            from
        }
    };
    if is_shell(&name) {
        // Scripts say themselves which shell they are for.
        let is_text = workload.facts.claims.get(node).is_some_and(|claim| claim.how != "#! of");
        if is_text {
            let name = if name == b"dash" { "sh".to_owned() } else { text_of(&name) };
            need_shell(workload, &name, from);
        }
        return Ok(());
    }
    need(workload, &name, node, &from);
    Ok(())
}

fn text_of(name: &[u8]) -> String {
    jettison_oci::escape::path(name)
}

fn need(workload: &mut Workload<'_>, name: &[u8], node: NodeId, from: &str) {
    let text = text_of(name);
    if MANAGERS.contains(&name) {
        // `apt-get` is apt's, `pip3` pip's.
        let manager = match name {
            b"apt-get" => "apt".to_owned(),
            b"pip3" => "pip".to_owned(),
            _ => text,
        };
        workload.needs.package_managers.entry(manager).or_default().add(from);
        return;
    }
    let path = workload.files.path(node);
    let is_interpreter = Install::of(&path, &[], None).is_some();
    if is_interpreter || matches!(workload.origins.of(node), Origin::Interpreter(_)) {
        return;
    }
    let Some(package) = workload.package_name(node).map(str::to_owned) else { return };
    // A busybox is reached by the names of what it does, which the scripts tell.
    if name == b"busybox" {
        return;
    }
    let commands = &mut workload.needs.commands;
    match commands.iter_mut().find(|c| c.name == text && c.package == package) {
        Some(command) => command.proof.add(from),
        None => commands.push(Command { name: text, package, proof: Proof::of(from) }),
    }
}
