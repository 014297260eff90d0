//! Equal live files under different paths.

use std::collections::HashMap;

use jettison_oci::Bytes;

use crate::account::Contents;
use crate::layer::index::ContentHash;
use crate::tree::{Fate, NodeId, Payload, Tree};

/// A group of equal live payloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// Bytes beyond the first copy.
    pub bytes: Bytes,
    /// Payloads in the group, positions in the table, in the order of their paths.
    pub payloads: Vec<u32>,
    /// The first path of the group.
    pub first: Vec<u8>,
}

/// All groups of two or more, the most bytes first, then by path.
pub(crate) fn find(
    payloads: &[Payload],
    contents: &Contents,
    tree: &Tree,
    nodes: &[Option<NodeId>],
) -> Vec<Duplicate> {
    let mut groups: HashMap<(u64, &ContentHash), Vec<u32>> = HashMap::new();
    for (at, payload) in (0_u32..).zip(payloads) {
        if matches!(payload.fate, Fate::Live(_))
            && payload.size > 0
            && let Some(hash) = contents.hash(at as usize)
        {
            groups.entry((payload.size, hash)).or_default().push(at);
        }
    }
    let path = |at: u32| nodes[at as usize].map(|node| tree.path(node)).unwrap_or_default();
    let mut found: Vec<Duplicate> = groups
        .into_iter()
        .filter(|(_, group)| group.len() > 1)
        .map(|((size, _), mut group)| {
            group.sort_by_cached_key(|at| path(*at));
            Duplicate {
                bytes: Bytes(size.saturating_mul(group.len() as u64 - 1)),
                first: path(group[0]),
                payloads: group,
            }
        })
        .collect();
    found.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.first.cmp(&b.first)));
    found
}
