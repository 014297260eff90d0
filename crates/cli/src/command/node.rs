//! The node that a command is about, as flags, settings and surroundings say.

use std::path::PathBuf;
use std::time::Duration;

use jettison_oci::Bytes;
use jettison_pruner::outside::Nowhere;
use jettison_pruner::policy::{AgeBy, Bounds};
use jettison_pruner::prune::Node;
use jettison_pruner::reference::keep::KeepRules;
use jettison_pruner::runtime::{Asked, Kind, find};
use jettison_pruner::{Policy, report};

use crate::args::{AgeChoice, NodeArgs, NodeOutputArgs, PruneArgs, RuntimeChoice};
use crate::command::Context;
use crate::settings;

/// Where a node's history is kept.
const STATE_DIR: &str = "/var/lib/jettison";
/// Below this an image that was just pulled may go before its first container is made.
const MIN_AGE_WARN: Duration = Duration::from_mins(10);

/// The node, connected.
pub(crate) fn node(args: &NodeArgs, bounds: Bounds, context: &Context) -> anyhow::Result<Node> {
    let config = &context.config.prune;
    let policy = policy(args, bounds, context);
    let patterns: Vec<String> = config.keep.iter().chain(&args.keep).cloned().collect();
    let built_in = !args.no_built_in_keeps && config.built_in_keeps != Some(false);
    let keep = KeepRules::new(&patterns, built_in)?;
    let kind = match args.runtime.or(config.runtime).unwrap_or(RuntimeChoice::Auto) {
        RuntimeChoice::Auto => None,
        RuntimeChoice::Docker => Some(Kind::Docker),
        RuntimeChoice::Podman => Some(Kind::Podman),
        RuntimeChoice::Cri => Some(Kind::Cri),
    };
    let runtime = find(&Asked {
        kind,
        endpoint: args.endpoint.clone().or_else(|| config.endpoint.clone()),
        docker_host: settings::docker_host(),
        podman_host: settings::podman_host(),
    })?;
    let name = args.node_name.clone().or_else(|| config.node_name.clone());
    let name = name.or_else(settings::node_name).unwrap_or_else(settings::host_name);
    Ok(Node { name, runtime, outlook: Box::new(Nowhere), keep, policy })
}

fn policy(args: &NodeArgs, bounds: Bounds, context: &Context) -> Policy {
    let (config, default) = (&context.config.prune, Policy::default());
    let age_by = match args.age_by.or(config.age_by).unwrap_or(AgeChoice::Unused) {
        AgeChoice::Unused => AgeBy::Unused,
        AgeChoice::Pulled => AgeBy::Pulled,
        AgeChoice::Created => AgeBy::Created,
    };
    let min_age = args.min_age.or(config.min_age).unwrap_or(default.min_age);
    if min_age < MIN_AGE_WARN {
        context.printer.warning(&format!(
            "--min-age {}: an image that was just pulled may go before its container is made",
            report::span(min_age)
        ));
    }
    Policy {
        older_than: args.older_than.or(config.older_than).unwrap_or(default.older_than),
        age_by,
        min_age,
        keep_newest: args.keep_newest.or(config.keep_newest).unwrap_or(default.keep_newest),
        allow_unpullable: args.allow_unpullable || config.allow_unpullable,
        bounds,
    }
}

/// What bounds a run.
pub(crate) fn bounds(args: &PruneArgs, context: &Context) -> Bounds {
    let config = &context.config.prune;
    Bounds {
        max_images: args.max_images.or(config.max_images),
        max_bytes: args.max_bytes.or(config.max_bytes).map(Bytes::get),
        until_free: args.until_free.or(config.until_free).map(|percent| percent.0),
    }
}

/// Where the history is.
pub(crate) fn state_dir(args: &NodeArgs, context: &Context) -> PathBuf {
    let config = context.config.prune.state_dir.clone();
    args.state_dir.clone().or(config).unwrap_or_else(|| PathBuf::from(STATE_DIR))
}

/// How text is styled.
pub(crate) fn style(args: &NodeOutputArgs, color: bool) -> report::Style {
    report::Style { color, top: args.top }
}
