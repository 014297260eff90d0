//! A real image of more than 1 GB: debootstrap, apt, pip, and the sins of `benches/image`. Built
//! once by a private dockerd whose images stay under `target/bench`.

use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;
use jettison_testkit::engine::Dockerd;
use jettison_testkit::process::run;

use crate::machine;
use crate::measure::interleaved;
use crate::programs::Programs;
use crate::saved::MEMORY;
use crate::table::{Bar, Figure, Table};

const BASE: &str = "bench-base";
const TAG: &str = "bench:1";
const DOCKERFILE: &str = include_str!("../image/Dockerfile");
/// The real image.
pub(crate) struct Real {
    /// Saved by the engine.
    pub(crate) archive: PathBuf,
    engine: Option<(String, String)>,
    _dockerd: Option<Dockerd>,
}

impl Real {
    /// An image that is there already: saved, and perhaps in an engine under a name.
    pub(crate) fn given(archive: &Path, engine: Option<(&str, &str)>) -> Self {
        let engine = engine.map(|(host, image)| (host.to_owned(), image.to_owned()));
        Self { archive: archive.to_owned(), engine, _dockerd: None }
    }

    /// The engine that holds it, and its name there.
    pub(crate) fn engine(&self) -> Option<(&str, &str)> {
        self.engine.as_ref().map(|(host, image)| (host.as_str(), image.as_str()))
    }

    /// A line on its size.
    pub(crate) fn describe(&self) -> anyhow::Result<String> {
        let bytes = fs::metadata(&self.archive)?.len();
        Ok(format!("the image's archive has {} MB", bytes / 1_000_000))
    }

    /// The engine: dive and jettison, in place and exported.
    pub(crate) fn measure(
        &self,
        programs: &Programs,
        runs: usize,
        table: &mut Table,
    ) -> anyhow::Result<()> {
        let Some((host, image)) = &self.engine else {
            eprintln!("benches: no engine holds this archive's image: its rows are left out");
            return Ok(());
        };
        let reference = format!("docker-daemon:{image}");
        let mut dive = programs.dive("docker", image);
        let mut in_place = programs.jettison(&reference);
        let mut exported = programs.jettison(&reference);
        exported.arg("--no-in-place");
        let mut nowhere = Command::new("docker");
        nowhere.args(["save", image]);
        for command in [&mut dive, &mut in_place, &mut exported, &mut nowhere] {
            command.env("DOCKER_HOST", host).env_remove("DOCKER_CONTEXT");
        }
        let [theirs, in_place, exported, nowhere] =
            interleaved([dive, in_place, exported, nowhere], runs)?;
        Table::group("docker-daemon", "dive");
        for (how, ours, times) in [("in place", in_place, 20.0), ("exported", exported, 2.0)] {
            let what = |figure: &str| format!("engine, {how}: {figure}");
            table.row(&what("wall"), Figure::Wall, Some(theirs), ours, Bar::TimesLess(times));
            table.row(&what("CPU"), Figure::Cpu, Some(theirs), ours, Bar::Nothing);
            table.row(&what("memory"), Figure::Memory, Some(theirs), ours, Bar::Mebibytes(MEMORY));
        }
        // What nobody who asks an engine for an export can be faster than.
        Table::group("", "save to null");
        let most = Bar::TimesMore(1.1);
        table.row("engine, exported: wall", Figure::Wall, Some(nowhere), exported, most);
        Ok(())
    }
}

/// The image in an engine and in an archive, both under `room`, from an earlier run or built now.
pub(crate) fn build(room: &Path) -> anyhow::Result<Real> {
    let dockerd = Dockerd::start_with_data(&room.join("docker"))?;
    let archive = room.join("archives/docker.tar");
    if dockerd.docker(&["image", "inspect", TAG]).is_err() {
        build_image(&dockerd, &room.join("build"))?;
        let _ = fs::remove_file(&archive);
    }
    if !archive.exists() {
        fs::create_dir_all(room.join("archives"))?;
        let part = room.join("archives/docker.part");
        run(dockerd.command().args(["save", "--output"]).arg(&part).arg(TAG))?;
        fs::rename(&part, &archive)?;
    }
    let engine = Some((dockerd.host(), TAG.to_owned()));
    Ok(Real { archive, engine, _dockerd: Some(dockerd) })
}

fn build_image(dockerd: &Dockerd, room: &Path) -> anyhow::Result<()> {
    eprintln!("benches: building the image, once; this takes some minutes");
    machine::import_base(dockerd, room, BASE)?;
    let context = room.join("context");
    machine::write_context(&context)?;
    fs::write(context.join("Dockerfile"), DOCKERFILE)?;
    machine::build(dockerd, &context, "Dockerfile", None, TAG)
}
