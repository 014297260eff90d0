//! What Gradle downloads and keeps.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Directory;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "gradle-cache",
    title: "caches of Gradle",
    what: "Files below `caches`, `wrapper/dists`, `daemon` and `native` of a `.gradle`.",
    why: "What the application needs of it is in its own archive or directory of libraries \
           after the build.",
    fix: "build in a first stage, or with a cache mount",
    example: "RUN --mount=type=cache,target=/root/.gradle ./gradlew --no-daemon bootJar",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Below(is_cache)],
};

fn is_cache(at: &Directory<'_>) -> bool {
    ["/.gradle/caches", "/.gradle/wrapper/dists", "/.gradle/daemon", "/.gradle/native"]
        .iter()
        .any(|cache| at.ends(cache))
}
