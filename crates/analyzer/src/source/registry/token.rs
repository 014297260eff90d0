//! Tokens from a registry's token service: with a password, with an identity token, or anonymous.

use oci_client::token_cache::RegistryToken;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::error::{Error, Result};
use crate::source::registry::connection::{Connection, read_body};
use crate::source::registry::credential::Secret;
use crate::source::registry::fault;
use crate::source::registry::refusal::Login;

/// A token service's answer. Tokens are sent in a header, and servers stop at far smaller ones.
const ANSWER_MAX: u64 = 256 << 10;
/// What the token service is told of this program.
const CLIENT_ID: &str = "jettison";
/// What a token's header begins with.
pub(super) const BEARER: &[u8] = b"Bearer ";

/// A token to read `connection`'s repository, as the value of `Authorization`.
pub(super) async fn fetch(
    connection: &Connection,
    realm: &Url,
    service: Option<&str>,
    scope: Option<&str>,
    login: &Login,
) -> Result<HeaderValue> {
    let registry = connection.registry();
    let host = realm.host_str().unwrap_or_default();
    let who = format!("the token service {host} of registry {registry}");
    let failed = |because| Error::Remote { what: connection.image().to_owned(), because };
    let secret = login.credential().map(|credential| &credential.secret);
    if let Some(Secret::RegistryToken(token)) = secret {
        return bearer(token).ok_or_else(|| failed("the registry token is no token".to_owned()));
    }
    if secret.is_some() && realm.scheme() == "http" && connection.is_encrypted() {
        return Err(failed(format!(
            "registry {registry} wants credentials sent to {who} over plain HTTP, where anyone \
             could read them: they were not sent"
        )));
    }
    let pull = format!("repository:{}:pull", connection.repository());
    let mut url = realm.clone();
    let mut form = realm.clone();
    form.set_query(None);
    for target in [&mut url, &mut form] {
        let mut pairs = target.query_pairs_mut();
        if let Some(service) = service {
            pairs.append_pair("service", service);
        }
        pairs.append_pair("scope", scope.unwrap_or(&pull));
    }
    let answer = match secret {
        Some(Secret::IdentityToken(token)) => {
            form.query_pairs_mut()
                .append_pair("grant_type", "refresh_token")
                .append_pair("client_id", CLIENT_ID)
                .append_pair("refresh_token", token);
            let body = form.query().unwrap_or_default().to_owned();
            let attempt = || {
                let request = connection.client().post(realm.clone());
                let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
                request.body(body.clone())
            };
            connection.attempt(attempt).await
        }
        Some(Secret::Password { user, password }) => {
            let headers: HeaderMap =
                basic(user, password).into_iter().map(|value| (AUTHORIZATION, value)).collect();
            let attempt = || connection.client().get(url.clone()).headers(headers.clone());
            connection.attempt(attempt).await
        }
        _ => connection.attempt(|| connection.client().get(url.clone())).await,
    };
    let broke = |error: &reqwest::Error| failed(fault::explain(&who, error));
    let mut response = match answer {
        Ok(Ok(response)) => response,
        Ok(Err(refusal)) => return Err(failed(refusal.explain(&who, registry, login))),
        Err(error) => return Err(broke(&error)),
    };
    let body = read_body(&mut response, ANSWER_MAX).await.map_err(|error| broke(&error))?;
    // The parser's words may repeat the token.
    body.and_then(|body| serde_json::from_slice::<RegistryToken>(&body).ok())
        .and_then(|token| bearer(token.token()))
        .ok_or_else(|| failed(format!("{who} answers with no token that can be used")))
}

/// `Basic …`.
pub(super) fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    secret_value(&format!("Basic {encoded}"))
}

/// `Bearer …`; `None` for what no header can carry.
fn bearer(token: &str) -> Option<HeaderValue> {
    if token.is_empty() {
        return None;
    }
    secret_value(&format!("Bearer {token}"))
}

fn secret_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
