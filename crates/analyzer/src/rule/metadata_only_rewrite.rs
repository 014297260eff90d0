//! Files that a later layer only dressed anew.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};
use crate::tree::Cause;

pub(super) const RULE: Rule = Rule {
    id: "metadata-only-rewrite",
    title: "files whose mode or owner alone changed",
    what: "Payloads that a later layer wrote again with the same content: chmod, chown, touch.",
    why: "A layer holds whole files. Changing the mode of a gigabyte stores the gigabyte \
           twice.",
    fix: "set mode and owner where the files are made or copied",
    example: "COPY --chown=app:app --chmod=0755 . /app",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Wasted(|wasted| wasted.cause == Cause::MetadataOnly)],
};
