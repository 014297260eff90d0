//! Lists of packages that `apt-get update` fetched.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "apt-lists",
    title: "package lists of apt",
    what: "Files below `/var/lib/apt/lists`.",
    why: "They are only read when packages are installed, are out of date after a day, and \
           `apt-get update` fetches them again.",
    fix: "delete them in the RUN that fetched them",
    example: "RUN apt-get update && apt-get install -y --no-install-recommends … \\\n\
            && rm -rf /var/lib/apt/lists/*",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Below(|at| at.is("/var/lib/apt/lists"))],
};
