//! What a Python file imports, wherever in it the import stands.
//!
//! A parser of Python's grammar follows one version of the language; images hold many, and scripts
//! of Python 2 among them. Import statements start a statement in all of them, so lines are read,
//! brackets and continued lines joined, and an import inside a docstring is taken for one: rather
//! too many than too few.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use serde::{Deserialize, Serialize};

/// Names in the texts of one file.
const NAMES_MAX: usize = 2_000;
/// Different imports of one file, up to twice as many.
const IMPORTS_MAX: usize = 10_000;
/// A joined statement: a list of names in brackets.
const STATEMENT_MAX: usize = 64 << 10;

/// What a file imports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Python {
    /// Modules: `os.path`; relative ones with their dots, `..pkg.mod`. For `from m import a, b`
    /// both `m` and `m.a`, `m.b`, since a name may be a module.
    pub modules: Vec<Box<str>>,
    /// Whether it imports by names that only a run could tell.
    pub computes_imports: bool,
    /// Whether it runs text that only a run could tell.
    pub evaluates: bool,
    /// Texts in it that have the form of a dotted name: frameworks are told by such texts what to
    /// import.
    pub names: Vec<Box<str>>,
}

impl Python {
    /// Whether it imports what starts programs.
    pub(super) fn starts(&self) -> bool {
        self.modules.iter().any(|module| &**module == "subprocess")
    }
}

/// Whether the file at `path` (without a leading slash) is a library's: of the standard one, or below
/// a directory of installed packages.
pub fn is_library(path: &[u8]) -> bool {
    path.starts_with(b"usr/lib/python")
        || path.starts_with(b"usr/local/lib/python")
        || path.split(|b| *b == b'/').any(is_site)
}

/// Whether a directory of this name is one of installed packages.
pub fn is_site(name: &[u8]) -> bool {
    matches!(name, b"site-packages" | b"dist-packages")
}

/// Reads every import.
pub fn scan(text: &[u8]) -> Python {
    let text = &lossy(text);
    let evaluates = ["exec(", "eval(", "execfile("].iter().any(|call| has_call(text, call));
    Python { evaluates, names: names(text), ..imports(text) }
}

/// Reads every import of a library's module. Its texts name what it is told to import by others, and
/// what it evaluates is theirs.
pub fn scan_library(text: &[u8]) -> Python {
    imports(&lossy(text))
}

fn lossy(text: &[u8]) -> Cow<'_, str> {
    str::from_utf8(text).map_or_else(|_| String::from_utf8_lossy(text), Cow::Borrowed)
}

fn imports(text: &str) -> Python {
    let mut found = Modules::default();
    let mut computes_imports = false;
    let mut lines = Lines { text, at: 0 };
    for at in IMPORT.find_iter(text.as_bytes()) {
        let (before, behind) = (&text[..at], &text[at + IMPORT.needle().len()..]);
        let mut calls = IMPORT_CALLS.iter().filter(|(front, _)| before.ends_with(front));
        if let Some(argument) = calls.find_map(|(_, end)| behind.strip_prefix(end)) {
            computes_imports |= call(argument, &mut found);
        }
        if found.is_full {
            continue;
        }
        // A line before it may have taken this one in.
        if lines.at <= at {
            lines.go_to(at);
        }
        while lines.at <= at {
            let Some(line) = lines.next() else { break };
            let trimmed = line.trim_start();
            // `try: import x`, `if y: import x`, `a = 1; import x`.
            for start in trimmed.split_inclusive([';', ':']).map(str::trim_start) {
                if start.starts_with("import ") || start.starts_with("from ") {
                    let mut statement = start.to_owned();
                    join(&mut statement, &mut lines);
                    read(&statement, &mut found);
                }
            }
        }
    }
    for finder in &*OTHER_CALLS {
        for at in finder.find_iter(text.as_bytes()) {
            computes_imports |= call(&text[at + finder.needle().len()..], &mut found);
        }
    }
    Python { modules: found.sorted(), computes_imports, ..Python::default() }
}

/// What every import has, statement or call: `from x import y`, `__import__("x")`.
static IMPORT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("import"));
/// What calls have before and behind it.
const IMPORT_CALLS: [(&str, &str); 3] = [("", "_module"), ("__", "__"), ("", "_string")];

/// Other calls that import.
static OTHER_CALLS: LazyLock<[Finder<'static>; 2]> =
    LazyLock::new(|| ["find_spec", "run_module"].map(Finder::new));

/// Modules that one file imports, some of them several times.
#[derive(Default)]
struct Modules {
    names: Vec<Box<str>>,
    is_full: bool,
}

impl Modules {
    fn insert(&mut self, name: impl Into<Box<str>>) {
        if self.is_full {
            return;
        }
        self.names.push(name.into());
        if self.names.len() >= 2 * IMPORTS_MAX {
            self.sort();
            self.is_full = self.names.len() >= IMPORTS_MAX;
        }
    }

    fn sort(&mut self) {
        self.names.sort_unstable();
        self.names.dedup();
    }

    fn sorted(mut self) -> Vec<Box<str>> {
        self.sort();
        self.names
    }
}

/// The lines of a text, from anywhere in it.
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl Lines<'_> {
    /// Goes on with the line that has the byte at `to`, which is not gone by; with those before it
    /// that a backslash continues.
    fn go_to(&mut self, to: usize) {
        let text = self.text.as_bytes();
        let mut end = to;
        loop {
            let newline = memchr::memrchr(b'\n', &text[self.at..end]);
            let Some(newline) = newline.map(|newline| self.at + newline) else { break };
            let line = &text[self.at..newline];
            if !line.strip_suffix(b"\r").unwrap_or(line).ends_with(b"\\") {
                self.at = newline + 1;
                break;
            }
            end = newline;
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        self.at += (end + 1).min(rest.len());
        Some(rest[..end].strip_suffix('\r').unwrap_or(&rest[..end]))
    }
}

/// Texts between quotes that have the form of a dotted name.
fn names(text: &str) -> Vec<Box<str>> {
    let mut found: BTreeSet<Box<str>> = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'"', b'\'', rest.as_bytes()) {
        let quote = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        let Some(end) = memchr::memchr2(quote, b'\n', rest.as_bytes()) else { break };
        let (literal, closed) = (&rest[..end], rest.as_bytes()[end] == quote);
        rest = &rest[end + 1..];
        let is_name = closed
            && literal.len() > 1
            && !literal.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && !literal.ends_with('.')
            && name(literal).is_some();
        if is_name && found.len() < NAMES_MAX && !found.contains(literal) {
            found.insert(literal.into());
        }
    }
    found.into_iter().collect()
}

/// Takes in what brackets and backslashes continue; comments are left out.
fn join<'a>(statement: &mut String, lines: &mut impl Iterator<Item = &'a str>) {
    let (mut opened, mut closed) = (false, false);
    let mut looked_at = 0;
    loop {
        let part = &statement[looked_at..];
        let code = part.split('#').next().unwrap_or_default().trim_end();
        opened |= code.contains('(');
        closed |= code.contains(')');
        let goes_on = code.ends_with('\\');
        let end = looked_at + code.trim_end_matches('\\').len();
        statement.truncate(end);
        if !(opened && !closed || goes_on) || statement.len() >= STATEMENT_MAX {
            break;
        }
        let Some(next) = lines.next() else { break };
        statement.push(' ');
        looked_at = statement.len();
        statement.push_str(next);
    }
}

fn read(statement: &str, found: &mut Modules) {
    let code = statement.split(['#', ';']).next().unwrap_or_default();
    if let Some(rest) = code.strip_prefix("import ") {
        for item in rest.split(',') {
            if let Some(module) = item.split_whitespace().next().and_then(name) {
                found.insert(module);
            }
        }
    } else if let Some(rest) = code.strip_prefix("from ")
        && let Some((module, names)) = split_at_import(rest)
    {
        let Some(module) = module.split_whitespace().next().and_then(name) else { return };
        found.insert(module);
        for item in names.trim_matches(|c: char| c.is_whitespace() || "()".contains(c)).split(',') {
            let word = item.trim_matches(|c: char| c.is_whitespace() || "()".contains(c));
            let Some(word) = word.split_whitespace().next().filter(|word| *word != "*") else {
                continue;
            };
            if let Some(word) = name(word) {
                let dot = if module.ends_with('.') { "" } else { "." };
                found.insert([module, dot, word].concat());
            }
        }
    }
}

/// What stands before and behind the word `import`, which may be a part of a name, too.
fn split_at_import(rest: &str) -> Option<(&str, &str)> {
    const WORD: &str = "import";
    let ends = |at: usize| {
        let before = rest[..at].chars().next_back();
        let behind = rest[at + WORD.len()..].chars().next();
        before.is_some_and(|c| c.is_whitespace() || c == '.')
            && behind.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '*' | '\\'))
    };
    let (at, _) = rest.match_indices(WORD).find(|(at, _)| ends(*at))?;
    Some((&rest[..at], &rest[at + WORD.len()..]))
}

/// A dotted name, relative ones with their dots.
fn name(word: &str) -> Option<&str> {
    let fits = word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    (fits && !word.is_empty() && word.len() < 256).then_some(word)
}

/// A call that imports by a text, given what stands behind its name; whether it does so by anything
/// else.
fn call(behind: &str, found: &mut Modules) -> bool {
    let Some(argument) = behind.trim_start().strip_prefix('(') else { return false };
    let argument = argument.trim_start().trim_start_matches(['r', 'u', 'b']);
    match argument.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let literal = argument[1..].split(quote).next().unwrap_or_default();
            let Some(module) = name(literal) else { return true };
            found.insert(module);
            false
        }
        Some(')') | None => false,
        Some(_) => true,
    }
}

/// Whether the built-in is called: not as a method, nor as the end of a longer name.
fn has_call(text: &str, call: &str) -> bool {
    memmem::find_iter(text.as_bytes(), call)
        .any(|at| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(text: &str) -> String {
        scan(text.as_bytes()).modules.join(" ")
    }

    #[test]
    fn imports_are_found_wherever_they_stand() {
        assert_eq!(modules("import os, sys as s\nimport a.b.c  # x"), "a.b.c os sys");
        assert_eq!(modules("from a import b as c, d"), "a a.b a.d");
        assert_eq!(
            modules("from . import x\nfrom ..y import (\n  z,  # why\n  w\n)\n"),
            ". ..y ..y.w ..y.z .x"
        );
        assert_eq!(modules("def f():\n    import late\n"), "late");
        assert_eq!(modules("try: import fast\nexcept ImportError: import slow"), "fast slow");
        assert_eq!(modules("from a \\\n  import b"), "a a.b");
        assert_eq!(modules("# not continued \\\nimport a"), "a");
        assert_eq!(modules("x = 1\nfrom a \\\r\n  \\\r\n import b, \\\r\n c\r\n"), "a a.b a.c");
        assert_eq!(modules("from a import *"), "a");
        assert_eq!(
            modules("from importlib.readers import X"),
            "importlib.readers importlib.readers.X"
        );
        assert_eq!(modules("from .import x\nfrom a import(b)"), ". .x a a.b");
        assert_eq!(modules("x = 'from here to there'\nimportant = 1"), "");
        assert_eq!(modules("import_module('p.q'); __import__(\"r\")"), "p.q r");
    }

    #[test]
    fn what_only_a_run_tells_is_said() {
        let dynamic = |text: &str| {
            let found = scan(text.as_bytes());
            found.computes_imports || found.evaluates
        };
        assert!(dynamic("importlib.import_module(name)"));
        assert!(dynamic("exec(code, globals())"));
        assert!(!dynamic("cursor.exec(sql); re.eval(x); my_eval(x)"));
        assert!(!dynamic("import_module('a')"));
        assert!(!dynamic("import os"));
    }

    #[test]
    fn what_looks_like_a_statement_hides_none_behind_it() {
        assert_eq!(modules("from here: import a"), "a");
        assert_eq!(modules("from m import (  # noqa: E501\n    a,\n    b)"), "m m.a m.b");
        assert_eq!(modules("import a; from b import c; x = 1"), "a b b.c");
    }

    #[test]
    fn texts_may_be_names() {
        let names = |text: &str| scan(text.as_bytes()).names.join(" ");
        let text = "APPS = ['blog', \"shop.apps.Shop\", 'a b', '', 'x', '1a', '.a', 'é'";
        assert_eq!(names(text), "blog shop.apps.Shop é");
        assert_eq!(names("it's 'fine'"), "");
    }

    #[test]
    fn odd_input_ends() {
        for text in
            ["from", "import", "from  import ", "from a import (", "import \\", "from .", "\u{0}"]
        {
            let _ = modules(text);
        }
        let _ = scan(&vec![b'('; 1 << 16]);
        let _ = scan(";import a".repeat(300_000).as_bytes());
        let _ = scan(":import a".repeat(300_000).as_bytes());
        let _ = scan(&[&b"import "[..], &b"\\\n".repeat(1 << 20)].concat());
        let _ = scan("from a ".repeat(300_000).as_bytes());
        let _ = modules(&"from a import (\n".repeat(5000));
    }
}
