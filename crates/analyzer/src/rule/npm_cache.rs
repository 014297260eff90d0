//! What npm, pnpm and tools of Node keep.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Directory;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "npm-cache",
    title: "caches of npm, pnpm and node-gyp",
    what: "Files below `.npm` beside or with `_cacache`, `.cache/node-gyp`, `.node-gyp`, \
           `node_modules/.cache` and pnpm's stores, as far as `node_modules` does not link to \
           them.",
    why: "Installed modules do not need the archives that they came in, nor builds the results \
           of earlier steps.",
    fix: "run npm cache clean --force in that RUN, or use a cache mount",
    example: "RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev",
    confidence: Confidence::High,
    used: Used::Lowers,
    looks: &[Look::Below(is_cache)],
};

fn is_cache(at: &Directory<'_>) -> bool {
    (at.is_called(&[".npm"]) && (at.has("_cacache") || at.has("_logs")))
        || at.is_called(&[".node-gyp", ".pnpm-store"])
        || ["/.cache/node-gyp", "/node_modules/.cache", "/.local/share/pnpm/store", "/.cache/pnpm"]
            .iter()
            .any(|cache| at.ends(cache))
}
