//! What it costs to find out what each file is for, and what to do: against the account alone.

use crate::measure::interleaved;
use crate::programs::Programs;
use crate::saved::Archives;
use crate::table::{Bar, Figure, Table};

/// MiB that a run with all facts may hold.
const MEMORY: f64 = 256.0;

pub(crate) fn measure(
    programs: &Programs,
    archives: &Archives,
    runs: usize,
    table: &mut Table,
) -> anyhow::Result<()> {
    for (name, transport, archive) in [
        ("docker-archive", "docker-archive", &archives.docker),
        ("gzip oci-archive", "oci-archive", &archives.gzip),
        ("zstd oci-archive", "oci-archive", &archives.zstd),
    ] {
        let image = format!("{transport}:{}", archive.display());
        let cache = tempfile::tempdir()?;
        let mut facts = programs.jettison(&image);
        facts.arg("--unused");
        let mut cached = programs.jettison_cached(&image, cache.path());
        cached.arg("--unused");
        let advising = programs.jettison_advising(&image);
        let [plain, facts, advising, cached] =
            interleaved([programs.jettison(&image), facts, advising, cached], runs)?;
        Table::group(&format!("facts, {name}"), "without");
        let what = |figure: &str| format!("--unused: {figure}");
        table.row(&what("wall"), Figure::Wall, Some(plain), facts, Bar::TimesMore(1.5));
        table.row(&what("CPU"), Figure::Cpu, Some(plain), facts, Bar::Nothing);
        table.row(&what("memory"), Figure::Memory, Some(plain), facts, Bar::Mebibytes(MEMORY));
        table.row("advice: wall", Figure::Wall, Some(plain), advising, Bar::Nothing);
        table.row("advice: memory", Figure::Memory, Some(plain), advising, Bar::Nothing);
        // The best run is one with a filled cache.
        table.row("--unused, cached: wall", Figure::Wall, Some(plain), cached, Bar::Nothing);
    }
    Ok(())
}
