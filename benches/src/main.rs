//! Comparisons with peers on the same input in one run, against the bars that the project set
//! itself. `benches/run` is the way to start it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is the product")]

mod cache;
mod decompress;
mod facts;
mod gate;
mod machine;
mod made;
mod measure;
mod million;
mod needed;
mod node;
mod profiling;
mod programs;
mod proof;
mod real;
mod saved;
mod table;
mod whiteouts;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Parser;

use crate::programs::Programs;
use crate::table::Table;

/// Compares jettison with dive on the same images.
#[derive(Parser)]
enum Args {
    /// Measure, and print the table.
    Run(RunArgs),
    /// Compare what real runs open with what was called unused.
    Prove(proof::Args),
    /// Decompress the layers of an archive and do nothing else: what a comparison needs.
    Decompress {
        /// An OCI archive.
        archive: PathBuf,
    },
    /// Write one of the made images.
    Make {
        /// Where to.
        archive: PathBuf,
        /// Which.
        #[command(subcommand)]
        recipe: made::Recipe,
    },
}

#[derive(clap::Args)]
struct RunArgs {
    /// Where images, programs and results are kept.
    #[arg(long)]
    room: PathBuf,
    /// Runs of each program; their mean counts.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// End with exit code 1 where a bar is missed.
    #[arg(long)]
    strict: bool,
    /// Only groups whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// An image saved by `docker save`, instead of building one.
    #[arg(long)]
    archive: Option<PathBuf>,
    /// With --archive: the engine that holds the image.
    #[arg(long, requires = "image")]
    engine: Option<String>,
    /// With --engine: the image's name there.
    #[arg(long)]
    image: Option<String>,
}

fn main() -> ExitCode {
    let result = match Args::parse() {
        Args::Decompress { archive } => decompress::run(&archive).map(|()| true),
        Args::Make { archive, recipe } => recipe.write(&archive).map(|()| true),
        Args::Prove(args) => proof::run_all(&args).map(|met| met || !args.strict),
        Args::Run(args) => run(&args).map(|met| met || !args.strict),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("benches: {error:#}");
            ExitCode::from(3)
        }
    }
}

/// Measures, prints and writes down; tells whether every bar is met.
fn run(args: &RunArgs) -> anyhow::Result<bool> {
    if args.runs == 0 {
        bail!("--runs 0 measures nothing");
    }
    let wanted = |group: &str| group.contains(&args.only);
    let programs = Programs::find(&args.room)?;
    let mut table = Table::new();
    println!("{}", programs.describe()?);
    if wanted("whiteouts") {
        whiteouts::measure(&programs, args.runs, &mut table)?;
    }
    if wanted("million") {
        million::measure(&programs, args.runs, &mut table)?;
    }
    if wanted("node") {
        node::measure(&programs, args.runs, &mut table)?;
    }
    if wanted("needed") {
        needed::compare(&programs, &args.room)?;
    }
    if ["archive", "engine", "cache", "facts", "gate", "profile"].into_iter().any(wanted) {
        let real = match (&args.archive, &args.engine, &args.image) {
            (None, ..) => real::build(&args.room)?,
            (Some(archive), engine, image) => {
                real::Real::given(archive, engine.as_deref().zip(image.as_deref()))
            }
        };
        println!("{}", real.describe()?);
        let archives = saved::convert(&real.archive, &args.room.join("archives"))?;
        if wanted("archive") {
            saved::measure(&programs, &archives, args.runs, &mut table)?;
        }
        if wanted("engine") {
            real.measure(&programs, args.runs, &mut table)?;
        }
        if wanted("facts") {
            facts::measure(&programs, &archives, args.runs, &mut table)?;
        }
        if wanted("gate") {
            gate::measure(&programs, &archives, args.runs, &mut table)?;
        }
        if wanted("profile") {
            profiling::measure(&programs, &real, args.runs, &mut table)?;
        }
        if wanted("cache") {
            cache::measure(&programs, &archives, args.runs, &mut table)?;
        }
    }
    table.finish(&args.room.join("results.json"))
}
