//! What a Perl file uses and requires.
//!
//! Perl can be parsed only by running it. `use`, `require` and `do` start statements in almost all
//! of it: they are looked for as words, outside of documentation (POD) and comments.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::content::literal::{all_quoted, keyword, quoted, statement};
use crate::limits::{NAME_OF_FILE_MAX, NAMES_OF_FILE_MAX};

/// What a file uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Perl {
    /// Modules of `use` and `require`: `Foo::Bar`.
    pub modules: Vec<Box<str>>,
    /// Names of modules in texts: base classes, plugins.
    pub names: Vec<Box<str>>,
    /// Files of `require` and `do`.
    pub files: Vec<Box<str>>,
    /// Directories of `use lib`; what stands behind a variable starts without a slash.
    pub libraries: Vec<Box<str>>,
    /// Absolute paths in texts.
    pub paths: Vec<Box<str>>,
    /// Whether it requires, or runs, what only a run could tell.
    pub dynamic: bool,
}

#[derive(Default)]
struct Found {
    modules: BTreeSet<Box<str>>,
    names: BTreeSet<Box<str>>,
    files: BTreeSet<Box<str>>,
    libraries: BTreeSet<Box<str>>,
    paths: BTreeSet<Box<str>>,
    dynamic: bool,
}

/// Reads every use.
pub fn scan(text: &[u8]) -> Perl {
    let code = without_documentation(text);
    let mut found = Found::default();
    for rest in keyword(&code, b"use").chain(keyword(&code, b"no")).take(NAMES_OF_FILE_MAX) {
        used(rest, &mut found);
    }
    for rest in keyword(&code, b"require").take(NAMES_OF_FILE_MAX) {
        required(rest, &mut found);
    }
    for rest in keyword(&code, b"do").take(NAMES_OF_FILE_MAX) {
        let rest = rest.trim_ascii_start();
        match quoted(rest) {
            Some(file) => _ = found.files.insert(tail(file)),
            None => found.dynamic |= rest.starts_with(b"$"),
        }
    }
    for text in all_quoted(&code).into_iter().take(4 * NAMES_OF_FILE_MAX) {
        for word in text.split_ascii_whitespace() {
            if word.len() > 2 && word.starts_with('/') && found.paths.len() < NAMES_OF_FILE_MAX {
                // What a variable makes of it stands below the rest.
                let fixed = word.split(['$', '@']).next().unwrap_or_default();
                found.paths.extend((fixed.len() > 2).then(|| fixed.into()));
            }
            if word.contains("::") && found.names.len() < NAMES_OF_FILE_MAX {
                found.names.extend(module(word.as_bytes()));
            }
        }
    }
    for rest in keyword(&code, b"eval") {
        let rest = rest.trim_ascii_start();
        found.dynamic |= rest.starts_with(b"$") || rest.starts_with(b"($");
    }
    Perl {
        modules: found.modules.into_iter().collect(),
        names: found.names.into_iter().collect(),
        files: found.files.into_iter().collect(),
        libraries: found.libraries.into_iter().collect(),
        paths: found.paths.into_iter().collect(),
        dynamic: found.dynamic,
    }
}

/// `use Module LIST`, `use lib`, `use VERSION`.
fn used(rest: &[u8], found: &mut Found) {
    if !rest.first().is_some_and(u8::is_ascii_whitespace) {
        return;
    }
    let statement = statement(rest.trim_ascii_start(), b";");
    let Some(name) = module(statement) else { return };
    match &*name {
        "lib" => {
            let texts = all_quoted(statement).into_iter();
            found.libraries.extend(texts.flat_map(str::split_ascii_whitespace).map(tail));
            found.libraries.extend(listed(statement).map(Into::into));
        }
        // What they load stands in their arguments.
        "base" | "parent" | "if" | "autouse" | "aliased" | "maybe" => named(statement, found),
        // `Mojo::Base` and its like take the name of the class above.
        other if other.ends_with("::Base") => named(statement, found),
        _ => {
            let words = listed(statement).filter(|word| word.contains("::"));
            found.names.extend(words.filter_map(|word| module(word.as_bytes())));
        }
    }
    found.modules.insert(name);
}

/// Modules that the arguments of a module name.
fn named(statement: &[u8], found: &mut Found) {
    let texts = all_quoted(statement).into_iter().chain(listed(statement));
    found.names.extend(texts.filter_map(|text| module(text.as_bytes())));
    let words = statement.split(|b| b.is_ascii_whitespace() || *b == b',');
    found.names.extend(words.filter_map(module).filter(|name| name.contains("::")));
}

/// `require Module`, `require "file"`, `require VERSION`.
fn required(rest: &[u8], found: &mut Found) {
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"(").unwrap_or(rest).trim_ascii_start();
    if let Some(file) = quoted(rest) {
        found.dynamic |= file.contains('$') && tail(file).is_empty();
        found.files.insert(tail(file));
    } else if let Some(name) = module(rest) {
        found.modules.insert(name);
    } else {
        found.dynamic |= rest.starts_with(b"$") || rest.starts_with(b"\"");
    }
}

/// What stands behind the last variable of a path: `$FindBin::Bin/../lib`.
fn tail(text: &str) -> Box<str> {
    match text.rfind(['$', '@']) {
        Some(at) => text[at..].split_once('/').map_or("", |(_, rest)| rest).into(),
        None => text.into(),
    }
}

/// The words of a `qw(…)`.
fn listed(statement: &[u8]) -> impl Iterator<Item = &str> {
    let at = memchr::memmem::find(statement, b"qw");
    let list = at.map(|at| &statement[at + 2..]).unwrap_or_default();
    let words = list.split(|b| b.is_ascii_whitespace() || b"()[]{}<>/|!,".contains(b));
    words.filter(|word| !word.is_empty()).filter_map(|word| str::from_utf8(word).ok())
}

/// The name of a module that `bytes` start with.
fn module(bytes: &[u8]) -> Option<Box<str>> {
    let is_part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(**b, b'_' | b':');
    let end = bytes.iter().take_while(is_part).count();
    let name = str::from_utf8(&bytes[..end]).ok()?.trim_end_matches(':');
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.len() <= NAME_OF_FILE_MAX
        && !(name.starts_with('v') && name[1..].bytes().all(|b| b.is_ascii_digit()));
    fits.then(|| name.into())
}

/// The text without POD and without lines that are comments.
fn without_documentation(text: &[u8]) -> Vec<u8> {
    let mut code = Vec::with_capacity(text.len());
    let mut in_pod = false;
    for line in text.split_inclusive(|b| *b == b'\n') {
        if line.first() == Some(&b'=') && line.get(1).is_some_and(u8::is_ascii_alphabetic) {
            in_pod = !line.starts_with(b"=cut");
        } else if !in_pod && !line.trim_ascii_start().starts_with(b"#") {
            code.extend_from_slice(line);
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(text: &str) -> String {
        scan(text.as_bytes()).modules.join(" ")
    }

    #[test]
    fn uses_are_found_wherever_they_stand() {
        assert_eq!(
            modules("use strict; use Foo::Bar qw(a b);\nno warnings;"),
            "Foo::Bar strict warnings"
        );
        assert_eq!(modules("sub f { require Late::One; }"), "Late::One");
        assert_eq!(
            modules("eval { require JSON::XS; 1 } or eval 'use JSON::PP; 1';"),
            "JSON::PP JSON::XS"
        );
        assert_eq!(modules("use 5.010; use v5; require 5.006;"), "");
        assert_eq!(modules("=head1 X\n\nuse Not;\n\n=cut\nuse Yes;\n# use Comment;\n"), "Yes");
        assert_eq!(modules("$use = 1; misuse Foo; $x->require('a');"), "");
    }

    #[test]
    fn texts_name_modules_files_and_libraries() {
        let found = scan(
            b"use base qw(A::B C); use parent -norequire, 'D';\nextends 'E::F';\nuse lib '/srv/lib', \
              \"$FindBin::Bin/../lib\";\nrequire 'old.pl'; do \"$dir/conf.pl\";\nuse if $] < 5.01, 'G';",
        );
        assert_eq!(found.names.join(" "), "A::B C D E::F G");
        assert_eq!(found.libraries.join(" "), "../lib /srv/lib");
        assert_eq!(found.files.join(" "), "conf.pl old.pl");
        assert_eq!(found.paths.join(" "), "/srv/lib");
        assert!(!found.dynamic);
        assert_eq!(*scan(b"$x = '/opt/x/' . \"/usr/lib/y/$v/bin\"").paths[1], *"/usr/lib/y/");
    }

    #[test]
    fn what_only_a_run_tells_is_said() {
        let dynamic = |text: &str| scan(text.as_bytes()).dynamic;
        assert!(dynamic("require $file;"));
        assert!(dynamic("eval $code;"));
        assert!(dynamic("eval \"require $module\" or die;"));
        assert!(dynamic("do $file;"));
        assert!(!dynamic("eval { f() }; require X; do { 1 } while 0;"));
    }

    #[test]
    fn odd_input_ends() {
        for text in
            ["use", "use ", "require", "require(", "do \"", "use lib", "use base qw", "=", "\0"]
        {
            let _ = scan(text.as_bytes());
        }
        let _ = scan("use a".repeat(50_000).as_bytes());
        let _ = scan(&vec![b'"'; 1 << 16]);
    }
}
