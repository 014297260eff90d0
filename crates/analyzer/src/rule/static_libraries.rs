//! Libraries that only a linker reads.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "static-libraries",
    title: "static libraries and objects",
    what: "Files `*.a`, `lib*.la` and `*.o`, as far as nothing leads to them. A plugin's `.la` is none: \
           libtool's loader reads it.",
    why: "A program has what it needs of them inside.",
    fix: "build in a first stage; drop *.a from what is copied",
    example: "RUN make install && find /usr/local -name '*.a' -delete",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Files(|file| {
        let is_for_linkers = file.ends(&[".a", ".o"])
            || file.ends(&[".la"]) && file.name.starts_with(b"lib");
        is_for_linkers && !file.is_below("/proc/")
    })],
};
