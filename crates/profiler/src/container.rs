//! Containers by the engine's word: made, started, waited for, removed.

use std::path::PathBuf;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error as ApiError;
use bollard::models::{ContainerCreateBody, ContainerInspectResponse, HostConfig};
use bollard::query_parameters::{
    LogsOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use futures_util::{Stream, StreamExt as _};
use jettison_engine::{Endpoint, failed, is_reference};

use crate::error::{Error, Result};
use crate::profile::NewContainer;

/// How long a container may take to stop when it is asked to, in seconds.
const STOP: i32 = 10;

/// An engine that is asked about containers.
#[derive(Clone)]
pub(crate) struct Containers {
    client: Docker,
    engine: String,
}

/// What an engine says of a container.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inspected {
    pub(crate) id: String,
    /// The ID of its image.
    pub(crate) image: String,
    pub(crate) driver: String,
    /// Where its root is mounted while it runs.
    pub(crate) merged: Option<PathBuf>,
    /// Its image's layers, top first.
    pub(crate) lower: Vec<PathBuf>,
    /// Its first process; `None` where it does not run.
    pub(crate) pid: Option<i64>,
}

impl Containers {
    pub(crate) fn at(endpoint: &Endpoint) -> Result<Self> {
        if !endpoint.is_local() {
            return Err(Error::Usage(format!(
                "{} is another machine's: a container is watched on the machine that runs it",
                endpoint.engine()
            )));
        }
        Ok(Self { client: endpoint.connect()?, engine: endpoint.engine() })
    }

    /// Makes a container that is not started yet; gives its ID.
    pub(crate) async fn create(&self, image: &str, new: &NewContainer) -> Result<String> {
        if !is_reference(image) {
            let because = format!("{image:?} is neither an image's name nor an image ID");
            return Err(Error::Usage(because));
        }
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            cmd: (!new.command.is_empty()).then(|| new.command.clone()),
            env: (!new.env.is_empty()).then(|| new.env.clone()),
            host_config: Some(HostConfig {
                network_mode: new.network.clone(),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        match self.client.create_container(None, body).await {
            Ok(made) => Ok(made.id),
            Err(ApiError::DockerResponseServerError { status_code: 404, .. }) => {
                Err(jettison_engine::Error::Remote {
                    what: self.engine.clone(),
                    because: format!("it has no image {image}: pull or load it there first"),
                }
                .into())
            }
            Err(error) => Err(self.failed(image, &error)),
        }
    }

    /// Starts it; `name` is what errors call it.
    pub(crate) async fn start(&self, id: &str, name: &str) -> Result<()> {
        let started = self.client.start_container(id, None).await;
        started.map_err(|error| self.failed(&format!("a start of {name}"), &error))
    }

    pub(crate) async fn inspect(&self, name: &str) -> Result<Inspected> {
        if !is_reference(name) || name.contains('/') {
            let because = format!("{name:?} is neither a container's name nor its ID");
            return Err(Error::Usage(because));
        }
        let answer = self.client.inspect_container(name, None).await;
        answer.map(inspected).map_err(|error| self.failed(&format!("container {name}"), &error))
    }

    /// Waits until it ends; gives its exit code. One that is removed as it ends cannot be asked any
    /// more.
    pub(crate) async fn wait(&self, id: &str) -> Result<Option<i64>> {
        let mut answers = std::pin::pin!(self.client.wait_container(id, None));
        match answers.next().await {
            None => Ok(None),
            Some(Ok(answer)) => Ok(Some(answer.status_code)),
            // What bollard takes for an error is an exit code other than 0.
            Some(Err(ApiError::DockerContainerWaitError { code, .. })) => Ok(Some(code)),
            Some(Err(error)) => Err(self.failed(id, &error)),
        }
    }

    /// What it prints, until it ends.
    pub(crate) fn output(&self, id: &str) -> impl Stream<Item = Result<LogOutput, ApiError>> {
        let options = LogsOptionsBuilder::default().follow(true).stdout(true).stderr(true).build();
        self.client.logs(id, Some(options))
    }

    /// Asks it to end, and kills it where it does not.
    pub(crate) async fn stop(&self, id: &str) -> Result<()> {
        let options = StopContainerOptionsBuilder::default().t(STOP).build();
        let stopped = self.client.stop_container(id, Some(options)).await;
        stopped.map_err(|error| self.failed(id, &error))
    }

    /// Removes it with the volumes that were made for it.
    pub(crate) async fn remove(&self, id: &str) -> Result<()> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let removed = self.client.remove_container(id, Some(options)).await;
        removed.map_err(|error| self.failed(id, &error))
    }

    fn failed(&self, what: &str, error: &ApiError) -> Error {
        failed(&self.engine, what, error).into()
    }
}

fn inspected(answer: ContainerInspectResponse) -> Inspected {
    let (driver, data) =
        answer.graph_driver.map_or_else(Default::default, |driver| (driver.name, driver.data));
    let path = |key: &str| data.get(key).filter(|path| !path.is_empty()).map(PathBuf::from);
    // podman names the mount only while it is there. It stands beside the upper directory.
    let beside = || Some(path("UpperDir")?.parent()?.join("merged"));
    let lower = data.get("LowerDir").map(String::as_str).unwrap_or_default();
    let state = answer.state.unwrap_or_default();
    let runs = state.running.unwrap_or_default();
    Inspected {
        id: answer.id.unwrap_or_default(),
        image: answer.image.unwrap_or_default(),
        driver,
        merged: path("MergedDir").or_else(beside),
        lower: lower.split(':').filter(|path| !path.is_empty()).map(PathBuf::from).collect(),
        pid: state.pid.filter(|pid| runs && *pid > 0),
    }
}
