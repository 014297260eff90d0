//! A bar of live, duplicate and wasted bytes.

use crate::account::Sizes;
use crate::report::page::{Page, Tone};

/// The bar and its legend. Each state that has bytes gets a cell at least; without colour the
/// patterns tell them apart.
pub(crate) fn draw(page: &mut Page, sizes: &Sizes) {
    let files = sizes.files.get();
    if files == 0 {
        return;
    }
    let width = page.style.width.min(80).saturating_sub(4).max(10);
    let unique = sizes.live.get() - sizes.duplicate.get();
    let parts = [unique, sizes.duplicate.get(), sizes.wasted.get()];
    let cells = cells(parts, width);
    let drawn: String = [("█", Tone::Live), ("▒", Tone::Duplicate), ("░", Tone::Wasted)]
        .iter()
        .zip(cells)
        .map(|((cell, tone), count)| page.tone(*tone, &cell.repeat(count)))
        .collect();
    page.blank();
    page.line(&format!("  {drawn}"));
    let legend = format!(
        "  {} live   {} live, a duplicate   {} wasted",
        page.tone(Tone::Live, "█"),
        page.tone(Tone::Duplicate, "▒"),
        page.tone(Tone::Wasted, "░")
    );
    page.line(&legend);
}

/// Cells of each part, `width` together.
fn cells(parts: [u64; 3], width: usize) -> [usize; 3] {
    let total: u128 = parts.iter().map(|part| u128::from(*part)).sum();
    let mut cells = parts.map(|part| {
        let cell = u128::from(part) * width as u128 / total.max(1);
        usize::try_from(cell).unwrap_or(0).max(usize::from(part > 0))
    });
    // What rounding took or gave is the largest part's.
    let largest = (0..3).max_by_key(|at| parts[*at]).unwrap_or(0);
    let others: usize = (0..3).filter(|at| *at != largest).map(|at| cells[at]).sum();
    cells[largest] = width.saturating_sub(others);
    cells
}

#[cfg(test)]
mod tests {
    use super::cells;

    #[test]
    fn every_part_is_seen_and_the_bar_is_full() {
        for parts in [[1, 1, 1], [1_000_000, 1, 1], [0, 0, 5], [7, 0, 3], [1, 0, u64::MAX]] {
            let drawn = cells(parts, 76);
            assert_eq!(drawn.iter().sum::<usize>(), 76, "{parts:?}");
            for (part, cell) in parts.iter().zip(drawn) {
                assert_eq!(*part > 0, cell > 0, "{parts:?}");
            }
        }
    }
}
