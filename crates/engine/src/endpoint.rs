//! Where an engine listens, as `DOCKER_HOST` names it.

use std::fmt;
use std::io;
use std::net::{IpAddr, TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker};

use crate::error::{Error, Result};
use crate::transport;

/// Docker's socket where nothing else is said.
pub const DOCKER: &str = "/var/run/docker.sock";
/// The socket of podman's service for the whole machine.
pub const PODMAN: &str = "/run/podman/podman.sock";
/// What requests are addressed to before they are sent.
const URL: &str = "http://localhost";
/// The port of an engine without TLS.
const PORT: u16 = 2375;
/// How long a host may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an engine may take to begin an answer, in seconds. Before it begins an export, dockerd
/// copies the whole image to its disk.
const ANSWER: u64 = 3600;

/// An engine's socket or port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The path of a socket.
    Unix(PathBuf),
    /// Host, an IPv6 address without brackets, and port.
    Tcp(String, u16),
}

impl Endpoint {
    /// Docker's well-known socket, if it exists.
    pub fn docker() -> Option<Self> {
        Self::existing(DOCKER)
    }

    /// podman's well-known socket, if it exists.
    pub fn podman() -> Option<Self> {
        Self::existing(PODMAN)
    }

    /// Where `DOCKER_HOST` says, else Docker's well-known socket, else where `CONTAINER_HOST` says,
    /// else podman's; `None` where there is none.
    pub fn choose(docker_host: Option<&str>, podman_host: Option<&str>) -> Result<Option<Self>> {
        if let Some(host) = docker_host {
            return Self::parse(host).map(Some);
        }
        if let Some(endpoint) = Self::docker() {
            return Ok(Some(endpoint));
        }
        podman_host.map_or_else(|| Ok(Self::podman()), |host| Self::parse(host).map(Some))
    }

    fn existing(path: &str) -> Option<Self> {
        // A socket that may not be looked at exists: connecting tells why.
        let missing = Path::new(path)
            .symlink_metadata()
            .is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        (!missing).then(|| Self::Unix(path.into()))
    }

    /// Reads `unix:///path`, a path, `tcp://host:port` or `http://host:port`.
    pub fn parse(host: &str) -> Result<Self> {
        let usage = |because: &str| {
            Error::Usage(format!(
                "the engine's address {host:?} {because}: expected unix:///path/of/socket, \
                 tcp://host:port or http://host:port"
            ))
        };
        if let Some(path) = host.strip_prefix("unix://").or(host.starts_with('/').then_some(host)) {
            if !path.starts_with('/') {
                return Err(usage("is not an absolute path"));
            }
            return Ok(Self::Unix(path.into()));
        }
        let Some(address) = host.strip_prefix("tcp://").or(host.strip_prefix("http://")) else {
            return Err(match host.split_once("://") {
                Some(("ssh", _)) => usage(
                    "is reached through SSH, which jettison does not speak; forward the socket \
                     (`ssh -L /tmp/engine.sock:/var/run/docker.sock HOST`) and name the copy",
                ),
                Some(("https", _)) => usage("is reached through TLS, which is not supported"),
                Some(_) => usage("has an unknown scheme"),
                None => usage("has no scheme"),
            });
        };
        let address = address.strip_suffix('/').unwrap_or(address);
        let (name, port) = match address.strip_prefix('[') {
            Some(v6) => match v6.split_once(']') {
                Some((name, "")) => (name, None),
                Some((name, rest)) => (name, rest.strip_prefix(':').or(Some(rest))),
                None => return Err(usage("has no closing bracket")),
            },
            None => match address.rsplit_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (address, None),
            },
        };
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte);
        if name.is_empty() || !name.bytes().all(named) {
            return Err(usage("has no host, or more than a host and a port"));
        }
        let port = match port {
            None => PORT,
            Some(port) => port.parse().map_err(|_| usage("has no proper port"))?,
        };
        Ok(Self::Tcp(name.to_owned(), port))
    }

    /// Whether the engine's files can be files of this host.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(name, _) => {
                name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }

    /// Whether nobody listens on the socket any more.
    pub fn is_abandoned(&self) -> bool {
        self.reach().is_err_and(|error| {
            matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)
        })
    }

    /// A client for the engine, once it has accepted a connection.
    pub fn connect(&self) -> Result<Docker> {
        self.reach().map_err(|error| self.unreachable(&error))?;
        let endpoint = self.clone();
        let send = move |request| transport::send(endpoint.clone(), request);
        // The transport knows where to send; an address is wanted for its URLs.
        let client =
            Docker::connect_with_custom_transport(send, Some(URL), ANSWER, API_DEFAULT_VERSION);
        client.map_err(|error| Error::Remote { what: self.engine(), because: error.to_string() })
    }

    /// Connects once and hangs up: the system says more plainly than an HTTP client why not.
    fn reach(&self) -> io::Result<()> {
        match self {
            Self::Unix(path) => UnixStream::connect(path).map(drop),
            Self::Tcp(name, port) => {
                let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
                for address in (name.as_str(), *port).to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, CONNECT) {
                        Ok(_) => return Ok(()),
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }

    fn unreachable(&self, error: &io::Error) -> Error {
        let because = match (self, error.kind()) {
            (Self::Unix(_), io::ErrorKind::NotFound) => {
                "the socket does not exist: start the engine, or name the socket it listens on"
            }
            (Self::Unix(_), io::ErrorKind::ConnectionRefused) => {
                "nobody listens on the socket: the engine is down, start it"
            }
            (Self::Unix(_), io::ErrorKind::PermissionDenied) => {
                "permission denied on the socket: run as root, or as a member of the group that \
                 owns it (for Docker, `docker`)"
            }
            (Self::Tcp(..), io::ErrorKind::ConnectionRefused) => {
                "connection refused: the engine is down, or does not listen there"
            }
            (Self::Tcp(..), io::ErrorKind::TimedOut) => {
                "no answer: the host is down, or a firewall drops the connection"
            }
            _ => {
                return Error::Remote { what: self.engine(), because: error.to_string() };
            }
        };
        Error::Remote { what: self.engine(), because: because.to_owned() }
    }

    /// The engine in errors.
    pub fn engine(&self) -> String {
        format!("the engine at {self}")
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(name, port) if name.contains(':') => write!(f, "tcp://[{name}]:{port}"),
            Self::Tcp(name, port) => write!(f, "tcp://{name}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_docker_reads_them() {
        for (host, shown, local) in [
            ("unix:///run/x.sock", "unix:///run/x.sock", true),
            ("/run/x.sock", "unix:///run/x.sock", true),
            ("tcp://127.0.0.1:2375", "tcp://127.0.0.1:2375", true),
            ("tcp://localhost", "tcp://localhost:2375", true),
            ("http://engine.example:80/", "tcp://engine.example:80", false),
            ("tcp://[::1]:4000", "tcp://[::1]:4000", true),
            ("tcp://[fe80::1]", "tcp://[fe80::1]:2375", false),
        ] {
            let endpoint = Endpoint::parse(host).unwrap();
            assert_eq!((endpoint.to_string().as_str(), endpoint.is_local()), (shown, local));
        }
        for bad in
            ["", "engine", "unix://x", "tcp://", "tcp://h:x", "tcp://h/p", "tcp://[::1", "fd://"]
        {
            assert!(matches!(Endpoint::parse(bad).unwrap_err(), Error::Usage(_)), "{bad}");
        }
        let ssh = Endpoint::parse("ssh://u@h").unwrap_err().to_string();
        assert!(ssh.contains("forward the socket"), "{ssh}");
    }

    #[test]
    fn unreachable_engines_say_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sock");
        let endpoint = Endpoint::Unix(path.clone());
        let missing = endpoint.connect().unwrap_err().to_string();
        assert!(missing.contains("sock: the socket does not exist"), "{missing}");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let down = endpoint.connect().unwrap_err().to_string();
        assert!(down.contains("the engine is down"), "{down}");
        assert!(endpoint.is_abandoned());
    }
}
