//! Which layer of the new image stands for which of the old: first those with the same diff_id,
//! then, between them, those made by the same instruction, then those that bring the same things. Never by position, which one inserted
//! layer shifts.

use std::ops::Range;

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

/// The layers of both images, aligned: by diff_id, between those by instruction, and between those
/// where `is_similar` says of two positions that the layers bring the same things.
pub(crate) fn align(
    old: &[Aligned],
    new: &[Aligned],
    is_similar: impl Fn(usize, usize) -> bool,
) -> Vec<LayerChange> {
    let keys = |layers: &[Aligned]| layers.iter().map(Aligned::key).collect::<Vec<_>>();
    let (old_keys, new_keys) = (keys(old), keys(new));
    let stages: [Stage<'_>; 3] = [
        (LayerState::Same, &|a, b| old[a].diff_id == new[b].diff_id),
        (LayerState::Changed, &|a, b| old_keys[a].is_some() && old_keys[a] == new_keys[b]),
        (LayerState::Changed, &is_similar),
    ];
    let mut rows = Vec::new();
    between((old, new), (0..old.len(), 0..new.len()), &stages, &mut rows);
    rows
}

/// What layers have in common that are found equal, and what that makes of them.
type Stage<'a> = (LayerState, &'a dyn Fn(usize, usize) -> bool);

/// Aligns the layers of two ranges by the first of `stages`, and by the others what lies between.
fn between(
    layers: (&[Aligned], &[Aligned]),
    (old, new): (Range<usize>, Range<usize>),
    stages: &[Stage<'_>],
    rows: &mut Vec<LayerChange>,
) {
    let row_old = |at: usize| (at, &layers.0[at]);
    let row_new = |at: usize| (at, &layers.1[at]);
    let Some(((state, same), rest)) = stages.split_first() else {
        rows.extend(old.map(|at| change(LayerState::Removed, Some(row_old(at)), None)));
        rows.extend(new.map(|at| change(LayerState::Added, None, Some(row_new(at)))));
        return;
    };
    let (mut done_old, mut done_new) = (old.start, new.start);
    for (a, b) in common(old.clone(), new.clone(), same) {
        between(layers, (done_old..a, done_new..b), rest, rows);
        rows.push(change(*state, Some(row_old(a)), Some(row_new(b))));
        (done_old, done_new) = (a + 1, b + 1);
    }
    between(layers, (done_old..old.end, done_new..new.end), rest, rows);
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
    old: Range<usize>,
    new: Range<usize>,
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
        let rows = align(&[row(&a, "1")], &[row(&b, "2")], |_, _| false);
        assert_eq!((rows.len(), rows[0].state), (1, LayerState::Changed));
        let rows = align(&[row("feed", "1")], &[row("beef", "2")], |_, _| false);
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn what_brings_the_same_things_stands_for_each_other() {
        let row = |name: &str| Aligned {
            diff_id: Digest::sha256(name.as_bytes()),
            instruction: Some(format!("RUN {name}")),
            size: 1,
        };
        let (old, new) = ([row("a"), row("b 1"), row("c")], [row("a"), row("b 2"), row("c")]);
        let rows = align(&old, &new, |a, b| (a, b) == (1, 1));
        let states: Vec<LayerState> = rows.iter().map(|row| row.state).collect();
        assert_eq!(states, [LayerState::Same, LayerState::Changed, LayerState::Same]);
    }

    #[test]
    fn an_inserted_row_shifts_nothing() {
        let (old, new) = (["a", "b", "c"], ["a", "x", "b", "c"]);
        let pairs = common(0..3, 0..4, |a, b| old[a] == new[b]);
        assert_eq!(pairs, [(0, 0), (1, 2), (2, 3)]);
    }
}
