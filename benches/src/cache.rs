//! The layer cache: the second run on an image against the first.

use std::process::Stdio;

use anyhow::ensure;

use crate::measure::{Cost, once};
use crate::programs::Programs;
use crate::saved::{Archives, MEMORY};
use crate::table::{Bar, Figure, Table};

/// First and second runs, each pair with a cache of its own; what they print has to be the same.
pub(crate) fn measure(
    programs: &Programs,
    archives: &Archives,
    runs: usize,
    table: &mut Table,
) -> anyhow::Result<()> {
    let image = format!("oci-archive:{}", archives.gzip.display());
    let (mut first, mut second): (Option<Cost>, Option<Cost>) = (None, None);
    for _ in 0..runs {
        let room = tempfile::tempdir()?;
        let mut outputs = Vec::new();
        // A second run is short: its best of three says more than one.
        for (at, best) in [(0, &mut first), (1, &mut second)] {
            for _ in 0..=2 * at {
                let output = tempfile::NamedTempFile::new_in(&room)?;
                let mut command = programs.jettison_cached(&image, room.path());
                let cost = once(command.args(["--format", "json"]).stdout(output.reopen()?))?;
                outputs.push(fs_err::read(output.path())?);
                *best = Some(best.map_or(cost, |known| known.best(cost)));
            }
        }
        ensure!(!outputs[0].is_empty(), "{image}: nothing was printed");
        ensure!(
            outputs.iter().all(|output| *output == outputs[0]),
            "{image}: a run with a filled cache prints something else than the first"
        );
    }
    if let (Some(first), Some(second)) = (first, second) {
        Table::group("layer cache, gzip oci-archive", "first run");
        table.row("second run: wall", Figure::Wall, Some(first), second, Bar::TimesLess(15.0));
        table.row("second run: CPU", Figure::Cpu, Some(first), second, Bar::Nothing);
        table.row("second run: memory", Figure::Memory, None, second, Bar::Mebibytes(MEMORY));
    }
    let mut plain = programs.jettison(&format!("docker-archive:{}", archives.docker.display()));
    let mut best = once(plain.stdout(Stdio::null()))?;
    for _ in 1..runs {
        best = best.best(once(plain.stdout(Stdio::null()))?);
    }
    if let Some(second) = second {
        Table::group("", "by seeking");
        table.row("second run: wall", Figure::Wall, Some(best), second, Bar::Nothing);
    }
    Ok(())
}
