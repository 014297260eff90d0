//! Answers that are no success, and what they mean to the user.

use std::time::Duration;

use oci_client::errors::OciEnvelope;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};

use crate::source::registry::challenge::Challenge;
use crate::source::registry::credential::Credential;
use crate::source::registry::retry::retry_after;
use jettison_oci::escape;

/// Bytes of an error's body that are read: an answer may be endless.
const BODY_MAX: usize = 16 << 10;
/// How long the body of an error is waited for: its status says most of it.
const BODY_WAIT: Duration = Duration::from_secs(10);
/// Characters of the registry's words that are repeated to the user.
const WORDS_MAX: usize = 300;
/// What every server says, with a 400, to a request that comes without the TLS it expects.
const HTTPS: &[u8] = b"HTTPS";
/// Errors of one answer that are repeated.
const ERRORS_MAX: usize = 3;

/// How the request that was refused was authenticated.
#[derive(Clone, Debug, Default)]
pub(super) enum Login {
    /// The registry never asked who we are.
    #[default]
    NotAsked,
    /// It asked, and no credentials are known; the sentence says where they were looked for.
    Anonymous(String),
    /// With credentials.
    With(Credential),
}

impl Login {
    /// The credentials, if any were known.
    pub(super) fn credential(&self) -> Option<&Credential> {
        match self {
            Self::With(credential) => Some(credential),
            Self::NotAsked | Self::Anonymous(_) => None,
        }
    }
}

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// The registry's own words, escaped and short; empty where it had none.
    words: String,
    pub(super) retry_after: Option<Duration>,
    /// What it asks for, with a 401.
    pub(super) challenge: Option<Challenge>,
    /// How often it was asked.
    pub(super) attempts: u32,
    /// Whether a token was sent, rather than the credentials themselves.
    pub(super) with_token: bool,
    /// Whether it says that it speaks TLS, and was spoken to without.
    pub(super) wants_tls: bool,
}

impl Refusal {
    pub(super) async fn read(mut response: Response) -> Self {
        let mut body = Vec::new();
        let read = async {
            while let Ok(Some(piece)) = response.chunk().await {
                let room = BODY_MAX - body.len();
                body.extend_from_slice(&piece[..piece.len().min(room)]);
                if body.len() == BODY_MAX {
                    break;
                }
            }
        };
        // A body that does not come leaves the status, which is enough.
        let _ = tokio::time::timeout(BODY_WAIT, read).await;
        let headers = response.headers();
        let is_html = headers
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
        Self {
            status: response.status(),
            words: if is_html { String::new() } else { words(&body) },
            retry_after: retry_after(headers),
            challenge: Challenge::choose(headers),
            attempts: 1,
            with_token: false,
            wants_tls: response.status() == StatusCode::BAD_REQUEST
                && body.windows(HTTPS.len()).any(|word| word == HTTPS),
        }
    }

    /// `404 Not Found (MANIFEST_UNKNOWN: manifest unknown)`.
    pub(super) fn answer(&self) -> String {
        match self.words.as_str() {
            "" => self.status.to_string(),
            words => format!("{} ({words})", self.status),
        }
    }

    /// The whole story: who answered what, what was tried, what to do.
    pub(super) fn explain(&self, who: &str, registry: &str, login: &Login) -> String {
        let answer = format!("{who} answers {}", self.answer());
        match (self.status, login) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Login::NotAsked) => {
                format!("{answer}; it did not say how to log in, so no credentials were sent")
            }
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Login::Anonymous(searched)) => {
                format!(
                    "{answer}; no credentials were sent: {searched}. If the image exists, \
                     log in with `docker login {registry}` or `podman login {registry}`"
                )
            }
            (StatusCode::UNAUTHORIZED, Login::With(credential)) if self.with_token => format!(
                "{answer}; it refused the token that its token service gave for {credential}. \
                 Check that they may pull this image; if they may, the registry and its token \
                 service do not agree: tell their owner"
            ),
            (StatusCode::UNAUTHORIZED, Login::With(credential)) => format!(
                "{answer}; it refused {credential}. Log in again with `docker login {registry}` \
                 or `podman login {registry}`, or check that they may pull this image"
            ),
            (StatusCode::FORBIDDEN, Login::With(credential)) => format!(
                "{answer}; {credential} do not allow it. Ask the registry's owner for the right \
                 to pull this image"
            ),
            (StatusCode::TOO_MANY_REQUESTS, login) => {
                let wait = match self.retry_after {
                    Some(wait) => format!("Wait {} s, as it asks", wait.as_secs()),
                    None => "Wait".to_owned(),
                };
                let advice = match login {
                    Login::With(_) => "",
                    _ => ", or log in: accounts have a higher limit",
                };
                format!("{answer}, asked {}. {wait}{advice}", times(self.attempts))
            }
            (status, _) if status.is_server_error() => format!(
                "{answer}, asked {}. The fault is on its side: try again later",
                times(self.attempts)
            ),
            _ => answer,
        }
    }
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

/// What an error's body says: the codes and messages of the specification's envelope, or the text.
fn words(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<OciEnvelope>(body) {
        Ok(envelope) => {
            let one = |error: &oci_client::errors::OciError| {
                let code = serde_json::to_value(&error.code).ok();
                let code = code.as_ref().and_then(|code| code.as_str()).unwrap_or_default();
                match (code, error.message.as_str()) {
                    (code, "") => code.to_owned(),
                    ("", message) => message.to_owned(),
                    (code, message) => format!("{code}: {message}"),
                }
            };
            envelope.errors.iter().take(ERRORS_MAX).map(one).collect::<Vec<_>>().join("; ")
        }
        Err(_) => token_error(body).unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()),
    };
    let line = escape::line(&text);
    if line.chars().count() <= WORDS_MAX {
        return line;
    }
    let mut short: String = line.chars().take(WORDS_MAX).collect();
    short.push('…');
    short
}

/// The words of a token service: `OAuth2`'s, Docker Hub's, or what others write.
fn token_error(body: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    ["error_description", "details", "message", "error"]
        .into_iter()
        .find_map(|name| Some(answer.get(name)?.as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::registry::credential::Secret;

    fn refusal(status: u16, body: &str) -> Refusal {
        Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            words: words(body.as_bytes()),
            retry_after: None,
            challenge: None,
            attempts: 1,
            with_token: false,
            wants_tls: false,
        }
    }

    #[test]
    fn the_registrys_words_are_kept_short_and_plain() {
        let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest\u001b[2J unknown","detail":{"Tag":"x"}},
            {"code":"ODD_ONE"}]}"#;
        let expected = "404 Not Found (MANIFEST_UNKNOWN: manifest\\x1b[2J unknown; ODD_ONE)";
        assert_eq!(refusal(404, body).answer(), expected);
        assert_eq!(refusal(502, "").answer(), "502 Bad Gateway");
        assert_eq!(refusal(400, " plain\n text ").answer(), "400 Bad Request (plain text)");
        let token = r#"{"error":"invalid_grant","error_description":"it has expired"}"#;
        assert_eq!(refusal(401, token).answer(), "401 Unauthorized (it has expired)");
        assert_eq!(refusal(401, "[7]").answer(), "401 Unauthorized ([7])");
        let long = refusal(500, &"é".repeat(10_000)).answer();
        assert!(long.chars().count() < WORDS_MAX + 50 && long.contains('…'));
    }

    #[test]
    fn a_token_that_is_refused_is_not_the_credentials_that_are() {
        let secret = Secret::Password { user: "alice".into(), password: "hunter2".into() };
        let alice = Login::With(Credential { secret, origin: "/a.json".into() });
        let refusal = Refusal { with_token: true, ..refusal(401, "") };
        let text = refusal.explain("registry r.example", "r.example", &alice);
        assert!(text.contains("refused the token") && !text.contains("Log in again"), "{text}");
    }

    #[test]
    fn each_status_says_what_was_tried_and_what_to_do() {
        let anonymous = Login::Anonymous("none were found in /a.json".into());
        let alice = Login::With(Credential {
            secret: Secret::Password { user: "alice".into(), password: "hunter2".into() },
            origin: "/a.json".into(),
        });
        let explain = |status, login: &Login| {
            let text = refusal(status, "").explain("registry r.example", "r.example", login);
            assert!(!text.contains("hunter2"), "{text}");
            text
        };
        for (status, login, parts) in [
            (401, &anonymous, ["none were found in /a.json", "`docker login r.example`"]),
            (401, &alice, ["refused the credentials of alice from /a.json", "Log in again"]),
            (403, &alice, ["the credentials of alice from /a.json do not", "right to pull"]),
            (403, &Login::NotAsked, ["403 Forbidden", "no credentials were sent"]),
            (429, &anonymous, ["asked once. Wait", "log in"]),
            (503, &alice, ["503 Service Unavailable", "try again later"]),
            (400, &alice, ["registry r.example answers", "400 Bad Request"]),
        ] {
            let text = explain(status, login);
            for part in parts {
                assert!(text.contains(part), "{text} lacks {part}");
            }
        }
    }
}
