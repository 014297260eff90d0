//! Archives that yarn keeps.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Directory;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "yarn-cache",
    title: "caches of yarn",
    what: "Files below `.cache/yarn`, `/usr/local/share/.cache/yarn`, `.yarn/berry/cache`, and \
           below `.yarn/cache` where no `.pnp.cjs` loads modules from it.",
    why: "Modules in `node_modules` do not need the archives that they came in.",
    fix: "run yarn cache clean in that RUN, or use a cache mount",
    example: "RUN --mount=type=cache,target=/usr/local/share/.cache/yarn yarn install --frozen-lockfile --production",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Below(is_cache)],
};

fn is_cache(at: &Directory<'_>) -> bool {
    at.ends("/.cache/yarn")
        || at.ends("/.yarn/berry/cache")
        || (at.ends("/.yarn/cache") && !is_zero_install(at))
}

/// Whether modules are loaded from the archives themselves (Plug'n'Play).
fn is_zero_install(at: &Directory<'_>) -> bool {
    let tree = at.image.files.tree();
    let above = tree.parent(at.node).and_then(|yarn| tree.parent(yarn));
    above.is_some_and(|above| {
        [&b".pnp.cjs"[..], b".pnp.js"].iter().any(|name| tree.child(above, name).is_some())
    })
}
