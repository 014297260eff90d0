//! Command lines of jettison, wherever they stand: their flags are asked of the command itself, and
//! those that run a node are run, at a runtime that is not there.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};

use super::file;
use crate::jettison::{Run, User};

/// The words of a line, as a shell parts them.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    assert_eq!(quote, None, "an open quote in {line}");
    words.extend(word);
    words
}

/// The long flags that a command's help names.
fn flags(command: &str) -> BTreeSet<String> {
    let help = User::new().run(&[command, "--help"]).text();
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let named = lines.flat_map(str::split_whitespace).filter(|word| word.starts_with("--"));
    named.map(|flag| flag.trim_end_matches([',', '.']).to_owned()).collect()
}

/// Fails where a flag is none of the command's.
pub(super) fn assert_known(arguments: &[String]) {
    static PRUNE: OnceLock<BTreeSet<String>> = OnceLock::new();
    static EXPLAIN: OnceLock<BTreeSet<String>> = OnceLock::new();
    let known = match arguments[0].as_str() {
        "prune" => PRUNE.get_or_init(|| flags("prune")),
        "explain" => EXPLAIN.get_or_init(|| flags("explain")),
        other => panic!("no command of nodes: {other}"),
    };
    assert!(known.contains("--runtime") && known.contains("--endpoint"), "{known:?}");
    for flag in arguments.iter().filter(|word| word.starts_with("--")) {
        let name = flag.split('=').next().unwrap();
        assert!(known.contains(name), "{name} is no flag of {}: {arguments:?}", arguments[0]);
    }
}

/// Fails where the command does not take the arguments as they are, values included. They are run
/// at a runtime that is not there, so that nothing is seen or removed, on this machine least of all.
pub(super) fn assert_runs(arguments: &[String]) {
    assert_known(arguments);
    let user = User::new();
    let of = |flag: &str| arguments.iter().any(|word| word.split('=').next() == Some(flag));
    let mut run: Vec<String> = arguments
        .iter()
        .filter(|word| !word.starts_with("--endpoint=") && !word.starts_with("--metrics-address="))
        .cloned()
        .collect();
    run.push(format!("--endpoint=unix://{}", user.path("no-such.sock").display()));
    run.push(format!("--state-dir={}", user.path("state").display()));
    if !of("--watch") {
        let ended = Run::of(&mut user.command(&run));
        assert!([3, 4].contains(&ended.code()), "{run:?}\n{}", ended.stderr);
        assert!(ended.stderr.contains("no such socket"), "{}", ended.stderr);
        return;
    }
    run.push("--metrics-address=127.0.0.1:0".to_owned());
    assert!(of("--log-format"), "a service logs for machines: {arguments:?}");
    let mut child = user.command(&run).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    assert!(line.contains("\"event\":\"refused\""), "{run:?}\n{line}");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// The command lines of a page: in its blocks of code, and in its sentences where they have more
/// than a name.
pub(super) fn of_page(name: &str) -> Vec<Vec<String>> {
    let page = file(name);
    let mut found = Vec::new();
    for (at, part) in page.split('`').enumerate() {
        // Blocks have three, so what is in them stands at odd places too.
        if at % 2 == 0 {
            continue;
        }
        for line in part.lines() {
            let line = line.split(" #").next().unwrap();
            let words = words(&line.replace("'s", "s"));
            let at =
                words.iter().position(|word| word == "jettison" || word.ends_with("/jettison"));
            let arguments = at.map(|at| &words[at + 1..]).unwrap_or_default();
            if arguments.first().is_some_and(|word| word == "prune" || word == "explain") {
                let end = arguments.iter().position(|word| word.starts_with(['|', '>']));
                found.push(arguments[..end.unwrap_or(arguments.len())].to_vec());
            }
        }
    }
    found
}

#[test]
fn words_are_parted_as_a_shell_does() {
    let expected = ["a", "--b=0 3 * * *", "c d", ""];
    assert_eq!(words("a \"--b=0 3 * * *\" 'c d' ''"), expected);
}

#[test]
fn pages_name_flags_that_there_are() {
    for (page, least) in [
        ("docs/prune.md", 8),
        ("examples/kubernetes/README.md", 1),
        ("examples/systemd/README.md", 4),
    ] {
        let lines = of_page(page);
        assert!(lines.len() >= least, "{page}: {lines:?}");
        for arguments in lines {
            assert_known(&arguments);
        }
    }
}
