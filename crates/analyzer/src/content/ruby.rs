//! What a Ruby file requires.
//!
//! `require` and its like are calls of methods that take a text: they are looked for as words, in
//! every line that is no comment.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::content::literal::{all_quoted, keyword, quoted, statement};
use crate::limits::{NAME_OF_FILE_MAX, NAMES_OF_FILE_MAX};

/// What a file requires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruby {
    /// Of `require`, `load` and `autoload`: looked for in the load path.
    pub features: Vec<Box<str>>,
    /// Of `require_relative`, and paths made from `__dir__` and `__FILE__`.
    pub relative: Vec<Box<str>>,
    /// Gems that it names.
    pub gems: Vec<Box<str>>,
    /// Whether it requires, or runs, what only a run could tell.
    pub dynamic: bool,
}

/// Reads every require.
pub fn scan(text: &[u8]) -> Ruby {
    let code = without_comments(text);
    let (mut features, mut relative) = (BTreeSet::new(), BTreeSet::new());
    let mut gems: BTreeSet<Box<str>> = BTreeSet::new();
    let mut dynamic = false;
    let literal = |text: &str| !text.contains("#{") && text.len() <= NAME_OF_FILE_MAX;
    for word in [&b"require"[..], b"load", b"autoload", b"require_dependency"] {
        for rest in keyword(&code, word).take(NAMES_OF_FILE_MAX) {
            // A method of that name is defined, or it is the end of something else.
            let Some(argument) = argument(rest) else { continue };
            let line = statement(argument, b"\n;");
            let own = if word == b"autoload" {
                all_quoted(line).last().copied()
            } else {
                quoted(argument)
            };
            match own {
                Some(feature) if literal(feature) => _ = features.insert(feature.into()),
                _ if from_here(line, &mut relative) => {}
                // `autoload :Name` finds a file of that name below the module's directory.
                _ => dynamic |= word != b"load" || !line.is_empty(),
            }
        }
    }
    for rest in keyword(&code, b"require_relative").take(NAMES_OF_FILE_MAX) {
        let Some(argument) = argument(rest) else { continue };
        match quoted(argument) {
            Some(path) if literal(path) => _ = relative.insert(path.into()),
            _ => dynamic = true,
        }
    }
    for anchor in [&b"__dir__"[..], b"__FILE__"] {
        for line in code.split(|b| *b == b'\n') {
            if relative.len() < NAMES_OF_FILE_MAX && memchr::memmem::find(line, anchor).is_some() {
                from_here(statement(line, b"\n"), &mut relative);
            }
        }
    }
    for rest in keyword(&code, b"gem").take(NAMES_OF_FILE_MAX) {
        gems.extend(argument(rest).and_then(quoted).map(Into::into));
    }
    // `load Gem.bin_path("puma", "puma")`, of the commands that RubyGems makes.
    for at in memchr::memmem::find_iter(&code, b"bin_path(").take(NAMES_OF_FILE_MAX) {
        gems.extend(quoted(code[at + 9..].trim_ascii_start()).map(Into::into));
    }
    Ruby {
        features: features.into_iter().collect(),
        relative: relative.into_iter().collect(),
        gems: gems.into_iter().collect(),
        dynamic,
    }
}

/// What a call is given: behind a space or a bracket.
fn argument(rest: &[u8]) -> Option<&[u8]> {
    let trimmed = rest.trim_ascii_start();
    let inside = trimmed.strip_prefix(b"(").map(<[u8]>::trim_ascii_start);
    let is_call = inside.is_some() || trimmed.len() < rest.len();
    let argument = inside.unwrap_or(trimmed);
    // `require = x`, `load.each`.
    (is_call && !argument.starts_with(b"=") && !argument.starts_with(b".")).then_some(argument)
}

/// Texts of a line that starts from the file's own place; whether it is one.
fn from_here(line: &[u8], relative: &mut BTreeSet<Box<str>>) -> bool {
    let anchored = [&b"__dir__"[..], b"__FILE__"]
        .iter()
        .any(|anchor| memchr::memmem::find(line, anchor).is_some());
    if !anchored {
        return false;
    }
    let texts = all_quoted(line);
    let joined = texts.join("/");
    for path in texts.into_iter().chain([joined.as_str()]) {
        if !path.is_empty() && !path.contains("#{") {
            relative.insert(path.into());
            // `File.expand_path("../x", __FILE__)` starts at the file, not at its directory.
            relative.extend(path.strip_prefix("../").map(Into::into));
        }
    }
    true
}

/// The text without comments that take whole lines, `=begin` to `=end` among them.
fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut code = Vec::with_capacity(text.len());
    let mut inside = false;
    for line in text.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(b"=begin") {
            inside = true;
        } else if line.starts_with(b"=end") {
            inside = false;
        } else if line.trim_ascii() == b"__END__" {
            break;
        } else if !inside && !line.trim_ascii_start().starts_with(b"#") {
            code.extend_from_slice(line);
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requires_are_found_wherever_they_stand() {
        let found = scan(
            b"require 'json'\nrequire(\"a/b\") if x\nrequire_relative '../c'\n\
              autoload :X, 'x/y'\nload 'z.rb'\n# require 'not'\n=begin\nrequire 'nor'\n=end\n\
              gem 'rack', '~> 2'\nbegin; require 'opt'; rescue LoadError; end\n__END__\nrequire 'no'\n",
        );
        assert_eq!(found.features.join(" "), "a/b json opt x/y z.rb");
        assert_eq!(found.relative.join(" "), "../c");
        assert_eq!(found.gems.join(" "), "rack");
        assert!(!found.dynamic);
    }

    #[test]
    fn paths_start_from_the_file() {
        let found = scan(
            b"require File.expand_path('../lib/x', __FILE__)\n\
              $:.unshift File.join(__dir__, 'vendor', 'y')\n",
        );
        assert_eq!(found.relative.join(" "), "../lib/x lib/x vendor vendor/y y");
        assert!(!found.dynamic);
    }

    #[test]
    fn what_only_a_run_tells_is_said() {
        let dynamic = |text: &str| scan(text.as_bytes()).dynamic;
        assert!(dynamic("require name"));
        assert!(dynamic("require \"drivers/#{name}\""));
        assert!(dynamic("autoload :Thing"));
        assert!(!dynamic("config.require = true; obj.require(x)"));
        assert!(!dynamic("def load; end"));
        let stub = scan(b"load Gem.activate_bin_path('puma', 'puma', version)");
        assert_eq!(stub.gems.join(" "), "puma");
    }

    #[test]
    fn odd_input_ends() {
        for text in ["require", "require ", "require (", "load", "autoload :", "gem", "=begin"] {
            let _ = scan(text.as_bytes());
        }
        let _ = scan("require 'a".repeat(20_000).as_bytes());
        let _ = scan("__FILE__ 'a' ".repeat(20_000).as_bytes());
    }
}
