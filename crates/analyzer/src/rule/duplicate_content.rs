//! Equal files at several paths.

use crate::facts::evidence::Confidence;
use crate::rule::seen::Image;
use crate::rule::seen::{Group, Taken};
use crate::rule::{Look, Rule, Used};
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    id: "duplicate-content",
    title: "equal files at several paths",
    what: "Live files whose content equals that of another, beyond the first by path, as far as \
           no other rule has them.",
    why: "Each copy is stored, sent and unpacked. Hard links and symlinks cost nothing.",
    fix: "copy it once, and link the other places to it",
    example: "RUN ln -s /opt/app/assets /usr/share/nginx/html/assets",
    confidence: Confidence::Medium,
    used: Used::Ignored,
    looks: &[Look::Whole(copies)],
};

fn copies(image: &Image<'_>, taken: &Taken) -> Vec<Group> {
    let account = image.account;
    let owner = |payload: u32| {
        account.nodes[payload as usize].and_then(|node| image.facts.packages.owner(node))
    };
    let mut groups: BTreeMap<(usize, Confidence), Group> = BTreeMap::new();
    for duplicate in &account.duplicates {
        for &payload in &duplicate.payloads[1..] {
            let left = taken.left(account, payload);
            // Of a file that is found in part, the part would be counted twice.
            if left == 0 || left < account.payloads[payload as usize].size {
                continue;
            }
            // What packages bring is theirs to mend.
            let sure = if owner(payload).is_some() { Confidence::Low } else { Confidence::Medium };
            let layer = account.payloads[payload as usize].entry.layer as usize;
            let group = groups.entry((layer, sure)).or_insert_with(|| Group {
                confidence: Some(sure),
                layer: Some(layer),
                evidence: "their contents are equal, byte for byte, to those of other paths".to_owned(),
                ..Group::default()
            });
            group.payloads.push((payload, left));
        }
    }
    groups.into_values().collect()
}
