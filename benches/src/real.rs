//! A real image of more than 1 GB: debootstrap, apt, pip, and the sins of `benches/image`. Built
//! once by a private dockerd whose images stay under `target/bench`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use fs_err as fs;
use jettison_testkit::engine::Dockerd;
use jettison_testkit::process::run;

use crate::measure::interleaved;
use crate::programs::Programs;
use crate::saved::MEMORY;
use crate::table::{Bar, Figure, Table};

const BASE: &str = "bench-base";
const TAG: &str = "bench:1";
const DOCKERFILE: &str = include_str!("../image/Dockerfile");
/// Settings of the machine's that a build needs to reach packages.
const BUILD_ARGUMENTS: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "PIP_INDEX_URL",
    "PIP_TRUSTED_HOST",
];

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
        table.row("engine, exported: wall", Figure::Wall, Some(nowhere), exported, Bar::Nothing);
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
    fs::create_dir_all(room)?;
    let base = room.join("base");
    if base.exists() {
        fs::remove_dir_all(&base)?;
    }
    let (suite, mirror) = suite_and_mirror()?;
    run(Command::new("debootstrap").args(["--variant=minbase", &suite]).arg(&base).arg(&mirror))?;
    let archive = room.join("root.tar");
    run(Command::new("tar").arg("-C").arg(&base).arg("-cf").arg(&archive).arg("."))?;
    run(dockerd.command().arg("import").arg(&archive).arg(BASE))?;
    fs::remove_dir_all(&base)?;
    fs::remove_file(&archive)?;
    let context = room.join("context");
    write_context(&context)?;
    let mut build = dockerd.command();
    build.args(["build", "--network", "host", "--tag", TAG]);
    for name in BUILD_ARGUMENTS {
        if let Ok(value) = std::env::var(name) {
            build.arg("--build-arg").arg(format!("{name}={value}"));
        }
    }
    run(build.arg(&context))?;
    Ok(())
}

/// The machine's own release, and where apt gets it.
fn suite_and_mirror() -> anyhow::Result<(String, String)> {
    let release = fs::read_to_string("/etc/os-release")?;
    let suite = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .context("/etc/os-release names no release")?
        .trim_matches('"')
        .to_owned();
    let targets =
        run(Command::new("apt-get").args(["indextargets", "--format", "$(CODENAME) $(REPO_URI)"]))?;
    let mirror = targets
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(codename, _)| *codename == suite)
        .map(|(_, mirror)| mirror.to_owned())
        .with_context(|| format!("apt knows no mirror of {suite}: run apt-get update"))?;
    Ok((suite, mirror))
}

/// How this machine reaches packages: apt's sources and settings (not its passwords), pip's, and
/// the certificates that both trust.
fn write_context(context: &Path) -> anyhow::Result<()> {
    if context.exists() {
        fs::remove_dir_all(context)?;
    }
    let apt = context.join("apt");
    fs::create_dir_all(&apt)?;
    fs::write(context.join("Dockerfile"), DOCKERFILE)?;
    // The list that debootstrap left is hidden by the machine's, or by an empty one.
    fs::write(apt.join("sources.list"), fs::read("/etc/apt/sources.list").unwrap_or_default())?;
    for directory in ["sources.list.d", "apt.conf.d", "preferences.d", "keyrings", "trusted.gpg.d"]
    {
        let from = Path::new("/etc/apt").join(directory);
        if from.is_dir() {
            run(Command::new("cp").arg("-rL").arg(from).arg(&apt))?;
        }
    }
    let settings = "Acquire::https::CaInfo \"/etc/host-ca.crt\";\n";
    fs::create_dir_all(apt.join("apt.conf.d"))?;
    fs::write(apt.join("apt.conf.d/zz-host-ca"), settings)?;
    fs::write(context.join("pip.conf"), fs::read("/etc/pip.conf").unwrap_or_default())?;
    let bundle = std::env::var("SSL_CERT_FILE")
        .unwrap_or_else(|_| "/etc/ssl/certs/ca-certificates.crt".to_owned());
    let certificates = fs::read(&bundle)?;
    ensure!(!certificates.is_empty(), "{bundle} is empty");
    fs::write(context.join("host-ca.crt"), certificates)?;
    Ok(())
}
