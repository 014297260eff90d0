//! Which instruction made which layer.
//!
//! The history has a row an instruction, and marks those that made no layer with `empty_layer`.
//! Builders forget the mark, squash layers, or add layers without a row; then the rows are told
//! by what their instructions can do, and where even that leaves a difference, both lists are
//! matched from the bottom, because layers are only ever added on top.

use crate::image::config::HistoryEntry;
use crate::image::instruction::{Instruction, is_bare, is_buildkit, is_config, keyword};

/// The instruction of each of `layers` layers; the second value is false where the lists could
/// not be matched one to one.
pub fn align(history: &[HistoryEntry], layers: usize) -> (Vec<Option<Instruction>>, bool) {
    let kept = |keep: &dyn Fn(&HistoryEntry) -> bool| -> Vec<usize> {
        (0..history.len()).filter(|at| keep(&history[*at])).collect()
    };
    let keyword = |row: &HistoryEntry| keyword(&row.created_by);
    let is_from = |row: &HistoryEntry| keyword(row) == Some("FROM");
    let is_config = |row: &HistoryEntry| is_config(&row.created_by);
    let mut attempts = vec![
        kept(&|row| !row.empty_layer && !is_from(row)),
        // The mark is missing here or there.
        kept(&|row| !row.empty_layer && !is_config(row)),
    ];
    if !history.iter().any(|row| row.empty_layer) {
        attempts.push(kept(&|row| !is_config(row) && keyword(row) != Some("WORKDIR")));
    }
    // The mark stands where it should not (BuildKit wrote such for empty RUN layers).
    attempts.push(kept(&|row| !is_from(row) && (!row.empty_layer || !is_config(row))));
    attempts.push(kept(&|row| !is_config(row)));
    // The base image's layer has no row but FROM.
    attempts.push(kept(&|row| !row.empty_layer));
    let matched = attempts.iter().find(|rows| rows.len() == layers);
    let rows = matched.unwrap_or(&attempts[0]);
    let instruction = |layer: usize| {
        let row = *rows.get(layer)?;
        let below = layer.checked_sub(1).map_or(0, |below| rows[below] + 1);
        Instruction::of(merged(&history[below..=row]))
    };
    ((0..layers).map(instruction).collect(), matched.is_some() || history.is_empty())
}

/// The rows that a layer stands for: its own, which is the last, and those before it that made
/// none. buildah without `--layers` commits once, under its last instruction; squashing writes a
/// row without any. An instruction that truly changed nothing is marked empty too, but Docker's
/// first builder does that to no COPY that brings a file, and BuildKit tells itself apart.
fn merged(rows: &[HistoryEntry]) -> Vec<&str> {
    let Some((own, before)) = rows.split_last() else { return Vec::new() };
    let own = own.created_by.as_str();
    let before: Vec<&str> = before
        .iter()
        .filter(|row| row.empty_layer)
        .map(|row| row.created_by.as_str())
        .filter(|row| !is_config(row) && !is_bare(row))
        .collect();
    let is_stand_in = is_config(own) || is_bare(own);
    let made_files =
        |row: &&str| matches!(keyword(row), Some("ADD" | "COPY" | "RUN")) && !is_buildkit(row);
    let is_merged = is_stand_in || (!is_buildkit(own) && before.iter().any(made_files));
    if before.is_empty() || !is_merged {
        return vec![own];
    }
    before.into_iter().chain((!is_stand_in).then_some(own)).collect()
}

#[cfg(test)]
mod tests;
