//! How often facts are right: real images are run under `jettison profile`, and what the runs
//! opened is compared with what had been called unused before. `benches/prove` is the way to
//! start it.

mod applied;
mod beside;
mod precise;
mod stand_ins;
mod table;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use fs_err as fs;
use jettison_testkit::engine::Dockerd;
use jettison_testkit::process::run;

use crate::machine;

use self::applied::Suggestions;
use self::precise::Precision;
use self::table::Table;
use self::verdict::Verdict;

const ROOT: &str = "proof-root";
const BASE: &str = "proof-base";
/// Two different uses of each image.
const WORKLOADS: [&str; 2] = ["first", "second"];

/// What to prove.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Args {
    /// Where images and profiles are kept.
    #[arg(long)]
    room: PathBuf,
    /// The recipes of the images: a directory each.
    #[arg(long)]
    recipes: PathBuf,
    /// The program that is proved.
    #[arg(long)]
    jettison: PathBuf,
    /// Only images whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Keep profiles of an earlier time.
    #[arg(long)]
    keep: bool,
    /// Name every file that was missed, and the largest that were not found.
    #[arg(long)]
    explain: bool,
    /// Apply what is suggested: build it, measure it, and put it to the same work.
    #[arg(long)]
    apply: bool,
    /// Instead, compare what rules report with what the runs opened.
    #[arg(long)]
    precise: bool,
    /// Instead, compare with what this program, hadolint, says of the Dockerfiles.
    #[arg(long, value_name = "PROGRAM")]
    beside: Option<String>,
    /// End with exit code 1 where a bar is missed.
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Builds, runs, compares, prints; tells whether the bars are met.
pub(crate) fn run_all(args: &Args) -> anyhow::Result<bool> {
    fs::create_dir_all(&args.room)?;
    let dockerd = Dockerd::start_with_data(&args.room.join("docker"))?;
    if args.apply {
        let mut suggestions = Suggestions::default();
        let mut has_stand_ins = false;
        for recipe in recipes(&args.recipes, &args.only)? {
            let image = Proof::of(&recipe, &dockerd, args)?;
            image.build()?;
            if !has_stand_ins {
                stand_ins::build(&dockerd, args)?;
                has_stand_ins = true;
            }
            suggestions.apply(&image)?;
        }
        return suggestions.finish(&args.room.join("applied.json"));
    }
    if args.precise {
        let mut precision = Precision::default();
        for recipe in recipes(&args.recipes, &args.only)? {
            let image = Proof::of(&recipe, &dockerd, args)?;
            image.build()?;
            precision.add(&image)?;
        }
        return Ok(precision.finish());
    }
    if let Some(hadolint) = &args.beside {
        beside::head();
        for recipe in recipes(&args.recipes, &args.only)? {
            let image = Proof::of(&recipe, &dockerd, args)?;
            image.build()?;
            beside::row(&image, hadolint)?;
        }
        return Ok(true);
    }
    let mut table = Table::default();
    for recipe in recipes(&args.recipes, &args.only)? {
        let image = Proof::of(&recipe, &dockerd, args)?;
        image.build()?;
        let profiles = WORKLOADS.map(|workload| image.run(workload));
        let [first, second] = profiles;
        let verdict = Verdict::of(&image.tag, &dockerd.host(), [&first?, &second?])?;
        if args.explain {
            verdict.explain(&image.name);
        }
        table.row(&image.name, &verdict);
    }
    table.finish(&args.room.join("proof.json"))
}

fn recipes(directory: &Path, only: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.join("workload").is_file() && name.contains(only) {
            found.push(path);
        }
    }
    ensure!(!found.is_empty(), "no recipe in {} has {only:?} in its name", directory.display());
    found.sort();
    Ok(found)
}

/// One image.
struct Proof<'a> {
    name: String,
    recipe: &'a Path,
    tag: String,
    dockerd: &'a Dockerd,
    args: &'a Args,
    room: PathBuf,
}

impl<'a> Proof<'a> {
    fn of(recipe: &'a Path, dockerd: &'a Dockerd, args: &'a Args) -> anyhow::Result<Self> {
        let name = recipe.file_name().context("a recipe without a name")?;
        let name = name.to_string_lossy().into_owned();
        let room = args.room.join(&name);
        fs::create_dir_all(&room)?;
        Ok(Self { tag: format!("proof-{name}"), name, recipe, dockerd, args, room })
    }

    fn has(&self, tag: &str) -> bool {
        self.dockerd.docker(&["image", "inspect", tag]).is_ok()
    }

    /// Builds the image, and the one that supports it, where they are not there.
    fn build(&self) -> anyhow::Result<()> {
        if !self.has(BASE) {
            eprintln!("prove: building the base");
            if !self.has(ROOT) {
                machine::import_base(self.dockerd, &self.args.room, ROOT)?;
            }
            let context = self.args.room.join("context");
            machine::write_context(&context)?;
            fs::copy(self.args.recipes.join("base.Dockerfile"), context.join("Dockerfile"))?;
            machine::build(self.dockerd, &context, "Dockerfile", None, BASE)?;
        }
        let recipe = fs::read_to_string(self.recipe.join("Dockerfile"))?;
        let support = format!("{}-support", self.tag);
        if recipe.contains(" AS support") && !self.has(&support) {
            machine::build(self.dockerd, self.recipe, "Dockerfile", Some("support"), &support)?;
        }
        if self.has(&self.tag) {
            return Ok(());
        }
        eprintln!("prove: building {}", self.name);
        machine::build(self.dockerd, self.recipe, "Dockerfile", None, &self.tag)
    }

    /// Runs a workload under `jettison profile`; gives the profile.
    fn run(&self, workload: &str) -> anyhow::Result<Vec<u8>> {
        let profile = self.room.join(format!("{workload}.json"));
        if !(self.args.keep && profile.exists()) {
            let printed = self.work(&self.tag, workload, &profile)?;
            fs::write(self.room.join(format!("{workload}.log")), printed)?;
        }
        Ok(fs::read(&profile)?)
    }

    /// Puts an image to a workload, and writes a profile; gives what was printed.
    fn work(&self, tag: &str, workload: &str, profile: &Path) -> anyhow::Result<String> {
        eprintln!("prove: running {}, {workload} workload", self.name);
        let name = format!("{tag}-{workload}");
        let _ = self.dockerd.docker(&["rm", "--force", "--volumes", &name]);
        let mut bash = Command::new("bash");
        bash.arg("-c")
            .arg(". \"$0\"; . \"$1\"")
            .arg(self.args.recipes.join("watch.sh"))
            .arg(self.recipe.join("workload"))
            .env("DOCKER_HOST", self.dockerd.host())
            .env("IMAGE", tag)
            .env("NAME", &name)
            .env("WORKLOAD", workload)
            .env("PROFILE", profile)
            .env("JETTISON", &self.args.jettison);
        run(&mut bash).with_context(|| format!("{}: {workload}", self.name))
    }
}
