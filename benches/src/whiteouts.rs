//! 20,000 files, and 1,600 whiteouts that take some of them away: dive looks at every file for
//! every whiteout.

use std::process::Stdio;

use jettison_testkit::image::LayerBuilder;
use jettison_testkit::process::run;

use crate::measure::{interleaved, once};
use crate::programs::Programs;
use crate::table::{Bar, Figure, Table};

const FILES: usize = 20_000;
const WHITEOUTS: usize = 1_600;
const DIRECTORY: usize = 50;

fn path(file: usize) -> String {
    format!("srv/data/{}/file-{file}", file / DIRECTORY)
}

/// The files, then the whiteouts.
pub(crate) fn layer(at: usize) -> LayerBuilder {
    let mut layer = LayerBuilder::new();
    if at == 0 {
        for file in 0..FILES {
            layer = layer.file(path(file), format!("file {file}\n"));
        }
    } else {
        for file in (0..FILES).step_by(FILES / WHITEOUTS).take(WHITEOUTS) {
            layer = layer.whiteout(path(file));
        }
    }
    layer
}

/// One run of dive, which takes a minute; the mean of `runs` of ours.
pub(crate) fn measure(programs: &Programs, runs: usize, table: &mut Table) -> anyhow::Result<()> {
    let room = tempfile::tempdir()?;
    let archive = room.path().join("whiteouts.tar");
    run(&mut programs.make(&archive, &["whiteouts"]))?;
    let image = archive.to_string_lossy();
    let [ours] = interleaved([programs.jettison(&format!("docker-archive:{image}"))], runs.max(3))?;
    let theirs = once(programs.dive("docker-archive", &image).stdout(Stdio::null()))?;
    Table::group("20,000 files, 1,600 whiteouts", "dive");
    table.row("whiteouts: wall", Figure::Wall, Some(theirs), ours, Bar::Seconds(0.3));
    table.row("whiteouts: memory", Figure::Memory, Some(theirs), ours, Bar::Nothing);
    Ok(())
}
