//! Why an engine does not do what it is asked.

use bollard::errors::Error as ApiError;
use jettison_oci::Bytes;

use crate::transport;

/// Result of this crate's own functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an engine could not be reached.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its address is malformed: a usage error.
    #[error("{0}")]
    Usage(String),
    /// It cannot be reached, or refuses.
    #[error("{what}: {because}")]
    Remote {
        /// The engine, and what it was asked for.
        what: String,
        /// What it answered, and what to do.
        because: String,
    },
}

/// What `engine` answered when it was asked for `reference`, in plain words.
pub fn failed(engine: &str, reference: &str, error: &ApiError) -> Error {
    let because = match error {
        ApiError::DockerResponseServerError { status_code, message } => {
            let message = match message.trim() {
                "" => "no reason given",
                message => message,
            };
            format!("it answers {message} (status {status_code})")
        }
        error if transport::is_too_long(error) => {
            format!("it answers with more than {}", Bytes(transport::ANSWER_MAX))
        }
        ApiError::RequestTimeoutError => "it does not answer".to_owned(),
        ApiError::JsonDataError { .. } => {
            format!("its answer is not that of a Docker-compatible engine: {error}")
        }
        error => {
            // The HTTP client's own words ("client error") leave the cause to its sources.
            let mut because = error.to_string();
            let mut source = std::error::Error::source(error);
            while let Some(cause) = source {
                let cause_text = cause.to_string();
                if !because.contains(&cause_text) {
                    because = format!("{because}: {cause_text}");
                }
                source = cause.source();
            }
            because
        }
    };
    Error::Remote { what: format!("{engine}, asked for {reference}"), because }
}

/// Whether `text` can be a name or an ID. It becomes a part of a URL, where anything else could
/// change what is asked.
pub fn is_reference(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:@+".contains(&byte);
    text.split('/').all(|part| !matches!(part, "" | "." | "..") && part.bytes().all(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_cannot_change_the_question() {
        for good in [
            "debian",
            "localhost:5000/a/b:1.2_x",
            "a@sha256:00",
            "8bd183471cad",
            "sha256:8bd183471cad",
        ] {
            assert!(is_reference(good), "{good}");
        }
        for bad in ["", "a?b", "a#b", "a b", "a%2fb", "../x", "a/../b", "a//b", "/a", "a/", "é"] {
            assert!(!is_reference(bad), "{bad}");
        }
    }
}
