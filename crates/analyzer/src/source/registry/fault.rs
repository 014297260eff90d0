//! Requests that got no answer: what broke, and what to do.

use std::error::Error as StdError;
use std::io;

use crate::report::escape;

/// Characters of an error's own words that are repeated to the user.
const WORDS_MAX: usize = 300;

/// Whether another attempt may fare better. A certificate stays what it is.
pub(super) fn is_transient(error: &reqwest::Error) -> bool {
    !(error.is_builder() || error.is_redirect() || error.is_decode() || tls(error).is_some())
}

/// What broke and what to do about it, as the end of a sentence.
pub(super) fn explain(error: &reqwest::Error) -> String {
    let words = words(error);
    match tls(error) {
        Some(rustls::Error::InvalidCertificate(_)) => format!(
            "its certificate is not trusted ({words}): add its CA to the system's or name it in \
             SSL_CERT_FILE, or use --insecure"
        ),
        Some(rustls::Error::InvalidMessage(_)) => {
            format!("it does not speak TLS ({words}): use --insecure to allow plain HTTP")
        }
        Some(_) => format!("no TLS connection could be made ({words})"),
        None if error.is_redirect() => format!("its redirection was not followed ({words})"),
        None if error.is_timeout() => format!("it did not answer in time ({words})"),
        None if error.is_connect() => {
            format!("it cannot be reached ({words}): check its name and the network")
        }
        None => format!("the connection broke ({words})"),
    }
}

/// The causes, outermost first, without the layers of the HTTP client that add nothing.
pub(super) fn words(error: &reqwest::Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut next = StdError::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        let adds = !text.starts_with("client error (")
            && causes.last().is_none_or(|last| !last.ends_with(&text));
        if adds {
            causes.push(text);
        }
        next = cause.source();
    }
    let text = if causes.is_empty() { error.to_string() } else { causes.join(": ") };
    escape::line(&text).chars().take(WORDS_MAX).collect()
}

fn tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut next = StdError::source(error);
    while let Some(cause) = next {
        // `io::Error` hides what it carries from `source`.
        let carried = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(found) = carried.or_else(|| cause.downcast_ref()) {
            return Some(found);
        }
        next = cause.source();
    }
    None
}
