//! What cargo downloads and keeps of builds.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Directory;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "cargo-cache",
    title: "registry and build results of cargo",
    what: "Files below `registry` and `git` of `.cargo` or `/usr/local/cargo`, and `deps`, \
           `build`, `incremental`, `examples` and `.fingerprint` of a `target` directory.",
    why: "A program of Rust has its crates inside; nothing of this is read when it runs.",
    fix: "build in a first stage and copy the program",
    example: "RUN --mount=type=cache,target=/usr/local/cargo/registry cargo build --release",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Below(is_cache)],
};

fn is_cache(at: &Directory<'_>) -> bool {
    ["/.cargo/registry", "/.cargo/git", "/cargo/registry", "/cargo/git"]
        .iter()
        .any(|cache| at.ends(cache))
        || at.is_called(&[".fingerprint"])
        || (at.is_called(&["deps", "build", "incremental", "examples"])
            && at.is_beside(".fingerprint"))
}
