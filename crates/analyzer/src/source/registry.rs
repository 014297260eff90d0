//! Registries, through the distribution API.
//!
//! Names, media types, tokens and error bodies are oci-client's. The requests are our own, because
//! its client reads manifests, tokens and errors of any length, forgets `Retry-After`, and knows no
//! identity tokens; a registry is not to be trusted with this machine's memory.
//!
//! - `auth_file`, `credential_helper`, `credential`: what Docker and podman keep, and how
//! - `challenge`, `token`: answering a 401
//! - `connection`, `retry`, `refusal`, `fault`: one request, made again, refused, broken
//! - `blob`: layers as streams that resume

mod auth_file;
mod blob;
mod challenge;
mod connection;
mod credential;
mod credential_helper;
mod fault;
mod refusal;
mod retry;
mod token;

use std::sync::Arc;

use jettison_oci::{Digest, Reference};
use oci_client::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE,
};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use tokio::runtime::{Handle, Runtime};

use crate::blob::digester::{Digester, check};
use crate::error::{Error, Result};
use crate::limits::DOCUMENT_MAX;
use crate::source::registry::blob::LayerBlob;
use crate::source::registry::connection::{Connection, Failure};
use crate::source::store::{self, BlobStore, is_foreign};
use crate::source::{Descriptor, Image, LayerData, OpenOptions, Origin, Transport, stream};

/// The manifests and indexes that are understood here.
const MANIFEST_TYPES: [&str; 4] = [
    OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE,
    IMAGE_MANIFEST_LIST_MEDIA_TYPE,
    IMAGE_MANIFEST_MEDIA_TYPE,
];
/// The digest that a registry has for what it sends.
const CONTENT_DIGEST: &str = "docker-content-digest";

/// Opens the image that `reference` names at its registry. Only documents are fetched; a layer is
/// when it is read.
pub fn open(reference: &Reference, options: &OpenOptions) -> Result<Image> {
    let origin = Origin { transport: Transport::Docker, reference: reference.familiar() };
    let network = Network::start(reference, &origin, options)?;
    let (descriptor, document) = network.resolve(reference, &origin)?;
    let warnings: Vec<String> = network.connection.warnings().collect();
    let registry = Registry {
        name: format!("docker://{}", reference.name()),
        network,
        root: (descriptor.digest.clone(), document),
    };
    let mut image = store::open(Arc::new(registry), &descriptor, origin, options)?;
    image.warnings.extend(warnings);
    Ok(image)
}

/// A connection, and the thread that serves it.
struct Network {
    connection: Arc<Connection>,
    handle: Handle,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
}

impl Network {
    fn start(reference: &Reference, origin: &Origin, options: &OpenOptions) -> Result<Arc<Self>> {
        let runtime = stream::runtime()?;
        let connection =
            runtime.block_on(Connection::open(reference, origin.to_string(), options))?;
        let handle = runtime.handle().clone();
        Ok(Arc::new(Self { connection: Arc::new(connection), handle, runtime: Some(runtime) }))
    }

    /// What the reference leads to, checked against every digest that is known for it.
    fn resolve(&self, reference: &Reference, origin: &Origin) -> Result<(Descriptor, Vec<u8>)> {
        let pinned = reference.digest();
        let wanted = match (pinned, reference.tag()) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag,
            (None, None) => jettison_oci::reference::DEFAULT_TAG,
        };
        let found = self.handle.block_on(self.connection.document(
            &format!("manifests/{wanted}"),
            &manifest_headers(),
            DOCUMENT_MAX,
        ));
        let (headers, bytes) = found.map_err(|failure| match failure {
            Failure::Refused(refusal, _) if refusal.status == StatusCode::NOT_FOUND => {
                Error::Absent {
                    what: origin.to_string(),
                    because: format!(
                        "registry {} has no {wanted} of {}: it answers {}. Check the name, and \
                         that the image was pushed",
                        reference.registry(),
                        reference.repository(),
                        refusal.answer()
                    ),
                }
            }
            Failure::TooLarge => too_large(&origin.to_string(), DOCUMENT_MAX),
            failure => self.connection.explain(&origin.to_string(), failure),
        })?;
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let stated = header(CONTENT_DIGEST).and_then(|text| text.parse::<Digest>().ok());
        let compute = |like: &Digest| {
            let mut digester = Digester::new(like.algorithm());
            digester.update(&bytes);
            digester.finish()
        };
        let what = format!("the manifest of {origin}");
        for expected in [pinned, stated.as_ref()].into_iter().flatten() {
            check(&what, expected, &compute(expected))?;
        }
        let digest = pinned.cloned().or(stated).unwrap_or_else(|| Digest::sha256(&bytes));
        let media_type = header("content-type").unwrap_or_default().to_owned();
        Ok((Descriptor { media_type, digest, size: bytes.len() as u64 }, bytes))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Does not wait for a lookup of a name that still hangs.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// One repository of a registry as a place of blobs. Manifests are fetched by their digest, under
/// the same limit as every document.
struct Registry {
    name: String,
    network: Arc<Network>,
    /// What the tag led to: it need not be fetched again.
    root: (Digest, Vec<u8>),
}

impl BlobStore for Registry {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn document(&self, descriptor: &Descriptor, max: u64) -> Result<Vec<u8>> {
        let (root, bytes) = &self.root;
        if *root == descriptor.digest {
            return Ok(bytes.clone());
        }
        let connection = &self.network.connection;
        let digest = &descriptor.digest;
        // What is named by its digest alone is a manifest.
        let is_manifest = descriptor.media_type.is_empty()
            || MANIFEST_TYPES.contains(&descriptor.media_type.as_str());
        let (path, headers, kind) = if is_manifest {
            (format!("manifests/{digest}"), manifest_headers(), "manifest")
        } else {
            (format!("blobs/{digest}"), HeaderMap::new(), "config")
        };
        let found = self.network.handle.block_on(connection.document(&path, &headers, max));
        found.map(|(_, bytes)| bytes).map_err(|failure| match failure {
            Failure::TooLarge => too_large(&format!("{digest} in {}", self.name), max),
            failure if failure.is(StatusCode::NOT_FOUND) => Error::MissingBlob {
                what: connection.image().to_owned(),
                blob: format!("{kind} {digest}"),
            },
            failure => connection.explain(&format!("{kind} {digest} in {}", self.name), failure),
        })
    }

    fn layer(&self, descriptor: &Descriptor) -> Result<Option<LayerData>> {
        // A registry need not have foreign layers. All others are asked for when they are read.
        if is_foreign(&descriptor.media_type) && !self.has(descriptor)? {
            return Ok(None);
        }
        let blob = LayerBlob { network: self.network.clone(), descriptor: descriptor.clone() };
        Ok(Some(LayerData::Remote(Arc::new(blob))))
    }
}

impl Registry {
    fn has(&self, descriptor: &Descriptor) -> Result<bool> {
        let connection = &self.network.connection;
        let path = format!("blobs/{}", descriptor.digest);
        let headers = HeaderMap::new();
        match self.network.handle.block_on(connection.send(&Method::HEAD, &path, &headers)) {
            Ok(_) => Ok(true),
            Err(failure) if failure.is(StatusCode::NOT_FOUND) => Ok(false),
            Err(failure) => {
                let what = format!("layer {} of {}", descriptor.digest, connection.image());
                Err(connection.explain(&what, failure))
            }
        }
    }
}

fn manifest_headers() -> HeaderMap {
    MANIFEST_TYPES.iter().map(|name| (ACCEPT, HeaderValue::from_static(name))).collect()
}

fn too_large(what: &str, max: u64) -> Error {
    Error::Limit {
        what: what.to_owned(),
        limit: "the document".to_owned(),
        max: jettison_oci::Bytes(max).to_string(),
        remedy: "",
    }
}
