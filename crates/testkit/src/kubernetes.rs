//! A fake of a Kubernetes API server, as no real one can be had here: it lists pods and workloads
//! over TLS to whoever has its token, page by page as the real one does, and goes wrong on demand.

mod answer;
mod connection;
mod fault;
pub mod object;
mod resource;
mod store;
mod tls;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use base64::Engine as _;
use fs_err as fs;
use serde_json::Value;
use tempfile::TempDir;

use store::Store;

pub use fault::Fault;

/// A request that came in, with or without the right to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, …
    pub method: String,
    /// The path without its query.
    pub path: String,
    /// The parameters of its query, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// The path with its query, as it came.
    pub target: String,
}

impl Request {
    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The fake. Ends with the value.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
    authority: String,
    room: TempDir,
}

#[derive(Debug)]
struct Shared {
    tls: Arc<rustls::ServerConfig>,
    stopping: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    token: String,
    store: Store,
    requests: Vec<Request>,
    faults: Vec<fault::Due>,
}

impl Server {
    /// Starts one that has no objects.
    pub fn start() -> anyhow::Result<Self> {
        let tls = tls::Identity::new()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = State {
            token: "first-token".to_owned(),
            store: Store::default(),
            requests: Vec::new(),
            faults: Vec::new(),
        };
        let shared = Arc::new(Shared {
            tls: Arc::new(tls.config),
            stopping: AtomicBool::new(false),
            state: Mutex::new(state),
        });
        let of_acceptor = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if of_acceptor.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&of_acceptor);
                // What goes wrong on a connection is for the client to notice.
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        let room = tempfile::Builder::new().prefix("jettison-kubernetes-").tempdir()?;
        Ok(Self { address, shared, acceptor: Some(acceptor), authority: tls.authority, room })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Writes a kubeconfig whose context `fake` is this server with the token of now.
    pub fn kubeconfig(&self) -> anyhow::Result<PathBuf> {
        let authority = base64::engine::general_purpose::STANDARD.encode(&self.authority);
        let (address, token) = (self.address, &self.shared.state().token);
        let text = format!(
            "apiVersion: v1
kind: Config
preferences: {{}}
clusters:
- name: fake-cluster
  cluster:
    certificate-authority-data: {authority}
    server: https://{address}
contexts:
- name: fake
  context: {{cluster: fake-cluster, user: fake-user}}
current-context: fake
users:
- name: fake-user
  user: {{token: {token}}}
"
        );
        let path = self.room.path().join("kubeconfig");
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Lays out what a pod finds in `/var/run/secrets/kubernetes.io/serviceaccount`.
    pub fn service_account(&self, directory: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(directory)?;
        fs::write(directory.join("token"), &self.shared.state().token)?;
        fs::write(directory.join("ca.crt"), &self.authority)?;
        fs::write(directory.join("namespace"), "default")?;
        Ok(())
    }

    /// Makes the token that it gave out worthless; what is written from now on has `token`.
    pub fn rotate_token(&self, token: &str) {
        token.clone_into(&mut self.shared.state().token);
    }

    /// Adds an object or replaces the one of its kind, namespace and name.
    ///
    /// # Panics
    /// When the object lacks one of these.
    pub fn put(&self, object: Value) {
        self.shared.state().store.put(object);
    }

    /// Takes an object away; `false` where there is none.
    pub fn remove(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.shared.state().store.remove(kind, namespace, name)
    }

    /// Lets the next `times` requests go wrong that have `part` in their method, path and decoded
    /// query, such as `/jobs` or `GET /api/v1/pods?` or `continue=`. Of several faults that fit,
    /// the first added comes first.
    pub fn fault(&self, part: &str, times: usize, fault: Fault) {
        let due = fault::Due { part: part.to_owned(), times, fault };
        self.shared.state().faults.push(due);
    }

    /// Nothing goes wrong any more.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.shared.state().requests.clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
