//! What a registry asks for when it answers 401.

use http_auth::ChallengeParser;
use reqwest::Url;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// A way to authenticate that is spoken here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A token of the token service at `realm`.
    Bearer {
        /// Where tokens are given out.
        realm: Url,
        /// The name that the service knows the registry by.
        service: Option<String>,
        /// What the token has to allow.
        scope: Option<String>,
    },
    /// User and password with every request.
    Basic,
}

impl Challenge {
    /// The best of what `headers` offer: a token before a password.
    pub(super) fn choose(headers: &HeaderMap) -> Option<Self> {
        let mut basic = None;
        for value in headers.get_all(WWW_AUTHENTICATE) {
            // What cannot be parsed ends the header; what stood before it counts.
            for offer in
                ChallengeParser::new(value.to_str().unwrap_or_default()).map_while(Result::ok)
            {
                let parameter = |name: &str| {
                    let found = offer.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.to_unescaped()).filter(|text| !text.is_empty())
                };
                if offer.scheme.eq_ignore_ascii_case("basic") {
                    basic = Some(Self::Basic);
                } else if offer.scheme.eq_ignore_ascii_case("bearer")
                    && let Some(realm) =
                        parameter("realm").and_then(|text| text.parse::<Url>().ok())
                    && matches!(realm.scheme(), "https" | "http")
                {
                    let (service, scope) = (parameter("service"), parameter("scope"));
                    return Some(Self::Bearer { realm, service, scope });
                }
            }
        }
        basic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(values: &[&'static str]) -> Option<Challenge> {
        let header = |value: &&'static str| {
            (WWW_AUTHENTICATE, reqwest::header::HeaderValue::from_static(value))
        };
        Challenge::choose(&values.iter().map(header).collect())
    }

    #[test]
    fn a_token_goes_before_a_password_wherever_it_stands() {
        let bearer = r#"Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull""#;
        let expected = Challenge::Bearer {
            realm: "https://auth.example/token".parse().unwrap(),
            service: Some("registry".into()),
            scope: Some("repository:a/b:pull".into()),
        };
        assert_eq!(choose(&[bearer]), Some(expected.clone()));
        assert_eq!(choose(&[r#"Basic realm="x""#, bearer]), Some(expected));
        assert_eq!(choose(&[r#"bAsIc realm="a \"b\"""#]), Some(Challenge::Basic));
    }

    #[test]
    fn nonsense_is_no_challenge() {
        for value in [
            "",
            "Bearer",
            r#"Bearer realm="/relative""#,
            r#"Bearer realm="file:///etc/passwd""#,
            r#"Digest realm="x""#,
            "Bearer realm=\"unterminated",
        ] {
            assert_eq!(choose(&[value]), None, "{value}");
        }
        assert_eq!(choose(&[]), None);
    }
}
