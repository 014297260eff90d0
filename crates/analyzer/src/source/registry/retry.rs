//! When a request is made again, and how long it waits before that.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

/// How often one request is made, the first time included.
const ATTEMPTS_MAX: u32 = 5;
/// The first wait; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// No wait of our own choice is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// What a registry may ask for in `Retry-After`. Beyond it the user should hear of it rather than
/// watch nothing happen: rate limits are counted in hours.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(1);

/// Counts the attempts of one request.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    made: u32,
}

impl Backoff {
    /// How long to wait after an attempt that failed; `None` to give up. `asked` is what the
    /// registry wants.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let wait = FIRST_WAIT.saturating_mul(1 << self.made.min(16)).min(LONGEST_WAIT);
        self.made += 1;
        if self.made >= ATTEMPTS_MAX {
            return None;
        }
        match asked {
            Some(asked) if asked > RETRY_AFTER_MAX => None,
            Some(asked) => Some(asked.max(wait)),
            None => Some(wait),
        }
    }

    /// Attempts that have failed.
    pub(super) fn made(&self) -> u32 {
        self.made
    }
}

/// Statuses that another attempt may turn into a success.
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// What `Retry-After` says, in seconds or as a date; a date counts from the answer's own, so that
/// no clock has to be read or to be right.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let date = |value: &HeaderValue| httpdate::parse_http_date(value.to_str().ok()?).ok();
    let now = date(headers.get(DATE)?)?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(rows: &[(reqwest::header::HeaderName, &'static str)]) -> HeaderMap {
        rows.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn waits_double_up_to_a_bound_and_end() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = std::iter::from_fn(|| backoff.next(None)).collect();
        assert_eq!(waits, [200, 400, 800, 1600].map(Duration::from_millis));
        assert_eq!(backoff.made(), ATTEMPTS_MAX);
    }

    #[test]
    fn the_registry_may_ask_for_longer_but_not_for_hours() {
        let seconds = Duration::from_secs;
        assert_eq!(Backoff::default().next(Some(seconds(3))), Some(seconds(3)));
        assert_eq!(Backoff::default().next(Some(seconds(0))), Some(FIRST_WAIT));
        assert_eq!(Backoff::default().next(Some(seconds(21_600))), None);
    }

    #[test]
    fn reads_both_forms_of_retry_after() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(retry_after(&headers(&[(RETRY_AFTER, "7")])), seconds(7));
        let later = (RETRY_AFTER, "Wed, 21 Oct 2026 07:28:30 GMT");
        let now = (DATE, "Wed, 21 Oct 2026 07:28:00 GMT");
        assert_eq!(retry_after(&headers(&[later.clone(), now.clone()])), seconds(30));
        let past = (RETRY_AFTER, "Wed, 21 Oct 2026 07:00:00 GMT");
        assert_eq!(retry_after(&headers(&[past, now])), seconds(0));
        for nothing in [vec![later], vec![(RETRY_AFTER, "-1")], vec![(RETRY_AFTER, "soon")], vec![]]
        {
            assert_eq!(retry_after(&headers(&nothing)), None);
        }
    }
}
