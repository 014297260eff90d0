//! Packages that nothing depends on any more.

use crate::facts::evidence::Confidence;
use crate::facts::package::Reason;
use crate::rule::seen::Image;
use crate::rule::seen::Installed;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "orphan-packages",
    title: "packages that nothing depends on any more",
    what: "Packages of a distribution that came along for others which are gone, and that \
           nothing the image runs leads to.",
    why: "What brought them was removed, and they were forgotten.",
    fix: "run apt-get purge --auto-remove in the RUN that installs",
    example: "RUN apt-get update && apt-get install -y gcc && make \\\n\
            && apt-get purge -y --auto-remove gcc && rm -rf /var/lib/apt/lists/*",
    confidence: Confidence::Medium,
    used: Used::Matters,
    looks: &[Look::Packages(is_orphan)],
};

fn is_orphan(image: &Image<'_>, installed: &Installed<'_>) -> Option<Confidence> {
    let is = installed.is_of_distribution() && installed.package.reason == Reason::Orphan;
    is.then(|| installed.unneeded(image, Confidence::Medium)).flatten()
}
