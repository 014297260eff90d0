//! The memory of programs that crashed.

use crate::content::Body;
use crate::facts::evidence::Confidence;
use crate::rule::seen::File;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "core-dumps",
    title: "memory of crashed programs",
    what: "Files `core`, `core.*`, `vgcore.*`, `*.core` and `*.dump` whose content is an ELF core \
           dump; `*.hprof` of 64 KiB and more; `hs_err_pid*.log`.",
    why: "They are as large as the program's memory, and hold whatever was in it.",
    fix: "delete it, and find out which RUN crashed",
    example: "RUN ulimit -c 0 && make test",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Files(is_dump)],
};

fn is_dump(file: &File<'_>) -> bool {
    let is_named = file.name == b"core"
        || file.name.starts_with(b"core.")
        || file.name.starts_with(b"vgcore.")
        || file.ends(&[".core", ".dump"]);
    (is_named && file.content().is_some_and(|content| content.body == Body::CoreDump))
        || (file.ends(&[".hprof"]) && file.size >= HEAP_MIN)
        || (file.name.starts_with(b"hs_err_pid") && file.ends(&[".log"]))
}

/// A dump of Java's heap is never smaller.
const HEAP_MIN: u64 = 64 << 10;
