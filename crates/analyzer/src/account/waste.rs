//! Wasted bytes, grouped by what people can act on: the cause, the layer that added them and the
//! layer that hides them.

use std::collections::BTreeMap;

use jettison_oci::Bytes;

use crate::tree::{Cause, Fate, Payload};

/// One group of wasted payloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waste {
    /// Why they are wasted.
    pub cause: Cause,
    /// The layer that brought them.
    pub added_by: usize,
    /// The layer that took their last path.
    pub hidden_by: usize,
    /// Their bytes.
    pub bytes: Bytes,
    /// Positions in the table of payloads, the largest first, then in the order of entries.
    /// Empty files are among them.
    pub payloads: Vec<u32>,
}

/// A path whose content is wasted, over all layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WastedPath {
    /// The path.
    pub path: Vec<u8>,
    /// Bytes of all its wasted payloads.
    pub bytes: Bytes,
    /// How many those are.
    pub copies: usize,
}

/// All groups, the most bytes first. Groups without a byte are left out.
pub(crate) fn group(payloads: &[Payload]) -> Vec<Waste> {
    let mut groups: BTreeMap<(Cause, u32, u32), Vec<u32>> = BTreeMap::new();
    for (at, payload) in (0_u32..).zip(payloads) {
        if let Fate::Wasted { cause, hidden_by, .. } = payload.fate {
            groups.entry((cause, payload.entry.layer, hidden_by)).or_default().push(at);
        }
    }
    let size = |at: u32| payloads[at as usize].size;
    let mut rows: Vec<Waste> = groups
        .into_iter()
        .map(|((cause, added_by, hidden_by), mut group)| {
            group.sort_by_key(|at| (std::cmp::Reverse(size(*at)), *at));
            Waste {
                cause,
                added_by: added_by as usize,
                hidden_by: hidden_by as usize,
                bytes: Bytes(group.iter().map(|at| size(*at)).sum()),
                payloads: group,
            }
        })
        .filter(|row| row.bytes.get() > 0)
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.bytes));
    rows
}

/// The wasted paths of an account, the most bytes first.
pub fn paths(account: &crate::account::Account) -> Vec<WastedPath> {
    let mut by_path: BTreeMap<&[u8], (u64, usize)> = BTreeMap::new();
    for payload in &account.payloads {
        if matches!(payload.fate, Fate::Wasted { .. }) && payload.size > 0 {
            let row = by_path.entry(account.entry_path(payload)).or_default();
            row.0 += payload.size;
            row.1 += 1;
        }
    }
    let mut rows: Vec<WastedPath> = by_path
        .into_iter()
        .map(|(path, (bytes, copies))| WastedPath {
            path: path.to_vec(),
            bytes: Bytes(bytes),
            copies,
        })
        .collect();
    rows.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    rows
}
