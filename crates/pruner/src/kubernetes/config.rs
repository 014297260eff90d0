//! Which server is asked, and as whom: by kubeconfigs or by a pod's service account.

use std::io;
use std::path::PathBuf;

use jettison_grpc::socket;
use jettison_oci::escape;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tokio::runtime::{Builder, Runtime};

use crate::{Error, Result};

/// A runtime of one thread, as requests are made one after the other.
pub(super) fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("kubernetes")
        .enable_all()
        .build()
        .map_err(|error| Error::Refused(format!("no thread for Kubernetes' API: {error}")))
}

/// By the context of these files, of which the first that sets something counts.
pub(super) async fn of_files(paths: &[PathBuf], context: Option<&str>) -> Result<Config> {
    let kubeconfig = read(paths)?;
    let proxy = names_proxy(&kubeconfig, context);
    let options =
        KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let mut config = config.map_err(|error| match error {
        KubeconfigError::CurrentContextNotSet => Error::Usage(format!(
            "{}: no current context: name one of `kubectl config get-contexts`",
            shown(paths)
        )),
        KubeconfigError::LoadContext(name) => Error::Usage(format!(
            "{}: no context \"{}\": name one of `kubectl config get-contexts`",
            shown(paths),
            escape::line(&name)
        )),
        error => unusable(paths, &error),
    })?;
    if !proxy {
        config.proxy_url = None;
    }
    Ok(config)
}

/// By what Kubernetes gives each pod.
pub(super) fn of_pod() -> Result<Config> {
    Config::incluster().map_err(|error| {
        Error::Refused(format!(
            "this process has no service account of a pod ({}): run it as a pod whose \
             automountServiceAccountToken is not false, or name a kubeconfig",
            words(&error)
        ))
    })
}

/// The client of a configuration; to be called inside of a runtime.
pub(super) fn client(mut config: Config) -> Result<Client> {
    // Tells rustls which cryptography to use where nothing has yet.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // What is tried again, and for how long, is decided here: kube would try 15 times.
    config.default_retry = false;
    let server = config.cluster_url.to_string();
    Client::try_from(config).map_err(|error| {
        Error::Refused(format!(
            "the Kubernetes API at {server} cannot be asked ({}): check its certificate, the \
             credentials and the proxy",
            words(&error)
        ))
    })
}

fn read(paths: &[PathBuf]) -> Result<Kubeconfig> {
    let mut merged = None;
    for path in paths {
        let next = match Kubeconfig::read_from(path) {
            // Of several files, those that are not there are passed over, as kubectl does.
            Err(KubeconfigError::ReadConfig(error, _))
                if paths.len() > 1 && error.kind() == io::ErrorKind::NotFound =>
            {
                continue;
            }
            read => read.map_err(|error| unusable(std::slice::from_ref(path), &error))?,
        };
        merged = Some(match merged {
            None => next,
            Some(merged) => {
                Kubeconfig::merge(merged, next).map_err(|error| unusable(paths, &error))?
            }
        });
    }
    merged.ok_or_else(|| {
        Error::Refused(format!(
            "no kubeconfig at {}, so the cluster's pods are not known: name one that is there",
            if paths.is_empty() { "all".to_owned() } else { shown(paths) }
        ))
    })
}

/// Whether the cluster of the context has a proxy of its own.
fn names_proxy(kubeconfig: &Kubeconfig, context: Option<&str>) -> bool {
    let name = context.or(kubeconfig.current_context.as_deref());
    let context = kubeconfig.contexts.iter().find(|one| Some(one.name.as_str()) == name);
    let cluster = context.and_then(|one| one.context.as_ref()).map(|one| &one.cluster);
    kubeconfig
        .clusters
        .iter()
        .filter(|one| Some(&one.name) == cluster)
        .filter_map(|one| one.cluster.as_ref())
        .any(|one| one.proxy_url.as_deref().is_some_and(|url| !url.is_empty()))
}

fn unusable(paths: &[PathBuf], error: &KubeconfigError) -> Error {
    Error::Refused(format!(
        "{}: not a kubeconfig that can be used ({}), so the cluster's pods are not known: see \
         whether kubectl can use it",
        shown(paths),
        words(error)
    ))
}

fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let (_, bottom) = socket::cause(error);
    bottom.chars().take(super::refusal::WORDS_MAX).collect()
}

fn shown(paths: &[PathBuf]) -> String {
    let paths: Vec<String> =
        paths.iter().map(|path| escape::path(path.as_os_str().as_encoded_bytes())).collect();
    paths.join(", ")
}
