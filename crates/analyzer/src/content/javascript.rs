//! What a JavaScript file requires and imports.
//!
//! Every form ends in a text between quotes behind `require(`, `import`, `import(` or `from`. They
//! are looked for without parsing the rest: what a comment or a text holds is taken for an import
//! too, rather too many than too few.

use std::collections::BTreeSet;

use memchr::memmem;
use serde::{Deserialize, Serialize};

/// Specifiers of one file: a bundle of a large application has some thousand.
const SPECIFIERS_MAX: usize = 20_000;
/// Names in the texts of one file, and the longest that npm takes.
const NAMES_MAX: usize = 2_000;
const NAME_MAX: usize = 214;
/// A specifier.
const SPECIFIER_MAX: usize = 1024;

/// What a file requires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JavaScript {
    /// As written: `express`, `./lib/x.js`, `node:fs`, `#internal`.
    pub specifiers: Vec<Box<str>>,
    /// Paths below the file's own directory that it names: `path.join(__dirname, "views")`.
    pub beside: Vec<Box<str>>,
    /// Texts in it that have the form of a package's name: settings of libraries name others so.
    pub names: Vec<Box<str>>,
    /// Whether it requires, or runs, what only a run could tell.
    pub dynamic: bool,
}

/// Reads every specifier.
pub fn scan(text: &[u8]) -> JavaScript {
    let mut specifiers = BTreeSet::new();
    let mut dynamic = false;
    for keyword in [&b"require"[..], b"import", b"from", b"resolve"] {
        for at in memmem::find_iter(text, keyword) {
            if at > 0 && is_word(text[at - 1]) || specifiers.len() >= SPECIFIERS_MAX {
                continue;
            }
            let rest = text[at + keyword.len()..].trim_ascii_start();
            let (argument, called) = match rest.strip_prefix(b"(") {
                Some(argument) => (argument.trim_ascii_start(), true),
                None => (rest, false),
            };
            match quoted(argument) {
                Some(specifier) => _ = specifiers.insert(specifier),
                None if called && keyword != b"from" && keyword != b"resolve" => {
                    dynamic |= !argument.starts_with(b")");
                }
                None => {}
            }
        }
    }
    let mut beside = BTreeSet::new();
    for anchor in [&b"__dirname"[..], b"import.meta.url", b"import.meta.dirname"] {
        for at in memmem::find_iter(text, anchor) {
            if let Some(path) = joined(&text[at + anchor.len()..]) {
                beside.insert(path);
            }
        }
    }
    // `new URL("./x.wasm", import.meta.url)` names the path first.
    for at in memmem::find_iter(text, b"new URL(") {
        if let Some(path) = quoted(text[at + 8..].trim_ascii_start()) {
            beside.insert(path);
        }
    }
    let eval = memmem::find_iter(text, b"eval(")
        .any(|at| at == 0 || !is_word(text[at - 1]) && text[at - 1] != b'.');
    JavaScript {
        specifiers: specifiers.into_iter().collect(),
        beside: beside.into_iter().collect(),
        names: names(text),
        dynamic: dynamic || eval,
    }
}

/// Texts between quotes that have the form of a package's name.
fn names(text: &[u8]) -> Vec<Box<str>> {
    let mut found = BTreeSet::new();
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"-._@/~".contains(&b);
    for at in memchr::memchr3_iter(b'"', b'\'', b'`', text) {
        let Some(name) = quoted(&text[at..]) else { continue };
        let depth = usize::from(name.starts_with('@'));
        let is_name = name.len() > 1
            && name.len() <= NAME_MAX
            && name.bytes().all(is_part)
            && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '@')
            && name.matches('/').count() == depth;
        if is_name && found.len() < NAMES_MAX {
            found.insert(name);
        }
    }
    found.into_iter().collect()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

/// The text between quotes that `bytes` start with.
fn quoted(bytes: &[u8]) -> Option<Box<str>> {
    let (quote, rest) = bytes.split_first()?;
    if !matches!(quote, b'"' | b'\'' | b'`') {
        return None;
    }
    let end = memchr::memchr(*quote, &rest[..rest.len().min(SPECIFIER_MAX)])?;
    let text = str::from_utf8(&rest[..end]).ok()?;
    let fits = !text.is_empty() && !text.contains(['\n', '\\', '$', ' ']);
    fits.then(|| text.into())
}

/// `, "views", "x"` or ` + "/views"` behind an anchor, as one relative path.
fn joined(bytes: &[u8]) -> Option<Box<str>> {
    let mut path = String::new();
    let mut rest = bytes;
    loop {
        let trimmed = rest.trim_ascii_start();
        let Some(next) = trimmed.strip_prefix(b",").or_else(|| trimmed.strip_prefix(b"+")) else {
            break;
        };
        let next = next.trim_ascii_start();
        let Some(part) = quoted(next) else { break };
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part.trim_start_matches('/'));
        if path.len() > SPECIFIER_MAX {
            return None;
        }
        rest = &next[part.len() + 2..];
    }
    (!path.is_empty()).then(|| path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specifiers(text: &str) -> String {
        scan(text.as_bytes()).specifiers.join(" ")
    }

    #[test]
    fn every_form_is_found() {
        assert_eq!(specifiers("const a = require('a'), b = require( \"./b\" )"), "./b a");
        assert_eq!(
            specifiers("import x, {y} from 'm'; import 'side'; export * from \"n\""),
            "m n side"
        );
        assert_eq!(specifiers("import{a}from\"min\";await import(`late`)"), "late min");
        assert_eq!(specifiers("require.resolve('x/package.json')"), "x/package.json");
        assert_eq!(specifiers("myrequire('no'); important('no')"), "");
    }

    #[test]
    fn what_only_a_run_tells_is_said() {
        assert!(scan(b"require(name)").dynamic);
        assert!(scan(b"import(`./${x}.js`)").dynamic);
        assert!(scan(b"eval(code)").dynamic);
        assert!(!scan(b"require('a'); x.eval(y)").dynamic);
    }

    #[test]
    fn paths_beside_the_file_are_found() {
        let beside = |text: &str| scan(text.as_bytes()).beside.join(" ");
        assert_eq!(beside("path.join(__dirname, 'views', \"x.html\")"), "views/x.html");
        assert_eq!(beside("__dirname + '/public'"), "public");
        assert_eq!(beside("new URL('./a.wasm', import.meta.url)"), "./a.wasm");
    }
}
