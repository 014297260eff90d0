//! What a status of the API means for a removal, and what to do.

use http::StatusCode;
use jettison_oci::escape;
use serde_json::Value;

use super::Resource;

/// The most characters of a server's words that are shown.
pub(super) const WORDS_MAX: usize = 300;

/// What goes on without workloads, and what that risks.
const WITHOUT_TEMPLATES: &str = "`--templates none` goes on without workloads, at the risk that \
    the image of a Deployment of no replicas or of a CronJob is removed";

/// Why a status other than 200 ends the reading, as the rest of a sentence about the API.
pub(super) fn of_status(resource: Resource, status: StatusCode, words: &str) -> String {
    let (name, rule) = (resource.name(), resource.rule());
    let said = match words {
        "" => status.to_string(),
        words => format!("{status}: {words}"),
    };
    match status {
        StatusCode::UNAUTHORIZED => format!(
            "does not accept the credentials ({said}): has the token expired? Log in again, or \
             see whether `kubectl auth can-i list {name} --all-namespaces` works with them"
        ),
        StatusCode::FORBIDDEN if resource.is_pods() => format!(
            "does not allow to list pods of all namespaces ({said}), so their images are not \
             known. Give the account a ClusterRole with the rule {rule}"
        ),
        StatusCode::FORBIDDEN => format!(
            "does not allow `list` on `{name}` ({said}), so the images of each {} are not known. \
             Give the account a ClusterRole with the rule {rule}; {WITHOUT_TEMPLATES}",
            resource.kind
        ),
        StatusCode::NOT_FOUND if resource.is_pods() => format!(
            "does not serve {} ({said}): is the address of the server right, with its path?",
            resource.path()
        ),
        StatusCode::NOT_FOUND => format!(
            "does not serve {} ({said}), so the images of each {} are not known: is the address \
             of the server right, with its path? {WITHOUT_TEMPLATES}",
            resource.path(),
            resource.kind
        ),
        status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
            format!("cannot list {name} now ({said})")
        }
        _ => format!(
            "answers a list of {name} with {said}, expected 200 OK: is it the API server, \
             version 1.21 or newer?"
        ),
    }
}

/// The words of an error's body: the message of a Status, or the text as it is.
pub(super) fn words(body: &[u8]) -> String {
    let status: Option<Value> = serde_json::from_slice(body).ok();
    let message = status.as_ref().and_then(|status| status.get("message")?.as_str());
    let text = message.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
    let line = escape::line(&text);
    match line.char_indices().nth(WORDS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_are_escaped_and_cut() {
        assert_eq!(
            words(br#"{"kind":"Status","message":"pods \u001b[2Jis\n forbidden"}"#),
            "pods \\x1b[2Jis forbidden"
        );
        assert_eq!(words(b"<html>\r\n502\xff</html>"), "<html> 502\u{fffd}</html>");
        assert_eq!(words(b""), "");
        assert_eq!(words(br#"{"message":7}"#), r#"{"message":7}"#);
        let long = words("é".repeat(1000).as_bytes());
        assert_eq!(long.chars().count(), WORDS_MAX + 1);
        assert!(long.ends_with("é…"));
    }
}
