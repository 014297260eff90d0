//! The node that a command is about, as flags, settings and surroundings say.

use std::path::PathBuf;
use std::time::Duration;

use jettison_oci::Bytes;
use jettison_pruner::outside::{Alone, Outlook};
use jettison_pruner::policy::{AgeBy, Bounds};
use jettison_pruner::prune::{Node, Verify};
use jettison_pruner::reference::keep::KeepRules;
use jettison_pruner::runtime::{Asked, Kind, Runtime, find};
use jettison_pruner::watch::Thresholds;
use jettison_pruner::{Policy, report};

use crate::args::{
    AgeChoice, KubernetesChoice, NodeArgs, NodeOutputArgs, PruneArgs, RuntimeChoice,
    TemplatesChoice,
};
use crate::command::Context;
use crate::exit::UsageError;
use crate::settings;

/// Where a node's history is kept.
const STATE_DIR: &str = "/var/lib/jettison";
/// Where kubeadm and others put the manifests of static pods.
const STATIC_PODS: &str = "/etc/kubernetes/manifests";
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
    let name = name(args, context);
    let outlook = outlook(args, &name, &*runtime, context)?;
    let verify = verify(args.verify_pullable || config.verify_pullable)?;
    Ok(Node { name, runtime, outlook, keep, policy, verify })
}

/// Asks registries whether they still have what would go.
#[cfg(feature = "registry")]
#[expect(clippy::unnecessary_wraps, reason = "a build without registries cannot")]
fn verify(is_wanted: bool) -> anyhow::Result<Option<Box<Verify>>> {
    use jettison_analyzer::source::registry;
    use jettison_oci::Reference;

    if !is_wanted {
        return Ok(None);
    }
    let options = settings::registry_options();
    Ok(Some(Box::new(move |image| {
        let mut because = "no registry is known to have it".to_owned();
        for name in &image.digests {
            let answer =
                name.parse::<Reference>().map_err(|error| error.to_string()).and_then(|name| {
                    registry::open(&name, &options).map_err(|error| error.to_string())
                });
            match answer {
                Ok(_) => return Ok(()),
                Err(error) => because = format!("its registry does not give it now: {error}"),
            }
        }
        Err(because)
    })))
}

#[cfg(not(feature = "registry"))]
fn verify(is_wanted: bool) -> anyhow::Result<Option<Box<Verify>>> {
    if is_wanted {
        return Err(jettison_analyzer::Error::NotBuilt("registries", "registry").into());
    }
    Ok(None)
}

/// The node's name.
pub(crate) fn name(args: &NodeArgs, context: &Context) -> String {
    let name = args.node_name.clone().or_else(|| context.config.prune.node_name.clone());
    name.or_else(settings::node_name).unwrap_or_else(settings::host_name)
}

/// Who is asked outside the runtime.
fn outlook(
    args: &NodeArgs,
    node: &str,
    runtime: &dyn Runtime,
    context: &Context,
) -> anyhow::Result<Box<dyn Outlook>> {
    let config = &context.config.prune;
    let static_pods = args.static_pods.clone().or_else(|| config.static_pods.clone());
    let static_pods =
        static_pods.or_else(|| Some(PathBuf::from(STATIC_PODS)).filter(|path| path.is_dir()));
    let choice = args.kubernetes.or(config.kubernetes).unwrap_or(KubernetesChoice::Auto);
    if choice == KubernetesChoice::Off {
        return Ok(Box::new(Alone { static_pods }));
    }
    let named = args.kubeconfig.clone().or_else(|| config.kubeconfig.clone());
    let named = named.map_or_else(settings::kubeconfig_variable, |path| vec![path]);
    let is_asked = choice == KubernetesChoice::Required || !named.is_empty();
    if !is_asked && !settings::is_pod() {
        let pods = runtime.used()?.pod_uids().len();
        if pods == 0 {
            context.printer.note("no pod of Kubernetes runs here: its API is not asked");
            return Ok(Box::new(Alone { static_pods }));
        }
    }
    let templates = args.templates.or(config.templates).unwrap_or(TemplatesChoice::All);
    kubernetes::member(&named, node, templates == TemplatesChoice::All, static_pods)
}

#[cfg(feature = "kubernetes")]
mod kubernetes {
    use std::path::PathBuf;

    use jettison_pruner::Error;
    use jettison_pruner::kubernetes::{Api, Member};
    use jettison_pruner::outside::Outlook;

    use crate::settings;

    /// The node as a member of the cluster that is named, that this process is a pod of, or that
    /// the user's kubeconfig names.
    pub(super) fn member(
        named: &[PathBuf],
        node: &str,
        templates: bool,
        static_pods: Option<PathBuf>,
    ) -> anyhow::Result<Box<dyn Outlook>> {
        let api = if !named.is_empty() {
            Api::from_kubeconfig(named, None)?
        } else if settings::is_pod() {
            Api::in_cluster()?
        } else if let Some(path) = settings::home_kubeconfig() {
            Api::from_kubeconfig(&[path], None)?
        } else {
            return Err(Error::Refused(
                "pods of Kubernetes run here, and nothing says how to ask its API which images \
                 they need: name a kubeconfig with --kubeconfig, run as a pod with a service \
                 account, or say --kubernetes off if only what the runtime knows counts"
                    .to_owned(),
            )
            .into());
        };
        Ok(Box::new(Member { api, node: node.to_owned(), templates, static_pods }))
    }
}

#[cfg(not(feature = "kubernetes"))]
mod kubernetes {
    use std::path::PathBuf;

    use jettison_pruner::Error;
    use jettison_pruner::outside::Outlook;

    /// What this build cannot do.
    pub(super) fn member(
        _: &[PathBuf],
        _: &str,
        _: bool,
        _: Option<PathBuf>,
    ) -> anyhow::Result<Box<dyn Outlook>> {
        let because = "this build of jettison does not speak to Kubernetes (feature kubernetes): \
                       say --kubernetes off if only what the runtime knows counts";
        Err(Error::Refused(because.to_owned()).into())
    }
}

/// What may go.
pub(crate) fn policy(args: &NodeArgs, bounds: Bounds, context: &Context) -> Policy {
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

/// From which share of the image file system on images go, and down to which.
pub(crate) fn thresholds(
    args: &PruneArgs,
    context: &Context,
) -> anyhow::Result<Option<Thresholds>> {
    let config = &context.config.prune;
    let high = args.watch.high_threshold.or(config.high_threshold);
    let low = args.watch.low_threshold.or(config.low_threshold);
    match (high, low) {
        (Some(high), Some(low)) => Ok(Some(Thresholds::new(high.0, low.0)?)),
        (None, None) => Ok(None),
        _ => {
            let error = "high-threshold and low-threshold go together";
            Err(UsageError(error.to_owned()).into())
        }
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
