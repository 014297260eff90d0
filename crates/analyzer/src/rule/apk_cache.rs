//! Indexes and packages that apk downloaded.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "apk-cache",
    title: "indexes and packages of apk",
    what: "Files below `/var/cache/apk` and `/etc/apk/cache`.",
    why: "apk fetches them again when it needs them.",
    fix: "use apk add --no-cache",
    example: "RUN apk add --no-cache …",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Below(|at| at.is("/var/cache/apk") || at.is("/etc/apk/cache"))],
};
