//! A connection to containerd over its socket: finding the socket, calling, and saying why a
//! call failed.

use std::io;
use std::path::{Path, PathBuf};

use jettison_grpc::containerd::content::content_client::ContentClient;
use jettison_grpc::containerd::content::{
    Info, InfoRequest, ListContentRequest, ReadContentRequest, ReadContentResponse,
};
use jettison_grpc::containerd::images::images_client::ImagesClient;
use jettison_grpc::containerd::images::{GetImageRequest, Image, ListImagesRequest};
use jettison_grpc::containerd::in_namespace;
use jettison_grpc::containerd::namespaces::ListNamespacesRequest;
use jettison_grpc::containerd::namespaces::namespaces_client::NamespacesClient;
use jettison_grpc::socket::{self, MESSAGE_MAX, cause, dial, exists, in_time, path_of};
use tokio::runtime::Runtime;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::error::{Error, Result};
use crate::source::stream;
use jettison_oci::escape;

/// Where containerd listens, by itself and inside k3s.
const SOCKETS: [&str; 2] =
    ["/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock"];
/// containerd, connected.
#[derive(Debug)]
pub(super) struct Daemon {
    address: PathBuf,
    channel: Channel,
    runtime: Runtime,
}

/// What became of looking for a daemon.
pub(super) enum Connection {
    Open(Daemon),
    /// No socket, or nobody behind it: the words for a user who asked for containerd.
    Absent(Error),
}

impl Daemon {
    /// Connects to `address`, or to the first of the well-known sockets that exists.
    pub(super) fn connect(address: Option<&Path>) -> Result<Connection> {
        let Some(address) = choose(address) else {
            return Ok(Connection::Absent(no_socket(address)));
        };
        let runtime = stream::runtime()?;
        match runtime.block_on(dial(&address)) {
            Ok(channel) => Ok(Connection::Open(Self { address, channel, runtime })),
            Err(error) => {
                let (kind, words) = cause(&error);
                let because = match kind {
                    Some(io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                        return Ok(Connection::Absent(Error::Remote {
                            what: name(&address),
                            because: "nobody listens on the socket: start containerd, or name \
                                      the socket of one that runs with CONTAINERD_ADDRESS"
                                .to_owned(),
                        }));
                    }
                    Some(io::ErrorKind::PermissionDenied) => "permission denied: run as root, or \
                         name a socket you may open with CONTAINERD_ADDRESS"
                        .to_owned(),
                    _ => format!(
                        "the socket cannot be opened ({words}): is it containerd's own? \
                         Name another with CONTAINERD_ADDRESS"
                    ),
                };
                Err(Error::Remote { what: name(&address), because })
            }
        }
    }

    /// The daemon in errors, with its socket.
    pub(super) fn name(&self) -> String {
        name(&self.address)
    }

    /// The runtime that this connection's tasks run on.
    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// All namespaces, sorted.
    pub(super) fn namespaces(&self) -> Result<Vec<String>> {
        let mut client = NamespacesClient::new(self.channel.clone());
        let response = self
            .answer(async move { client.list(ListNamespacesRequest {}).await })
            .map_err(|status| self.failed("listing its namespaces", &status))?;
        let mut names: Vec<_> = response.namespaces.into_iter().map(|n| n.name).collect();
        names.sort();
        Ok(names)
    }

    /// The image of exactly this name; `None` where there is none.
    pub(super) fn image(&self, namespace: &str, name: &str) -> Result<Option<Image>> {
        let mut client =
            ImagesClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX);
        let request = self.request(namespace, GetImageRequest { name: name.to_owned() })?;
        match self.answer(async move { client.get(request).await }) {
            Ok(response) => Ok(response.image),
            // A name that containerd would not store names nothing.
            Err(status) if matches!(status.code(), Code::NotFound | Code::InvalidArgument) => {
                Ok(None)
            }
            Err(status) => Err(self.failed(&format!("namespace {namespace}: {name}"), &status)),
        }
    }

    /// The images that one of `filters` selects; all where there is none. Sorted by name.
    pub(super) fn images(&self, namespace: &str, filters: Vec<String>) -> Result<Vec<Image>> {
        let mut client =
            ImagesClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX);
        let request = self.request(namespace, ListImagesRequest { filters })?;
        let mut images = self
            .answer(async move { client.list(request).await })
            .map_err(|status| self.failed(&format!("namespace {namespace}: its images"), &status))?
            .images;
        images.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(images)
    }

    /// What is known of a blob; `None` where it is not in the content store.
    pub(super) fn info(&self, namespace: &str, digest: &str) -> Result<Option<Info>> {
        let mut client = ContentClient::new(self.channel.clone());
        let request = self.request(namespace, InfoRequest { digest: digest.to_owned() })?;
        match self.answer(async move { client.info(request).await }) {
            Ok(response) => Ok(response.info),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(self.failed(&format!("namespace {namespace}: {digest}"), &status)),
        }
    }

    /// The blobs that one of `filters` selects, `max` of them at most.
    pub(super) fn blobs(
        &self,
        namespace: &str,
        filters: Vec<String>,
        max: usize,
    ) -> Result<Vec<Info>> {
        let mut client =
            ContentClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX);
        let request = self.request(namespace, ListContentRequest { filters })?;
        self.wait(async move {
            let mut blobs = Vec::new();
            let mut messages = client.list(request).await?.into_inner();
            while let Some(message) = messages.message().await? {
                blobs.extend(message.info);
                if blobs.len() > max {
                    blobs.truncate(max);
                    break;
                }
            }
            Ok(blobs)
        })
        .map_err(|status| self.failed(&format!("namespace {namespace}: its content"), &status))
    }

    /// A future that starts reading a blob from its first byte.
    pub(super) fn read(
        &self,
        namespace: &str,
        digest: &str,
    ) -> Result<impl Future<Output = Result<Streaming<ReadContentResponse>, Status>> + Send + use<>>
    {
        let mut client =
            ContentClient::new(self.channel.clone()).max_decoding_message_size(MESSAGE_MAX);
        let whole = ReadContentRequest { digest: digest.to_owned(), offset: 0, size: 0 };
        let request = self.request(namespace, whole)?;
        Ok(async move { in_time(client.read(request)).await.map(Response::into_inner) })
    }

    /// Runs `future` to its end; it must not take long.
    pub(super) fn wait<T>(
        &self,
        future: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        self.runtime.block_on(in_time(future))
    }

    fn answer<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Status> {
        self.wait(call).map(Response::into_inner)
    }

    /// `message` with the header that says in which namespace it is meant.
    fn request<T>(&self, namespace: &str, message: T) -> Result<Request<T>> {
        in_namespace(namespace, message).ok_or_else(|| Error::Remote {
            what: self.name(),
            because: format!("it cannot have a namespace {}", escape::line(namespace)),
        })
    }

    /// The error of a call about `about`.
    pub(super) fn failed(&self, about: &str, status: &Status) -> Error {
        failed(&self.name(), about, status)
    }
}

/// The error of a call to `daemon` (a [`Daemon::name`]) about `about`, for tasks that must not
/// hold the daemon itself.
pub(super) fn failed(daemon: &str, about: &str, status: &Status) -> Error {
    let instead = "name containerd's own socket with CONTAINERD_ADDRESS";
    let because = socket::because(status, "containerd's API", instead);
    Error::Remote { what: format!("{daemon}, {}", escape::line(about)), because }
}

/// The socket to open: the one asked for, else the first well-known one that exists. `None`
/// where it does not exist.
fn choose(asked: Option<&Path>) -> Option<PathBuf> {
    match asked {
        Some(path) => Some(path_of(path)).filter(|path| exists(path)),
        None => SOCKETS.iter().map(PathBuf::from).find(|path| exists(path)),
    }
}

fn no_socket(asked: Option<&Path>) -> Error {
    match asked {
        Some(path) => Error::Remote {
            what: name(&path_of(path)),
            because: "there is no such socket: start containerd, or name its socket with \
                      CONTAINERD_ADDRESS"
                .to_owned(),
        },
        None => Error::Remote {
            what: "containerd".to_owned(),
            because: format!(
                "there is no socket at {}: start containerd, or name its socket with \
                 CONTAINERD_ADDRESS",
                SOCKETS.join(" or ")
            ),
        },
    }
}

fn name(address: &Path) -> String {
    format!("containerd at {}", address.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_socket_is_absent_and_says_what_to_do() {
        let Ok(Connection::Absent(error)) = Daemon::connect(Some(Path::new("/nowhere/c.sock")))
        else {
            panic!("a socket that does not exist was opened");
        };
        assert_eq!(
            error.to_string(),
            "containerd at /nowhere/c.sock: there is no such socket: start containerd, or name \
             its socket with CONTAINERD_ADDRESS"
        );
    }

    #[test]
    fn a_socket_nobody_listens_on_is_absent_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let Ok(Connection::Absent(error)) = Daemon::connect(Some(&path)) else {
            panic!("a dead socket was opened");
        };
        assert!(error.to_string().contains("nobody listens"), "{error}");
    }

    #[test]
    fn a_socket_of_something_else_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.sock");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let server = std::thread::spawn(move || {
            use std::io::Write as _;
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        });
        let error = match Daemon::connect(Some(&path)) {
            Ok(Connection::Open(daemon)) => daemon.namespaces().unwrap_err(),
            Ok(Connection::Absent(error)) | Err(error) => error,
        };
        server.join().unwrap();
        assert!(error.to_string().contains("own"), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}
