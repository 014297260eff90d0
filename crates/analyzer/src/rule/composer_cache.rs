//! Archives that Composer keeps.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "composer-cache",
    title: "caches of Composer",
    what: "Files below `.composer/cache` and `.cache/composer`.",
    why: "Installed packages do not need the archives that they came in.",
    fix: "run composer clear-cache in that RUN, or use a cache mount",
    example: "RUN --mount=type=cache,target=/root/.composer/cache composer install --no-dev --optimize-autoloader",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Below(|at| at.ends("/.composer/cache") || at.ends("/.cache/composer"))],
};
