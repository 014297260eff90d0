//! What the configuration starts: entrypoint and command, health check, through the wrappers that
//! people put in front.

use crate::content::script::{is_shell, words};
use crate::entry::split;
use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::reach::{Blind, Reach, node, python, script};
use crate::tree::NodeId;

/// Words of one command line: a shell line of a Dockerfile has some hundred.
const WORDS_MAX: usize = 10_000;

/// Claims what the configuration names.
pub(super) fn start(reach: &mut Reach<'_>) -> Result<()> {
    let config = &reach.files.account().image.config;
    let how = if config.entrypoint.is_empty() { "CMD" } else { "ENTRYPOINT" };
    line(reach, &[bytes(&config.entrypoint), bytes(&config.cmd)].concat(), how, None)?;
    // An entrypoint that ends in `exec "$@"` starts the command.
    if !config.entrypoint.is_empty() && !config.cmd.is_empty() {
        let cmd = bytes(&config.cmd);
        if reach.environment.command(reach.files, &cmd[0]).is_some() {
            line(reach, &cmd, "CMD", None)?;
        }
    }
    let health: Vec<Vec<u8>> = bytes(&config.healthcheck);
    match health.first().map(|first| &first[..]) {
        Some(b"CMD") => line(reach, &health[1..], "HEALTHCHECK", None)?,
        Some(b"CMD-SHELL") => {
            let shell = [b"/bin/sh".to_vec(), b"-c".to_vec(), health[1..].concat()];
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

/// Programs that start what their arguments name.
const WRAPPERS: [&[u8]; 24] = [
    b"tini",
    b"tini-static",
    b"dumb-init",
    b"gosu",
    b"su-exec",
    b"env",
    b"catatonit",
    b"setpriv",
    b"nice",
    b"nohup",
    b"timeout",
    b"stdbuf",
    b"sudo",
    b"runuser",
    b"chroot",
    b"setarch",
    b"time",
    b"ionice",
    b"xargs",
    b"exec",
    b"docker-init",
    b"s6-setuidgid",
    b"chpst",
    b"unshare",
];

/// Claims the program of a command line and what its words name, for the file `from` or for the
/// configuration.
pub(super) fn line(
    reach: &mut Reach<'_>,
    words: &[Vec<u8>],
    how: &str,
    from: Option<NodeId>,
) -> Result<()> {
    let words = &words[..words.len().min(WORDS_MAX)];
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
    reach.claim_found(&program, Evidence::Needed, how, from);
    let name = split(first).1.to_vec();
    let real = reach.files.tree().name(program.node).to_vec();
    let through = Some(program.links.last().copied().unwrap_or(program.node));
    if WRAPPERS.contains(&&name[..]) {
        // Options, their values and assignments stand before the command: the first word that is
        // a command is it.
        let command = rest.iter().position(|word| {
            !word.starts_with(b"-") && reach.environment.command(reach.files, word).is_some()
        });
        if let Some(at) = command {
            return line(reach, &rest[at..], "command of", through);
        }
    }
    let is = |names: &[&[u8]]| names.iter().any(|n| name.starts_with(n) || real.starts_with(n));
    if is_shell(&name) || is_shell(&real) && !is(&[b"busybox"]) {
        shell(reach, rest, program.node);
        return Ok(());
    }
    if is(&[b"python", b"pypy"]) {
        return python::command(reach, rest, program.node);
    }
    if is(&[b"node"]) && (name == b"node" || name == b"nodejs") {
        return node::command(reach, rest, program.node);
    }
    for word in rest {
        argument(reach, word, through);
    }
    python::arguments(reach, rest, program.node);
    Ok(())
}

/// A shell's arguments: a script, a text to run, or nothing.
fn shell(reach: &mut Reach<'_>, rest: &[Vec<u8>], program: NodeId) {
    let is_text =
        |word: &Vec<u8>| word.starts_with(b"-") && !word.starts_with(b"--") && word.contains(&b'c');
    if let Some(at) = rest.iter().position(is_text)
        && let Some(text) = rest.get(at + 1)
    {
        script::named(reach, program, &words(text));
        for word in &rest[at + 2..] {
            argument(reach, word, Some(program));
        }
        return;
    }
    let mut given = rest.iter().filter(|word| !word.starts_with(b"-")).peekable();
    if given.peek().is_none() {
        reach.blind.insert((Blind::Shell, program));
    }
    for word in given {
        argument(reach, word, Some(program));
    }
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

/// Whether a directory is one that a program is told to read, rather than a part of the system.
pub(super) fn is_small(reach: &Reach<'_>, directory: NodeId) -> bool {
    let path = reach.files.path(directory);
    let system: [&[u8]; 14] = [
        b"/",
        b"/usr",
        b"/usr/bin",
        b"/usr/lib",
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
    ];
    reach.files.is_directory(directory) && !system.contains(&&path[..])
}
