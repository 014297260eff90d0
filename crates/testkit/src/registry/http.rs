//! As much of HTTP/1.1 as a registry's front and a push need.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context as _;

/// The longest start line or header taken.
const LINE_MAX: u64 = 64 << 10;

/// A start line and its headers.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) start: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    /// Reads up to the empty line; `None` where the peer sent nothing.
    pub(super) fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = || -> io::Result<String> {
            let mut line = String::new();
            stream.by_ref().take(LINE_MAX).read_line(&mut line)?;
            Ok(line.trim_end().to_owned())
        };
        let start = line()?;
        if start.is_empty() {
            return Ok(None);
        }
        let mut headers = Vec::new();
        loop {
            let line = line()?;
            match line.split_once(':') {
                Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
                None => return Ok(Some(Self { start, headers })),
            }
        }
    }

    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Takes a header out.
    pub(super) fn remove(&mut self, name: &str) {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    /// Replaces a header.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Writes it with its empty line.
    pub(super) fn write(&self, stream: &mut impl Write) -> io::Result<()> {
        let mut text = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) head: Head,
    pub(super) body: Vec<u8>,
}

impl Response {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }
}

/// Sends one request and reads the whole answer. Asks in HTTP/1.0, whose answers end with the
/// connection and are never chunked.
pub(super) fn call(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> anyhow::Result<Response> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let mut head = Head { start: format!("{method} {target} HTTP/1.0"), headers: Vec::new() };
    head.set("Host", &address.to_string());
    for (name, value) in headers {
        head.set(name, value);
    }
    head.set("Content-Length", &body.len().to_string());
    head.write(&mut stream)?;
    stream.write_all(body)?;
    let mut reader = BufReader::new(stream);
    let head = Head::read(&mut reader)?.with_context(|| format!("{method} {target}: no answer"))?;
    let status = status(&head).with_context(|| format!("not HTTP: {}", head.start))?;
    let mut body = Vec::new();
    reader.read_to_end(&mut body)?;
    Ok(Response { status, head, body })
}

/// The status of an answer.
pub(super) fn status(head: &Head) -> Option<u16> {
    head.start.split(' ').nth(1)?.parse().ok()
}
