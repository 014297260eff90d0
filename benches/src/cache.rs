//! The layer cache: the second run on an image against the first.

use anyhow::ensure;

use crate::measure::{Cost, interleaved, once};
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
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let room = tempfile::tempdir()?;
        let mut outputs = Vec::new();
        // A second run is short: three of them say more than one.
        for (at, costs) in [(0, &mut first), (1, &mut second)] {
            for _ in 0..=2 * at {
                let output = tempfile::NamedTempFile::new_in(&room)?;
                let mut command = programs.jettison_cached(&image, room.path());
                let cost = once(command.args(["--format", "json"]).stdout(output.reopen()?))?;
                outputs.push(fs_err::read(output.path())?);
                costs.push(cost);
            }
        }
        ensure!(!outputs[0].is_empty(), "{image}: nothing was printed");
        ensure!(
            outputs.iter().all(|output| *output == outputs[0]),
            "{image}: a run with a filled cache prints something else than the first"
        );
    }
    let (first, second) = (Cost::of(&first), Cost::of(&second));
    if let (Some(first), Some(second)) = (first, second) {
        Table::group("layer cache, gzip oci-archive", "first run");
        table.row("second run: wall", Figure::Wall, Some(first), second, Bar::TimesLess(15.0));
        table.row("second run: CPU", Figure::Cpu, Some(first), second, Bar::Nothing);
        table.row("second run: memory", Figure::Memory, None, second, Bar::Mebibytes(MEMORY));
    }
    let plain = format!("docker-archive:{}", archives.docker.display());
    let [plain] = interleaved([programs.jettison(&plain)], runs)?;
    if let Some(second) = second {
        Table::group("", "by seeking");
        table.row("second run: wall", Figure::Wall, Some(plain), second, Bar::Nothing);
    }
    Ok(())
}
