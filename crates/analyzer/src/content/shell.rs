//! What a shell script names: words that may be commands or paths, and the command lines that
//! start interpreters and wrappers, with variables put in as far as literals go.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::content::script::is_shell;
use crate::entry::split;
use crate::limits::{
    SHELL_ARGUMENTS_MAX, SHELL_EXPANSIONS_MAX, SHELL_LINES_MAX, SHELL_NESTING_MAX,
    SHELL_VALUES_MAX, SHELL_WORD_MAX, SHELL_WORDS_MAX,
};

/// What a script names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shell {
    /// Words that may be a command or a path, each once. `$NAME/x` stands for a path below a
    /// variable that the script does not set.
    pub words: Vec<Box<[u8]>>,
    /// Command lines that start an interpreter, a wrapper or a supervisor: what follows says what
    /// else is used. What only a run can tell is `$` in them.
    pub lines: Vec<Vec<Box<[u8]>>>,
}

/// Programs whose arguments say what they run, by the front of their names.
const STARTERS: [&[u8]; 37] = [
    b"python",
    b"pypy",
    b"node",
    b"java",
    b"php",
    b"perl",
    b"ruby",
    b"bundle",
    b"rails",
    b"rake",
    b"busybox",
    b"tini",
    b"dumb-init",
    b"gosu",
    b"su-exec",
    b"env",
    b"setpriv",
    b"nice",
    b"nohup",
    b"timeout",
    b"stdbuf",
    b"sudo",
    b"runuser",
    b"chroot",
    b"ionice",
    b"xargs",
    b"chpst",
    b"s6-",
    b"supervisord",
    b"runsvdir",
    b"cron",
    b"supercronic",
    b"start-stop-daemon",
    b"npm",
    b"npx",
    b"yarn",
    b"pnpm",
];

/// Words that stand before a command of the same line.
const PREFIXES: [&[u8]; 15] = [
    b"exec", b"if", b"then", b"else", b"elif", b"while", b"until", b"do", b"!", b"{", b"time",
    b"command", b"eval", b"builtin", b"nohup",
];

/// Reads a script, or a text behind `-c`.
pub fn scan(text: &[u8]) -> Shell {
    let mut reader = Reader::new(text);
    reader.read();
    let Reader { lines, variables, .. } = reader;
    let mut expansion = Expansion::of(variables);
    let mut words = plain_words(text);
    let mut kept = Vec::new();
    for line in &lines {
        for word in line.iter().filter(|word| word.contains(&b'$')) {
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
    Shell { words: words.into_iter().map(Vec::into_boxed_slice).collect(), lines: kept }
}

/// The command of a line, if what it starts is told by its arguments.
fn starting(line: &[Vec<u8>], expansion: &mut Expansion) -> Option<Vec<Box<[u8]>>> {
    let is_before = |word: &Vec<u8>| PREFIXES.contains(&&word[..]) || assignment(word).is_some();
    let start = line.iter().position(|word| !is_before(word))?;
    let first = expansion.expand(&line[start]).into_iter().next()?;
    let name = split(&first).1;
    let starts = STARTERS.iter().any(|starter| name.starts_with(starter))
        || is_shell(name)
        || matches!(name, b"." | b"source" | b"su");
    if !starts || line.len() == start + 1 {
        return None;
    }
    let rest = &line[start + 1..line.len().min(start + SHELL_ARGUMENTS_MAX)];
    let rest = rest.iter().filter_map(|word| expansion.expand(word).into_iter().next());
    let words = std::iter::once(first.clone()).chain(rest);
    Some(words.map(Vec::into_boxed_slice).collect())
}

type Variables = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

/// Puts variables in for their names.
struct Expansion {
    variables: Variables,
    /// Texts that may still be made: values of values multiply.
    left: usize,
}

impl Expansion {
    fn of(variables: Variables) -> Self {
        let mut expansion = Self { variables, left: SHELL_EXPANSIONS_MAX };
        for _ in 0..SHELL_NESTING_MAX {
            let names: Vec<Vec<u8>> = expansion.variables.keys().cloned().collect();
            let mut next = Variables::new();
            for name in names {
                let values = expansion.variables[&name].clone();
                let mut all = Vec::new();
                for value in values {
                    for value in expansion.expand(&value) {
                        if all.len() < SHELL_VALUES_MAX && !all.contains(&value) {
                            all.push(value);
                        }
                    }
                }
                next.insert(name, all);
            }
            if next == expansion.variables {
                break;
            }
            expansion.variables = next;
        }
        expansion
    }

    /// Every text that a word may stand for; a variable that is not set stays as `$NAME`.
    fn expand(&mut self, word: &[u8]) -> Vec<Vec<u8>> {
        let mut done: Vec<Vec<u8>> = vec![Vec::new()];
        let mut rest = word;
        while let Some(at) = memchr::memchr(b'$', rest) {
            let end = rest[at + 1..].iter().take_while(|b| is_name(**b)).count() + at + 1;
            let own = vec![rest[at..end].to_vec()];
            let values = self.variables.get(&rest[at + 1..end]).unwrap_or(&own);
            let mut next = Vec::new();
            for front in &done {
                for value in values {
                    let fits = front.len() + at + value.len() <= SHELL_WORD_MAX;
                    if next.len() < SHELL_VALUES_MAX && fits && self.left > 0 {
                        self.left -= 1;
                        next.push([&front[..], &rest[..at], value].concat());
                    }
                }
            }
            done = next;
            rest = &rest[end..];
        }
        for value in &mut done {
            value.extend_from_slice(rest);
        }
        done.retain(|value| !value.is_empty() && value.len() <= SHELL_WORD_MAX);
        done
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// `NAME=value`.
fn assignment(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b'=', word)?;
    let name = &word[..at];
    let fits = !name.is_empty() && name.iter().all(|b| is_name(*b)) && !name[0].is_ascii_digit();
    fits.then(|| (name, &word[at + 1..]))
}

/// Splits a script into the words of its commands, as the shell does, as far as that goes without
/// running it.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    line: Vec<Vec<u8>>,
    word: Option<Vec<u8>>,
    in_quotes: bool,
    /// Commands around the one that is read: `"$(cd "$(dirname "$0")" && pwd)/x"`.
    open: Vec<(Vec<Vec<u8>>, Vec<u8>, bool)>,
    lines: Vec<Vec<Vec<u8>>>,
    variables: Variables,
    words: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            line: Vec::new(),
            word: None,
            in_quotes: false,
            open: Vec::new(),
            lines: Vec::new(),
            variables: Variables::new(),
            words: 0,
        }
    }

    fn read(&mut self) {
        while self.at < self.text.len() && self.words < SHELL_WORDS_MAX {
            self.step();
        }
        self.end_line();
        while let Some((line, word, _)) = self.open.pop() {
            self.line = line;
            self.word = Some(word);
            self.end_line();
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        let word = self.word.get_or_insert_default();
        if word.len() <= SHELL_WORD_MAX {
            word.push(byte);
        }
    }

    fn step(&mut self) {
        let byte = self.text[self.at];
        self.at += 1;
        match byte {
            b'\\' => {
                let next = self.peek(0);
                self.at += 1;
                if next != b'\n' && next != 0 {
                    self.push(next);
                }
            }
            b'$' => self.dollar(),
            b'"' => {
                self.in_quotes = !self.in_quotes;
                self.word.get_or_insert_default();
            }
            b')' if !self.open.is_empty() && !self.in_quotes => self.close(),
            _ if self.in_quotes => self.push(byte),
            b'\'' => {
                let rest = &self.text[self.at..];
                let end = memchr::memchr(b'\'', rest).unwrap_or(rest.len());
                self.word.get_or_insert_default();
                for byte in &rest[..end] {
                    self.push(*byte);
                }
                self.at += end + 1;
            }
            b'#' if self.word.is_none() => {
                let rest = &self.text[self.at..];
                self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            }
            b' ' | b'\t' | b'\r' | b'<' | b'>' => self.end_word(),
            b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'`' => self.end_line(),
            _ => self.push(byte),
        }
    }

    /// `$NAME`, `${NAME…}`, `$(command)`; anything else only a run can tell.
    fn dollar(&mut self) {
        match self.peek(0) {
            b'(' => {
                self.at += 1;
                if self.open.len() < SHELL_NESTING_MAX {
                    let mut word = self.word.take().unwrap_or_default();
                    word.push(b'$');
                    let line = std::mem::take(&mut self.line);
                    self.open.push((line, word, std::mem::take(&mut self.in_quotes)));
                } else {
                    self.end_line();
                }
            }
            b'{' => self.braces(),
            byte if is_name(byte) && !byte.is_ascii_digit() => {
                self.push(b'$');
                while is_name(self.peek(0)) {
                    let byte = self.peek(0);
                    self.push(byte);
                    self.at += 1;
                }
            }
            byte => {
                self.push(b'$');
                // `$0`, `$@`, `$?`.
                self.at += usize::from(!byte.is_ascii_whitespace() && byte != b'"' && byte != 0);
            }
        }
    }

    /// `${NAME}`, and the defaults of `${NAME:-value}` and `${NAME:=value}`.
    fn braces(&mut self) {
        let rest = &self.text[self.at + 1..];
        let rest = &rest[..rest.len().min(SHELL_WORD_MAX)];
        let name_end = rest.iter().take_while(|b| is_name(**b)).count();
        let name = &rest[..name_end];
        let behind = &rest[name_end..];
        let operator = behind.strip_prefix(b":").unwrap_or(behind);
        match operator.first() {
            Some(b'}') if name_end > 0 && operator.len() == behind.len() => {
                self.at += name_end + 2;
                self.push(b'$');
                for byte in name {
                    self.push(*byte);
                }
            }
            Some(b'-' | b'=' | b'+') if name_end > 0 => {
                let value = &operator[1..];
                let end = value.iter().position(|b| *b == b'}').unwrap_or(value.len());
                let literal: Vec<u8> =
                    value[..end].iter().copied().filter(|b| !b"\"'{".contains(b)).collect();
                if !literal.is_empty() {
                    self.set(name, &literal);
                }
                self.at += 1 + name_end + (behind.len() - operator.len()) + 1 + end + 1;
                self.push(b'$');
                for byte in name {
                    self.push(*byte);
                }
            }
            _ => {
                // `${0%/*}`: to the brace that ends it.
                let end = memchr::memchr(b'}', rest).unwrap_or(name_end);
                self.at += 1 + end + 1;
                self.push(b'$');
            }
        }
    }

    fn set(&mut self, name: &[u8], value: &[u8]) {
        let values = self.variables.entry(name.to_vec()).or_default();
        if values.len() < SHELL_VALUES_MAX && !values.iter().any(|known| known == value) {
            values.push(value.to_vec());
        }
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        self.words += 1;
        if let Some((name, value)) = assignment(&word)
            && !value.is_empty()
        {
            let (name, value) = (name.to_vec(), value.to_vec());
            self.set(&name, &value);
        }
        if !word.is_empty() {
            self.line.push(word);
        }
    }

    fn end_line(&mut self) {
        self.end_word();
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.lines.push(line);
        }
    }

    fn close(&mut self) {
        self.end_line();
        if let Some((line, word, in_quotes)) = self.open.pop() {
            self.line = line;
            self.word = Some(word);
            self.in_quotes = in_quotes;
        }
    }
}

/// Words of every line. Quotes are taken off, comments left out, and what stands behind a variable
/// is a word of its own, so that too many are found rather than too few.
fn plain_words(text: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    for line in text.split(|b| *b == b'\n') {
        if line.trim_ascii_start().starts_with(b"#") {
            continue;
        }
        for word in line.split(|b| is_separator(*b)) {
            let word = word.strip_prefix(b"-").map_or(word, |_| b"");
            let fits = word.len() <= SHELL_WORD_MAX && word.iter().any(u8::is_ascii_alphabetic);
            if fits && found.len() < SHELL_WORDS_MAX && !found.contains(word) {
                found.insert(word.to_vec());
            }
        }
    }
    found
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
