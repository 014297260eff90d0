//! The programs that are compared.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use jettison_testkit::process::run;

/// A run of dive that takes longer is ended.
const DIVE_LIMIT: &str = "240";

/// Where the programs are.
pub(crate) struct Programs {
    jettison: PathBuf,
    dive: PathBuf,
    this: PathBuf,
}

impl Programs {
    /// jettison beside this program, dive in its environment under `room`.
    pub(crate) fn find(room: &Path) -> anyhow::Result<Self> {
        let this = std::env::current_exe()?;
        let jettison = this.with_file_name("jettison");
        let dive = room.join("venv/bin/dive");
        for program in [&jettison, &dive] {
            if !program.is_file() {
                bail!("{} is missing; benches/run installs and builds it", program.display());
            }
        }
        Ok(Self { jettison, dive, this })
    }

    /// A line on what is compared.
    pub(crate) fn describe(&self) -> anyhow::Result<String> {
        let version = |program: &Path| -> anyhow::Result<String> {
            let output = run(Command::new(program).arg("--version"))?;
            let word = output.split_whitespace().last().context("it prints a version")?;
            Ok(word.to_owned())
        };
        let processors = std::thread::available_parallelism()?;
        let (ours, dive) = (version(&self.jettison)?, version(&self.dive)?);
        Ok(format!("jettison {ours} and dive {dive} on {processors} processors"))
    }

    /// `jettison analyze IMAGE`, without its cache.
    pub(crate) fn jettison(&self, image: &str) -> Command {
        let mut command = Command::new(&self.jettison);
        command.args(["analyze", "--quiet", "--advice", "off", "--no-cache", image]);
        command
    }

    /// `jettison analyze IMAGE` as people type it: with what to do.
    pub(crate) fn jettison_advising(&self, image: &str) -> Command {
        let mut command = Command::new(&self.jettison);
        command.args(["analyze", "--quiet", "--no-cache", image]);
        command
    }

    /// `jettison analyze IMAGE` with its cache in `cache`.
    pub(crate) fn jettison_cached(&self, image: &str, cache: &Path) -> Command {
        let mut command = Command::new(&self.jettison);
        command.args(["analyze", "--quiet", "--advice", "off", image]).env("XDG_CACHE_HOME", cache);
        command
    }

    /// `jettison` in a directory, with its cache there.
    pub(crate) fn jettison_in(&self, room: &Path) -> Command {
        let mut command = Command::new(&self.jettison);
        command.current_dir(room).env("XDG_CACHE_HOME", room.join("cache"));
        command
    }

    /// `jettison profile IMAGE`.
    pub(crate) fn profile(&self, image: &str) -> Command {
        let mut command = Command::new(&self.jettison);
        command.args(["profile", "--quiet", image]);
        command
    }

    /// dive on `image` of `source`, to its end without a screen, content with any image.
    pub(crate) fn dive(&self, source: &str, image: &str) -> Command {
        let mut command = Command::new("timeout");
        command.arg(DIVE_LIMIT).arg(&self.dive).args(["--ci", "--lowestEfficiency", "0"]);
        command.args(["--highestUserWastedPercent", "disabled"]);
        command.args(["--highestWastedBytes", "disabled", "--source", source, image]);
        command
    }

    /// This program, which writes the image of `recipe` to `archive`.
    pub(crate) fn make(&self, archive: &Path, recipe: &[&str]) -> Command {
        let mut command = Command::new(&self.this);
        command.arg("make").arg(archive).args(recipe);
        command
    }

    /// This program, which decompresses what is in `archive`.
    pub(crate) fn decompress(&self, archive: &Path) -> Command {
        let mut command = Command::new(&self.this);
        command.arg("decompress").arg(archive);
        command
    }
}
