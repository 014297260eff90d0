//! Artifacts that Maven downloaded.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "maven-cache",
    title: "repository of Maven",
    what: "Files below `.m2/repository`.",
    why: "What the application needs of it is in its own archive or directory of libraries \
           after the build.",
    fix: "build in a first stage, or with a cache mount",
    example: "RUN --mount=type=cache,target=/root/.m2 mvn -B package",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Below(|at| at.ends("/.m2/repository"))],
};
