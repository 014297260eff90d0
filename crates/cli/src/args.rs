//! What can be typed.

mod gate;
#[cfg(feature = "prune")]
mod prune;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use jettison_oci::{Bytes, Platform};

use gate::GATE_HELP;
pub(crate) use gate::{BaselineArgs, BaselineCommand, BaselineUpdateArgs, GateArgs, GateImageArgs};
#[cfg(feature = "prune")]
use prune::PRUNE_HELP;
#[cfg(feature = "prune")]
pub(crate) use prune::{
    AgeChoice, ExplainArgs, KubernetesChoice, NodeArgs, NodeFormat, NodeOutputArgs, Percent,
    PruneArgs, RuntimeChoice, TemplatesChoice,
};

/// Slims container images, and prunes the nodes that hold them.
#[derive(Debug, Parser)]
#[command(name = "jettison", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Account for every byte of an image: live, wasted by cause, duplicated.
    #[command(after_help = IMAGE_HELP)]
    Analyze(AnalyzeArgs),
    /// Show every layer that touched a path of an image, what that costs, and what leads to it.
    #[command(after_help = IMAGE_HELP)]
    Why(WhyArgs),
    /// Compare two images: bytes by layer, directory and file.
    #[command(after_help = IMAGE_HELP)]
    Diff(DiffArgs),
    /// Hold images to their budgets: pass or fail, by how much, and who grew.
    #[command(after_help = GATE_HELP)]
    Gate(GateArgs),
    /// Look after the baseline that gates compare with.
    Baseline(BaselineArgs),
    /// Remove the images of this node that nothing needs and that are old enough.
    #[cfg(feature = "prune")]
    #[command(after_help = PRUNE_HELP)]
    Prune(PruneArgs),
    /// Say why an image of this node stays or goes, and when it would go.
    #[cfg(feature = "prune")]
    Explain(ExplainArgs),
    /// Watch which files of its image a container executes and opens.
    #[command(after_help = PROFILE_HELP)]
    Profile(ProfileArgs),
    /// List what findings are about, or explain one rule.
    Rules(RulesArgs),
    /// Look after the cache of layer indexes.
    Cache(CacheArgs),
    /// Print what a shell needs to complete jettison's command line.
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (`jettison man | man -l -`).
    Man,
}

const IMAGE_HELP: &str = "\
IMAGE is one of
  docker-archive:FILE[:REF]        a tar by docker save, kaniko, podman save
  oci:DIR[:TAG]                    an OCI layout directory
  oci-archive:FILE[:TAG]           an OCI layout in a tar
  docker-daemon:REF                Docker's engine (DOCKER_HOST)
  containers-storage:REF           podman, through its socket (CONTAINER_HOST)
  containerd:[NAMESPACE/]REF       containerd (CONTAINERD_ADDRESS)
  docker://REF                     a registry
  -                                an archive on standard input
  PATH or REF                      a file or directory that exists; else a
                                   reference, looked up in the local engines
                                   and then at its registry

Exit codes: 0 done, 2 usage or configuration, 3 could not read or measure,
130 interrupted.";

#[derive(Debug, ClapArgs)]
pub(crate) struct GlobalArgs {
    /// Say nothing but the result and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Also say how things were found and read
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Show no progress
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
    /// How messages on standard error are written
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// Settings [default: the jettison.toml of this directory or one above]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Sentences
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, 80 columns wide
    Text,
    /// For machines; the schema is in schemas/
    Json,
    /// For a comment or a step's summary on GitHub, within 65,536 characters
    Markdown,
    /// Annotations by GitHub's workflow commands: the 10 gravest of each kind
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitLab's Code Quality report
    Gitlab,
    /// OpenMetrics text: GitLab's metrics reports, Prometheus
    Openmetrics,
    /// JUnit's XML, for every other CI service
    Junit,
    /// One table of everything, for spreadsheets
    Csv,
    /// A page for browsers, with a map of the files: one file that needs nothing else
    Html,
}

impl Format {
    /// The word on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Where and how images are read.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ReadArgs {
    /// The platform to choose from an image with several [default: this machine's]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<Platform>,
    /// Also check every layer's diff_id; reads all layers anew
    #[arg(long)]
    pub(crate) verify: bool,
    /// Export from an engine even where its layer directories can be read in place
    #[arg(long)]
    pub(crate) no_in_place: bool,
    /// Speak to registries over plain HTTP or with certificates that prove nothing
    #[arg(long)]
    pub(crate) insecure: bool,
    /// How many times its size a compressed layer may expand past 1 GiB; 0 for no bound
    /// [default: 200]
    #[arg(long, value_name = "TIMES")]
    pub(crate) max_expansion: Option<u64>,
    /// Threads that decompress and hash [default: one a processor]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) cache: CacheSettings,
}

#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct CacheSettings {
    /// Neither use nor write the cache of layer indexes
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// How large the cache of layer indexes may become [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) cache_size: Option<Bytes>,
}

/// What files are for.
#[derive(Debug, ClapArgs)]
pub(crate) struct FactsArgs {
    /// Also find out what leads to each file from what the image runs, and what nothing leads to
    /// [default: the configuration's `unused`]
    #[arg(long)]
    pub(crate) unused: bool,
    /// Files that a run of the image executed and opened, as evidence; several are merged, and
    /// --unused is meant
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Vec<PathBuf>,
}

/// How results are written.
#[derive(Debug, ClapArgs)]
pub(crate) struct OutputArgs {
    /// What is printed on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Also write FORMAT to FILE; may be given any number of times
    #[arg(long, value_name = "FORMAT=FILE", value_parser = output)]
    pub(crate) output: Vec<(Format, PathBuf)>,
    /// Rows of each list [default: 10]
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
    /// Leave out rows with fewer bytes [default: 1]
    #[arg(long, value_name = "SIZE")]
    pub(crate) min_bytes: Option<Bytes>,
}

impl OutputArgs {
    /// Whether anything is to be written as `format`.
    pub(crate) fn wants(&self, format: Format) -> bool {
        self.format == format || self.output.iter().any(|(output, _)| *output == format)
    }
}

fn output(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text
        .split_once('=')
        .filter(|(_, path)| !path.is_empty())
        .ok_or("expected FORMAT=FILE, such as json=report.json")?;
    if path == "-" {
        return Err("standard output is what --format is for: expected a file".to_owned());
    }
    Ok((Format::from_str(format, false)?, PathBuf::from(path)))
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AnalyzeArgs {
    /// The image; see below
    pub(crate) image: String,
    /// The base image, or how many of the bottom layers are its
    #[arg(long, value_name = "IMAGE|N")]
    pub(crate) base: Option<String>,
    /// What to do about the image: the best actions, or all findings and suggestions with their
    /// places and the lines to write; `off` is faster [default: brief]
    #[arg(long, value_name = "HOW")]
    pub(crate) advice: Option<AdviceLevel>,
    /// The Dockerfile that the image is built by: what to do is told by its lines, and as a diff
    #[arg(long, value_name = "FILE")]
    pub(crate) dockerfile: Option<PathBuf>,
    /// The stage of the Dockerfile that the image is [default: the last]
    #[arg(long, value_name = "STAGE", requires = "dockerfile")]
    pub(crate) target: Option<String>,
    /// Also take bases from this table: what yours hold, in the form of jettison's own
    #[arg(long, value_name = "FILE")]
    pub(crate) bases: Option<PathBuf>,
    /// Read the bases that fit from their registries, to measure them
    #[arg(long)]
    pub(crate) resolve_bases: bool,
    /// Compress the layers again, to measure what zstd would save: slow
    #[arg(long)]
    pub(crate) measure_zstd: bool,
    /// Write the whole Dockerfile that saves most to FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) write_dockerfile: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) facts: FactsArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct WhyArgs {
    /// The image; see below
    pub(crate) image: String,
    /// A path in the image; bytes that are no text as \xNN, as reports show them
    pub(crate) path: String,
    /// Files that a run of the image executed and opened, as evidence; several are merged
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DiffArgs {
    /// The image to compare with; see below
    pub(crate) old: String,
    /// The image that is compared
    pub(crate) new: String,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

const PROFILE_HELP: &str = "\
The container is watched from this machine, as root: nothing is put into it, and
its user, seccomp profile and capabilities stay. A container that does not run
yet is started, and watched from its start. Ctrl-C ends the watching, not the
container, unless it was made for this.

Not seen: files that are only looked up (stat, readlink), volumes, other mounts.

  jettison profile app:1 --output run.json -- /app/serve --self-test
  docker create --name app -p 8080:80 app:1
  jettison profile --container app --for 30s --output run.json
  jettison analyze app:1 --profile run.json

Exit codes: 0 done, 2 usage or configuration, 3 could not watch, or events were
lost. What the container's command ended with is in the profile.";

#[derive(Debug, ClapArgs)]
pub(crate) struct ProfileArgs {
    /// An image that the engine has, to be run in a new container
    #[arg(required_unless_present = "container")]
    pub(crate) image: Option<String>,
    /// What runs in the new container, in place of the image's CMD
    #[arg(last = true, requires = "image")]
    pub(crate) command: Vec<String>,
    /// Watch this container, running or not yet started, by name or ID
    #[arg(long, value_name = "NAME", conflicts_with = "image")]
    pub(crate) container: Option<String>,
    /// End after this time [default: when the container ends]
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) time: Option<Duration>,
    /// Set a variable in the new container
    #[arg(long, short, value_name = "NAME=VALUE", requires = "image")]
    pub(crate) env: Vec<String>,
    /// The new container's network, as the engine names it
    #[arg(long, value_name = "NETWORK", requires = "image")]
    pub(crate) network: Option<String>,
    /// Where the profile is written [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// How much is said of what to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AdviceLevel {
    /// Nothing: only the account
    Off,
    /// The best actions, a line each
    #[default]
    Brief,
    /// Every finding and suggestion
    Full,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RulesArgs {
    /// Tell all about one rule
    #[arg(long, value_name = "RULE")]
    pub(crate) explain: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Remove every layer index
    Clear,
    /// Print where the layer indexes are
    Path,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
