//! Tests of Python and of installed distributions.

use crate::facts::evidence::Confidence;
use crate::facts::kind::FileKind;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "python-tests",
    title: "tests of Python libraries",
    what: "Files below `test`, `tests` and `idle_test` of Python's standard library, and below \
           `tests` of installed distributions, as far as nothing leads to them.",
    why: "They test the library, not the application.",
    fix: "delete them in the RUN that installs",
    example: "RUN pip install -r requirements.txt && find /usr/local -type d -name tests -prune -exec rm -rf {} +",
    confidence: Confidence::Medium,
    used: Used::Matters,
    looks: &[Look::Files(|file| file.image.files.kind(file.node) == FileKind::Test)],
};
