//! Which layer of the new image stands for which of the old: first those with the same diff_id,
//! then, between them, those made by the same instruction. Never by position, which one inserted
//! layer shifts.

use jettison_oci::Digest;

use crate::account::LayerRow;
use crate::diff::delta;

/// What became of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerState {
    /// The same diff_id.
    Same,
    /// The same instruction, another diff_id.
    Changed,
    /// Only in the new image.
    Added,
    /// Only in the old image.
    Removed,
}

impl LayerState {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

/// One layer of either image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerChange {
    /// What became of it.
    pub state: LayerState,
    /// Position in the old image.
    pub old: Option<usize>,
    /// Position in the new image.
    pub new: Option<usize>,
    /// Change of the uncompressed tar's bytes.
    pub delta: i64,
    /// The instruction, as a Dockerfile has it.
    pub instruction: Option<String>,
}

/// What of a layer is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Aligned {
    /// Digest of the uncompressed tar.
    pub(crate) diff_id: Digest,
    /// The instruction, as a Dockerfile has it.
    pub(crate) instruction: Option<String>,
    /// Bytes of the uncompressed tar.
    pub(crate) size: u64,
}

impl Aligned {
    pub(super) fn of(row: &LayerRow) -> Self {
        Self {
            diff_id: row.diff_id.clone(),
            instruction: row.instruction.as_ref().map(crate::image::Instruction::text),
            size: row.size.get(),
        }
    }

    /// What two builds of one instruction have in common: builders write digests of what is copied
    /// into it.
    fn key(&self) -> Option<String> {
        let text = self.instruction.as_deref()?;
        let mut key = String::with_capacity(text.len());
        for word in text.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
            let digits = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
            if digits.len() >= DIGEST_MIN {
                key.push_str(&word[digits.len()..]);
            } else {
                key.push_str(word);
            }
        }
        Some(key)
    }
}

/// Hexadecimal digits that are no word: those of MD5, the shortest digest that builders write.
const DIGEST_MIN: usize = 32;

/// The layers of both images, aligned.
pub(crate) fn align(old: &[Aligned], new: &[Aligned]) -> Vec<LayerChange> {
    let keys = |layers: &[Aligned]| layers.iter().map(Aligned::key).collect::<Vec<_>>();
    let (old_keys, new_keys) = (keys(old), keys(new));
    let mut rows = Vec::new();
    let anchors = common(0..old.len(), 0..new.len(), |a, b| old[a].diff_id == new[b].diff_id);
    let (mut done_old, mut done_new) = (0, 0);
    let end = Some((old.len(), new.len()));
    for (at_old, at_new) in anchors.into_iter().chain(end) {
        let between = common(done_old..at_old, done_new..at_new, |a, b| {
            old_keys[a].is_some() && old_keys[a] == new_keys[b]
        });
        for (a, b) in between.into_iter().chain(Some((at_old, at_new))) {
            let gone = old.iter().enumerate().take(a).skip(done_old);
            rows.extend(gone.map(|row| change(LayerState::Removed, Some(row), None)));
            let come = new.iter().enumerate().take(b).skip(done_new);
            rows.extend(come.map(|row| change(LayerState::Added, None, Some(row))));
            (done_old, done_new) = (a, b);
            if (a, b) != (at_old, at_new) {
                let pair = (Some((a, &old[a])), Some((b, &new[b])));
                rows.push(change(LayerState::Changed, pair.0, pair.1));
                (done_old, done_new) = (a + 1, b + 1);
            }
        }
        if at_old < old.len() && at_new < new.len() {
            let pair = (Some((at_old, &old[at_old])), Some((at_new, &new[at_new])));
            rows.push(change(LayerState::Same, pair.0, pair.1));
            (done_old, done_new) = (at_old + 1, at_new + 1);
        }
    }
    rows
}

fn change(
    state: LayerState,
    old: Option<(usize, &Aligned)>,
    new: Option<(usize, &Aligned)>,
) -> LayerChange {
    let bytes = |row: Option<(usize, &Aligned)>| row.map_or(0, |(_, row)| row.size);
    LayerChange {
        state,
        old: old.map(|(at, _)| at),
        new: new.map(|(at, _)| at),
        delta: delta(bytes(old), bytes(new)),
        instruction: new.or(old).and_then(|(_, row)| row.instruction.clone()),
    }
}

/// A longest common subsequence of two ranges: pairs that are `same`, ascending in both.
fn common(
    old: std::ops::Range<usize>,
    new: std::ops::Range<usize>,
    same: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let (rows, columns) = (old.len(), new.len());
    let mut best = vec![vec![0_usize; columns + 1]; rows + 1];
    for a in (0..rows).rev() {
        for b in (0..columns).rev() {
            best[a][b] = if same(old.start + a, new.start + b) {
                best[a + 1][b + 1] + 1
            } else {
                best[a + 1][b].max(best[a][b + 1])
            };
        }
    }
    let (mut a, mut b) = (0, 0);
    let mut pairs = Vec::new();
    while a < rows && b < columns {
        if same(old.start + a, new.start + b) {
            pairs.push((old.start + a, new.start + b));
            (a, b) = (a + 1, b + 1);
        } else if best[a + 1][b] >= best[a][b + 1] {
            a += 1;
        } else {
            b += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_what_is_copied_make_no_difference() {
        let row = |file: &str, diff_id: &str| Aligned {
            diff_id: Digest::sha256(diff_id.as_bytes()),
            instruction: Some(format!("COPY file:{file} in /app")),
            size: 1,
        };
        let (a, b) = ("a1".repeat(32), "b2".repeat(32));
        let rows = align(&[row(&a, "1")], &[row(&b, "2")]);
        assert_eq!((rows.len(), rows[0].state), (1, LayerState::Changed));
        let rows = align(&[row("feed", "1")], &[row("beef", "2")]);
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn an_inserted_row_shifts_nothing() {
        let (old, new) = (["a", "b", "c"], ["a", "x", "b", "c"]);
        let pairs = common(0..3, 0..4, |a, b| old[a] == new[b]);
        assert_eq!(pairs, [(0, 0), (1, 2), (2, 3)]);
    }
}
