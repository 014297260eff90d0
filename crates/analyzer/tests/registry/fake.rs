//! A registry that misbehaves as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::image::{MANIFEST_TYPE, TestImage};

/// A request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// Under lower-case names.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        // The first byte of a TLS handshake: nothing for this server.
        if reader.fill_buf().ok()?.first()? == &0x16 {
            return None;
        }
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Self { method, path, headers, body: String::from_utf8(body).unwrap() })
    }
}

/// The server, which ends with the tests' process.
pub(crate) struct Fake {
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Fake {
    /// Answers each request by `answer`, given how many with the same path came before it.
    pub(crate) fn start(
        answer: impl Fn(&Request, usize, &mut TcpStream) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let log = Arc::new(Mutex::new(Vec::<Request>::new()));
        let (answer, shared) = (Arc::new(answer), log.clone());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (answer, log) = (answer.clone(), shared.clone());
                std::thread::spawn(move || {
                    let Some(request) = Request::read(&stream) else { return };
                    let mut log = log.lock().unwrap();
                    let before = log.iter().filter(|other| other.path == request.path).count();
                    log.push(request.clone());
                    drop(log);
                    answer(&request, before, &mut stream);
                });
            }
        });
        Self { address, log }
    }

    /// The requests so far whose path contains `part`.
    pub(crate) fn requests(&self, part: &str) -> Vec<Request> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|request| request.path.contains(part)).cloned().collect()
    }
}

/// Writes a whole answer. The client may have gone: that is its right.
pub(crate) fn reply(stream: &mut TcpStream, status: &str, headers: &[&str], body: &[u8]) {
    let headers = headers.iter().flat_map(|header| [*header, "\r\n"]).collect::<String>();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// Writes a body that does not end before the client goes; returns how much it took.
pub(crate) fn reply_endlessly(stream: &mut TcpStream, status: &str) -> u64 {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n");
    let mut taken = 0;
    let piece = [b' '; 16 << 10];
    let _ = stream.write_all(head.as_bytes());
    while taken < 1 << 30 && stream.write_all(&piece).is_ok() {
        taken += piece.len() as u64;
    }
    taken
}

/// Answers as a registry that holds `image` in `team/app`, under every tag.
pub(crate) fn serve(image: &TestImage, request: &Request, stream: &mut TcpStream) {
    let path = request.path.strip_prefix("/v2/team/app/").unwrap_or_default();
    if path.starts_with("manifests/") {
        let headers = [&*format!("Content-Type: {MANIFEST_TYPE}")];
        return reply(stream, "200 OK", &headers, &image.manifest.bytes);
    }
    let digest = path.strip_prefix("blobs/").unwrap_or_default();
    let held = [&image.config].into_iter().chain(&image.layers);
    if let Some(blob) = held.into_iter().find(|blob| blob.digest.as_str() == digest) {
        return reply(stream, "200 OK", &[], &blob.bytes);
    }
    let body = br#"{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}"#;
    reply(stream, "404 Not Found", &[], body);
}
