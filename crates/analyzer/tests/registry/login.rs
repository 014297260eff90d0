//! Who we are, to a registry that wants to know.

use base64::Engine as _;
use jettison_analyzer::source::OpenOptions;

use crate::fake::{Fake, Request, reply, reply_endlessly, serve};
use crate::image::TestImage;
use crate::server::Server;
use crate::{assert_has, layout, message, open, options, read};

const DENIED: &[u8] =
    br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;

/// An auth file with one row, and options that look into it.
fn logged_in(registry: &str, row: &str) -> (tempfile::TempDir, OpenOptions) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("auth.json");
    fs_err::write(&path, format!(r#"{{"auths":{{"{registry}":{row}}}}}"#)).unwrap();
    (directory, options(Some(path)))
}

fn password(user: &str, password: &str) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!(r#"{{"auth":"{encoded}"}}"#)
}

#[test]
fn basic_authentication_with_an_auth_file() {
    let (layout, amd64, _) = layout();
    let server = Server::with_password();
    server.push(layout.path(), "one");
    let name = format!("{}/team/app:one", server.address());

    let (_file, right) = logged_in(&server.address(), &password("alice", "wonder land"));
    let image = open(&name, &right).unwrap();
    assert_eq!(image.config_digest, amd64.config.digest);
    read(&image).unwrap();

    let (file, wrong) = logged_in(&server.address(), &password("alice", "looking glass"));
    let text = message(open(&name, &wrong));
    let path = file.path().join("auth.json").display().to_string();
    assert_has(&text, &["401 Unauthorized", "credentials of alice from", &path, "docker login"]);
    assert!(!text.contains("looking glass"), "{text}");

    let text = message(open(&name, &options(Some("/nowhere/auth.json".into()))));
    assert_has(&text, &["401 Unauthorized (UNAUTHORIZED", "/nowhere/auth.json", "docker login"]);
}

#[test]
fn a_malformed_auth_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    fs_err::write(&path, "{\"auths\":").unwrap();
    let text = message(open("127.0.0.1:1/team/app", &options(Some(path.clone()))));
    assert_has(&text, &[&path.display().to_string(), "malformed", "line 1"]);
}

/// A registry that wants the bearer token `good`, and a token service that gives it to `grant`ed
/// requests.
fn token_registry(
    image: TestImage,
    grant: impl Fn(&Request) -> bool + Send + Sync + 'static,
) -> (Fake, Fake) {
    let service = Fake::start(move |request, _, stream| {
        if grant(request) {
            reply(stream, "200 OK", &[], br#"{"token":"good","expires_in":60}"#);
        } else {
            reply(stream, "401 Unauthorized", &[], br#"{"details":"incorrect password"}"#);
        }
    });
    let realm = service.address.clone();
    let registry = Fake::start(move |request, _, stream| {
        if request.header("authorization") == "Bearer good" {
            return serve(&image, request, stream);
        }
        let challenge = format!(
            "WWW-Authenticate: Bearer realm=\"http://{realm}/token\",service=\"the registry\""
        );
        reply(stream, "401 Unauthorized", &[&challenge], DENIED);
    });
    (registry, service)
}

#[test]
fn an_anonymous_token_serves_all_requests() {
    let (registry, service) = token_registry(TestImage::new("amd64"), |request| {
        !request.headers.contains_key("authorization")
    });
    let image = open(&format!("{}/team/app:1", registry.address), &options(None)).unwrap();
    read(&image).unwrap();
    let asked = service.requests("/token");
    assert_eq!(asked.len(), 1, "one token for every request");
    assert_has(&asked[0].path, &["service=the+registry", "scope=repository%3Ateam%2Fapp%3Apull"]);
    assert_eq!(registry.requests("").len(), 5, "a 401, then manifest, config and two layers");
}

#[test]
fn a_password_or_identity_token_buys_a_token() {
    let basic = |request: &Request| request.header("authorization") == "Basic YWxpY2U6cHc=";
    let (registry, _service) = token_registry(TestImage::new("amd64"), basic);
    let name = format!("{}/team/app:1", registry.address);
    let (_file, right) = logged_in(&format!("{}/team", registry.address), &password("alice", "pw"));
    read(&open(&name, &right).unwrap()).unwrap();

    let (_file, wrong) = logged_in(&registry.address, &password("alice", "hunter2"));
    let text = message(open(&name, &wrong));
    assert_has(&text, &["token service 127.0.0.1", "incorrect password", "credentials of alice"]);
    assert!(!text.contains("hunter2"), "{text}");

    let refresh = |request: &Request| {
        request.method == "POST"
            && request.body.contains("grant_type=refresh_token")
            && request.body.contains("refresh_token=se%26cret")
            && request.body.contains("service=the+registry")
            && !request.path.contains("cret")
    };
    let (registry, _service) = token_registry(TestImage::new("amd64"), refresh);
    let name = format!("{}/team/app:1", registry.address);
    let (_file, token) = logged_in(&registry.address, r#"{"identitytoken":"se&cret"}"#);
    read(&open(&name, &token).unwrap()).unwrap();
}

#[test]
fn an_expired_token_is_renewed_once() {
    let image = TestImage::new("amd64");
    let service = Fake::start(|_, before, stream| {
        reply(stream, "200 OK", &[], format!(r#"{{"access_token":"t{before}"}}"#).as_bytes());
    });
    let realm = service.address.clone();
    let registry = Fake::start(move |request, _, stream| {
        let good = if request.path.contains("manifests") { "Bearer t0" } else { "Bearer t1" };
        if request.header("authorization") == good {
            return serve(&image, request, stream);
        }
        let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{realm}/token\"");
        reply(stream, "401 Unauthorized", &[&challenge], DENIED);
    });
    let image = open(&format!("{}/team/app:1", registry.address), &options(None)).unwrap();
    read(&image).unwrap();
    assert_eq!(service.requests("/token").len(), 2);
}

#[test]
fn a_token_given_again_is_tried_again_once() {
    let with = |refusals: usize| {
        let image = TestImage::new("amd64");
        let service = Fake::start(|_, _, stream| reply(stream, "200 OK", &[], br#"{"token":"t"}"#));
        let realm = service.address.clone();
        let registry = Fake::start(move |request, before, stream| {
            let expired = request.path.contains("blobs") && before < refusals;
            if request.header("authorization") == "Bearer t" && !expired {
                return serve(&image, request, stream);
            }
            let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{realm}/token\"");
            reply(stream, "401 Unauthorized", &[&challenge], DENIED);
        });
        (registry, service)
    };
    let (registry, _service) = with(1);
    let (_file, alice) = logged_in(&registry.address, &password("alice", "pw"));
    read(&open(&format!("{}/team/app:1", registry.address), &alice).unwrap()).unwrap();

    let (registry, _service) = with(usize::MAX);
    let (_file, alice) = logged_in(&registry.address, &password("alice", "pw"));
    let text = message(open(&format!("{}/team/app:1", registry.address), &alice));
    assert_has(&text, &["refused the token", "token service gave", "alice"]);
    assert!(!text.contains("Log in again"), "{text}");
    assert_eq!(registry.requests("blobs").len(), 2);
}

#[test]
fn tokens_that_no_header_can_carry_are_refused() {
    for answer in [&br#"{"token":"a\nb"}"#[..], br#"{"token":""}"#, b"{}", b"not JSON", b"[1]"] {
        let service = Fake::start(move |_, _, stream| reply(stream, "200 OK", &[], answer));
        let realm = service.address.clone();
        let registry = Fake::start(move |_, _, stream| {
            let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{realm}/token\"");
            reply(stream, "401 Unauthorized", &[&challenge], DENIED);
        });
        let text = message(open(&format!("{}/team/app:1", registry.address), &options(None)));
        assert_has(&text, &["answers with no token that can be used"]);
    }
}

#[test]
fn an_endless_token_is_cut() {
    let service = Fake::start(|_, _, stream| {
        assert!(reply_endlessly(stream, "200 OK") < 1 << 26);
    });
    let realm = service.address.clone();
    let registry = Fake::start(move |_, _, stream| {
        let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{realm}/token\"");
        reply(stream, "401 Unauthorized", &[&challenge], DENIED);
    });
    let text = message(open(&format!("{}/team/app:1", registry.address), &options(None)));
    assert_has(&text, &["no token that can be used"]);
}

#[test]
fn what_is_forbidden_says_so() {
    let body = br#"{"errors":[{"code":"DENIED","message":"requested access is denied"}]}"#;
    let registry = Fake::start(|_, _, stream| reply(stream, "403 Forbidden", &[], body));
    let text = message(open(&format!("{}/team/app:1", registry.address), &options(None)));
    assert_has(&text, &["403 Forbidden (DENIED: requested access is denied)", "no credentials"]);
}
