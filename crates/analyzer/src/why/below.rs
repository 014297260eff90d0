//! What is below a directory, and how large it is.

use std::collections::BTreeMap;

use crate::account::Account;
use crate::tree::Fate;
use crate::why::content::Contents;

/// One part of what is below a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below {
    /// The innermost path that all bytes of the part are at or below.
    pub path: Vec<u8>,
    /// Live bytes, each once.
    pub live: u64,
    /// Wasted bytes.
    pub wasted: u64,
}

impl Below {
    /// Live and wasted.
    pub const fn bytes(&self) -> u64 {
        self.live.saturating_add(self.wasted)
    }
}

/// A row for each name that bytes are at or below, the most bytes first. They sum to what is
/// live and wasted below `path`.
pub(super) fn below(account: &Account, path: &[u8], contents: &Contents<'_>) -> Vec<Below> {
    let front = if path.is_empty() { 0 } else { path.len() + 1 };
    let mut parts: BTreeMap<&[u8], Below> = BTreeMap::new();
    for (at, name) in &contents.names {
        let payload = &account.payloads[*at as usize];
        let is_wasted = matches!(payload.fate, Fate::Wasted { .. });
        if payload.size == 0 || name.len() < front || !(is_wasted || contents.now.contains(at)) {
            continue;
        }
        let Some(child) = name[front..].split(|byte| *byte == b'/').next() else { continue };
        let part =
            parts.entry(child).or_insert_with(|| Below { path: name.to_vec(), live: 0, wasted: 0 });
        part.path.truncate(shared(&part.path, name));
        *(if is_wasted { &mut part.wasted } else { &mut part.live }) += payload.size;
    }
    let mut rows: Vec<Below> = parts.into_values().collect();
    rows.sort_by(|a, b| b.bytes().cmp(&a.bytes()).then_with(|| a.path.cmp(&b.path)));
    rows
}

/// Length of the path that both are at or below.
fn shared(a: &[u8], b: &[u8]) -> usize {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let ends = |path: &[u8]| path.get(same).is_none_or(|byte| *byte == b'/');
    if ends(a) && ends(b) {
        return same;
    }
    a[..same].iter().rposition(|byte| *byte == b'/').unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::shared;

    #[test]
    fn paths_share_whole_names() {
        for (a, b, both) in [
            ("a/b/c", "a/b/d", "a/b"),
            ("a/b/c", "a/b/cd", "a/b"),
            ("a/b", "a/b/c", "a/b"),
            ("a/b", "a/b", "a/b"),
            ("a", "ab", ""),
        ] {
            assert_eq!(shared(a.as_bytes(), b.as_bytes()), both.len(), "{a} {b}");
            assert_eq!(shared(b.as_bytes(), a.as_bytes()), both.len(), "{b} {a}");
        }
    }
}
