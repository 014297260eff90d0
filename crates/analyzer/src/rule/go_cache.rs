//! Modules and build results of Go.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "go-cache",
    title: "module and build caches of Go",
    what: "Files below `pkg/mod` with a `cache` in it, and `.cache/go-build`.",
    why: "A program of Go has its modules inside; neither they nor what the compiler keeps is \
           read when it runs.",
    fix: "build in a first stage, or with cache mounts",
    example: "RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \\\n\
               go build -o /app .",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Below(|at| at.ends("/.cache/go-build") || at.ends("/pkg/mod") && at.has("cache"))],
};
