//! Documents and layers out of containerd's content store, which keeps blobs as they were pulled.

use std::io::{self, Read};
use std::sync::Arc;

use jettison_grpc::containerd::content::ReadContentResponse;
use jettison_grpc::socket::in_time;
use jettison_oci::{Digest, Reference};
use tonic::{Code, Status, Streaming};

use crate::error::{Error, Result};
use crate::source::store::{BlobStore, is_foreign};
use crate::source::stream::{PieceReader, PieceSender, pieces};
use crate::source::{Descriptor, LayerData, RemoteBlob};
use jettison_oci::escape;

use super::daemon::{Daemon, failed};
use super::find::Found;

/// The blobs of one namespace, looked at for one image.
pub(super) struct ContentStore {
    daemon: Arc<Daemon>,
    namespace: String,
    image: String,
}

impl ContentStore {
    pub(super) fn new(daemon: Arc<Daemon>, found: &Found) -> Self {
        Self { daemon, namespace: found.namespace.clone(), image: found.name.clone() }
    }

    /// Whether the blob is in the namespace.
    pub(super) fn holds(&self, digest: &Digest) -> Result<bool> {
        Ok(self.daemon.info(&self.namespace, digest.as_str())?.is_some())
    }

    /// Where else the image can be read, as the end of a sentence.
    pub(super) fn elsewhere(&self) -> String {
        match self.image.parse::<Reference>() {
            Ok(reference) if !self.image.starts_with("sha256:") => {
                format!("read it at its registry (docker://{reference})")
            }
            _ => "read it at its registry (docker://...)".to_owned(),
        }
    }

    /// Names the image in errors.
    pub(super) fn what(&self) -> String {
        let image = escape::line(&self.image);
        format!("{}, namespace {}: {image}", self.daemon.name(), self.namespace)
    }
}

impl BlobStore for ContentStore {
    fn name(&self) -> String {
        format!("{}, namespace {}", self.daemon.name(), self.namespace)
    }

    fn document(&self, descriptor: &Descriptor, max: u64) -> Result<Vec<u8>> {
        let opening = self.daemon.read(&self.namespace, descriptor.digest.as_str())?;
        let read = self.daemon.wait(async move {
            let mut messages = opening.await?;
            let mut bytes = Vec::new();
            while let Some(message) = messages.message().await? {
                bytes.extend_from_slice(&message.data);
                if bytes.len() as u64 > max {
                    break;
                }
            }
            Ok(bytes)
        });
        match read {
            Ok(bytes) if bytes.len() as u64 > max => Err(Error::size_limit(
                format!("{} in {}", descriptor.digest, self.name()),
                "a document",
                bytes.len() as u64,
                max,
            )),
            Ok(bytes) => Ok(bytes),
            Err(status) if status.code() == Code::NotFound => {
                Err(Error::MissingBlob { what: self.what(), blob: descriptor.digest.to_string() })
            }
            Err(status) => Err(self
                .daemon
                .failed(&format!("namespace {}: {}", self.namespace, descriptor.digest), &status)),
        }
    }

    fn layer(&self, descriptor: &Descriptor) -> Result<Option<LayerData>> {
        let Some(info) = self.daemon.info(&self.namespace, descriptor.digest.as_str())? else {
            if is_foreign(&descriptor.media_type) {
                return Ok(None);
            }
            // The store's own "the copy is incomplete" would send the user the wrong way.
            return Err(Error::Remote {
                what: self.what(),
                because: format!(
                    "the node has discarded the packed layer {}, as containerd does where \
                     discard_unpacked_layers is set, or never fetched it (a lazy snapshotter): \
                     {}",
                    descriptor.digest,
                    self.elsewhere()
                ),
            });
        };
        let found = u64::try_from(info.size).unwrap_or(0);
        if found != descriptor.size {
            return Err(Error::SizeMismatch {
                what: format!("{} in {}", descriptor.digest, self.name()),
                expected: descriptor.size,
                found,
            });
        }
        Ok(Some(LayerData::Remote(Arc::new(ContentBlob {
            daemon: Arc::clone(&self.daemon),
            namespace: self.namespace.clone(),
            digest: descriptor.digest.clone(),
            size: found,
        }))))
    }
}

/// A blob that the daemon sends when it is asked to.
struct ContentBlob {
    daemon: Arc<Daemon>,
    namespace: String,
    digest: Digest,
    size: u64,
}

impl RemoteBlob for ContentBlob {
    fn open(&self) -> Result<Box<dyn Read + Send>> {
        let opening = self.daemon.read(&self.namespace, self.digest.as_str())?;
        let (sender, pieces) = pieces();
        // The task holds names only: the last holder of the daemon ends its runtime, which a
        // task of that runtime must not do.
        let (name, about) =
            (self.daemon.name(), format!("namespace {}: {}", self.namespace, self.digest));
        let size = self.size;
        self.daemon.runtime().spawn(async move {
            let error = match send(opening, &sender).await {
                Ok(None) => return,
                Ok(Some(sent)) if sent == size => return,
                Ok(Some(sent)) => Error::Remote {
                    what: format!("{name}, {about}"),
                    because: format!("it sent {sent} of {size} bytes: try again"),
                },
                Err(status) if status.code() == Code::NotFound => Error::Remote {
                    what: format!("{name}, {about}"),
                    because: "the blob was removed while the image was read: pull it again"
                        .to_owned(),
                },
                Err(status) => failed(&name, &about, &status),
            };
            // Nobody is left to tell if this fails.
            let _ = sender.send(Err(error)).await;
        });
        Ok(Box::new(ContentReader { pieces, _daemon: Arc::clone(&self.daemon) }))
    }
}

/// Sends a blob's pieces; how many bytes there were, `None` where the reader went away.
async fn send(
    opening: impl Future<Output = Result<Streaming<ReadContentResponse>, Status>>,
    sender: &PieceSender,
) -> Result<Option<u64>, Status> {
    let mut messages = opening.await?;
    let mut sent = 0;
    while let Some(message) = in_time(messages.message()).await? {
        sent += message.data.len() as u64;
        if sender.send(Ok(message.data)).await.is_err() {
            return Ok(None);
        }
    }
    Ok(Some(sent))
}

/// Keeps the connection alive for as long as its bytes are read.
struct ContentReader {
    pieces: PieceReader,
    _daemon: Arc<Daemon>,
}

impl Read for ContentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.pieces.read(buffer)
    }
}
