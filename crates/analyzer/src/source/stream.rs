//! Bytes that an asynchronous source sends, read by a thread that may wait.

use std::io::{self, Read};

use bytes::Bytes;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::error::{Error, Result};

/// Pieces that may wait in the channel: enough to keep both sides busy, and a bound on memory.
const PIECES: usize = 16;

/// The sending half, for a task of the network's runtime. Dropping it without an error sent is
/// the end of the stream.
pub type PieceSender = Sender<Result<Bytes>>;

/// The reading half. Never read it on a thread of the runtime: it blocks.
#[derive(Debug)]
pub struct PieceReader {
    receiver: Receiver<Result<Bytes>>,
    piece: Bytes,
}

/// A bounded channel whose far end is a reader.
pub fn pieces() -> (PieceSender, PieceReader) {
    let (sender, receiver) = channel(PIECES);
    (sender, PieceReader { receiver, piece: Bytes::new() })
}

impl Read for PieceReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.piece.len());
        buffer[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}

/// The runtime of a network source: one thread, because all that happens on it is waiting.
pub(crate) fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("jettison-network")
        .enable_all()
        .build()
        .map_err(Error::Io)
}
