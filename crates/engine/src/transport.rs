//! Requests to an engine: bollard's, over connections of our own. bollard reads an answer to its end
//! whatever its length, an error's too, and an engine is not to be trusted with this machine's
//! memory.

use std::error::Error as StdError;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bollard::BollardRequest;
use bollard::errors::Error as ApiError;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::endpoint::Endpoint;

/// What an engine may answer to a question, in bytes.
pub(crate) const ANSWER_MAX: u64 = 64 << 20;
/// What the paths of requests end with whose answers have no bound: an image's bytes, and what a
/// container prints. Both are read as they come.
const STREAMS: [&str; 2] = ["/get", "/logs"];

/// Sends one request over a connection of its own.
pub(crate) async fn send(
    endpoint: Endpoint,
    mut request: BollardRequest,
) -> Result<Response<Incoming>, ApiError> {
    match endpoint {
        Endpoint::Unix(path) => exchange(UnixStream::connect(path).await?, request).await,
        Endpoint::Tcp(name, port) => {
            let host = if name.contains(':') { format!("[{name}]") } else { name.clone() };
            if let Ok(host) = HeaderValue::try_from(format!("{host}:{port}")) {
                request.headers_mut().insert(HOST, host);
            }
            exchange(TcpStream::connect((name, port)).await?, request).await
        }
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    mut request: BollardRequest,
) -> Result<Response<Incoming>, ApiError> {
    // A server takes a path, and no HTTP without a host.
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let is_stream = STREAMS.iter().any(|end| request.uri().path().ends_with(end));
    *request.uri_mut() = Uri::try_from(path).unwrap_or_default();
    request.headers_mut().entry(HOST).or_insert(HeaderValue::from_static("localhost"));

    let endless = Arc::new(AtomicBool::new(false));
    let bounded = Bounded { stream, left: ANSWER_MAX, endless: endless.clone() };
    let (mut sender, connection) = http1::handshake(TokioIo::new(bounded)).await?;
    // Ends with its connection, whose error is the answer's, too.
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    if is_stream && response.status().is_success() {
        endless.store(true, Ordering::Relaxed);
    }
    Ok(response)
}

/// That an engine sends more than it may.
#[derive(Debug, thiserror::Error)]
#[error("the answer is too long")]
struct TooLong;

/// Whether that is why there is no answer.
pub(crate) fn is_too_long(error: &ApiError) -> bool {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = next {
        if cause.is::<TooLong>() {
            return true;
        }
        // `io::Error` hides what it carries from `source`.
        next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(carried) => Some(carried),
            None => cause.source(),
        };
    }
    false
}

/// A connection that is read up to a bound.
struct Bounded<S> {
    stream: S,
    /// Bytes that may still come.
    left: u64,
    /// Whether any number may.
    endless: Arc<AtomicBool>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = (buffer.filled().len() - before) as u64;
        if !self.endless.load(Ordering::Relaxed) {
            let Some(left) = self.left.checked_sub(read) else {
                return Poll::Ready(Err(io::Error::other(TooLong)));
            };
            self.left = left;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
