//! What the surroundings say: the one place that reads the environment.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::SystemTime;

use jettison_analyzer::blob::decompress::Expansion;
use jettison_analyzer::finding::Ignore;
use jettison_analyzer::finding::ignore::Pattern;
use jettison_analyzer::layer::cache::Cache;
use jettison_analyzer::progress::Shared;
use jettison_analyzer::rule;
use jettison_analyzer::source::OpenOptions;
use jettison_oci::{Bytes, Platform};

use crate::args::{CacheSettings, GlobalArgs, ReadArgs};
use crate::command::Context;
use crate::config::{Analyze, Config, known};
use crate::exit::UsageError;

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn directory(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// How images are opened.
pub(crate) fn open_options(args: &ReadArgs, config: &Analyze) -> OpenOptions {
    let platform = args.platform.clone().or_else(|| config.platform.clone());
    let ratio = args.max_expansion.or(config.max_expansion);
    OpenOptions {
        platform_asked: platform.is_some(),
        platform: platform.unwrap_or_else(Platform::host),
        expansion: ratio.map_or_else(Expansion::default, |ratio| Expansion { ratio }),
        progress: Shared::default(),
        gather: false,
        verify: args.verify,
        docker_host: docker_host(),
        podman_host: podman_host(),
        containerd_address: directory("CONTAINERD_ADDRESS"),
        in_place: !args.no_in_place,
        insecure: args.insecure,
        auth_files: auth_files(),
    }
}

/// How registries are asked where no flag of reading says more.
#[cfg(all(feature = "prune", feature = "registry"))]
pub(crate) fn registry_options() -> OpenOptions {
    OpenOptions { auth_files: auth_files(), ..OpenOptions::default() }
}

/// Where Docker's engine listens.
pub(crate) fn docker_host() -> Option<String> {
    variable("DOCKER_HOST")
}

/// Where podman's API is served.
pub(crate) fn podman_host() -> Option<String> {
    variable("CONTAINER_HOST").or_else(rootless_podman)
}

/// podman's socket of this user, where the system's own is not used.
fn rootless_podman() -> Option<String> {
    let socket = directory("XDG_RUNTIME_DIR")?.join("podman/podman.sock");
    socket.exists().then(|| format!("unix://{}", socket.display()))
}

/// This node's name, as Kubernetes' downward API gives it to a pod that asks.
#[cfg(feature = "prune")]
pub(crate) fn node_name() -> Option<String> {
    variable("NODE_NAME")
}

/// The files that `KUBECONFIG` names.
#[cfg(feature = "prune")]
pub(crate) fn kubeconfig_variable() -> Vec<PathBuf> {
    let list = std::env::var_os("KUBECONFIG").unwrap_or_default();
    std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect()
}

/// The user's own kubeconfig, where there is one.
#[cfg(feature = "kubernetes")]
pub(crate) fn home_kubeconfig() -> Option<PathBuf> {
    directory("HOME").map(|home| home.join(".kube/config")).filter(|path| path.is_file())
}

/// Whether this process is a container of a pod that may ask its cluster's API.
#[cfg(feature = "prune")]
pub(crate) fn is_pod() -> bool {
    variable("KUBERNETES_SERVICE_HOST").is_some()
        && std::path::Path::new("/var/run/secrets/kubernetes.io/serviceaccount/token").exists()
}

/// The host's name, as the kubelet takes it for the node's.
#[cfg(feature = "prune")]
pub(crate) fn host_name() -> String {
    let system = rustix::system::uname();
    system.nodename().to_string_lossy().to_ascii_lowercase()
}

/// podman's auth files, as containers-auth.json(5) orders them, then Docker's.
fn auth_files() -> Vec<PathBuf> {
    let home = directory("HOME");
    let below_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let config = directory("XDG_CONFIG_HOME").or_else(|| below_home(".config"));
    [
        directory("REGISTRY_AUTH_FILE"),
        directory("XDG_RUNTIME_DIR").map(|run| run.join("containers/auth.json")),
        config.map(|config| config.join("containers/auth.json")),
        directory("DOCKER_CONFIG")
            .or_else(|| below_home(".docker"))
            .map(|docker| docker.join("config.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The cache of layer indexes; `None` where it is not wanted or there is no place for it.
pub(crate) fn cache(args: &CacheSettings, config: &Analyze) -> Option<Cache> {
    if args.no_cache {
        return None;
    }
    Some(Cache::open(cache_root()?, args.cache_size.or(config.cache_size).unwrap_or(CACHE_SIZE)))
}

/// How large the cache may become where nobody says.
const CACHE_SIZE: Bytes = Bytes(1 << 30);

/// `jettison.toml`, and where it stands.
pub(crate) fn config(args: &GlobalArgs) -> anyhow::Result<(Config, Option<PathBuf>)> {
    Config::find(args.config.as_deref(), &here())
}

/// The working directory; empty where it is gone: then it has no settings above it.
pub(crate) fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

/// Today's date, `2027-06-30`, in UTC.
pub(crate) fn today() -> String {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    now.split('T').next().unwrap_or_default().to_owned()
}

/// What findings are not told. Those whose day is over are told of.
pub(crate) fn ignores(context: &Context) -> anyhow::Result<Vec<Ignore>> {
    let today = today();
    let mut ignores = Vec::new();
    for (at, row) in context.config.ignore.iter().enumerate() {
        let named = format!("[[ignore]] number {}", at + 1);
        let failed = |error: String| UsageError(format!("{named}: {error}"));
        let until = match &row.until {
            Some(until) => {
                Some(until.date.ok_or_else(|| failed("until is no date".to_owned()))?.to_string())
            }
            None => None,
        };
        let ignore = Ignore {
            rule: row.rule.clone(),
            path: row.path.as_deref().map(Pattern::new).transpose().map_err(failed)?,
            package: row.package.clone(),
            reason: row.reason.clone(),
            until,
        };
        if let Some(id) = &ignore.rule {
            let ids: Vec<&str> = rule::ALL.iter().map(|rule| rule.id).collect();
            known(id, &ids).map_err(|hint| failed(format!("there is no rule {id}{hint}")))?;
        }
        if ignore.reason.trim().is_empty() {
            return Err(failed("it gives no reason".to_owned()).into());
        }
        if (&row.rule, &row.path, &row.package) == (&None, &None, &None) {
            let error = "it names no rule, path or package: it would silence everything";
            return Err(failed(error.to_owned()).into());
        }
        match ignore.until.as_deref().filter(|until| *until < today.as_str()) {
            Some(until) => context.printer.warning(&format!(
                "{named} ended on {until}: what it silenced is told again ({})",
                ignore.reason
            )),
            None => ignores.push(ignore),
        }
    }
    Ok(ignores)
}

/// `$XDG_CACHE_HOME/jettison`, or `~/.cache/jettison`.
pub(crate) fn cache_root() -> Option<PathBuf> {
    directory("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| directory("HOME").map(|home| home.join(".cache")))
        .map(|root| root.join("jettison"))
}

/// Threads for decompressing and hashing.
pub(crate) fn jobs(args: &ReadArgs) -> NonZeroUsize {
    args.jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// Whether the user asked programs for no colour (<https://no-color.org>).
pub(crate) fn no_color() -> bool {
    variable("NO_COLOR").is_some()
}
