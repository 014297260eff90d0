//! Stands between a client and a runtime's socket: records every call, and fails those that a test
//! wants to fail.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Runtime;

type Body = UnsyncBoxBody<Bytes, hyper::Error>;

/// What is done to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails with this gRPC status (14 is "unavailable") before it reaches the runtime.
    Status(u16),
    /// It is passed on, and the connection is closed in place of the answer.
    Lost,
    /// It never ends.
    Hang,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<String>,
    /// By the end of a call's path, and how many calls pass before it.
    faults: HashMap<String, (usize, Fault)>,
}

/// The proxy, until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    socket: PathBuf,
    state: Arc<Mutex<State>>,
    // Ends with the proxy.
    _threads: Runtime,
    _directory: tempfile::TempDir,
}

impl Proxy {
    /// Listens on a socket of its own in front of `upstream`.
    pub fn start(upstream: &Path) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("jt-").tempdir()?;
        let socket = directory.path().join("sock");
        let threads =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let state = Arc::new(Mutex::new(State::default()));
        let listener = {
            let _inside = threads.enter();
            UnixListener::bind(&socket)?
        };
        let (upstream, shared) = (upstream.to_owned(), Arc::clone(&state));
        threads.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (upstream, shared) = (upstream.clone(), Arc::clone(&shared));
                tokio::spawn(serve(stream, upstream, shared));
            }
        });
        Ok(Self { socket, state, _threads: threads, _directory: directory })
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.socket.clone()
    }

    /// The same as an endpoint.
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls so far, `/runtime.v1.ImageService/RemoveImage`.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    /// How many calls end with `name`.
    pub fn count(&self, name: &str) -> usize {
        self.state().calls.iter().filter(|call| call.ends_with(name)).count()
    }

    /// From now on, calls that end with `name` have `fault`, after `passed` of them were passed on.
    pub fn fault(&self, name: &str, passed: usize, fault: Fault) {
        self.state().faults.insert(name.to_owned(), (passed, fault));
    }

    /// Ends all faults and forgets all calls.
    pub fn clear(&self) {
        *self.state() = State::default();
    }
}

async fn serve(stream: UnixStream, upstream: PathBuf, state: Arc<Mutex<State>>) {
    let Ok(behind) = UnixStream::connect(&upstream).await else { return };
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(behind));
    let Ok((sender, connection)) = shaken.await else { return };
    tokio::spawn(connection);
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut sender, state) = (sender.clone(), Arc::clone(&state));
        async move {
            let fault = note(&state, request.uri().path());
            match fault {
                Some(Fault::Status(status)) => return Ok(refusal(status)),
                Some(Fault::Hang) => std::future::pending::<()>().await,
                _ => {}
            }
            let response = sender.send_request(request).await?;
            if fault == Some(Fault::Lost) {
                // An error of the service closes the stream.
                let _ = response.into_body().collect().await;
                return Ok(refusal(14));
            }
            Ok::<Response<Body>, hyper::Error>(response.map(BodyExt::boxed_unsync))
        }
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

fn note(state: &Mutex<State>, path: &str) -> Option<Fault> {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.calls.push(path.to_owned());
    let (_, (passed, fault)) =
        state.faults.iter_mut().find(|(name, _)| path.ends_with(name.as_str()))?;
    if *passed > 0 {
        *passed -= 1;
        return None;
    }
    Some(fault.clone())
}

/// An answer of gRPC without a message.
fn refusal(status: u16) -> Response<Body> {
    let empty = Empty::new().map_err(|never: Infallible| match never {}).boxed_unsync();
    let mut response = Response::new(empty);
    let headers = response.headers_mut();
    headers.insert("content-type", hyper::header::HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", status.into());
    headers.insert("grpc-message", hyper::header::HeaderValue::from_static("a fault of the test"));
    response
}
