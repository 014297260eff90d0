//! The two questions that an engine is asked: what is this image, and what are its bytes.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::PathBuf;

use bollard::Docker;
use bollard::errors::Error as ApiError;
use bollard::models::ImageInspect;
use futures_util::StreamExt as _;
use jettison_engine::{Endpoint, failed};
use jettison_oci::Digest;
use tokio::runtime::Runtime;

use crate::error::{Error, Result};
use crate::image::Config;
use crate::image::config::platform_or_unknown;
use crate::source::stream::{PieceReader, pieces, runtime};

/// A client with the runtime it lives on.
pub(super) struct Session {
    runtime: Runtime,
    client: Docker,
    name: String,
}

/// What an engine says of an image.
#[derive(Clone, Debug)]
pub(super) struct Inspected {
    /// The image's ID: in Docker's own store and in containers/storage, the digest of its config.
    pub(super) id: Digest,
    /// The storage driver's name: `overlay2`, `overlay`.
    pub(super) driver: String,
    /// Directories of its layers, top first, as the driver names them.
    pub(super) directories: Vec<PathBuf>,
    /// Its config as the engine tells it: without a history, and with `diff_ids` only where it
    /// tells them.
    pub(super) config: Config,
    /// Whether the engine tells the layers at all.
    tells_layers: bool,
}

impl Inspected {
    /// Whether the engine, one that keeps layers by a storage driver, says that there are none.
    pub(super) fn has_no_layer(&self) -> bool {
        self.tells_layers
            && self.config.diff_ids.is_empty()
            && self.directories.is_empty()
            && !self.driver.is_empty()
    }
}

impl Session {
    /// Connects. No version of the API is agreed on: bollard leaves it out of its paths, so that
    /// the engine answers in its own, and asking podman for it takes longer than all the rest.
    pub(super) fn start(endpoint: &Endpoint) -> Result<Self> {
        let runtime = runtime()?;
        let client = endpoint.connect()?;
        Ok(Self { runtime, client, name: endpoint.engine() })
    }

    /// The engine in errors.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What the engine knows of `reference`; [`Error::NoSuchImage`] where it knows none.
    pub(super) fn inspect(&self, reference: &str) -> Result<Inspected> {
        let mut image = self.runtime.block_on(self.client.inspect_image(reference)).map_err(
            |error| match error {
                ApiError::DockerResponseServerError { status_code: 404, .. } => {
                    Error::NoSuchImage {
                        what: self.name.clone(),
                        wanted: reference.to_owned(),
                        found: Vec::new(),
                    }
                }
                error => failed(&self.name, reference, &error).into(),
            },
        )?;
        let id = image.id.take().unwrap_or_default();
        // podman's own API leaves the algorithm out; its compatible one may, too.
        let id = id
            .parse()
            .or_else(|_| format!("sha256:{id}").parse())
            .map_err(|error| Error::malformed(format!("the ID that {} gives", self.name), error))?;
        let layers = image.root_fs.take().map(|root| root.layers.unwrap_or_default());
        let diff_ids: Option<Vec<Digest>> =
            layers.and_then(|ids| ids.iter().map(|id| id.parse().ok()).collect());
        let tells_layers = diff_ids.is_some();
        let (driver, data) = image
            .graph_driver
            .take()
            .map_or_else(Default::default, |driver| (driver.name, driver.data));
        let config = config(image, diff_ids.unwrap_or_default());
        Ok(Inspected { id, driver, directories: directories(&data), config, tells_layers })
    }

    /// The image as `docker save` writes it. Errors come out of the reader.
    pub(super) fn export(&self, id: &Digest) -> Export<'_> {
        let (sender, pieces) = pieces();
        let client = self.client.clone();
        let (name, id) = (self.name.clone(), id.to_string());
        self.runtime.spawn(async move {
            let mut stream = client.export_image(&id);
            while let Some(piece) = stream.next().await {
                let last = piece.is_err();
                let piece = piece.map_err(|error| export_failed(&name, &id, &error));
                if sender.send(piece).await.is_err() || last {
                    return;
                }
            }
        });
        Export { pieces, _session: self }
    }
}

/// An export under way. It ends with its session.
pub(super) struct Export<'a> {
    pieces: PieceReader,
    _session: &'a Session,
}

impl Read for Export<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.pieces.read(buffer)
    }
}

fn directories(data: &HashMap<String, String>) -> Vec<PathBuf> {
    let lower = data.get("LowerDir").map(String::as_str).unwrap_or_default();
    let upper = data.get("UpperDir").map(String::as_str);
    upper
        .into_iter()
        .chain(lower.split(':'))
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .collect()
}

/// The config of an image by the engine's words.
fn config(image: ImageInspect, diff_ids: Vec<Digest>) -> Config {
    let run = image.config.unwrap_or_default();
    Config {
        platform: platform_or_unknown(
            image.os.as_deref(),
            image.architecture.as_deref(),
            image.variant.as_deref(),
        ),
        created: image.created,
        entrypoint: run.entrypoint.unwrap_or_default(),
        cmd: run.cmd.unwrap_or_default(),
        user: run.user.unwrap_or_default(),
        env: run.env.unwrap_or_default(),
        working_dir: run.working_dir.unwrap_or_default(),
        healthcheck: Vec::new(),
        healthcheck_flags: Vec::new(),
        exposed_ports: Vec::new(),
        labels: Vec::new(),
        stop_signal: run.stop_signal.unwrap_or_default(),
        shell: Vec::new(),
        volumes: Vec::new(),
        diff_ids,
        history: Vec::new(),
    }
}

fn export_failed(engine: &str, reference: &str, error: &ApiError) -> Error {
    match (failed(engine, reference, error).into(), error) {
        (
            Error::Remote { what, because },
            ApiError::IOError { .. } | ApiError::HyperResponseError { .. },
        ) => Error::Remote { what, because: format!("its export broke off: {because}") },
        (error, _) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_directories_come_top_first() {
        let data = HashMap::from([
            ("UpperDir".to_owned(), "/r/c/diff".to_owned()),
            ("LowerDir".to_owned(), "/r/b/diff:/r/a/diff".to_owned()),
        ]);
        let expected = ["/r/c/diff", "/r/b/diff", "/r/a/diff"].map(PathBuf::from);
        assert_eq!(directories(&data), expected);
        assert_eq!(directories(&HashMap::new()), Vec::<PathBuf>::new());
    }
}
