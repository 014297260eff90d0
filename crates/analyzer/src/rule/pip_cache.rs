//! Wheels and answers that Python installers keep.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Directory;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "pip-cache",
    title: "caches of pip, uv, poetry and pipenv",
    what: "Files below `.cache/pip`, `.cache/uv`, `.cache/pypoetry`, `.cache/pipenv` and \
           `.cache/pdm`, wherever they are.",
    why: "Installed distributions do not need the wheels that they came in.",
    fix: "use pip install --no-cache-dir, or a cache mount",
    example: "RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Below(is_cache)],
};

fn is_cache(at: &Directory<'_>) -> bool {
    ["/.cache/pip", "/.cache/uv", "/.cache/pypoetry", "/.cache/pipenv", "/.cache/pdm"]
        .iter()
        .any(|cache| at.ends(cache))
}
