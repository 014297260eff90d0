//! What to do about a group of wasted bytes, in a sentence.

mod advice;
pub(crate) mod brought;
pub(crate) mod layer;
mod replaced;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use crate::account::{Account, Waste};
use crate::entry::Whiteout;
use crate::remedy::advice::{Files, Group};
use crate::remedy::layer::Layer;
use crate::tree::{Cause, Fate, Payload};
use jettison_oci::count::counted;

/// The sentences of an account.
pub(crate) struct Remedies<'a> {
    account: &'a Account,
    /// Of each payload that only dressed another anew, that other.
    dressed: HashMap<u32, u32>,
}

impl<'a> Remedies<'a> {
    pub(crate) fn of(account: &'a Account) -> Self {
        let mut dressed = HashMap::new();
        for (at, payload) in (0_u32..).zip(&account.payloads) {
            if let Fate::Wasted { cause: Cause::MetadataOnly, successor, .. } = payload.fate
                && let Some(next) = account.payloads.get(successor as usize)
                && next.entry.layer > payload.entry.layer
            {
                dressed.entry(successor).or_insert(at);
            }
        }
        Self { account, dressed }
    }

    /// `RUN #7 deletes 39 MiB in 3 files that COPY #3 added: …`.
    pub(crate) fn sentence(&self, row: &Waste) -> String {
        let (origin, more) = self.origin(row);
        let group = Group {
            origin: Layer::of(self.account, origin),
            adder: Layer::of(self.account, row.added_by),
            hider: Layer::of(self.account, row.hidden_by),
            files: Files(row.payloads.len()),
        };
        let what = format!("{} in {}", row.bytes, counted(row.payloads.len(), "file"));
        let (by, of) = (group.hider.name(), group.origin.name() + more);
        match row.cause {
            Cause::Removed if self.moves(row) => {
                format!("{by} moves {what} that {of} added: {}", group.moved())
            }
            Cause::Removed => {
                format!("{by} deletes {what} that {of} added: {}", group.without())
            }
            Cause::Opaque => {
                let directories = self.emptied(row);
                format!("{by} empties {directories} with {what} of {of}: {}", group.without())
            }
            Cause::MetadataOnly => {
                format!("{by} rewrote {what} of {of} unchanged: {}", group.dressed())
            }
            Cause::Overwritten => {
                format!("{by} overwrites {what} of {of} with other content: {}", group.once())
            }
            Cause::Replaced => {
                let place = replaced::place(self.account, row);
                format!("{by} puts {place} {what} of {of}: {}", group.without())
            }
            Cause::Repeated => format!(
                "{} brings {what} more than once in the same layer: \
                 its builder writes paths twice; build the layer anew",
                group.adder.name()
            ),
        }
    }

    /// The layer that first brought the content of most of the bytes, and what to add to its name
    /// where others brought some.
    fn origin(&self, row: &Waste) -> (usize, &'static str) {
        if row.cause == Cause::Repeated {
            return (row.added_by, "");
        }
        let mut layers: BTreeMap<u32, u64> = BTreeMap::new();
        for at in &row.payloads {
            let mut first = *at;
            while let Some(before) = self.dressed.get(&first) {
                first = *before;
            }
            let payload = self.payload(first);
            if payload.size > 0 {
                *layers.entry(payload.entry.layer).or_default() += payload.size;
            }
        }
        let most = layers.iter().max_by_key(|(layer, bytes)| (**bytes, std::cmp::Reverse(**layer)));
        let layer = most.map_or(row.added_by, |(layer, _)| *layer as usize);
        (layer, if layers.len() > 1 { " and others" } else { "" })
    }

    /// Whether most of the bytes come back in the layer that removes them, under another path.
    /// Removed contents are not hashed: a `mv` and the same size have to do.
    fn moves(&self, row: &Waste) -> bool {
        if !Layer::of(self.account, row.hidden_by).runs("mv") {
            return false;
        }
        let payloads = &self.account.payloads;
        let start = payloads.partition_point(|p| (p.entry.layer as usize) < row.hidden_by);
        let mut brought: HashMap<u64, usize> = HashMap::new();
        for payload in &payloads[start..] {
            if payload.entry.layer as usize != row.hidden_by {
                break;
            }
            *brought.entry(payload.size).or_default() += 1;
        }
        let mut moved = 0_u64;
        for at in &row.payloads {
            let size = self.payload(*at).size;
            if let Some(left) = brought.get_mut(&size).filter(|left| **left > 0) {
                *left -= 1;
                moved += size;
            }
        }
        moved > row.bytes.get() / 2
    }

    fn emptied(&self, row: &Waste) -> &'static str {
        let opaque = |whiteout| matches!(whiteout, Some(Whiteout::Opaque { .. }));
        let entries = self.account.indexes[row.hidden_by].entries();
        match entries.filter(|entry| opaque(entry.whiteout())).take(2).count() {
            1 => "a directory",
            _ => "directories",
        }
    }

    fn payload(&self, at: u32) -> &Payload {
        &self.account.payloads[at as usize]
    }
}
