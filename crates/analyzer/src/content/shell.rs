//! What a shell script names: words that may be commands or paths, and the command lines that
//! start interpreters and wrappers, with variables put in as far as literals go.

mod evaluated;
mod expansion;
mod printed;
mod reader;

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use crate::content::shell::expansion::Expansion;
use crate::content::shell::reader::Read;
use crate::content::starter;
use crate::entry::split;
use crate::limits::{SHELL_ARGUMENTS_MAX, SHELL_LINES_MAX, SHELL_WORD_MAX, SHELL_WORDS_MAX};

/// What a script names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shell {
    /// Words that may be a command or a path, each once. `$NAME/x` stands for a path below a
    /// variable that the script does not set.
    pub words: Vec<Box<[u8]>>,
    /// Command lines that start an interpreter, a wrapper or a supervisor: what follows says what
    /// else is used. What only a run can tell is `$` in them.
    pub lines: Vec<Vec<Box<[u8]>>>,
    /// Whether it has an `eval` of a text that only a run can tell.
    pub evaluates: bool,
}

/// Words that stand before a command of the same line.
const PREFIXES: [&[u8]; 15] = [
    b"exec", b"if", b"then", b"else", b"elif", b"while", b"until", b"do", b"!", b"{", b"time",
    b"command", b"eval", b"builtin", b"nohup",
];

/// Reads a script, or a text behind `-c`.
pub fn scan(text: &[u8]) -> Shell {
    let mut read = Read::of(text);
    let texts: Vec<Vec<u8>> = evaluated::texts(&read).collect();
    let evaluates = evaluated::is_untold(text, &read, &texts);
    read.lines.extend(texts.iter().flat_map(|text| Read::of(text).lines));
    read.lines.iter_mut().flatten().for_each(|word| reader::show_unknown(word));
    read.variables.values.values_mut().flatten().for_each(|value| reader::show_unknown(value));
    let mut expansion = Expansion::of(read.variables.values);
    let mut words = BTreeSet::new();
    for word in plain_words(text) {
        if words.len() < SHELL_WORDS_MAX && !words.contains(word) {
            words.insert(word.to_vec());
        }
    }
    let mut kept = Vec::new();
    let mut expanded: HashSet<&[u8]> = HashSet::new();
    for line in &read.lines {
        for word in line.iter().filter(|word| word.contains(&b'$')) {
            if !expanded.insert(word) {
                continue;
            }
            for path in expansion.expand(word) {
                // What stands below an unknown variable may be known to the image.
                let is_known = !path[1..].contains(&b'$')
                    && (path[0] != b'$' || path.contains(&b'/') && path.get(1) != Some(&b'/'));
                if is_known && words.len() < SHELL_WORDS_MAX {
                    words.insert(path);
                }
            }
        }
        if kept.len() < SHELL_LINES_MAX {
            kept.extend(starting(line, &mut expansion));
        }
    }
    Shell { words: words.into_iter().map(Vec::into_boxed_slice).collect(), lines: kept, evaluates }
}

/// The command of a line, if what it starts is told by its arguments.
fn starting(line: &[Vec<u8>], expansion: &mut Expansion) -> Option<Vec<Box<[u8]>>> {
    let (first, rest) = reader::command(line).split_first()?;
    let first = expansion.expand(first).into_iter().next()?;
    let name = split(&first).1;
    let starts = starter::tells(name) || matches!(name, b"." | b"source");
    if !starts || rest.is_empty() {
        return None;
    }
    let rest = rest
        .iter()
        .take(SHELL_ARGUMENTS_MAX - 1)
        .filter_map(|word| expansion.expand(word).into_iter().next());
    let words = std::iter::once(first.clone()).chain(rest);
    Some(words.map(Vec::into_boxed_slice).collect())
}

/// Words of every line. Quotes are taken off, comments left out, and what stands behind a variable
/// is a word of its own, so that too many are found rather than too few.
fn plain_words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| *b == b'\n')
        .filter(|line| !line.trim_ascii_start().starts_with(b"#"))
        .flat_map(|line| line.split(|b| is_separator(*b)))
        .filter(|word| !word.starts_with(b"-") && word.len() <= SHELL_WORD_MAX)
        .filter(|word| word.iter().any(u8::is_ascii_alphabetic))
}

/// What ends a word of a shell: white space, quotes, operators, the start of a variable.
fn is_separator(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"'\"`;&|()<>{}$=,:!*?\\[]#".contains(&byte) || byte == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(word: &[u8]) -> String {
        String::from_utf8(word.to_vec()).unwrap()
    }

    fn words(script: &str) -> Vec<String> {
        scan(script.as_bytes()).words.iter().map(|word| text(word)).collect()
    }

    fn lines(script: &str) -> Vec<String> {
        let join = |line: &Vec<Box<[u8]>>| {
            line.iter().map(|word| text(word)).collect::<Vec<_>>().join(" ")
        };
        scan(script.as_bytes()).lines.iter().map(join).collect()
    }

    #[track_caller]
    fn has(script: &str, wanted: &[&str]) {
        let found = words(script);
        for word in wanted {
            assert!(found.iter().any(|w| w == word), "{word} is not in {found:?}");
        }
    }

    #[test]
    fn words_are_commands_and_paths() {
        let script = "#!/bin/sh\nset -e\n# not this\nexec gosu app \"/srv/run\" --flag=$HOME/x # y\n\
                      [ -f /etc/app.conf ] && . /lib/lsb/init-functions; V=`date`\n";
        has(script, &["exec", "gosu", "app", "/srv/run", "/etc/app.conf", "date"]);
        has(script, &["/lib/lsb/init-functions"]);
        assert!(!words(script).iter().any(|w| w == "not"));
    }

    #[test]
    fn variables_are_followed_as_far_as_literals_go() {
        has("FOO=/usr/lib/x\n. \"$FOO\"", &["/usr/lib/x"]);
        has("D=/opt/app\n. \"$D/lib/foo.sh\"", &["/opt/app/lib/foo.sh"]);
        has("A=/opt; B=${A}/etc\nsource $B/x.sh", &["/opt/etc/x.sh"]);
        has(". ${CONF:-/etc/default}/app", &["/etc/default/app"]);
        has("A=a\nA=b\nrun /x/$A.sh", &["/x/a.sh", "/x/b.sh"]);
        has("A=/opt\nA=$A/lib\nA=$A/x\n. $A/y.sh", &["/opt/y.sh", "/opt/lib/x/y.sh"]);
        has("A=$A/lib\n. $A/y.sh", &["$A/lib/y.sh"]);
        has("exec $APP_HOME/bin/x", &["$APP_HOME/bin/x"]);
        // What stands beside the script is a path without its front.
        has(". \"$(dirname \"$0\")/lib/x.sh\"; . ${0%/*}/y.sh", &["/lib/x.sh", "/y.sh"]);
    }

    #[test]
    fn lines_that_start_interpreters_are_kept() {
        assert_eq!(
            lines("P=/usr/bin/python3\nif true; then exec \"$P\" -m app 'a b' > /dev/null; fi"),
            ["/usr/bin/python3 -m app a b /dev/null"]
        );
        assert_eq!(
            lines("exec java $OPTS -cp \"$(ls lib)/x:/a.jar\" Main"),
            ["java $OPTS -cp $/x:/a.jar Main"]
        );
        assert_eq!(lines("FOO=1 perl -e 'use X; y'"), ["perl -e use X; y"]);
        assert_eq!(lines("ls -l; echo python"), [] as [&str; 0]);
        assert_eq!(lines("node a.js \\\n  --port 1"), ["node a.js --port 1"]);
    }

    #[test]
    fn odd_input_ends() {
        for script in
            ["$", "${", "${a", "${a:-", "$(", "$($($(", "'", "\"", "\\", "a=$a; x $a", ")"]
        {
            let _ = scan(script.as_bytes());
        }
        let _ = scan("$(".repeat(5000).as_bytes());
        let _ = scan("a=$a$a$a$a; x $a\n".repeat(500).as_bytes());
        let many = "a=1 b=$a$a$a$a$a$a c=$b$b$b$b\na=2\na=3 x $c\n".repeat(200);
        let _ = scan(many.as_bytes());
    }
}
