//! What can be typed of nodes and their images.

#![expect(clippy::doc_markdown, reason = "the comments are the help of the command line")]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use jettison_oci::Bytes;
use serde::Deserialize;

use super::Format;

pub(super) const PRUNE_HELP: &str = "\
An image goes when nothing needs it and it is old enough. Needed is what a
container has (in any state), a pod's sandbox, a pod of this node, a pod without
a node, a workload's template, a static pod, and what a keep rule, a label
(jettison.io/keep), a pin or the list of what nodes cannot do without names.

Its age is counted from when jettison last saw it needed (--age-by unused), so
the first run removes nothing. Look often: `jettison prune --observe` from cron,
or `jettison prune --watch`.

--advise-kubelet reads a kubelet's configuration, /var/lib/kubelet/config.yaml
or what it answers itself, which also has its command line's settings:
kubectl get --raw /api/v1/nodes/NODE/proxy/configz >configz.json

On a terminal the plan is shown and a question asked. Elsewhere nothing is
removed without --yes.

A GLOB of --keep is a reference with *, **, ?, [...] and {a,b}, with or without
a tag: nginx*, team/**, registry.example/base/*:21; or sha256: and an ID.

Settings may stand in [prune] of jettison.toml, under the flags' names.

Exit codes: 0 done, 1 a removal failed, 2 usage or configuration, 3 could not
read or write, 4 refused for safety: nothing was removed.";

#[derive(Debug, ClapArgs)]
pub(crate) struct PruneArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Remove without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Only show what would be removed, whatever else is said
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Only look, and remember what was seen
    #[arg(long, conflicts_with_all = ["yes", "dry_run"])]
    pub(crate) observe: bool,
    /// Remove so many images at most
    #[arg(long, value_name = "N")]
    pub(crate) max_images: Option<usize>,
    /// Give back so many bytes at most
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_bytes: Option<Bytes>,
    /// Stop once so much of the image file system is free
    #[arg(long, value_name = "PERCENT")]
    pub(crate) until_free: Option<Percent>,
    /// Begin no removal after this time
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Option<Duration>,
    /// Only say what in this kubelet configuration acts against the policy, and what to write
    /// instead (`-` is standard input)
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["yes", "dry_run", "observe", "watch"]
    )]
    pub(crate) advise_kubelet: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) watch: WatchArgs,
    #[command(flatten)]
    pub(crate) output: NodeOutputArgs,
}

/// `--watch`.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "As a service")]
pub(crate) struct WatchArgs {
    /// Go on looking, and remove when it is due
    #[arg(long, conflicts_with_all = ["observe", "yes"])]
    pub(crate) watch: bool,
    /// When it is due: five fields as cron has them, such as "0 3 * * *"
    #[arg(long, value_name = "CRON", requires = "watch")]
    pub(crate) schedule: Option<String>,
    /// The schedule's time zone [default: UTC]
    #[arg(long, value_name = "ZONE", requires = "watch")]
    pub(crate) time_zone: Option<String>,
    /// Begin up to so much later, differently on each node [default: 0s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, requires = "watch")]
    pub(crate) jitter: Option<Duration>,
    /// Remove nothing in this part of the day, such as 08:00-18:00
    #[arg(long, value_name = "HH:MM-HH:MM", requires = "watch")]
    pub(crate) quiet_window: Vec<String>,
    /// Remove once so much of the image file system is used
    #[arg(long, value_name = "PERCENT", requires = "low_threshold")]
    pub(crate) high_threshold: Option<Percent>,
    /// ... until no more than this is
    #[arg(long, value_name = "PERCENT", requires = "high_threshold")]
    pub(crate) low_threshold: Option<Percent>,
    /// The age from which on an image may go then [default: that of --older-than]
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, requires = "watch")]
    pub(crate) pressure_older_than: Option<Duration>,
    /// How long between two looks [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, requires = "watch")]
    pub(crate) observe_every: Option<Duration>,
    /// Serve /metrics and /healthz there [default: 127.0.0.1:9640; `off` for nowhere]
    #[arg(long, value_name = "ADDRESS", requires = "watch")]
    pub(crate) metrics_address: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExplainArgs {
    /// The image: a name, a digest or an ID
    pub(crate) image: String,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    #[command(flatten)]
    pub(crate) output: NodeOutputArgs,
}

/// How results about nodes are written.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Output")]
pub(crate) struct NodeOutputArgs {
    /// What is printed on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: NodeFormat,
    /// Also write FORMAT to FILE; may be given any number of times
    #[arg(long, value_name = "FORMAT=FILE", value_parser = output)]
    pub(crate) output: Vec<(Format, PathBuf)>,
    /// Rows of each list of what stays [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NodeFormat {
    /// For people, 80 columns wide
    Text,
    /// For machines; the schema is in schemas/
    Json,
}

impl From<NodeFormat> for Format {
    fn from(format: NodeFormat) -> Self {
        match format {
            NodeFormat::Text => Self::Text,
            NodeFormat::Json => Self::Json,
        }
    }
}

fn output(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = super::output(text)?;
    if !matches!(format, Format::Text | Format::Json) {
        return Err("expected text=FILE or json=FILE".to_owned());
    }
    Ok((format, path))
}

/// Which node it is about, and what may go.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Which node, and what may go of it")]
pub(crate) struct NodeArgs {
    /// The container runtime [default: auto, the one that answers]
    #[arg(long, value_name = "RUNTIME")]
    pub(crate) runtime: Option<RuntimeChoice>,
    /// Its socket: unix:///run/..., a path, or tcp:// for an engine
    #[arg(long, value_name = "URI")]
    pub(crate) endpoint: Option<String>,
    /// Ask Kubernetes which images pods and workloads name [default: auto, where this is a node
    /// of a cluster]
    #[arg(long, value_name = "WHEN")]
    pub(crate) kubernetes: Option<KubernetesChoice>,
    /// How Kubernetes is reached, outside of a pod [default: KUBECONFIG, ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// This node's name in Kubernetes [default: NODE_NAME, or the host's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) node_name: Option<String>,
    /// Which workloads keep the images of their templates [default: all]
    #[arg(long, value_name = "WHICH")]
    pub(crate) templates: Option<TemplatesChoice>,
    /// The manifests of static pods [default: /etc/kubernetes/manifests, where it is]
    #[arg(long, value_name = "DIR")]
    pub(crate) static_pods: Option<PathBuf>,
    /// The age from which on an image may go [default: 7d]
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    pub(crate) older_than: Option<Duration>,
    /// What that age is counted from [default: unused]
    #[arg(long, value_name = "WHAT")]
    pub(crate) age_by: Option<AgeChoice>,
    /// How long an image has to be on the node at least [default: 1h]
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    pub(crate) min_age: Option<Duration>,
    /// Keep images of these names
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    pub(crate) keep: Vec<String>,
    /// Keep the newest N images of each repository [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) keep_newest: Option<usize>,
    /// Let also go what nodes cannot do without, where nothing else keeps it
    #[arg(long)]
    pub(crate) no_built_in_keeps: bool,
    /// Let also go what could not be pulled again: built, loaded or imported here
    #[arg(long)]
    pub(crate) allow_unpullable: bool,
    /// Ask its registry for each image that would go: what it does not give stays
    #[arg(long, conflicts_with = "allow_unpullable")]
    pub(crate) verify_pullable: bool,
    /// Where the history is kept [default: /var/lib/jettison]
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RuntimeChoice {
    /// The one that answers; several are an error
    Auto,
    /// Docker's engine
    Docker,
    /// containerd, CRI-O or another that serves the Container Runtime Interface
    Cri,
    /// podman's service
    Podman,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KubernetesChoice {
    /// Where this is a pod, a kubeconfig is named, or the runtime has pods
    Auto,
    /// Always: without an answer nothing goes
    Required,
    /// Never: only what the runtime itself knows counts
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TemplatesChoice {
    /// All of the cluster, also at 0 replicas
    All,
    /// None: what no pod has at the moment may go
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AgeChoice {
    /// When something was last seen that needs it, or it was first seen
    Unused,
    /// When it came to the node, where the runtime keeps a truthful record
    Pulled,
    /// When it was built, by its own word
    Created,
}

/// A share in percent: `20%` or `20`, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Percent(pub(crate) u8);

impl std::str::FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix('%').unwrap_or(text).trim();
        match number.parse() {
            Ok(percent @ 0..=100) => Ok(Self(percent)),
            _ => Err(format!("{text:?} is no share: expected 0% to 100%")),
        }
    }
}
