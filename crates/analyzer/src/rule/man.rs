//! Manual and info pages.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Directory;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "man",
    title: "manual and info pages",
    what: "Files below `/usr/share/man`, `/usr/local/share/man`, `/usr/local/man` and \
           `/usr/share/info`.",
    why: "Nobody reads manuals in a container, and `man` itself is rarely there.",
    fix: "start from a slim base, or exclude them by dpkg.cfg.d",
    example: "RUN printf 'path-exclude /usr/share/man/*\\\\npath-exclude /usr/share/info/*\\\\n' \\\n\
               > /etc/dpkg/dpkg.cfg.d/man",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Below(is_manual)],
};

fn is_manual(at: &Directory<'_>) -> bool {
    ["/usr/share/man", "/usr/local/share/man", "/usr/local/man", "/usr/share/info"]
        .iter()
        .any(|manual| at.is(manual))
}
