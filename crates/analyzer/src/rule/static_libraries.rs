//! Libraries that only a linker reads.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "static-libraries",
    title: "static libraries and objects",
    what: "Files `*.a`, `*.la` and `*.o`, as far as nothing leads to them.",
    why: "A program has what it needs of them inside.",
    fix: "build in a first stage; drop *.a from what is copied",
    example: "RUN make install && find /usr/local -name '*.a' -delete",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Files(|file| file.ends(&[".a", ".la", ".o"]) && !file.is_below("/proc/"))],
};
