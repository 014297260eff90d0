//! What the build's programs logged.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "logs",
    title: "logs of the build",
    what: "Files below `/var/log`, and files `*.log` that no package brought and that nothing \
           leads to.",
    why: "They tell of the build, not of the container; some are different each time and make \
           the layer so.",
    fix: "delete them in the RUN that writes them",
    example: "RUN apt-get install -y … && rm -rf /var/log/apt /var/log/dpkg.log /var/log/alternatives.log",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Below(|at| at.is("/var/log")), Look::Files(|file| file.ends(&[".log"]) && !file.is_published())],
};
