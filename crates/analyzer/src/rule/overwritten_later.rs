//! Files that a later layer overwrites.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};
use crate::tree::Cause;

pub(super) const RULE: Rule = Rule {
    id: "overwritten-later",
    title: "files that a later layer overwrites",
    what: "Payloads whose path a later layer wrote with other content, and those that one layer \
           brings twice.",
    why: "What was written first is stored and sent, and can no longer be seen.",
    fix: "write each file once, in its last form",
    example: "COPY config.prod.json /app/config.json",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Wasted(|wasted| matches!(wasted.cause, Cause::Overwritten | Cause::Repeated))],
};
