//! Requests that got no answer: what broke, and what to do.

use std::error::Error as StdError;
use std::io;

use jettison_oci::escape;

/// Characters of an error's own words that are repeated to the user.
const WORDS_MAX: usize = 300;

/// Whether another attempt may fare better. A certificate stays what it is.
pub(super) fn is_transient(error: &reqwest::Error) -> bool {
    !(error.is_builder() || error.is_redirect() || error.is_decode() || tls(error).is_some())
}

/// What broke between us and `who`, and what to do about it.
pub(super) fn explain(who: &str, error: &reqwest::Error) -> String {
    let words = words(error);
    match tls(error) {
        Some(rustls::Error::InvalidCertificate(_)) => format!(
            "the certificate of {who} is not trusted ({words}): add its CA to the system's or name \
             it in SSL_CERT_FILE, or use --insecure"
        ),
        Some(rustls::Error::InvalidMessage(_)) => {
            format!("{who} does not speak TLS ({words}): use --insecure to allow plain HTTP")
        }
        Some(_) => format!("no TLS connection to {who} could be made ({words})"),
        None if error.is_redirect() => format!("{who} redirects where we do not go ({words})"),
        None if error.is_timeout() => {
            format!("{who} did not answer in time ({words}): try again, or check the network")
        }
        None if error.is_connect() => {
            format!("{who} cannot be reached ({words}): check its name and the network")
        }
        None => format!("the connection to {who} broke ({words}): try again"),
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
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        // `io::Error` hides what it carries from `source`.
        next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(carried) => Some(carried),
            None => cause.source(),
        };
    }
    None
}
