//! Scripts: the interpreter of their first line, and the commands and paths of a shell script.

use crate::content::script::is_shell;
use crate::content::{Shebang, Shell, shell};
use crate::entry::{Kind, split};
use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::filesystem::{Filesystem, Found};
use crate::facts::reach::{Blind, Reach, Whole, command, java, python};
use crate::limits::SYMLINKS_MAX;
use crate::tree::NodeId;

/// Claims the interpreter of a script, and behind `env` the program that it starts.
pub(super) fn interpreter(reach: &mut Reach<'_>, script: NodeId, shebang: &Shebang) -> Result<()> {
    let Some(found) = reach.files.file(&shebang.interpreter) else {
        // Modules have such lines, too, and nobody runs them.
        if is_run(reach, script) {
            let interpreter = jettison_oci::escape::path(&shebang.interpreter);
            reach.warn(script, &format!("its interpreter {interpreter} is not in the image"));
        }
        return Ok(());
    };
    reach.claim_found(&found, Evidence::Needed, "#! of", Some(script));
    let mut program_node = found.node;
    if let Some(program) = shebang.env_words().next().map(<[u8]>::to_vec)
        && shebang.is_wrapped()
        && let Some(found) = reach.environment.command(reach.files, &program)
    {
        reach.claim_found(&found, Evidence::Needed, "#! of", Some(script));
        program_node = found.node;
    }
    let program = shebang.program();
    if program.starts_with(b"python") {
        python::interpreter(reach, program_node)?;
    }
    for (front, blind) in
        [(&b"perl"[..], Blind::Perl), (b"ruby", Blind::Ruby), (b"php", Blind::Php)]
    {
        if program.starts_with(front) {
            reach.entered.insert(blind);
        }
    }
    Ok(())
}

/// Whether the kernel could run a script of that first line. It cannot where the interpreter is not in
/// the image, or is a directory: `#! .` is how the linkers of AIX begin lists of symbols.
pub(super) fn may_run(files: &Filesystem<'_>, shebang: &Shebang) -> bool {
    match &*shebang.interpreter {
        b"." | b".." => false,
        absolute if absolute.starts_with(b"/") => files.file(absolute).is_some(),
        // From the directory that its caller is in.
        _ => true,
    }
}

/// Whether a script was claimed as what is started, by the configuration or another program,
/// rather than as a module, an argument or a member of a directory.
fn is_run(reach: &Reach<'_>, script: NodeId) -> bool {
    let mut at = script;
    for _ in 0..SYMLINKS_MAX {
        let Some(claim) = reach.claims.get(at) else { break };
        match (claim.how, claim.from) {
            ("target of", Some(from)) if reach.files.tree().kind(from) == Kind::Symlink => {
                at = from;
            }
            (how, from) => return from.is_none() || matches!(how, "command of" | "#! of"),
        }
    }
    false
}

/// Claims what a shell script names and runs.
pub(super) fn visit(reach: &mut Reach<'_>, script: NodeId, shell: &Shell) -> Result<()> {
    let is_launcher = |word: &[u8]| java::LAUNCHER_WORDS.contains(&word);
    if shell.words.iter().any(|word| is_launcher(word)) {
        java::launcher(reach, script);
    }
    named(reach, script, shell, "run by")
}

/// Claims what a text for a shell names and runs, for the file that it stands in.
pub(super) fn text(reach: &mut Reach<'_>, from: NodeId, text: &[u8], how: &str) -> Result<()> {
    named(reach, from, &shell::scan(text), how)
}

fn named(reach: &mut Reach<'_>, from: NodeId, shell: &Shell, how: &str) -> Result<()> {
    if shell.evaluates {
        reach.blind.insert((Blind::ShellEval, from));
    }
    for word in &shell.words {
        let Some(word) = known(reach, word) else { continue };
        let found = if word.contains(&b'/') {
            // A path that a variable starts is looked for as it stands: `$ROOT/bin/x` as `/bin/x`.
            reach.environment.path(reach.files, &word).or_else(|| beside(reach, from, &word))
        } else {
            reach.environment.command(reach.files, &word).or_else(|| beside(reach, from, &word))
        };
        let Some(found) = found else { continue };
        if reach.files.is_file(found.node) {
            reach.claim_found(&found, Evidence::Named, "named in", Some(from));
        } else if word.len() > 1 && word.contains(&b'/') && command::is_small(reach, found.node) {
            // `for f in /docker-entrypoint.d/*`
            for child in reach.files.sorted_children(found.node) {
                let name = reach.files.tree().name(child);
                let Some(found) = reach.files.find_from(found.node, name) else { continue };
                if reach.files.is_file(found.node) {
                    let how = "in a directory named in";
                    reach.claim_found(&found, Evidence::Named, how, Some(from));
                }
            }
        }
    }
    for line in &shell.lines {
        let words = known_line(reach, line);
        match words.first().map(|first| &first[..]) {
            Some(b"." | b"source") => source(reach, from, &words[1..]),
            _ => command::line_of(reach, &words, Evidence::Named, how, Some(from))?,
        }
    }
    Ok(())
}

/// A word of a script, with the image's value for a variable that starts it.
fn known(reach: &Reach<'_>, word: &[u8]) -> Option<Vec<u8>> {
    let Some(rest) = word.strip_prefix(b"$") else { return Some(word.to_vec()) };
    let end = rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_');
    let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let value = reach.environment.get(str::from_utf8(name).ok()?)?;
    Some([value, rest].concat())
}

/// The same for a command line, where a value may be several words: `$JAVA_OPTS`. What is not
/// known is left out, unless it is the value of an option or a shell's script.
fn known_line(reach: &Reach<'_>, line: &[Box<[u8]>]) -> Vec<Vec<u8>> {
    let is_for_shell = line.first().is_some_and(|first| is_shell(split(first).1));
    let mut words: Vec<Vec<u8>> = Vec::new();
    for word in line {
        let is_variable = word.starts_with(b"$") && !word.contains(&b'/');
        let is_value = words.last().is_some_and(|before| {
            matches!(
                &before[..],
                b"-cp" | b"-classpath" | b"--class-path" | b"-jar" | b"-c" | b"-p"
            )
        });
        match known(reach, word) {
            Some(value) if is_variable && !is_value => {
                words.extend(crate::facts::configuration::words(&value));
            }
            Some(value) => words.push(value),
            None if is_variable && !is_value && !is_for_shell => {}
            None => words.push(word.to_vec()),
        }
    }
    words
}

/// Files that a script takes in: they need no first line, and those of `/etc` are documents.
fn source(reach: &mut Reach<'_>, from: NodeId, words: &[Vec<u8>]) {
    let Some(word) = words.first() else { return };
    let found = reach.environment.path(reach.files, word);
    let Some(found) = found.or_else(|| beside(reach, from, word)) else { return };
    if !reach.files.is_file(found.node) {
        return;
    }
    reach.claim_found(&found, Evidence::Named, "sourced by", Some(from));
    if reach.begins(Whole::Sourced, found.node, from) {
        reach.sourced.push(found.node);
    }
}

/// Claims what a document names and runs that a shell takes in.
pub(super) fn sourced(reach: &mut Reach<'_>, node: NodeId) -> Result<()> {
    match reach.files.content(node)? {
        Some(content) => text(reach, node, content.text(), "run by"),
        None => Ok(()),
    }
}

/// A file beside the script: `. "$(dirname "$0")/functions"`.
fn beside(reach: &Reach<'_>, script: NodeId, word: &[u8]) -> Option<Found> {
    let directory = reach.files.tree().parent(script)?;
    let word = word.strip_prefix(b"$").unwrap_or(word);
    let name = word.strip_prefix(b"/").unwrap_or(word);
    let found = reach.files.find_from(directory, name)?;
    reach.files.is_file(found.node).then_some(found)
}
