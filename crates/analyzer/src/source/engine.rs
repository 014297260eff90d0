//! Images of an engine on a socket: Docker's, or podman's by its compatible API. Where the
//! engine's layer directories can be read, the layers are read in place; else the engine exports
//! them, and they are scanned as they go by.

mod containers_storage;
mod in_place;
mod layerdb;
mod session;

use jettison_engine::{Endpoint, endpoint, is_reference};

use crate::error::{Error, Result};
use crate::source::archive::{self, Exported};
use crate::source::{Image, OpenOptions, Origin, Transport};

use in_place::Refusal;
use session::{Inspected, Session};

/// Opens the image that Docker's engine knows by `reference`: a name with or without a tag or
/// digest, or an image ID, whole or short. Without a host in `options`, podman's socket stands in
/// where there is no Docker.
pub fn open_docker(reference: &str, options: &OpenOptions) -> Result<Image> {
    let (docker, podman) = (options.docker_host.as_deref(), options.podman_host.as_deref());
    let endpoint = Endpoint::choose(docker, podman)?.ok_or_else(|| {
        no_engine(
            reference,
            &[endpoint::DOCKER, endpoint::PODMAN],
            "start Docker, or say where it listens with DOCKER_HOST",
        )
    })?;
    open(&endpoint, Transport::DockerDaemon, reference, options)
}

/// Opens the image that containers/storage knows by `reference`, as podman serves it.
pub fn open_podman(reference: &str, options: &OpenOptions) -> Result<Image> {
    let endpoint = podman_endpoint(options)?.ok_or_else(|| {
        no_engine(
            reference,
            &[endpoint::PODMAN],
            "start its API (`systemctl start podman.socket`, or `podman system service`)",
        )
    })?;
    open(&endpoint, Transport::ContainersStorage, reference, options)
}

/// Whether Docker's engine knows `reference`; false where there is no engine.
pub fn has_docker(reference: &str, options: &OpenOptions) -> Result<bool> {
    let endpoint = match &options.docker_host {
        Some(host) => Some(Endpoint::parse(host)?),
        None => Endpoint::docker(),
    };
    has(endpoint, options.docker_host.is_some(), reference)
}

/// Whether podman knows `reference`; false where its API is not served.
pub fn has_podman(reference: &str, options: &OpenOptions) -> Result<bool> {
    has(podman_endpoint(options)?, options.podman_host.is_some(), reference)
}

fn podman_endpoint(options: &OpenOptions) -> Result<Option<Endpoint>> {
    match &options.podman_host {
        Some(host) => Ok(Some(Endpoint::parse(host)?)),
        None => Ok(Endpoint::podman()),
    }
}

fn has(endpoint: Option<Endpoint>, asked_for: bool, reference: &str) -> Result<bool> {
    let Some(endpoint) = endpoint.filter(|_| is_reference(reference)) else {
        return Ok(false);
    };
    // A well-known socket that nobody listens on is left over from an engine that has ended.
    if !asked_for && endpoint.is_abandoned() {
        return Ok(false);
    }
    match Session::start(&endpoint)?.inspect(reference) {
        Ok(_) => Ok(true),
        Err(Error::NoSuchImage { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn open(
    endpoint: &Endpoint,
    transport: Transport,
    reference: &str,
    options: &OpenOptions,
) -> Result<Image> {
    let origin = Origin { transport, reference: reference.to_owned() };
    if !is_reference(reference) {
        return Err(Error::Usage(format!(
            "{origin}: {reference:?} is neither an image's name nor an image ID"
        )));
    }
    let session = Session::start(endpoint)?;
    let inspected = session.inspect(reference)?;
    if inspected.has_no_layer() {
        return without_layers(inspected, origin, session.name(), options);
    }
    let mut warning = None;
    if options.in_place && endpoint.is_local() {
        match in_place::open(&inspected, &origin, options) {
            Ok(mut image) => {
                image.notes.push(format!("layers read in place, named by {}", session.name()));
                return Ok(image);
            }
            Err(Refusal::Final(error)) => return Err(error),
            Err(Refusal::NotHere) => {}
            Err(Refusal::Unfit(because)) => {
                warning = Some(format!(
                    "the layers of {origin} are exported instead of read in place: {because}"
                ));
            }
        }
    }
    let export = session.export(&inspected.id);
    let what = format!("the export of {reference} by {}", session.name());
    let exported = archive::read_export(export, &what, origin, options)
        .map_err(|error| broken_off(error, &session, reference))?;
    let mut image = check_id(exported, &inspected, &what)?;
    image.notes.push(format!("exported by {}", session.name()));
    image.warnings.extend(warning);
    Ok(image)
}

/// An image without layers, all from what the engine says of it: Docker refuses to export one.
fn without_layers(
    inspected: Inspected,
    origin: Origin,
    engine: &str,
    options: &OpenOptions,
) -> Result<Image> {
    let config = inspected.config;
    options.check_platform(origin.to_string(), &config)?;
    Ok(Image {
        origin,
        manifest_digest: None,
        manifest: None,
        config_digest: inspected.id,
        warnings: config.warnings(),
        config,
        layers: Vec::new(),
        siblings: None,
        notes: vec![format!("no layer to read, by {engine}")],
    })
}

/// An export that ends early can end like any other: then its last member, the manifest, is
/// missing.
fn broken_off(error: Error, session: &Session, reference: &str) -> Error {
    let because = match error {
        Error::NotAnImage { because, .. } | Error::Corrupt { because, .. } => because,
        Error::MissingBlob { blob, .. } => format!("it lacks {blob}"),
        error => return error,
    };
    Error::Remote {
        what: format!("{}, asked for {reference}", session.name()),
        because: format!(
            "its export broke off, or is none of an image ({because}): try again, and see the \
             engine's log for why"
        ),
    }
}

/// Checks that the export is of the image that was inspected. The ID is the config's digest, or,
/// where containerd keeps Docker's images, that of the manifest or index.
fn check_id(exported: Exported, inspected: &Inspected, what: &str) -> Result<Image> {
    let Exported { mut image, roots } = exported;
    let id = &inspected.id;
    if image.config_digest == *id || roots.contains(id) {
        return Ok(image);
    }
    let diff_ids = inspected.config.diff_ids.as_slice();
    if diff_ids.is_empty() || image.config.diff_ids != diff_ids {
        return Err(Error::DigestMismatch {
            what: format!("the config in {what}"),
            expected: id.clone(),
            computed: image.config_digest,
        });
    }
    // podman writes some configs anew for Docker's format.
    image.warnings.push(format!(
        "the engine wrote the config anew for its export: it hashes to {}, the image's ID is {id}",
        image.config_digest
    ));
    Ok(image)
}

fn no_engine(reference: &str, sockets: &[&str], remedy: &str) -> Error {
    let sockets = match sockets {
        [one] => format!("{one} does not exist"),
        several => format!("neither {} exists", several.join(" nor ")),
    };
    Error::Remote {
        what: format!("no engine to ask for {reference}"),
        because: format!("{sockets}: {remedy}"),
    }
}
