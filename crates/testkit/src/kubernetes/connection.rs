//! One connection: one request over TLS, and its answer.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rustls::{ServerConnection, StreamOwned};

use super::answer::Answer;
use super::fault::{Due, Fault};
use super::resource::Resource;
use super::{Request, Shared, State};

/// The longest start line or header taken: continue tokens have some hundred bytes.
const LINE_MAX: u64 = 64 << 10;

type Stream = StreamOwned<ServerConnection, TcpStream>;

impl Shared {
    /// Serves one request; every answer ends with its connection.
    pub(super) fn serve(&self, stream: TcpStream) -> anyhow::Result<()> {
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        let session = ServerConnection::new(Arc::clone(&self.tls))?;
        let mut reader = BufReader::new(StreamOwned::new(session, stream));
        let Some((request, bearer)) = read(&mut reader)? else { return Ok(()) };
        let mut stream = reader.into_inner();
        let (fault, answer) = {
            let mut state = self.state();
            state.requests.push(request.clone());
            let fault = state.next_fault(&request);
            let answer = state.answer(&request, bearer.as_deref(), fault.as_ref());
            (fault, answer)
        };
        let most = match fault {
            Some(Fault::Reset) => {
                rustix::net::sockopt::set_socket_linger(&stream.sock, Some(Duration::ZERO))?;
                return Ok(());
            }
            Some(Fault::Hang) => {
                while !self.stopping.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(20));
                }
                return Ok(());
            }
            Some(Fault::Endless) => return self.send_forever(&mut stream),
            Some(Fault::Truncated(most)) => most,
            _ => usize::MAX,
        };
        answer.send(&mut stream, most)?;
        stream.conn.send_close_notify();
        stream.flush()?;
        stream.sock.shutdown(Shutdown::Write)?;
        // What the client still sends would turn the close into a reset.
        let _ = io::copy(&mut (&stream.sock).take(1 << 20), &mut io::sink());
        Ok(())
    }

    fn send_forever(&self, stream: &mut Stream) -> anyhow::Result<()> {
        stream.write_all(
            b"HTTP/1.1 200 -\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n\
              {\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"items\":[\"",
        )?;
        let filler = [b'x'; 8 << 10];
        while !self.stopping.load(Ordering::SeqCst) {
            stream.write_all(&filler)?;
        }
        Ok(())
    }
}

impl State {
    fn next_fault(&mut self, request: &Request) -> Option<Fault> {
        let decoded = percent_decode_str(&request.target).decode_utf8_lossy();
        let line = format!("{} {decoded}", request.method);
        let fits = |due: &&mut Due| due.times > 0 && line.contains(&due.part);
        let due = self.faults.iter_mut().find(fits)?;
        due.times -= 1;
        Some(due.fault.clone())
    }

    fn answer(&mut self, request: &Request, bearer: Option<&str>, fault: Option<&Fault>) -> Answer {
        match fault {
            Some(Fault::Status(status)) => return Answer::of_status(*status, &request.path),
            Some(Fault::RetryAfter(status, seconds)) => {
                let answer = Answer::of_status(*status, &request.path);
                return answer.with("Retry-After", seconds.to_string());
            }
            Some(Fault::Replaced(status, body)) => {
                return Answer { status: *status, headers: Vec::new(), body: body.clone() };
            }
            Some(Fault::Compacted) => self.store.compact(),
            _ => {}
        }
        if bearer != Some(&self.token) {
            return Answer::of_status(401, &request.path);
        }
        if request.method != "GET" {
            return Answer::of_status(405, &request.path);
        }
        if let Some(answer) = Answer::discovery(&request.path) {
            return answer;
        }
        let Some(resource) = Resource::of_path(&request.path) else {
            return Answer::of_status(404, &request.path);
        };
        let selects = !matches!(fault, Some(Fault::IgnoreSelector));
        match self.store.list(resource, request, selects) {
            Ok(mut list) => {
                if let Some(Fault::Edited(edit)) = fault {
                    edit(&mut list);
                }
                Answer::json(&list)
            }
            Err(error) => error,
        }
    }
}

/// The request and its bearer's token; `None` where the client sent nothing.
fn read(reader: &mut impl BufRead) -> io::Result<Option<(Request, Option<String>)>> {
    let mut line = || -> io::Result<String> {
        let mut line = String::new();
        reader.by_ref().take(LINE_MAX).read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    };
    let start = line()?;
    let mut words = start.split(' ').map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let mut bearer = None;
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("authorization") {
            bearer = value.trim().strip_prefix("Bearer ").map(str::to_owned);
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let query = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect();
    Ok(Some((Request { method, path: path.to_owned(), query, target }, bearer)))
}
