//! Which runtime a node has.

use std::path::{Path, PathBuf};

use jettison_engine::{Endpoint, endpoint};
use jettison_grpc::socket::exists;

use super::{Cri, Engine, Kind, Runtime, cri};
use crate::error::{Error, Result};

/// Which runtime is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its kind; the one that answers where there is none.
    pub kind: Option<Kind>,
    /// Its address, `unix:///run/...`, a path, or `tcp://` for an engine.
    pub endpoint: Option<String>,
    /// Where `DOCKER_HOST` says that Docker listens.
    pub docker_host: Option<String>,
    /// Where `CONTAINER_HOST` says that podman listens.
    pub podman_host: Option<String>,
}

/// One place to look.
struct Place {
    kind: Kind,
    address: String,
}

/// Connects to the runtime that is asked for. Where none is, looks for all; fails where several
/// answer, because images that one of them uses would look unused in another.
pub fn find(asked: &Asked) -> Result<Box<dyn Runtime>> {
    if let Some(address) = &asked.endpoint {
        return at(asked.kind, address);
    }
    let places: Vec<Place> = places(asked)
        .into_iter()
        .filter(|place| asked.kind.is_none_or(|kind| kind == place.kind))
        .collect();
    let mut found: Vec<Box<dyn Runtime>> = Vec::new();
    let mut silent = Vec::new();
    for place in &places {
        match connect(place.kind, &place.address) {
            // Docker's socket may be podman's, and the same runtime may listen on two names.
            Ok(runtime) => {
                let is_new = found.iter().all(|known| !is_same(&known.endpoint(), &place.address));
                if is_new {
                    found.push(runtime);
                }
            }
            Err(error) => {
                silent.push(format!("{} at {}: {error}", place.kind.name(), place.address));
            }
        }
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 if silent.is_empty() => Err(Error::Unreadable(format!(
            "no container runtime was found: there is no socket at {}. Name one with --runtime and \
             --endpoint",
            places.iter().map(|place| place.address.as_str()).collect::<Vec<_>>().join(", ")
        ))),
        0 => Err(Error::Refused(format!("no container runtime answers: {}", silent.join("; ")))),
        _ => {
            let names: Vec<String> = found
                .iter()
                .map(|runtime| format!("{} ({})", runtime.endpoint(), runtime.name()))
                .collect();
            Err(Error::Usage(format!(
                "several container runtimes answer: {}. Say which one to prune with --runtime or \
                 --endpoint",
                names.join(", ")
            )))
        }
    }
}

/// The well-known sockets that exist, and what the environment names.
fn places(asked: &Asked) -> Vec<Place> {
    let mut places = Vec::new();
    let mut add = |kind, address: &str| places.push(Place { kind, address: address.to_owned() });
    match &asked.docker_host {
        Some(host) => add(Kind::Docker, host),
        None if exists(Path::new(endpoint::DOCKER)) => add(Kind::Docker, endpoint::DOCKER),
        None => {}
    }
    match &asked.podman_host {
        Some(host) => add(Kind::Podman, host),
        None if exists(Path::new(endpoint::PODMAN)) => add(Kind::Podman, endpoint::PODMAN),
        None => {}
    }
    for socket in cri::SOCKETS.iter().filter(|socket| exists(Path::new(socket))) {
        add(Kind::Cri, socket);
    }
    places
}

/// Whether two addresses are one socket.
fn is_same(a: &str, b: &str) -> bool {
    let real = |address: &str| {
        let path = PathBuf::from(address.strip_prefix("unix://").unwrap_or(address));
        path.canonicalize().unwrap_or(path)
    };
    real(a) == real(b)
}

/// Connects to an address whose kind may not be known.
fn at(kind: Option<Kind>, address: &str) -> Result<Box<dyn Runtime>> {
    match kind {
        Some(kind) => connect(kind, address),
        // An engine speaks HTTP, a runtime gRPC: whichever answers, it is.
        None => connect(Kind::Cri, address).or_else(|cri| {
            connect(Kind::Docker, address).map_err(|engine| match engine {
                engine @ Error::Usage(_) => engine,
                engine => Error::Refused(format!("{engine}; {cri}")),
            })
        }),
    }
}

fn connect(kind: Kind, address: &str) -> Result<Box<dyn Runtime>> {
    match kind {
        Kind::Docker | Kind::Podman => {
            let engine = Engine::connect(&Endpoint::parse(address)?)?;
            // Docker's socket is podman's on many a machine: what answers counts.
            if kind == Kind::Podman && engine.kind() != Kind::Podman {
                return Err(Error::Usage(format!("{address} is {}, not podman", engine.name())));
            }
            Ok(Box::new(engine))
        }
        Kind::Cri => Ok(Box::new(Cri::connect(address)?)),
    }
}
