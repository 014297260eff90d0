//! One request, made again where that may help. Answers are bounded in bytes and in time, so that
//! one that hangs, never ends or breaks off is told apart.

use std::time::Duration;

use http::header::{ACCEPT, RETRY_AFTER};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use jettison_grpc::socket;
use kube::client::Body;
use tokio::time::{sleep, timeout};

use super::refusal::{self, WORDS_MAX};
use super::{Api, Resource};
use crate::{Error, Result};

/// The largest page that is read, in bytes: 500 pods of 10 KiB take 5 MiB, and a server that does
/// not know pages sends all pods of a large cluster at once.
pub(super) const PAGE_MAX: usize = 64 << 20;
/// The largest error that is read, in bytes.
const ERROR_MAX: usize = 64 << 10;
/// How often a request is made again.
const RETRIES_MAX: u32 = 3;
/// The longest wait that the server may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);

/// Why there is no answer to a request.
#[derive(Debug)]
pub(super) enum Failure {
    /// The list was begun too long ago to be continued (410).
    Gone,
    /// For good.
    Refused(Error),
}

/// What came back once.
enum Answer {
    Page(Vec<u8>),
    TooLarge,
    Status {
        status: StatusCode,
        words: String,
        retry_after: Option<Duration>,
    },
    /// None, or a part of one; why, as the end of a sentence.
    Broken(String),
}

impl Api {
    /// The body of the answer to a GET of `target`, which lists `resource`.
    pub(super) async fn get(&self, resource: Resource, target: &str) -> Result<Vec<u8>, Failure> {
        let refused = |because: &str| Err(Failure::Refused(self.refused(because)));
        let mut failed = 0;
        loop {
            let (because, asked) = match self.get_once(target).await {
                Answer::Page(page) => return Ok(page),
                Answer::TooLarge => {
                    return refused(&format!(
                        "sends more than {} MiB for one page of {}: is it the API server?",
                        PAGE_MAX >> 20,
                        resource.plural
                    ));
                }
                Answer::Status { status: StatusCode::GONE, .. } => return Err(Failure::Gone),
                Answer::Status { status, words, retry_after } => {
                    let because = refusal::of_status(resource, status, &words);
                    if !is_transient(status) {
                        return refused(&because);
                    }
                    (because, retry_after)
                }
                Answer::Broken(because) => (because, None),
            };
            match wait(self.patience.first_wait, failed, asked) {
                Wait::For(time) => sleep(time).await,
                Wait::TooLong(time) => {
                    return refused(&format!(
                        "{because}, and wants to be left alone for {} s: try again then",
                        time.as_secs()
                    ));
                }
                Wait::NoMore => {
                    return refused(&format!(
                        "{because}; asked {} times: is it up and reachable from here?",
                        failed + 1
                    ));
                }
            }
            failed += 1;
        }
    }

    async fn get_once(&self, target: &str) -> Answer {
        let answer = timeout(self.patience.answer, self.exchange(target)).await;
        answer.unwrap_or_else(|_| {
            Answer::Broken(format!("does not answer within {:?}", self.patience.answer))
        })
    }

    async fn exchange(&self, target: &str) -> Answer {
        let request = Request::get(target).header(ACCEPT, "application/json").body(Body::empty());
        let request = match request {
            Ok(request) => request,
            Err(error) => return Answer::Broken(format!("cannot be asked ({error})")),
        };
        let response = match self.client.send(request).await {
            Ok(response) => response,
            Err(error) => {
                let (_, words) = socket::cause(&error);
                return Answer::Broken(format!("cannot be reached ({})", cut(&words)));
            }
        };
        let (head, body) = response.into_parts();
        if head.status == StatusCode::OK {
            return match Limited::new(body, PAGE_MAX).collect().await {
                Ok(page) => Answer::Page(page.to_bytes().into()),
                Err(error) if error.is::<LengthLimitError>() => Answer::TooLarge,
                Err(error) => {
                    let (_, words) = socket::cause(&*error);
                    Answer::Broken(format!("breaks off within its answer ({})", cut(&words)))
                }
            };
        }
        // The status counts without its words too.
        let body = Limited::new(body, ERROR_MAX).collect().await;
        let body = body.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        Answer::Status {
            status: head.status,
            words: refusal::words(&body),
            retry_after: retry_after(&head.headers),
        }
    }
}

/// What happens before a request is made again.
#[derive(Debug, PartialEq, Eq)]
enum Wait {
    For(Duration),
    /// It is not made again, as the server asks for so long a wait.
    TooLong(Duration),
    /// It is not made again, as it was often enough.
    NoMore,
}

/// After `failed` failures before this one; `asked` is what the server wants.
fn wait(first: Duration, failed: u32, asked: Option<Duration>) -> Wait {
    match asked {
        Some(asked) if asked > RETRY_AFTER_MAX => Wait::TooLong(asked),
        _ if failed >= RETRIES_MAX => Wait::NoMore,
        asked => Wait::For(asked.unwrap_or_default().max(first * (1 << failed))),
    }
}

/// Whether the next answer may be another one.
fn is_transient(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// What `Retry-After` says, in seconds, which is how API servers write it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn cut(words: &str) -> String {
    words.chars().take(WORDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let first = Duration::from_millis(500);
        let waits: Vec<Wait> = (0..5).map(|failed| wait(first, failed, None)).collect();
        let for_ = |millis| Wait::For(Duration::from_millis(millis));
        assert_eq!(waits, [for_(500), for_(1000), for_(2000), Wait::NoMore, Wait::NoMore]);
    }

    #[test]
    fn the_server_may_ask_for_longer_within_reason() {
        let (first, seconds) = (Duration::from_millis(500), Duration::from_secs);
        assert_eq!(wait(first, 0, Some(seconds(10))), Wait::For(seconds(10)));
        assert_eq!(wait(first, 0, Some(seconds(0))), Wait::For(first));
        assert_eq!(wait(first, 3, Some(seconds(1))), Wait::NoMore);
        assert_eq!(wait(first, 0, Some(seconds(11))), Wait::TooLong(seconds(11)));
    }

    #[test]
    fn reads_retry_after() {
        let header = |text: &str| HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
        assert_eq!(retry_after(&header("7")), Some(Duration::from_secs(7)));
        for nothing in ["-1", "soon", "", "Wed, 21 Oct 2026 07:28:30 GMT"] {
            assert_eq!(retry_after(&header(nothing)), None);
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
