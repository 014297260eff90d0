//! What dnf, yum, microdnf and zypper downloaded.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Directory;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "dnf-cache",
    title: "metadata and packages of dnf, yum and zypper",
    what: "Files below `/var/cache/dnf`, `/var/cache/yum`, `/var/cache/libdnf5`, \
           `/var/cache/zypp` and `libdnf5` in a `.cache`.",
    why: "They are fetched again when packages are installed.",
    fix: "run dnf clean all in the RUN that installs",
    example: "RUN dnf install -y --setopt=install_weak_deps=False … && dnf clean all",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Below(is_cache)],
};

fn is_cache(at: &Directory<'_>) -> bool {
    at.is("/var/cache/dnf")
        || at.is("/var/cache/yum")
        || at.is("/var/cache/libdnf5")
        || at.is("/var/cache/zypp")
        || at.ends("/.cache/libdnf5")
}
