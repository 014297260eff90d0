//! What a Python file imports, wherever in it the import stands.
//!
//! A parser of Python's grammar follows one version of the language; images hold many, and scripts
//! of Python 2 among them. Import statements start a statement in all of them, so lines are read,
//! brackets and continued lines joined, and an import inside a docstring is taken for one: rather
//! too many than too few.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Names in the texts of one file.
const NAMES_MAX: usize = 2_000;
/// Imports of one file.
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

/// Reads every import.
pub fn scan(text: &[u8]) -> Python {
    let mut found = BTreeSet::new();
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        // `try: import x`, `if y: import x`, `a = 1; import x`.
        for start in statement_starts(trimmed) {
            if start.starts_with("import ") || start.starts_with("from ") {
                let mut statement = start.to_owned();
                join(&mut statement, &mut lines);
                read(&statement, &mut found);
            }
        }
        if found.len() >= IMPORTS_MAX {
            break;
        }
    }
    let computes_imports = calls(&text, &mut found);
    let evaluates = ["exec(", "eval(", "execfile("].iter().any(|call| has_call(&text, call));
    let names = names(&text);
    Python { modules: found.into_iter().collect(), computes_imports, evaluates, names }
}

/// Texts between quotes that have the form of a dotted name.
fn names(text: &str) -> Vec<Box<str>> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let mut rest = line;
        while let Some(at) = rest.find(['"', '\'']) {
            let quote = rest.as_bytes()[at];
            rest = &rest[at + 1..];
            let Some(end) = rest.bytes().position(|b| b == quote) else { break };
            let literal = &rest[..end];
            rest = &rest[end + 1..];
            let is_name = literal.len() > 1
                && !literal.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                && !literal.ends_with('.')
                && name(literal).is_some();
            if is_name && found.len() < NAMES_MAX {
                found.insert(literal.into());
            }
        }
    }
    found.into_iter().collect()
}

fn statement_starts(line: &str) -> impl Iterator<Item = &str> {
    let inner = line.match_indices([';', ':']).map(|(at, _)| line[at + 1..].trim_start());
    std::iter::once(line).chain(inner)
}

/// Takes in what brackets and backslashes continue.
fn join<'a>(statement: &mut String, lines: &mut impl Iterator<Item = &'a str>) {
    while statement.len() < STATEMENT_MAX {
        let code = statement.split('#').next().unwrap_or_default().trim_end();
        let open = code.contains('(') && !code.contains(')');
        if !open && !code.ends_with('\\') {
            break;
        }
        let mut code = code.trim_end_matches('\\').to_owned();
        let Some(next) = lines.next() else { break };
        code.push(' ');
        code.push_str(next);
        *statement = code;
    }
}

fn read(statement: &str, found: &mut BTreeSet<Box<str>>) {
    let code = statement.split(['#', ';']).next().unwrap_or_default();
    if let Some(rest) = code.strip_prefix("import ") {
        for item in rest.split(',') {
            if let Some(module) = item.split_whitespace().next().and_then(name) {
                found.insert(module.into());
            }
        }
    } else if let Some(rest) = code.strip_prefix("from ")
        && let Some((module, names)) = split_at_import(rest)
    {
        let Some(module) = module.split_whitespace().next().and_then(name) else { return };
        found.insert(module.into());
        for item in names.trim_matches(|c: char| c.is_whitespace() || "()".contains(c)).split(',') {
            let word = item.trim_matches(|c: char| c.is_whitespace() || "()".contains(c));
            let Some(word) = word.split_whitespace().next().filter(|word| *word != "*") else {
                continue;
            };
            if let Some(word) = name(word) {
                let dot = if module.ends_with('.') { "" } else { "." };
                found.insert(format!("{module}{dot}{word}").into());
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

/// Calls that import by a text; whether one of them does so by anything else.
fn calls(text: &str, found: &mut BTreeSet<Box<str>>) -> bool {
    let mut dynamic = false;
    for call in ["import_module", "__import__", "find_spec", "run_module", "import_string"] {
        for (at, _) in text.match_indices(call) {
            let Some(argument) = text[at + call.len()..].trim_start().strip_prefix('(') else {
                continue;
            };
            let argument = argument.trim_start().trim_start_matches(['r', 'u', 'b']);
            match argument.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let literal = argument[1..].split(quote).next().unwrap_or_default();
                    match name(literal) {
                        Some(module) => _ = found.insert(module.into()),
                        None => dynamic = true,
                    }
                }
                Some(')') | None => {}
                Some(_) => dynamic = true,
            }
        }
    }
    dynamic
}

/// Whether the built-in is called: not as a method, nor as the end of a longer name.
fn has_call(text: &str, call: &str) -> bool {
    text.match_indices(call)
        .any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.'))
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
        let _ = modules(&"from a import (\n".repeat(5000));
    }
}
