//! The rows, against their bars.

use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::measure::Cost;

/// What a row has to reach.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Bar {
    /// The other's figure over ours, at least.
    TimesLess(f64),
    /// Ours over the other's figure, at most.
    TimesMore(f64),
    /// Seconds, fewer than.
    Seconds(f64),
    /// MiB, fewer than.
    Mebibytes(f64),
    /// None: the row is there to be read.
    Nothing,
}

/// One figure of one program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Figure {
    /// Wall time.
    Wall,
    /// Processor time.
    Cpu,
    /// Memory.
    Memory,
}

impl Figure {
    #[expect(clippy::cast_precision_loss, reason = "MiB for people")]
    fn of(self, cost: &Cost) -> f64 {
        match self {
            Self::Wall => cost.wall,
            Self::Cpu => cost.cpu,
            Self::Memory => cost.memory as f64 / f64::from(1 << 20),
        }
    }

    fn text(self, value: f64) -> String {
        match self {
            Self::Memory => format!("{value:.1} MiB"),
            _ => format!("{value:.3} s"),
        }
    }
}

/// A row of the table.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    other: Option<Cost>,
    ours: Cost,
    ratio: Option<f64>,
    bar: Bar,
    met: bool,
}

/// The table, printed row by row as it grows.
pub(crate) struct Table {
    rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// The title of the rows that follow; `other` is what jettison is compared with.
    pub(crate) fn group(title: &str, other: &str) {
        println!("\n{title:<32}{other:>12}{:>12}{:>8}  bar", "jettison", "ratio");
    }

    /// One more row: `figure` of `ours`, and of `other` if there is one, against `bar`.
    pub(crate) fn row(
        &mut self,
        what: &str,
        figure: Figure,
        other: Option<Cost>,
        ours: Cost,
        bar: Bar,
    ) {
        let value = figure.of(&ours);
        let compared = other.map(|cost| figure.of(&cost));
        let ratio = compared.map(|compared| match bar {
            Bar::TimesMore(_) => value / compared,
            _ => compared / value,
        });
        let reached = |reached: Option<bool>| reached.unwrap_or(false);
        let (met, text) = match bar {
            Bar::TimesLess(least) => (reached(ratio.map(|r| r >= least)), format!(">= {least}x")),
            Bar::TimesMore(most) => (reached(ratio.map(|r| r <= most)), format!("<= {most}x")),
            Bar::Seconds(most) => (value < most, format!("< {most} s")),
            Bar::Mebibytes(most) => (value < most, format!("< {most} M")),
            Bar::Nothing => (true, String::new()),
        };
        let more = if other.is_some_and(|cost| cost.cut_short) { ">" } else { "" };
        let shown = compared.map_or_else(String::new, |v| format!("{more}{}", figure.text(v)));
        let ratio_text = match ratio {
            Some(ratio) if ratio >= 100.0 => format!("{ratio:.0}x"),
            Some(ratio) => format!("{ratio:.2}x"),
            None => String::new(),
        };
        let verdict = match bar {
            Bar::Nothing => "",
            _ if met => "ok",
            _ => "MISS",
        };
        let line = format!(
            "  {what:<30}{shown:>12}{:>12}{ratio_text:>8}  {text:<9}{verdict}",
            figure.text(value)
        );
        println!("{}", line.trim_end());
        self.rows.push(Row { what: what.to_owned(), other, ours, ratio, bar, met });
    }

    /// Writes all rows down; tells whether every bar is met.
    pub(crate) fn finish(self, results: &Path) -> anyhow::Result<bool> {
        let missed: Vec<&str> =
            self.rows.iter().filter(|row| !row.met).map(|row| row.what.as_str()).collect();
        match missed.as_slice() {
            [] => println!("\nEvery bar is met."),
            missed => println!("\nMissed: {}.", missed.join("; ")),
        }
        let document = json!({ "rows": self.rows, "missed": missed });
        fs_err::write(results, serde_json::to_vec_pretty(&document)?)?;
        Ok(missed.is_empty())
    }
}
