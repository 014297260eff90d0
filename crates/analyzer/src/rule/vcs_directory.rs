//! The history of a project's sources.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "vcs-directory",
    title: "data of version control",
    what: "Files below `.git`, `.svn`, `.hg` and `.bzr`.",
    why: "The whole history of the sources comes along, with everything that was ever \
           committed: size, and secrets that were deleted since.",
    fix: "exclude it by .dockerignore, or clone in a first stage",
    example: "# .dockerignore\n\
           .git",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Below(|at| at.is_called(&[".git", ".svn", ".hg", ".bzr"]))],
};
