//! Changes of whole lines, and how they are shown to `patch`.

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};
use thiserror::Error;

/// Lines that stand in the place of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The first line that goes, from 1; the lines are put in before it. One past the last line of
    /// the file appends.
    pub first: usize,
    /// The last line that goes; `first - 1` where none does.
    pub last: usize,
    /// What stands there instead, without line ends.
    pub lines: Vec<String>,
}

/// Why edits cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// Two of them touch the same line.
    #[error("edits of lines {0} and {1} overlap; apply one, and look for the other again")]
    Overlap(usize, usize),
    /// The file has no such lines.
    #[error("there are no lines {first} to {last}: the file has {lines}")]
    Outside {
        /// The first line of the edit.
        first: usize,
        /// The last one.
        last: usize,
        /// The lines of the file.
        lines: usize,
    },
}

/// Applies edits, in any order. New lines end as those of the file do.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let end = if lines.first().is_some_and(|line| line.ends_with("\r\n")) { "\r\n" } else { "\n" };
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.first, edit.last));
    let mut new = String::with_capacity(text.len());
    let mut done = 0;
    let mut before = None;
    let mut push = |line: &str| {
        if !new.is_empty() && !new.ends_with('\n') {
            new.push_str(end);
        }
        new.push_str(line);
    };
    for edit in edits {
        let Edit { first, last, .. } = *edit;
        if first == 0 || last + 1 < first || last > lines.len() || first > lines.len() + 1 {
            return Err(EditError::Outside { first, last, lines: lines.len() });
        }
        if let Some(before) = before
            && first <= done
        {
            return Err(EditError::Overlap(before, first));
        }
        lines[done..first - 1].iter().for_each(|line| push(line));
        // Without an end of its own where it comes last in a file that has none.
        for (at, line) in edit.lines.iter().enumerate() {
            let is_last = at + 1 == edit.lines.len() && last == lines.len();
            let is_open = is_last && !text.is_empty() && !text.ends_with('\n');
            push(&if is_open { line.clone() } else { format!("{line}{end}") });
        }
        done = last.max(done);
        before = Some(first);
    }
    lines[done..].iter().for_each(|line| push(line));
    Ok(new)
}

/// Lines around a change.
const CONTEXT: usize = 3;

/// The difference in the form that `patch -p1` takes; nothing where there is none.
pub fn unified_diff(path: &str, old: &str, new: &str) -> String {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let operations = capture_diff_slices(Algorithm::Myers, &old, &new);
    let hunks: Vec<Vec<DiffOp>> = group_diff_ops(operations, CONTEXT)
        .into_iter()
        .filter(|hunk| hunk.iter().any(|operation| operation.tag() != DiffTag::Equal))
        .collect();
    if hunks.is_empty() {
        return String::new();
    }
    // A path ends at white space unless a tab stands behind it.
    let end = if path.contains(char::is_whitespace) { "\t" } else { "" };
    let mut diff = format!("--- a/{path}{end}\n+++ b/{path}{end}\n");
    for hunk in hunks {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let before = range(first.old_range().start, last.old_range().end);
        let after = range(first.new_range().start, last.new_range().end);
        diff.extend(["@@ -", &before, " +", &after, " @@\n"]);
        for operation in hunk {
            let is_same = operation.tag() == DiffTag::Equal;
            let sign = if is_same { ' ' } else { '-' };
            old[operation.old_range()].iter().for_each(|line| row(&mut diff, sign, line));
            if !is_same {
                new[operation.new_range()].iter().for_each(|line| row(&mut diff, '+', line));
            }
        }
    }
    diff
}

fn row(diff: &mut String, sign: char, line: &str) {
    diff.push(sign);
    diff.push_str(line);
    if !line.ends_with('\n') {
        diff.push_str("\n\\ No newline at end of file\n");
    }
}

/// Lines of a hunk: the first from 1, and how many; for none, the line before.
fn range(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => (start + 1).to_string(),
        lines => format!("{},{lines}", start + 1),
    }
}

#[cfg(test)]
pub(super) mod tests;
