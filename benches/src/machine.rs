//! Images that are built from the machine's own release, and its way to packages.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use fs_err as fs;
use jettison_testkit::engine::Dockerd;
use jettison_testkit::process::run;

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

/// Makes the smallest installation of the machine's release an image named `name`.
pub(crate) fn import_base(dockerd: &Dockerd, room: &Path, name: &str) -> anyhow::Result<()> {
    fs::create_dir_all(room)?;
    let base = room.join("base");
    if base.exists() {
        fs::remove_dir_all(&base)?;
    }
    let (suite, mirror) = suite_and_mirror()?;
    run(Command::new("debootstrap").args(["--variant=minbase", &suite]).arg(&base).arg(&mirror))?;
    let archive = room.join("root.tar");
    run(Command::new("tar").arg("-C").arg(&base).arg("-cf").arg(&archive).arg("."))?;
    run(dockerd.command().arg("import").arg(&archive).arg(name))?;
    fs::remove_dir_all(&base)?;
    fs::remove_file(&archive)?;
    Ok(())
}

/// Builds the Dockerfile `file` of `context`, or one stage of it.
pub(crate) fn build(
    dockerd: &Dockerd,
    context: &Path,
    file: &str,
    stage: Option<&str>,
    tag: &str,
) -> anyhow::Result<()> {
    let mut build = dockerd.command();
    build.args(["build", "--network", "host", "--tag", tag]).arg("--file").arg(context.join(file));
    if let Some(stage) = stage {
        build.args(["--target", stage]);
    }
    for name in BUILD_ARGUMENTS {
        if let Ok(value) = std::env::var(name) {
            build.arg("--build-arg").arg(format!("{name}={value}"));
        }
    }
    run(build.arg(context))?;
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
pub(crate) fn write_context(context: &Path) -> anyhow::Result<()> {
    if context.exists() {
        fs::remove_dir_all(context)?;
    }
    let apt = context.join("apt");
    fs::create_dir_all(&apt)?;
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
