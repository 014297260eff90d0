//! A million files in a hundred layers: time linear in files, memory bounded.

use jettison_testkit::image::LayerBuilder;
use jettison_testkit::process::run;

use crate::measure::interleaved;
use crate::programs::Programs;
use crate::table::{Bar, Figure, Table};

/// Layers of each image.
pub(crate) const LAYERS: usize = 100;
/// Files of each image.
const STEPS: [usize; 3] = [250_000, 500_000, 1_000_000];
/// What four times the files may cost, at most.
const LINEAR: f64 = 4.0 * 1.25;
/// MiB.
const MEMORY: f64 = 600.0;

/// Every tenth file writes over one of the layer below; sizes are all about the same, so that
/// contents have to be compared.
pub(crate) fn layer(at: usize, files: usize) -> LayerBuilder {
    let mut layer = LayerBuilder::new();
    for file in 0..files {
        let owner = if file % 10 == 0 { at.saturating_sub(1) } else { at };
        let path = format!("opt/app-{owner}/module-{}/file-{file}.txt", file / 100);
        layer = layer.file(path, format!("layer {at} file {file}\n"));
    }
    layer
}

/// Each size by itself; the largest against the smallest.
pub(crate) fn measure(programs: &Programs, runs: usize, table: &mut Table) -> anyhow::Result<()> {
    Table::group("100 layers", "250k files");
    let mut smallest = None;
    for files in STEPS {
        let room = tempfile::tempdir()?;
        let archive = room.path().join("million.tar");
        run(&mut programs.make(&archive, &["million", &files.to_string()]))?;
        let image = format!("docker-archive:{}", archive.display());
        let [ours] = interleaved([programs.jettison(&image)], runs)?;
        let smallest = *smallest.get_or_insert(ours);
        let bar = if files == STEPS[2] { Bar::TimesMore(LINEAR) } else { Bar::Nothing };
        let what = |figure: &str| format!("{}k files: {figure}", files / 1000);
        let other = (files > STEPS[0]).then_some(smallest);
        table.row(&what("wall"), Figure::Wall, other, ours, bar);
        table.row(&what("CPU"), Figure::Cpu, other, ours, bar);
        table.row(&what("memory"), Figure::Memory, None, ours, Bar::Mebibytes(MEMORY));
    }
    Ok(())
}
