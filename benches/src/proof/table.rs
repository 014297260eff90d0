//! The table of all images, in Markdown: it goes into the documentation as it is.

use std::path::Path;

use fs_err as fs;
use jettison_oci::Bytes;
use serde_json::{Value, json};

use super::verdict::{Sum, Verdict};

/// Opened files that may be called unused with medium confidence: one in two hundred.
const MISSES: f64 = 0.005;

/// The rows so far.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Value>,
    missed: Vec<String>,
}

impl Table {
    pub(super) fn row(&mut self, image: &str, verdict: &Verdict) {
        if self.rows.is_empty() {
            println!(
                "| image | live | unused: high | medium | low | never opened | found \
                 | opened | missed: high | medium | low | second only |"
            );
            println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        }
        let bytes = |sum: Sum| Bytes(sum.bytes).to_string();
        let Verdict { live, unused, opened, missed, never, found, second_only, .. } = verdict;
        println!(
            "| {image} | {} | {} | {} | {} | {} | {:.0} % | {} | {} | {} | {} | {} |",
            bytes(*live),
            bytes(unused.high),
            bytes(unused.medium),
            bytes(unused.low),
            bytes(*never),
            100.0 * share(found.bytes, never.bytes),
            opened.files,
            missed.high.files,
            missed.medium.files,
            missed.low.files,
            second_only.files,
        );
        if missed.high.files > 0 {
            self.missed.push(format!("{image}: opened at high confidence"));
        }
        if share(missed.medium.files as u64, opened.files as u64) >= MISSES {
            self.missed.push(format!("{image}: opened at medium confidence"));
        }
        if share(found.bytes, never.bytes) < 0.7 {
            self.missed.push(format!("{image}: found"));
        }
        let sum = |sum: &Sum| json!({ "files": sum.files, "bytes": sum.bytes });
        self.rows.push(json!({
            "image": image,
            "live": sum(live),
            "unused": { "high": sum(&unused.high), "medium": sum(&unused.medium), "low": sum(&unused.low) },
            "opened": sum(opened),
            "missed": { "high": sum(&missed.high), "medium": sum(&missed.medium), "low": sum(&missed.low) },
            "neverOpened": sum(never),
            "found": sum(found),
            "secondOnly": sum(second_only),
        }));
    }

    /// Writes all figures down; tells whether every bar is met.
    pub(super) fn finish(self, path: &Path) -> anyhow::Result<bool> {
        let mut text = serde_json::to_vec_pretty(&self.rows)?;
        text.push(b'\n');
        fs::write(path, text)?;
        if self.missed.is_empty() {
            println!("\nEvery bar is met.");
        } else {
            println!("\nMissed: {}.", self.missed.join("; "));
        }
        Ok(self.missed.is_empty())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share for people")]
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
