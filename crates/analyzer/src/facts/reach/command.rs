//! What the configuration starts: entrypoint and command, health check, through the wrappers that
//! people put in front.

use crate::content::script::is_shell;
use crate::content::{self, Body, starter};
use crate::entry::split;
use crate::error::Result;
use crate::facts::configuration::crontab::Table;
use crate::facts::evidence::Evidence;
use crate::facts::reach::{
    Blind, Reach, cron, java, node, npm, perl, php, python, ruby, script, started,
};
use crate::tree::NodeId;

/// Words of one command line: a shell line of a Dockerfile has some hundred.
const WORDS_MAX: usize = 10_000;

/// Claims what the configuration names.
pub(super) fn start(reach: &mut Reach<'_>) -> Result<()> {
    let config = &reach.files.account().image.config;
    let how = if config.entrypoint.is_empty() { "CMD" } else { "ENTRYPOINT" };
    let (entrypoint, cmd) = (bytes(&config.entrypoint), bytes(&config.cmd));
    line(reach, &[&entrypoint[..], &cmd].concat(), how, None)?;
    // An entrypoint that ends in `exec "$@"` starts the command.
    if let Some(first) = cmd.first()
        && is_script(reach, &entrypoint)?
        && reach.environment.command(reach.files, first).is_some()
    {
        line(reach, &cmd, "CMD", None)?;
    }
    let health: Vec<Vec<u8>> = bytes(&config.healthcheck);
    match health.first().map(|first| &first[..]) {
        Some(b"CMD") => line(reach, &health[1..], "HEALTHCHECK", None)?,
        Some(b"CMD-SHELL") => {
            let mut shell = match &config.shell[..] {
                [] => vec![b"/bin/sh".to_vec(), b"-c".to_vec()],
                own => bytes(own),
            };
            shell.push(health[1..].concat());
            line(reach, &shell, "HEALTHCHECK", None)?;
        }
        _ => {}
    }
    // Values of variables name files that programs are told to read.
    let values: Vec<(Vec<u8>, Vec<u8>)> =
        reach.environment.all().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    for (name, value) in values {
        if value.starts_with(b"/") && name != b"PATH" {
            let how = format!("ENV {}", String::from_utf8_lossy(&name));
            if let Some(found) = reach.files.file(&value) {
                reach.claim_found(&found, Evidence::Named, &how, None);
            }
        }
    }
    Ok(())
}

fn bytes(words: &[String]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.clone().into_bytes()).collect()
}

/// Whether a command line starts a shell or its script, which may run what follows.
fn is_script(reach: &Reach<'_>, words: &[Vec<u8>]) -> Result<bool> {
    let told_apart = split_by_env(words);
    let mut words = told_apart.as_deref().unwrap_or(words);
    while let Some((first, rest)) = words.split_first() {
        let Some(program) = reach.environment.command(reach.files, first) else { return Ok(false) };
        let name = split(first).1;
        if starter::is_wrapper(name) {
            let Some(at) = wrapped(reach, name, rest) else { return Ok(false) };
            words = &rest[at..];
            continue;
        }
        let content = reach.files.content(program.node)?;
        let content = content.as_deref();
        let script = content.and_then(|content| content::script(content.text()));
        let body = script.as_ref().or(content).map(|content| &content.body);
        return Ok(is_shell(name) || matches!(body, Some(Body::Shell(_))));
    }
    Ok(false)
}

/// Where among the arguments of a wrapper the command stands: the first word that is one, behind
/// options, their values and assignments.
fn wrapped(reach: &Reach<'_>, name: &[u8], rest: &[Vec<u8>]) -> Option<usize> {
    // `gosu node node server.js`: a user may have the name of a command.
    let mut users =
        usize::from(matches!(name, b"gosu" | b"su-exec" | b"s6-setuidgid" | b"setuidgid"));
    let mut is_value = false;
    for (at, word) in rest.iter().enumerate() {
        if word.starts_with(b"-") {
            is_value =
                matches!(&word[..], b"-u" | b"-g" | b"-U" | b"--user" | b"--reuid" | b"--chuid");
        } else if is_value {
            is_value = false;
        } else if users > 0 {
            users -= 1;
        } else if reach.environment.command(reach.files, word).is_some() {
            return Some(at);
        }
    }
    None
}

/// The words of `env -S 'python3 -u' app.py`, where the option's text is words itself.
fn split_by_env(words: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if split(words.first()?).1 != b"env" {
        return None;
    }
    let at = words.iter().skip(1).take_while(|word| word.starts_with(b"-")).position(|word| {
        let is_short = !word.starts_with(b"--") && word.contains(&b'S');
        is_short || word.starts_with(b"--split-string")
    })? + 1;
    let word = &words[at];
    let before = if word.starts_with(b"--") { b'=' } else { b'S' };
    let end = memchr::memchr(before, word).map_or(word.len(), |end| end + 1);
    let (text, behind) = match &word[end..] {
        [] => (words.get(at + 1)?.as_slice(), at + 2),
        text => (text, at + 1),
    };
    let inside = crate::facts::configuration::words(text);
    let front = words[..at].iter().cloned();
    Some(front.chain(inside).chain(words[behind..].iter().cloned()).collect())
}

/// Command lines inside command lines: wrappers, `sh -c`, scripts of `package.json`.
const NESTING_MAX: usize = 24;

/// Claims the program of a command line and what its words name, for the file `from` or for the
/// configuration.
pub(super) fn line(
    reach: &mut Reach<'_>,
    words: &[Vec<u8>],
    how: &str,
    from: Option<NodeId>,
) -> Result<()> {
    line_of(reach, words, Evidence::Needed, how, from)
}

/// The same with the evidence that it runs.
pub(super) fn line_of(
    reach: &mut Reach<'_>,
    words: &[Vec<u8>],
    evidence: Evidence,
    how: &str,
    from: Option<NodeId>,
) -> Result<()> {
    if reach.depth >= NESTING_MAX {
        return Ok(());
    }
    reach.depth += 1;
    let done = inner_line(reach, &words[..words.len().min(WORDS_MAX)], evidence, how, from);
    reach.depth -= 1;
    done
}

fn inner_line(
    reach: &mut Reach<'_>,
    words: &[Vec<u8>],
    evidence: Evidence,
    how: &str,
    from: Option<NodeId>,
) -> Result<()> {
    let told_apart = split_by_env(words);
    let words = told_apart.as_deref().unwrap_or(words);
    let Some((first, rest)) = words.split_first() else { return Ok(()) };
    let Some(program) = reach.environment.command(reach.files, first) else {
        if from.is_none() && !first.is_empty() {
            reach.warnings.push(format!(
                "{how} starts {}, which is not in the image",
                jettison_oci::escape::path(first)
            ));
        }
        return Ok(());
    };
    reach.claim_found(&program, evidence, how, from);
    let mut name = split(first).1.to_vec();
    let mut rest = rest;
    let real = reach.files.tree().name(program.node).to_vec();
    let through = Some(program.links.last().copied().unwrap_or(program.node));
    if name == b"busybox"
        && let Some((applet, behind)) = rest.split_first()
    {
        (name, rest) = (applet.clone(), behind);
        started::program(reach, &name, program.node)?;
    }
    // `su app -c "command"`.
    if matches!(&name[..], b"su" | b"runuser")
        && let Some(at) = rest.iter().position(|word| word == b"-c" || word == b"--command")
        && let Some(text) = rest.get(at + 1)
    {
        return script::text(reach, program.node, text, "run by");
    }
    if starter::is_wrapper(&name)
        && let Some(at) = wrapped(reach, &name, rest)
    {
        return line_of(reach, &rest[at..], evidence, "command of", through);
    }
    let is = |names: &[&[u8]]| names.iter().any(|n| name.starts_with(n) || real.starts_with(n));
    if is_shell(&name) || is_shell(&real) {
        return shell(reach, rest, program.node);
    }
    if is(&[b"python", b"pypy"]) {
        return python::command(reach, rest, program.node);
    }
    match &name[..] {
        b"node" | b"nodejs" => return node::command(reach, rest, program.node),
        b"npm" | b"npx" | b"yarn" | b"pnpm" => npm::command(reach, &name, rest, program.node)?,
        b"java" => return java::command(reach, rest, program.node, from),
        b"bundle" | b"bundler" => return ruby::bundle(reach, rest, program.node),
        b"supercronic" | b"go-cron" => {
            let tables = rest.iter().filter_map(|word| reach.environment.path(reach.files, word));
            for found in tables.collect::<Vec<_>>() {
                cron::table(reach, &found, Table::OfUser, program.node)?;
            }
        }
        name if name.starts_with(b"perl") => return perl::command(reach, rest, program.node),
        name if name.starts_with(b"ruby") => return ruby::command(reach, rest, program.node),
        name if name.starts_with(b"php") && !name.starts_with(b"php-fpm") => {
            return php::command(reach, rest, program.node);
        }
        _ => {}
    }
    for word in rest {
        argument(reach, word, through);
    }
    python::arguments(reach, rest, program.node);
    Ok(())
}

/// A shell's arguments: a script, a text to run, or nothing.
fn shell(reach: &mut Reach<'_>, rest: &[Vec<u8>], program: NodeId) -> Result<()> {
    let is_text =
        |word: &Vec<u8>| word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b'c');
    if let Some(at) = rest.iter().position(is_text)
        && let Some(text) = rest.get(at + 1)
    {
        if text.starts_with(b"$") {
            reach.blind.insert((Blind::ShellEval, program));
        }
        script::text(reach, program, text, "run by")?;
        for word in &rest[at + 2..] {
            argument(reach, word, Some(program));
        }
        return Ok(());
    }
    let mut given = rest.iter().filter(|word| !word.starts_with(b"-")).peekable();
    if given.peek().is_some_and(|word| word.starts_with(b"$")) {
        reach.blind.insert((Blind::ShellEval, program));
    } else if given.peek().is_none() {
        reach.blind.insert((Blind::Shell, program));
    }
    for word in given {
        argument(reach, word, Some(program));
    }
    Ok(())
}

/// An argument that is a path, or ends in one behind `=`.
pub(super) fn argument(reach: &mut Reach<'_>, word: &[u8], from: Option<NodeId>) {
    let value = match word.iter().position(|b| *b == b'=') {
        Some(at) if word.starts_with(b"-") => &word[at + 1..],
        _ => word,
    };
    if value.starts_with(b"-") || value.is_empty() {
        return;
    }
    let Some(found) = reach.environment.path(reach.files, value) else {
        // `postgres` behind an entrypoint script.
        if let Some(found) = reach.environment.command(reach.files, value) {
            reach.claim_found(&found, Evidence::Named, "argument of", from);
        }
        return;
    };
    if reach.files.is_file(found.node) {
        reach.claim_found(&found, Evidence::Needed, "argument of", from);
    } else if value.contains(&b'/') && is_small(reach, found.node) {
        reach.claim_below(found.node, Evidence::Named, "below an argument of", from);
    }
}

/// Claims what an absolute path in a text of a program leads to: the file, or what is below a
/// directory that only a few files are below.
pub(super) fn path_in(reach: &mut Reach<'_>, path: &[u8], from: NodeId) {
    let Some(found) = reach.files.find(path) else { return };
    if reach.files.is_file(found.node) {
        reach.claim_found(&found, Evidence::Named, "path in", Some(from));
    } else if is_small(reach, found.node)
        && reach.files.tree().walk(found.node).nth(BELOW_A_PATH_MAX).is_none()
    {
        reach.claim_below(found.node, Evidence::Named, "below a path in", Some(from));
    }
}

/// Nodes below a directory that a text names for all of them to be claimed.
const BELOW_A_PATH_MAX: usize = 1000;

/// Whether a directory is one that a program is told to read, rather than a part of the system.
pub(super) fn is_small(reach: &Reach<'_>, directory: NodeId) -> bool {
    let path = reach.files.path(directory);
    let system: [&[u8]; 31] = [
        b"/",
        b"/usr",
        b"/usr/bin",
        b"/usr/lib",
        b"/usr/libexec",
        b"/usr/games",
        b"/usr/sbin",
        b"/usr/share",
        b"/usr/local",
        b"/lib",
        b"/bin",
        b"/etc",
        b"/var",
        b"/var/lib",
        b"/var/cache",
        b"/opt",
        b"/home",
        b"/root",
        b"/run",
        b"/tmp",
        b"/var/log",
        b"/var/run",
        b"/usr/include",
        b"/usr/lib/x86_64-linux-gnu",
        b"/usr/lib/aarch64-linux-gnu",
        b"/usr/local/bin",
        b"/usr/local/sbin",
        b"/usr/local/lib",
        b"/usr/local/share",
        b"/usr/share/doc",
        b"/usr/share/man",
    ];
    reach.files.is_directory(directory) && !system.contains(&&path[..])
}
