//! A page within a number of characters: whole rows are left out, those of the least important
//! lists first, and what is left out is said.

use jettison_oci::count::counted;

/// What a block is for; what comes first stays longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The marker and the verdict.
    Verdict,
    /// An image's headline and figures.
    Figures,
    /// What fails.
    Failures,
    /// What to do next, and where figures come from.
    Next,
    /// What is worth a look.
    Notices,
    /// Lists.
    Lists,
}

/// A part of the page that is shown with some of its rows, or not at all.
pub(super) struct Block {
    pub(super) rank: Rank,
    /// What stands in front of its rows.
    pub(super) lead: String,
    /// Its rows, each with its line end.
    pub(super) rows: Vec<String>,
    /// Rows behind those that were not even written: no page has room for them.
    pub(super) unwritten: usize,
    /// What stands behind them.
    pub(super) tail: String,
}

/// Rows that are worth writing: the shortest, `|  |` with its line end, has five characters.
pub(super) const fn rows_max(limit: usize) -> usize {
    limit / 5
}

/// The most that is said of one block's rows that are left out.
const NOTE_MAX: usize = 60;
/// The most that is said at the end.
const END_MAX: usize = 200;

/// The page, of at most `limit` characters.
pub(super) fn fit(blocks: &[Block], limit: usize) -> String {
    let mut shown = vec![None; blocks.len()];
    let mut left = limit.saturating_sub(END_MAX);
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_key(|at| blocks[*at].rank);
    for at in order {
        let block = &blocks[at];
        let frame = characters(&block.lead) + characters(&block.tail);
        let rows: usize = block.rows.iter().map(|row| characters(row)).sum();
        if frame + rows <= left {
            shown[at] = Some(block.rows.len());
            left -= frame + rows;
            continue;
        }
        let Some(mut room) = left.checked_sub(frame + NOTE_MAX) else { continue };
        let fits = block.rows.iter().take_while(|row| {
            let rest = room.checked_sub(characters(row));
            room = rest.unwrap_or(room);
            rest.is_some()
        });
        let fits = fits.count();
        // A list without rows tells nothing.
        if fits > 0 {
            shown[at] = Some(fits);
            left = room;
        }
    }
    let mut page = String::new();
    let (mut rows_out, mut blocks_out) = (0, 0);
    for (block, shown) in blocks.iter().zip(shown) {
        let Some(shown) = shown else {
            blocks_out += 1;
            continue;
        };
        page.push_str(&block.lead);
        page.extend(block.rows[..shown].iter().map(String::as_str));
        let out = block.rows.len() - shown + block.unwritten;
        if out > 0 {
            let note = format!("\n… {} left out for room\n", counted(out, "more row"));
            page.push_str(&note);
            rows_out += out;
        }
        page.push_str(&block.tail);
    }
    if rows_out + blocks_out > 0 {
        let end = format!(
            "\n{} and {} are left out: GitHub takes {limit} characters. Other formats have more.\n",
            counted(rows_out, "row"),
            counted(blocks_out, "whole part"),
        );
        page.push_str(&end);
    }
    page
}

fn characters(text: &str) -> usize {
    text.chars().count()
}
