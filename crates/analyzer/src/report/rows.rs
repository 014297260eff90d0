//! The rows of a list that are shown, and what is said of those that are not.

use jettison_oci::Bytes;

use crate::report::Detail;
use crate::report::page::{Page, Tone};
use jettison_oci::count::counted;

/// A list's rows, cut by `--min-bytes` and `--top`.
pub(crate) struct Rows<'a, T, F: Fn(&T) -> Bytes> {
    bytes: F,
    min_bytes: Bytes,
    /// Shown.
    shown: &'a [T],
    /// More than `--top`.
    more: &'a [T],
    /// Under `--min-bytes`.
    small: &'a [T],
}

impl<'a, T, F: Fn(&T) -> Bytes> Rows<'a, T, F> {
    /// Cuts `rows`, the largest of which come first. What has no bytes is no row.
    pub(crate) fn of(rows: &'a [T], detail: Detail, bytes: F) -> Self {
        let some = rows.partition_point(|row| bytes(row).get() > 0);
        let large = rows[..some].partition_point(|row| bytes(row) >= detail.min_bytes);
        Self::cut(&rows[..large], &rows[large..some], detail, bytes)
    }

    /// Cuts rows that are in another order, those under `--min-bytes` sorted out already.
    pub(crate) fn cut(large: &'a [T], small: &'a [T], detail: Detail, bytes: F) -> Self {
        let (shown, more) = large.split_at(detail.top.min(large.len()));
        Self { bytes, min_bytes: detail.min_bytes, shown, more, small }
    }

    /// Whether there is nothing to say, not even of what is left out.
    pub(crate) fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.more.is_empty() && self.small.is_empty()
    }

    pub(crate) fn shown(&self) -> &'a [T] {
        self.shown
    }

    /// The lines that say how many bytes the other rows have, so that the column sums.
    pub(crate) fn rest(&self, page: &mut Page) {
        self.rest_in(page, |rows| {
            let bytes: u64 = rows.iter().map(|row| (self.bytes)(row).get()).sum();
            format!("{:>11}  ", Bytes(bytes).to_string())
        });
    }

    /// The same with columns that `front` makes of the rows.
    pub(crate) fn rest_in(&self, page: &mut Page, front: impl Fn(&[T]) -> String) {
        if !self.more.is_empty() {
            faint(page, &format!("{}in {} more (--top)", front(self.more), self.more.len()));
        }
        if !self.small.is_empty() {
            let front = front(self.small);
            faint(page, &format!("{front}in {} (--min-bytes)", self.small_rows()));
        }
    }

    /// The lines that say how many rows there are besides, right of a column of `indent`: where
    /// rows are parts of others, a sum would mean nothing.
    pub(crate) fn count_rest(&self, page: &mut Page, indent: usize) {
        if !self.more.is_empty() {
            faint(page, &format!("{:indent$}{} more (--top)", "", self.more.len()));
        }
        if !self.small.is_empty() {
            faint(page, &format!("{:indent$}{} (--min-bytes)", "", self.small_rows()));
        }
    }

    /// The same in a line: `12 more: 3.4 MiB`.
    pub(crate) fn left_out(&self) -> Option<String> {
        self.left_out_in(|rows| {
            let bytes: u64 = rows.iter().map(|row| (self.bytes)(row).get()).sum();
            format!(": {}", Bytes(bytes))
        })
    }

    /// The same where a sum would mean nothing, or is another one, by `sum`.
    pub(crate) fn left_out_in(&self, sum: impl Fn(&[T]) -> String) -> Option<String> {
        let more = (!self.more.is_empty())
            .then(|| format!("{} more{} (--top)", self.more.len(), sum(self.more)));
        let small = (!self.small.is_empty())
            .then(|| format!("{}{} (--min-bytes)", self.small_rows(), sum(self.small)));
        let both: Vec<String> = more.into_iter().chain(small).collect();
        (!both.is_empty()).then(|| both.join("; "))
    }

    fn small_rows(&self) -> String {
        format!("{} under {} left out", counted(self.small.len(), "row"), self.min_bytes)
    }
}

fn faint(page: &mut Page, text: &str) {
    let text = page.tone(Tone::Faint, text);
    page.line(&text);
}
