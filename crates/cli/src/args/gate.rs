//! What can be typed of the gate and its baselines.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use jettison_oci::Bytes;

use super::{OutputArgs, ReadArgs};

pub(super) const GATE_HELP: &str = "\
IMAGE is written as for `jettison analyze`, with NAME= in front where it is to be
kept under another name than its repository's or its file's.

Budgets stand in jettison.toml:

  [gate]
  baseline = \"jettison-baseline.json\"
  [[gate.budget]]
  image = \"registry.example/app*\"     # glob; all images where absent
  platform = \"linux/*\"                # likewise
  metric = \"own-effective\"            # or directory = \"/opt\", package = \"numpy\"
  max = \"300 MiB\"                     # more fails; equal passes
  warn = \"280 MiB\"                    # more is told
  max-increase = \"10 MiB\"             # against the baseline
  max-increase-percent = 5              # and more than
  percent-floor = \"5 MiB\"
  tolerance = \"64 KiB\"                # an increase up to this is none
  [[gate.budget]]
  max-layers = 40
  max-layer-size = \"200 MiB\"
  min-efficiency = 0.95
  [[gate.deny]]
  rule = \"secrets\"                    # or path = \"/root/.ssh/**\"

Metrics: compressed, uncompressed, effective, wasted, duplicate, unused,
unused-high, unused-medium, unused-low, layers; own-... counts what stands above
the base image.

Exit codes: 0 passed or warned, 1 failed, 2 usage or configuration, 3 could not
read or measure, 130 interrupted.";

#[derive(Debug, ClapArgs)]
pub(crate) struct GateArgs {
    /// The images; see below
    #[arg(required = true, value_name = "[NAME=]IMAGE")]
    pub(crate) images: Vec<String>,
    /// Compare with this baseline [default: the configuration's]
    #[arg(long, value_name = "FILE", conflicts_with = "against")]
    pub(crate) baseline: Option<PathBuf>,
    /// Compare with this image; once for each image, in their order
    #[arg(long, value_name = "IMAGE")]
    pub(crate) against: Vec<String>,
    /// Fail where there is nothing to compare with
    #[arg(long)]
    pub(crate) require_baseline: bool,
    /// Let increases pass this time, and say why
    #[arg(long, value_name = "REASON")]
    pub(crate) allow_increase: Option<String>,
    /// Inform only: exit with 0 where the gate fails
    #[arg(long)]
    pub(crate) exit_zero: bool,
    /// Changes up to this need no comment: markdown says so in one line
    #[arg(long, value_name = "SIZE", default_value = "0")]
    pub(crate) comment_threshold: Bytes,
    /// Also hold to the rules of dive's gate
    #[arg(long, value_name = "FILE")]
    pub(crate) dive_config: Option<PathBuf>,
    /// Write a jettison.toml by what the images weigh now, and judge nothing
    #[arg(long, conflicts_with_all = ["against", "require_baseline", "allow_increase", "exit_zero"])]
    pub(crate) init: bool,
    #[command(flatten)]
    pub(crate) of: GateImageArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

/// How images are told of.
#[derive(Debug, ClapArgs)]
pub(crate) struct GateImageArgs {
    /// The base image, or how many of the bottom layers are its [default: the configuration's]
    #[arg(long, value_name = "IMAGE|N")]
    pub(crate) base: Option<String>,
    /// Look at each of these platforms, or at all that the images have
    #[arg(long, value_name = "all|LIST", value_delimiter = ',', conflicts_with = "platform")]
    pub(crate) platforms: Vec<String>,
    /// The commit that the images were built of, to be noted
    #[arg(long, value_name = "COMMIT")]
    pub(crate) commit: Option<String>,
    /// The Dockerfile that the images are built by: who grew is told by its lines
    #[arg(long, value_name = "FILE")]
    pub(crate) dockerfile: Option<PathBuf>,
    /// The stage of the Dockerfile that the images are [default: the last]
    #[arg(long, value_name = "STAGE", requires = "dockerfile")]
    pub(crate) target: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct BaselineArgs {
    #[command(subcommand)]
    pub(crate) command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Note what images weigh now; entries that did not move stay as they are.
    #[command(after_help = GATE_HELP)]
    Update(BaselineUpdateArgs),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct BaselineUpdateArgs {
    /// The images; those that the baseline has where none is named
    #[arg(value_name = "[NAME=]IMAGE")]
    pub(crate) images: Vec<String>,
    /// The baseline [default: the configuration's, else jettison-baseline.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Note why an increase is accepted
    #[arg(long, value_name = "REASON")]
    pub(crate) allow_increase: Option<String>,
    #[command(flatten)]
    pub(crate) of: GateImageArgs,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}
