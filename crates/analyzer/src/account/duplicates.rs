//! Equal live files under different paths.

use jettison_oci::Bytes;

use crate::account::EqualContents;
use crate::layer::content_hash::ContentHash;
use crate::tree::{NodeId, Payload, Tree};

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
    contents: &EqualContents,
    tree: &Tree,
    nodes: &[Option<NodeId>],
) -> Vec<Duplicate> {
    // Sorted rather than put into a map: a large image has a million of them.
    let mut rows: Vec<(u64, &ContentHash, u32)> =
        contents.hashed().map(|(at, hash)| (payloads[at as usize].size, hash, at)).collect();
    rows.sort_unstable();
    let path = |at: u32| nodes[at as usize].map(|node| tree.path(node)).unwrap_or_default();
    let mut found: Vec<Duplicate> = rows
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .filter(|group| group.len() > 1)
        .map(|rows| {
            let size = rows[0].0;
            let mut group: Vec<u32> = rows.iter().map(|(.., at)| *at).collect();
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
