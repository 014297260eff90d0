//! Files that are mostly holes.

use crate::facts::evidence::Confidence;
use crate::rule::seen::File;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "sparse-giants",
    title: "files that are mostly holes",
    what: "`lastlog` and `faillog` of more than 1 MiB, and files of more than 16 MiB that are \
           stored with holes.",
    why: "`useradd` with a large user number writes to the place of that number in \
           `/var/log/lastlog`: a file of gigabytes that is nearly empty. Tools that do not know \
           holes write it out in full.",
    fix: "use useradd --no-log-init (-l)",
    example: "RUN useradd --no-log-init --uid 1000710000 app",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Files(is_giant)],
};

fn is_giant(file: &File<'_>) -> bool {
    let is_log = file.is_below("/var/log/") && matches!(file.name, b"lastlog" | b"faillog" | b"tallylog");
    let has_holes = || file.image.files.entry(file.node).is_some_and(|entry| entry.content().1.is_some());
    (is_log && file.size > LOG_MAX) || (file.size > HOLES_MIN && has_holes())
}

/// What the log of some thousand users takes.
const LOG_MAX: u64 = 1 << 20;
/// Smaller ones do not matter.
const HOLES_MIN: u64 = 16 << 20;
