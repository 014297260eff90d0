//! What was left in directories for temporary files.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "temp-files",
    title: "temporary files",
    what: "Files below `/tmp`, `/var/tmp` and `/usr/tmp` that nothing leads to.",
    why: "Whoever made them is gone.",
    fix: "delete them in the RUN that makes them, or mount a tmpfs",
    example: "RUN --mount=type=tmpfs,target=/tmp ./install.sh",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Below(|at| ["/tmp", "/var/tmp", "/usr/tmp"].iter().any(|tmp| at.is(tmp)))],
};
