//! Layers, fetched when they are read and not before.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Buf as _;
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode};

use crate::error::{Error, Result};
use crate::source::registry::Network;
use crate::source::registry::connection::{Connection, Failure};
use crate::source::registry::retry::Backoff;
use crate::source::stream::{PieceReader, PieceSender, pieces};
use crate::source::{Descriptor, RemoteBlob};

/// Bytes that must have come before a break does not count against the attempts: a long download
/// may break often, as long as it gets on.
const PROGRESS: u64 = 1 << 20;

/// A layer at a registry.
pub(super) struct LayerBlob {
    pub(super) network: Arc<Network>,
    pub(super) descriptor: Descriptor,
}

impl RemoteBlob for LayerBlob {
    fn open(&self) -> Result<Box<dyn Read + Send>> {
        let (sender, pieces) = pieces();
        let connection = self.network.connection.clone();
        let descriptor = self.descriptor.clone();
        self.network.handle.spawn(async move {
            if let Err(error) = transfer(&connection, &descriptor, &sender).await {
                // Nobody listens any more if this fails.
                let _ = sender.send(Err(error)).await;
            }
        });
        Ok(Box::new(BlobReader { pieces, _network: self.network.clone() }))
    }
}

/// Keeps the network alive while it is read: a task that is cancelled would look like the end.
struct BlobReader {
    pieces: PieceReader,
    _network: Arc<Network>,
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.pieces.read(buffer)
    }
}

/// Sends the blob's bytes in order, asking for the rest where the connection breaks.
async fn transfer(
    connection: &Connection,
    descriptor: &Descriptor,
    sender: &PieceSender,
) -> Result<()> {
    let what = format!("layer {} of {}", descriptor.digest, connection.image());
    let wrong_size =
        |found| Error::SizeMismatch { what: what.clone(), expected: descriptor.size, found };
    let mut passed: u64 = 0;
    let mut backoff = Backoff::default();
    loop {
        let began_at = passed;
        let mut response = request(connection, descriptor, passed).await.map_err(|failure| {
            if failure.is(StatusCode::NOT_FOUND) {
                return Error::MissingBlob {
                    what: connection.image().to_owned(),
                    blob: format!("layer {}", descriptor.digest),
                };
            }
            if failure.is(StatusCode::RANGE_NOT_SATISFIABLE) {
                return wrong_size(passed);
            }
            connection.explain(&what, failure)
        })?;
        let start = start(&response).ok_or_else(|| Error::Remote {
            what: what.clone(),
            because: format!(
                "registry {} answers with another range than was asked for",
                connection.registry()
            ),
        })?;
        // A registry that does not know ranges starts again at 0: what was read is passed over.
        let Some(mut again) = passed.checked_sub(start) else {
            return Err(wrong_size(passed));
        };
        if let Some(length) = response.content_length()
            && start + length != descriptor.size
        {
            return Err(wrong_size(start + length));
        }
        let broken = loop {
            match response.chunk().await {
                Ok(Some(mut piece)) => {
                    let skipped = piece.len().min(usize::try_from(again).unwrap_or(usize::MAX));
                    piece.advance(skipped);
                    again -= skipped as u64;
                    passed += piece.len() as u64;
                    if passed > descriptor.size {
                        return Err(wrong_size(passed));
                    }
                    if !piece.is_empty() && sender.send(Ok(piece)).await.is_err() {
                        return Ok(());
                    }
                }
                _ if passed == descriptor.size => return Ok(()),
                // Without a length, a connection that breaks ends like any other.
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        if passed - began_at >= PROGRESS {
            backoff = Backoff::default();
        }
        match (backoff.next(None), broken) {
            (Some(wait), _) => tokio::time::sleep(wait).await,
            (None, Some(error)) => return Err(connection.explain(&what, Failure::Broken(error))),
            (None, None) => {
                return Err(Error::Remote {
                    what,
                    because: format!(
                        "registry {} ends it after {passed} of {} bytes, again and again: the \
                         image was pushed in part, or something between cuts it off",
                        connection.registry(),
                        descriptor.size
                    ),
                });
            }
        }
    }
}

async fn request(
    connection: &Connection,
    descriptor: &Descriptor,
    offset: u64,
) -> Result<Response, Failure> {
    let mut headers = HeaderMap::new();
    if offset > 0
        && let Ok(range) = HeaderValue::from_str(&format!("bytes={offset}-"))
    {
        headers.insert(RANGE, range);
    }
    connection.send(&Method::GET, &format!("blobs/{}", descriptor.digest), &headers).await
}

/// The offset of the answer's first byte; `None` where it is partial and does not say.
fn start(response: &Response) -> Option<u64> {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return Some(0);
    }
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}
