//! Packages that apt downloaded, and its tables of what there is.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "apt-cache",
    title: "downloads and tables of apt",
    what: "Files below `/var/cache/apt`: `archives/*.deb`, `pkgcache.bin`, `srcpkgcache.bin`.",
    why: "A package that is installed is not needed as an archive. Official images delete \
           these by a hook in `/etc/apt/apt.conf.d`; where files are left, the hook is missing.",
    fix: "run apt-get clean in the RUN that installs",
    example: "RUN apt-get update && apt-get install -y … && apt-get clean && rm -rf /var/lib/apt/lists/*",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Below(|at| at.is("/var/cache/apt"))],
};
