//! Files that a later layer removes.

use crate::facts::evidence::Confidence;
use crate::rule::{Look, Rule, Used};
use crate::tree::Cause;

pub(super) const RULE: Rule = Rule {
    id: "removed-later",
    title: "files that a later layer removes",
    what: "Payloads that a whiteout of a later layer takes away, or something else that takes \
           their place.",
    why: "A layer cannot make the ones below it smaller: what is deleted later is stored and \
           sent all the same.",
    fix: "delete files in the RUN that makes them",
    example: "RUN curl -fsSLO https://example.com/tool.tgz && tar -xzf tool.tgz -C /opt && rm tool.tgz",
    confidence: Confidence::High,
    used: Used::Ignored,
    looks: &[Look::Wasted(|wasted| matches!(wasted.cause, Cause::Removed | Cause::Opaque | Cause::Replaced))],
};
