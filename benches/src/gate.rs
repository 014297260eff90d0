//! The gate on an image whose layers are cached, and the page for browsers of the same image.

use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use jettison_testkit::process::run;

use crate::measure::interleaved;
use crate::programs::Programs;
use crate::saved::Archives;
use crate::table::{Bar, Figure, Table};

/// What the gate may take, in seconds.
const GATE: f64 = 0.2;
/// What the page may take beside the text, in seconds, and its bytes.
const PAGE: f64 = 1.0;
const PAGE_BYTES: u64 = 3 << 20;

const SETTINGS: &str = "[gate]\nbaseline = \"baseline.json\"\n\
    [[gate.budget]]\nmetric = \"effective\"\nmax-increase = \"10 MiB\"\n\
    [[gate.budget]]\nmetric = \"compressed\"\nmax-increase = \"10 MiB\"\n\
    [[gate.budget]]\nmax-layers = 40\n";

pub(crate) fn measure(
    programs: &Programs,
    archives: &Archives,
    runs: usize,
    table: &mut Table,
) -> anyhow::Result<()> {
    let gzip = std::path::absolute(&archives.gzip)?;
    let image = format!("app=oci-archive:{}", gzip.display());
    let room = tempfile::tempdir()?;
    fs_err::write(room.path().join("jettison.toml"), SETTINGS)?;
    let jettison = |arguments: &[&str]| {
        let mut command = programs.jettison_in(room.path());
        command.args(arguments);
        command
    };
    run(&mut jettison(&["baseline", "update", &image]))?;
    let [cost] = interleaved([jettison(&["gate", "--quiet", &image])], 3 * runs)?;
    Table::group("gate, gzip oci-archive, cached", "");
    table.row("against a baseline: wall", Figure::Wall, None, cost, Bar::Seconds(GATE));
    table.row("against a baseline: memory", Figure::Memory, None, cost, Bar::Nothing);
    page(programs, room.path(), &gzip, runs, table)
}

/// The same analysis as a page and as text.
fn page(
    programs: &Programs,
    room: &Path,
    gzip: &Path,
    runs: usize,
    table: &mut Table,
) -> anyhow::Result<()> {
    let word = format!("oci-archive:{}", gzip.display());
    let of = |more: &[&str]| -> Command {
        let mut command = programs.jettison_in(room);
        command.args(["analyze", "--quiet", &word]).args(more);
        command
    };
    let (text, both) = (of(&[]), of(&["--output", "html=page.html"]));
    let [text, both] = interleaved([text, both], runs)?;
    Table::group("page of the same image, cached", "text");
    let mut more = both;
    more.wall = (both.wall - text.wall).max(0.0);
    table.row("written after analysis: wall", Figure::Wall, None, more, Bar::Seconds(PAGE));
    table.row("text and page: wall", Figure::Wall, Some(text), both, Bar::Nothing);
    table.row("text and page: memory", Figure::Memory, Some(text), both, Bar::Nothing);
    let bytes = fs_err::metadata(room.join("page.html"))?.len();
    println!("the page has {bytes} bytes");
    ensure!(bytes < PAGE_BYTES, "a page of {bytes} bytes is above {PAGE_BYTES}");
    Ok(())
}
