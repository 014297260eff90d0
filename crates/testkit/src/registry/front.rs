//! A small HTTP front before a registry: it hands out and demands bearer tokens as the
//! distribution specification's token authentication says, injects faults, and counts requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use super::http::{self, Head};
use super::{Credentials, Registry};

/// The service that tokens are for.
const SERVICE: &str = "jettison-testkit";

/// Who may pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Everything is passed on as it is.
    #[default]
    Open,
    /// A token is needed, and anybody is given one to pull; to push takes a name, any name.
    Anonymous,
    /// A token is needed, and given only for these credentials.
    Credentials(Credentials),
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, with the error body of the distribution specification.
    Status(u16),
    /// This status, with `Retry-After` in seconds.
    RetryAfter(u16, u64),
    /// The right answer, cut off after so many bytes of its body.
    Truncated(usize),
    /// The right answer with one byte of its body turned over.
    Corrupted,
    /// Another body of this content type.
    Replaced(String, Vec<u8>),
    /// The connection is closed without an answer.
    HangUp,
    /// A body that never ends.
    Endless,
    /// Nothing for so long, then the right answer.
    Stalled(Duration),
}

/// A request that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// The path with its query.
    pub target: String,
    /// What was answered by the front itself; `None` for what the registry answered.
    pub status: Option<u16>,
}

impl Request {
    fn contains(&self, part: &str) -> bool {
        format!("{} {}", self.method, self.target).contains(part)
    }
}

/// The front. Ends with the value.
#[derive(Debug)]
pub struct Front {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    upstream: SocketAddr,
    access: Access,
    stopping: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    faults: Vec<(String, usize, Fault)>,
    /// Each token in force, with the scopes it was given for.
    tokens: BTreeMap<String, Vec<String>>,
    issued: usize,
}

impl Front {
    /// Starts one before `registry`.
    pub fn start(registry: &Registry, access: Access) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            address,
            upstream: registry.address(),
            access,
            stopping: AtomicBool::new(false),
            state: Mutex::default(),
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
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The reference of `name`, such as `app:1`, through this front.
    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Lets the next `times` requests go wrong that have `part` in their method and target, such
    /// as `/blobs/` or `GET /v2/app/manifests/1`. Of several faults that fit, the first added
    /// comes first.
    pub fn fault(&self, part: &str, times: usize, fault: Fault) {
        self.shared.state().faults.push((part.to_owned(), times, fault));
    }

    /// Nothing goes wrong any more.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// How many requests so far had `part` in their method and target.
    pub fn count(&self, part: &str) -> usize {
        self.shared.state().requests.iter().filter(|request| request.contains(part)).count()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.shared.state().requests.clear();
    }

    /// Makes every token handed out so far invalid.
    pub fn expire_tokens(&self) {
        self.shared.state().tokens.clear();
    }
}

impl Drop for Front {
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

    /// Serves one request; every answer ends with its connection.
    fn serve(&self, stream: TcpStream) -> anyhow::Result<()> {
        stream.set_read_timeout(Some(Duration::from_mins(2)))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        let Some(head) = Head::read(&mut reader)? else { return Ok(()) };
        let mut words = head.start.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default().to_owned();
        let request = Request { method, target, status: None };
        let fault = self.next_fault(&request);
        let own = match &fault {
            None | Some(Fault::Stalled(_)) => self.own_answer(&request, &head),
            Some(fault) => Answer::of(fault),
        };
        let status = own.as_ref().map(|answer| answer.status);
        self.state().requests.push(Request { status, ..request.clone() });
        match fault {
            Some(Fault::HangUp) => return Ok(stream.shutdown(Shutdown::Both)?),
            Some(Fault::Endless) => return self.send_forever(&mut stream),
            Some(Fault::Truncated(length)) => {
                return self.forward_spoilt(&mut stream, &request, &head, |body| {
                    body.truncate(length);
                });
            }
            Some(Fault::Corrupted) => {
                return self.forward_spoilt(&mut stream, &request, &head, |body| {
                    let middle = body.len() / 2;
                    body.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 0xFF);
                });
            }
            Some(Fault::Stalled(time)) => self.stall(time),
            _ => {}
        }
        match own {
            Some(answer) => answer.send(&mut stream, &request.method),
            None => self.forward(reader, &mut stream, head),
        }
    }

    fn next_fault(&self, request: &Request) -> Option<Fault> {
        let mut state = self.state();
        let fits =
            |(part, times, _): &&mut (String, usize, Fault)| *times > 0 && request.contains(part);
        let (_, times, fault) = state.faults.iter_mut().find(fits)?;
        *times -= 1;
        Some(fault.clone())
    }

    /// Passes the request on and the answer back, both as they come.
    fn forward(
        &self,
        mut reader: BufReader<TcpStream>,
        stream: &mut TcpStream,
        mut head: Head,
    ) -> anyhow::Result<()> {
        let mut upstream = TcpStream::connect(self.upstream)?;
        self.prepare(&mut head);
        head.write(&mut upstream)?;
        let mut back = upstream.try_clone()?;
        let sender = std::thread::spawn(move || {
            // Ends when the client closes, or when the answer has been passed on.
            let _ = io::copy(&mut reader, &mut upstream);
        });
        let copied = io::copy(&mut back, stream);
        let _ = stream.shutdown(Shutdown::Both);
        let _ = back.shutdown(Shutdown::Both);
        let _ = sender.join();
        copied?;
        Ok(())
    }

    /// Passes a request without a body on, and its answer back with a fault in it.
    fn forward_spoilt(
        &self,
        stream: &mut TcpStream,
        request: &Request,
        head: &Head,
        spoil: impl FnOnce(&mut Vec<u8>),
    ) -> anyhow::Result<()> {
        let mut head = head.clone();
        self.prepare(&mut head);
        let headers: Vec<(&str, &str)> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut answer =
            http::call(self.upstream, &request.method, &request.target, &headers, &[])?;
        spoil(&mut answer.body);
        // The length stays what the whole body has.
        answer.head.start = answer.head.start.replacen("HTTP/1.0", "HTTP/1.1", 1);
        answer.head.set("Connection", "close");
        answer.head.write(stream)?;
        stream.write_all(&answer.body)?;
        Ok(stream.shutdown(Shutdown::Both)?)
    }

    fn prepare(&self, head: &mut Head) {
        head.set("Connection", "close");
        if self.access != Access::Open {
            head.remove("Authorization");
        }
    }

    fn send_forever(&self, stream: &mut TcpStream) -> anyhow::Result<()> {
        let head = Head {
            start: "HTTP/1.1 200 OK".into(),
            headers: vec![
                content_type("application/vnd.oci.image.manifest.v1+json"),
                ("Connection".into(), "close".into()),
            ],
        };
        head.write(stream)?;
        stream.write_all(b"{\"schemaVersion\":2,\"annotations\":{\"x\":\"")?;
        let filler = [b'x'; 8 << 10];
        while !self.stopping.load(Ordering::SeqCst) {
            stream.write_all(&filler)?;
        }
        Ok(())
    }

    fn stall(&self, mut time: Duration) {
        let step = Duration::from_millis(50);
        while !time.is_zero() && !self.stopping.load(Ordering::SeqCst) {
            std::thread::sleep(step.min(time));
            time = time.saturating_sub(step);
        }
    }

    /// What the front answers without the registry: a token, or that one is needed.
    fn own_answer(&self, request: &Request, head: &Head) -> Option<Answer> {
        let Request { method, target, .. } = request;
        if self.access == Access::Open {
            return None;
        }
        if target.starts_with("/token") {
            return Some(self.token(method, target, head));
        }
        let scope = scope(method, target);
        let token = head.header("Authorization").and_then(|value| value.strip_prefix("Bearer "));
        let state = self.state();
        let scopes = token.and_then(|token| state.tokens.get(token));
        let granted = match (scopes, &scope) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(scopes), Some((name, action))) => {
                scopes.iter().any(|scope| grants(scope, name, action))
            }
        };
        if granted {
            return None;
        }
        let mut challenge =
            format!("Bearer realm=\"http://{}/token\",service=\"{SERVICE}\"", self.address);
        if let Some((name, action)) = scope {
            let actions = if action == "pull" { "pull" } else { "pull,push" };
            let _ = write!(challenge, ",scope=\"repository:{name}:{actions}\"");
        }
        if token.is_some() {
            challenge.push_str(",error=\"invalid_token\"");
        }
        Some(Answer::error(401).with(("WWW-Authenticate".to_owned(), challenge)))
    }

    /// Hands out a token, or refuses to.
    fn token(&self, method: &str, target: &str, head: &Head) -> Answer {
        if method != "GET" {
            // Clients that try OAuth2 first go on to GET.
            return Answer::error(405);
        }
        let name = head.header("Authorization");
        let allowed = match &self.access {
            Access::Open | Access::Anonymous => true,
            Access::Credentials(credentials) => name == Some(credentials.basic().as_str()),
        };
        if !allowed {
            return Answer::error(401);
        }
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let scopes = query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("scope="))
            .map(decode)
            .flat_map(|scopes| scopes.split(' ').map(str::to_owned).collect::<Vec<_>>())
            // Who gives no name may only pull.
            .map(|scope| if name.is_none() { scope.replace(",push", "") } else { scope })
            .collect();
        let mut state = self.state();
        state.issued += 1;
        let token = format!("token-{}", state.issued);
        state.tokens.insert(token.clone(), scopes);
        let body = json!({ "token": token, "access_token": token, "expires_in": 300 });
        Answer {
            status: 200,
            headers: vec![content_type("application/json")],
            body: body.to_string().into_bytes(),
        }
    }
}

/// The repository that a request is about, and whether it pulls or pushes.
fn scope<'a>(method: &str, target: &'a str) -> Option<(&'a str, &'static str)> {
    let path = target.split_once('?').map_or(target, |(path, _)| path).strip_prefix("/v2/")?;
    let end = ["/manifests/", "/blobs/", "/tags/", "/referrers/"]
        .iter()
        .filter_map(|part| path.find(part))
        .min()?;
    let action = if matches!(method, "GET" | "HEAD") { "pull" } else { "push" };
    Some((&path[..end], action))
}

fn grants(scope: &str, name: &str, action: &str) -> bool {
    scope
        .strip_prefix("repository:")
        .and_then(|rest| rest.rsplit_once(':'))
        .is_some_and(|(of, actions)| of == name && actions.split(',').any(|one| one == action))
}

/// Undoes the percent encoding of a query's value.
fn decode(value: &str) -> String {
    let (mut decoded, mut bytes) = (Vec::new(), value.bytes());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let hex: Vec<u8> = bytes.by_ref().take(2).collect();
                std::str::from_utf8(&hex)
                    .ok()
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok())
                    .unwrap_or(b'?')
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn content_type(kind: &str) -> (String, String) {
    ("Content-Type".to_owned(), kind.to_owned())
}

/// An answer of the front's own.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// The answer that a fault is made of, where it is one.
    fn of(fault: &Fault) -> Option<Self> {
        match fault {
            Fault::Status(status) => Some(Self::error(*status)),
            Fault::RetryAfter(status, seconds) => {
                let after = ("Retry-After".to_owned(), seconds.to_string());
                Some(Self::error(*status).with(after))
            }
            Fault::Replaced(kind, body) => {
                let headers = vec![content_type(kind)];
                Some(Self { status: 200, headers, body: body.clone() })
            }
            _ => None,
        }
    }

    /// An error as the distribution specification words it.
    fn error(status: u16) -> Self {
        let code = match status {
            401 => "UNAUTHORIZED",
            403 => "DENIED",
            404 => "MANIFEST_UNKNOWN",
            429 => "TOOMANYREQUESTS",
            405 => "UNSUPPORTED",
            _ => "UNKNOWN",
        };
        let message = format!("the front answers {status}");
        let body = json!({ "errors": [{ "code": code, "message": message }] });
        Self {
            status,
            headers: vec![content_type("application/json")],
            body: body.to_string().into_bytes(),
        }
    }

    fn with(mut self, header: (String, String)) -> Self {
        self.headers.push(header);
        self
    }

    fn send(self, stream: &mut TcpStream, method: &str) -> anyhow::Result<()> {
        let mut head = Head { start: format!("HTTP/1.1 {} -", self.status), headers: self.headers };
        head.set("Docker-Distribution-Api-Version", "registry/2.0");
        head.set("Content-Length", &self.body.len().to_string());
        head.set("Connection", "close");
        head.write(stream).context("answering")?;
        if method != "HEAD" {
            stream.write_all(&self.body)?;
        }
        stream.shutdown(Shutdown::Write)?;
        // A request's body still on its way would turn the close into a reset.
        let _ = io::copy(&mut stream.take(1 << 30), &mut io::sink());
        Ok(())
    }
}
