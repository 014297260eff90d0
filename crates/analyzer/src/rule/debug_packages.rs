//! Debug information in packages and files of its own.

use crate::facts::evidence::Confidence;
use crate::rule::seen::{File, Image, Installed};
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "debug-packages",
    title: "debug information in files of its own",
    what: "Packages `*-dbg`, `*-dbgsym`, `*-debuginfo` and `*-debugsource`; files below \
           `/usr/lib/debug` and `*.dSYM`; `*.pdb` beside the `.dll` or `.exe` that they are of.",
    why: "Only debuggers read it. One that is needed can have it from elsewhere.",
    fix: "do not install it; debug from an image of its own",
    example: "FROM app:1.2 AS debug\n\
           RUN apt-get update && apt-get install -y gdb libc6-dbg",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[
        Look::Packages(is_debug),
        Look::Below(|at| at.is("/usr/lib/debug") || at.path.ends_with(b".dSYM")),
        Look::Files(is_of_program),
    ],
};

fn is_debug(image: &Image<'_>, installed: &Installed<'_>) -> Option<Confidence> {
    let ends = ["-dbg", "-dbgsym", "-debuginfo", "-debugsource"];
    let is = installed.is_of_distribution()
        && ends.iter().any(|end| installed.package.name.ends_with(end));
    is.then(|| installed.unneeded(image, Confidence::High)).flatten()
}

/// Structures of proteins are called `*.pdb`, too.
fn is_of_program(file: &File<'_>) -> bool {
    let stem = file.name.strip_suffix(b".pdb");
    stem.is_some_and(|stem| {
        [&b".dll"[..], b".exe"].iter().any(|end| file.is_beside(&[stem, end].concat()))
    })
}
