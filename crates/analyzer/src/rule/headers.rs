//! Headers and what else tells compilers of libraries.

use crate::facts::evidence::Confidence;
use crate::facts::kind::FileKind;
use crate::rule::seen::File;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "headers",
    title: "headers and build descriptions",
    what: "Files below `/usr/include`, `/usr/local/include` and `include/node`; `*.h` and \
           `*.hpp` of libraries; `pkgconfig`, `cmake` and `aclocal` files; declarations of \
           types (`*.d.ts`, `*.pyi`); as far as nothing leads to them.",
    why: "Only compilers and editors read them.",
    fix: "build in a first stage; drop them from what is copied",
    example: "COPY --from=build /usr/local/bin /usr/local/lib /usr/local/",
    confidence: Confidence::Medium,
    used: Used::Matters,
    looks: &[Look::Files(is_header)],
};

fn is_header(file: &File<'_>) -> bool {
    (file.image.files.kind(file.node) == FileKind::Development
        && !file.ends(&[".a", ".la", ".o", ".map", ".c", ".cc", ".cpp"]))
        || (file.is_in("include") && file.ends(&[".h", ".hpp", ".hh", ".gypi"]))
}
