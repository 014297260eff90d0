//! Lists that a page holds: their first rows, as many as there is room for, and the sum of the rest.

use jettison_oci::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::report::html::embed;

/// Bytes of one list as JSON.
pub(super) const ROOM: usize = 250_000;

/// A list in a page.
#[derive(Debug, Default, Serialize)]
pub(super) struct List {
    /// Its first rows.
    rows: Vec<Value>,
    /// How many more there are.
    more: usize,
    /// Their bytes.
    bytes: u64,
}

impl List {
    /// The first of `rows`, which stand in the order of the report.
    pub(super) fn of<T: Serialize>(
        rows: &[T],
        mut room: usize,
        bytes: impl Fn(&T) -> Bytes,
    ) -> Self {
        let mut list = Self::default();
        for row in rows {
            let shown = embed::shown(row);
            let len = embed::json(&shown).len() + 1;
            if list.more > 0 || len > room {
                list.more += 1;
                list.bytes = list.bytes.saturating_add(bytes(row).get());
            } else {
                room -= len;
                list.rows.push(shown);
            }
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_summed() {
        let names: Vec<String> = (0..300).map(|_| "n".repeat(999)).collect();
        let list = List::of(&names, ROOM, |name| Bytes(name.len() as u64));
        assert_eq!((list.rows.len(), list.more, list.bytes), (249, 51, 51 * 999));
        let all = List::of(&names[..2], ROOM, |_| Bytes(1));
        assert_eq!((all.rows.len(), all.more, all.bytes), (2, 0, 0));
    }
}
