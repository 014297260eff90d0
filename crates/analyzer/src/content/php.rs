//! What a PHP file includes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::content::literal::{all_quoted, keyword, quoted, statement};
use crate::limits::NAMES_OF_FILE_MAX;

/// What a file includes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Php {
    /// As written: absolute, or looked for in the include path and beside the file.
    pub includes: Vec<Box<str>>,
    /// Below the file's own directory: `__DIR__ . '/x.php'`; with `..` for `dirname`.
    pub beside: Vec<Box<str>>,
    /// Whether it includes what only a run could tell.
    pub dynamic: bool,
}

/// Reads every include.
pub fn scan(text: &[u8]) -> Php {
    let (mut includes, mut beside) = (BTreeSet::new(), BTreeSet::new());
    let mut dynamic = false;
    for word in [&b"require_once"[..], b"require", b"include_once", b"include"] {
        for rest in keyword(text, word).take(NAMES_OF_FILE_MAX) {
            let statement = statement(rest, b";\n");
            let argument = statement.trim_ascii_start();
            let argument = argument.strip_prefix(b"(").unwrap_or(argument).trim_ascii_start();
            if let Some(path) = here(argument) {
                beside.insert(path);
                continue;
            }
            match quoted(argument) {
                Some(path) if !path.contains('$') => _ = includes.insert(path.into()),
                _ => dynamic |= memchr::memchr2(b'$', b'(', argument).is_some(),
            }
        }
    }
    // `__DIR__ . '/../src/' . $x` names a directory, as any path from the file's own place does.
    for rest in keyword(text, b"__DIR__").take(NAMES_OF_FILE_MAX) {
        let statement = statement(rest, b";\n");
        beside.extend(here(&[b"__DIR__", statement].concat()));
        let first = all_quoted(statement).first().map(|text| text.trim_start_matches('/'));
        beside.extend(first.filter(|text| text.ends_with('/')).map(Into::into));
    }
    Php { includes: includes.into_iter().collect(), beside: beside.into_iter().collect(), dynamic }
}

/// The path that an expression makes from the file's own place.
fn here(expression: &[u8]) -> Option<Box<str>> {
    let mut ups: usize = 0;
    let mut rest = expression;
    while let Some(inner) =
        rest.strip_prefix(b"dirname(").or_else(|| rest.strip_prefix(b"\\dirname("))
    {
        ups += 1;
        rest = inner.trim_ascii_start();
    }
    let rest = if let Some(rest) = rest.strip_prefix(b"__DIR__") {
        rest
    } else if let Some(rest) = rest.strip_prefix(b"__FILE__") {
        // The first `dirname` of a file is its directory.
        ups = ups.checked_sub(1)?;
        rest
    } else {
        return None;
    };
    // `dirname(__DIR__, 2)`.
    let level = rest.trim_ascii_start().strip_prefix(b",").map(<[u8]>::trim_ascii_start);
    if let Some(digit) = level.and_then(|text| text.first()).filter(|b| b.is_ascii_digit()) {
        ups += usize::from(digit - b'0').saturating_sub(1);
    }
    let text = all_quoted(rest).concat();
    let text = text.trim_start_matches('/');
    (!text.is_empty() && !text.contains('$'))
        .then(|| ["../".repeat(ups).as_str(), text].concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_are_found() {
        let found = scan(
            b"<?php require 'a.php'; include_once(\"/b/c.php\");\n\
              require __DIR__ . '/d.php'; require_once dirname(__FILE__).'/e.php';\n\
              require dirname(__DIR__) . '/f.php'; require dirname(__DIR__, 2) . '/g.php';\n\
              $x = __DIR__ . '/h.json'; require __DIR__ . '/../src/' . $class . '.php';",
        );
        assert_eq!(found.includes.join(" "), "/b/c.php a.php");
        assert_eq!(
            found.beside.join(" "),
            "../../g.php ../f.php ../g.php ../src/ ../src/.php d.php e.php f.php h.json"
        );
        assert!(!found.dynamic);
    }

    #[test]
    fn what_only_a_run_tells_is_said() {
        let dynamic = |text: &str| scan(text.as_bytes()).dynamic;
        assert!(dynamic("<?php include $file;"));
        assert!(dynamic("<?php require \"$dir/x.php\";"));
        assert!(!dynamic("<?php require 'x.php';"));
    }

    #[test]
    fn odd_input_ends() {
        for text in ["require", "require(", "include '", "dirname(", "__DIR__", "require dirname("]
        {
            let _ = scan(text.as_bytes());
        }
        let _ = scan("require dirname(".repeat(20_000).as_bytes());
        let _ = scan("__DIR__ '".repeat(20_000).as_bytes());
    }
}
