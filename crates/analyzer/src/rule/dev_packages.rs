//! Packages that only compilers use.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Image;
use crate::rule::seen::Installed;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "dev-packages",
    title: "development packages",
    what: "Packages `*-dev`, `*-devel` and `*-static`, and headers of the kernel, in an image \
           whose command leads to no file of them.",
    why: "They hold headers, static libraries and links for the linker. The libraries \
           themselves are other packages.",
    fix: "build in a first stage; install the libraries alone in the last",
    example: "FROM debian:12 AS build\n\
           RUN apt-get update && apt-get install -y gcc libpq-dev\n\
           …\n\
           FROM debian:12-slim\n\
           RUN apt-get update && apt-get install -y --no-install-recommends libpq5",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Packages(is_development)],
};

fn is_development(image: &Image<'_>, installed: &Installed<'_>) -> Option<Confidence> {
    if !installed.is_of_distribution() {
        return None;
    }
    let name = installed.package.name.as_str();
    let ends = ["-dev", "-devel", "-static", "-dev-bin"];
    let is = ends.iter().any(|end| name.ends_with(end))
        || name.starts_with("linux-headers")
        || name == "kernel-headers";
    is.then(|| installed.unneeded(image, Confidence::High)).flatten()
}
