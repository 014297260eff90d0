//! Packages that conda unpacked and linked from.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "conda-cache",
    title: "packages of conda",
    what: "Files below `pkgs` beside `conda-meta`, as far as no environment links to them.",
    why: "Environments have their own files or links to these; what has no other name is left \
           over.",
    fix: "run conda clean -afy in the RUN that installs",
    example: "RUN conda install -y … && conda clean -afy",
    confidence: Confidence::High,
    used: Used::Matters,
    looks: &[Look::Below(|at| at.is_called(&["pkgs"]) && at.is_beside("conda-meta"))],
};
