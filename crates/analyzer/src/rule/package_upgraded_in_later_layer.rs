//! Packages that a later layer replaces.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Wasted;
use crate::rule::{Look, Rule, Used};
use crate::tree::Cause;

pub(super) const RULE: Rule = Rule {
    id: "package-upgraded-in-later-layer",
    title: "packages replaced by a later layer",
    what: "Files of a distribution's packages whose content a later layer wrote anew, but those \
           below `/etc`: people write these.",
    why: "Both versions are stored and sent: the old one can no longer be seen, and weighs all \
           the same.",
    fix: "start from a base that is up to date instead of upgrading",
    example: "FROM debian:12.8-slim    # rather than an older one and apt-get upgrade",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Wasted(is_upgraded)],
};

fn is_upgraded(wasted: &Wasted<'_>) -> bool {
    wasted.cause == Cause::Overwritten
        && !wasted.path.starts_with(b"etc/")
        && wasted.successor.is_some_and(|package| package.ecosystem.is_distribution())
}
