//! Packages that others only recommend.

use crate::facts::evidence::Confidence;
use crate::facts::package::Reason;
use crate::rule::seen::Image;
use crate::rule::seen::Installed;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "recommended-only",
    title: "packages that are only recommended",
    what: "Packages of a distribution that came along for others, which recommend or suggest \
           them and do not depend on them, and that nothing the image runs leads to.",
    why: "apt installs what is recommended unless it is told not to; a server rarely needs it.",
    fix: "use apt-get install --no-install-recommends",
    example: "RUN apt-get update && apt-get install -y --no-install-recommends …",
    confidence: Confidence::Medium,
    used: Used::Matters,
    looks: &[Look::Packages(is_recommended)],
};

fn is_recommended(image: &Image<'_>, installed: &Installed<'_>) -> Option<Confidence> {
    let is = installed.is_of_distribution() && installed.package.reason == Reason::Recommended;
    is.then(|| installed.unneeded(image, Confidence::Medium)).flatten()
}
