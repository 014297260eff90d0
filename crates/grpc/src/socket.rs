//! A connection to a runtime over its socket, and why a call over it failed.

use std::error::Error as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use jettison_oci::escape;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

/// Every call but a layer's is answered in milliseconds; a node under load takes seconds.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// A socket of the same machine accepts at once or never.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// One message, such as the list of all images: 2,000 of them take about 1 MiB, and containerd
/// itself sends no message above 16 MiB unless it is set to.
pub const MESSAGE_MAX: usize = 64 << 20;
/// Bytes of one stream that may be on their way, and of all streams: so many more that layers
/// read side by side never wait for one that nobody reads at the moment.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 512 << 20;

/// Opens the socket at `path`.
pub async fn dial(path: &Path) -> Result<Channel, tonic::transport::Error> {
    let path = path.to_owned();
    // The name in the URI is not looked up: the connector opens the socket.
    Endpoint::from_static("http://localhost")
        .connect_timeout(CONNECT_WITHIN)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .connect_with_connector(tower::service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        }))
        .await
}

/// The path of an address that may be written as a URI.
pub fn path_of(address: &Path) -> PathBuf {
    let text = address.to_str().and_then(|text| text.strip_prefix("unix://"));
    text.map_or_else(|| address.to_owned(), PathBuf::from)
}

/// Whether something is there. What is in a directory that may not be entered is: opening it tells
/// that it needs root.
pub fn exists(path: &Path) -> bool {
    path.symlink_metadata()
        .err()
        .is_none_or(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// The I/O error at the bottom of an error, and the bottom's words.
pub fn cause(error: &(dyn std::error::Error + 'static)) -> (Option<io::ErrorKind>, String) {
    let mut kind = None;
    let mut bottom = error;
    loop {
        kind = bottom.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
        match bottom.source() {
            Some(below) => bottom = below,
            None => return (kind, escape::line(&bottom.to_string())),
        }
    }
}

/// `future`, given up where it takes longer than any answer should.
pub async fn in_time<T>(future: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    timeout(ANSWER_WITHIN, future).await.unwrap_or_else(|_| {
        Err(Status::deadline_exceeded(format!("no answer within {ANSWER_WITHIN:?}")))
    })
}

/// Why a call failed, as the end of a sentence. `interface` is what was spoken ("containerd's
/// API"), `instead` what to do where the socket speaks another one.
pub fn because(status: &Status, interface: &str, instead: &str) -> String {
    let words = escape::line(status.message());
    match status.code() {
        Code::Unimplemented => format!("what answers does not serve {interface}: {instead}"),
        Code::DeadlineExceeded => {
            "it accepts calls and does not answer: is the node overloaded, or the runtime hung?"
                .to_owned()
        }
        Code::PermissionDenied | Code::Unauthenticated => {
            format!("it refuses ({words}): run as root")
        }
        Code::ResourceExhausted | Code::OutOfRange => {
            format!("its answer is larger than it may be ({words})")
        }
        // The connection broke: tonic hides the reason in the sources.
        _ if status.source().is_some() => {
            let (_, words) = cause(status);
            format!("the connection broke ({words}): is it the runtime's own socket, and running?")
        }
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_a_uri() {
        assert_eq!(path_of(Path::new("unix:///run/c.sock")), Path::new("/run/c.sock"));
        assert_eq!(path_of(Path::new("/run/c.sock")), Path::new("/run/c.sock"));
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        assert!(exists(folder.path()));
        assert!(!exists(&folder.path().join("none")));
    }
}
