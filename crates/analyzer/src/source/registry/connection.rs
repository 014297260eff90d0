//! Requests to one repository of a registry: authenticated when it asks for that, made again when
//! it is busy or the network fails, and never read past a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jettison_oci::Reference;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use tokio::sync::Mutex;

use crate::error::{Error, Result};
use crate::source::OpenOptions;
use crate::source::registry::auth_file::AuthFiles;
use crate::source::registry::challenge::Challenge;
use crate::source::registry::credential::Secret;
use crate::source::registry::refusal::{Login, Refusal};
use crate::source::registry::retry::{self, Backoff};
use crate::source::registry::{fault, token};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest silence within an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Registries redirect blobs to their storage, once or twice.
const REDIRECTS_MAX: usize = 10;
const USER_AGENT: &str = concat!("jettison/", env!("CARGO_PKG_VERSION"));

/// Why a request has no usable answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The registry said no.
    Refused(Box<Refusal>, Login),
    /// It said nothing, or not to the end.
    Broken(reqwest::Error),
    /// It said more than the limit allows.
    TooLarge,
    /// Authentication failed; the error is told already.
    Failed(Error),
}

impl Failure {
    /// Whether the registry answered with `status`.
    pub(super) fn is(&self, status: StatusCode) -> bool {
        matches!(self, Self::Refused(refusal, _) if refusal.status == status)
    }
}

/// One repository of a registry.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    /// `index.docker.io/v2/library/debian`, what follows the scheme.
    base: String,
    encrypted: AtomicBool,
    reference: Reference,
    /// The image as the user is told of it.
    image: String,
    auth_files: Arc<AuthFiles>,
    session: Mutex<Session>,
}

/// What authenticates requests, once the registry has asked.
#[derive(Debug, Default)]
struct Session {
    /// Counts the headers there were, so that of many requests refused at once one renews it.
    generation: u64,
    header: Option<HeaderValue>,
    login: Login,
}

impl Connection {
    /// Prepares requests; with `insecure`, finds out whether the registry speaks TLS.
    pub(super) async fn open(
        reference: &Reference,
        image: String,
        options: &OpenOptions,
    ) -> Result<Self> {
        let auth_files = Arc::new(AuthFiles::read(&options.auth_files)?);
        let client = client(reference, options).map_err(|error| Error::Remote {
            what: image.clone(),
            because: format!(
                "no HTTPS client could be made ({}): install the system's CA certificates or name \
                 them in SSL_CERT_FILE",
                fault::words(&error)
            ),
        })?;
        // Docker Hub's API has another host than its references name: the one mapping of names
        // there is, and oci-client keeps it.
        let hub_aware = oci_client::Reference::with_tag(
            reference.registry().to_owned(),
            reference.repository().to_owned(),
            String::new(),
        );
        let host = hub_aware.resolve_registry();
        let scheme = if options.insecure {
            probe(&client, host).await.map_err(|because| Error::Remote {
                what: image.clone(),
                because: format!("registry {} {because}", reference.registry()),
            })?
        } else if reference.is_local() {
            "http"
        } else {
            "https"
        };
        Ok(Self {
            client,
            base: format!("{host}/v2/{}", reference.repository()),
            encrypted: AtomicBool::new(scheme == "https"),
            reference: reference.clone(),
            image,
            auth_files,
            session: Mutex::default(),
        })
    }

    /// What was odd about the auth files.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        self.auth_files.warnings()
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The registry, as references name it.
    pub(super) fn registry(&self) -> &str {
        self.reference.registry()
    }

    pub(super) fn repository(&self) -> &str {
        self.reference.repository()
    }

    /// The image, as the user is told of it.
    pub(super) fn image(&self) -> &str {
        &self.image
    }

    /// Whether the registry is spoken to over TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        self.encrypted.load(Ordering::Relaxed)
    }

    /// An answer of success to `method` on `path` below the repository.
    pub(super) async fn send(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Response, Failure> {
        let mut renewed = false;
        loop {
            let encrypted = self.is_encrypted();
            let url = format!("http{}://{}/{path}", if encrypted { "s" } else { "" }, self.base);
            let (generation, header, login) = {
                let session = self.session.lock().await;
                (session.generation, session.header.clone(), session.login.clone())
            };
            let request = || {
                let request = self.client.request(method.clone(), &url).headers(headers.clone());
                match &header {
                    Some(header) => request.header(AUTHORIZATION, header.clone()),
                    None => request,
                }
            };
            let mut refusal = match self.attempt(request).await.map_err(Failure::Broken)? {
                Ok(response) => return Ok(response),
                Err(refusal) => refusal,
            };
            if refusal.wants_tls && !encrypted {
                // Plain HTTP was only a guess, because the registry is of this machine.
                self.encrypted.store(true, Ordering::Relaxed);
                continue;
            }
            refusal.with_token =
                header.is_some_and(|header| header.as_bytes().starts_with(token::BEARER));
            if refusal.status == StatusCode::UNAUTHORIZED
                && !renewed
                && let Some(challenge) = &refusal.challenge
            {
                renewed = true;
                if self.authenticate(generation, challenge).await.map_err(Failure::Failed)? {
                    continue;
                }
                let login = self.session.lock().await.login.clone();
                return Err(Failure::Refused(Box::new(refusal), login));
            }
            return Err(Failure::Refused(Box::new(refusal), login));
        }
    }

    /// A document of at most `max` bytes, and the headers that came with it.
    pub(super) async fn document(
        &self,
        path: &str,
        headers: &HeaderMap,
        max: u64,
    ) -> Result<(HeaderMap, Vec<u8>), Failure> {
        let mut backoff = Backoff::default();
        loop {
            let mut response = self.send(&Method::GET, path, headers).await?;
            let received = std::mem::take(response.headers_mut());
            match read_body(&mut response, max).await {
                Ok(Some(bytes)) => return Ok((received, bytes)),
                Ok(None) => return Err(Failure::TooLarge),
                Err(error) => match backoff.next(None) {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(Failure::Broken(error)),
                },
            }
        }
    }

    /// Makes a request until it succeeds, is refused for good, or has been made often enough.
    pub(super) async fn attempt(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Result<Response, Refusal>, reqwest::Error> {
        let mut backoff = Backoff::default();
        loop {
            let wait = match request().send().await {
                Ok(response) if response.status().is_success() => return Ok(Ok(response)),
                Ok(response) => {
                    let mut refusal = Refusal::read(response).await;
                    let wait = if retry::is_transient(refusal.status) {
                        backoff.next(refusal.retry_after)
                    } else {
                        None
                    };
                    refusal.attempts = backoff.made().max(1);
                    match wait {
                        Some(wait) => wait,
                        None => return Ok(Err(refusal)),
                    }
                }
                Err(error) if fault::is_transient(&error) => match backoff.next(None) {
                    Some(wait) => wait,
                    None => return Err(error),
                },
                Err(error) => return Err(error),
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Answers a challenge; `false` where nothing new is left to try. `refused` is the generation
    /// of the header that did not do.
    async fn authenticate(&self, refused: u64, challenge: &Challenge) -> Result<bool> {
        let mut session = self.session.lock().await;
        if session.generation != refused {
            return Ok(true);
        }
        if matches!(session.login, Login::NotAsked) {
            session.login = self.login().await?;
        }
        let header = match challenge {
            Challenge::Basic => match session.login.credential().map(|found| &found.secret) {
                Some(Secret::Password { user, password }) => token::basic(user, password),
                _ => None,
            },
            Challenge::Bearer { realm, service, scope } => {
                let (service, scope) = (service.as_deref(), scope.as_deref());
                Some(token::fetch(self, realm, service, scope, &session.login).await?)
            }
        };
        let Some(header) = header else { return Ok(false) };
        if session.header.as_ref() == Some(&header) {
            // The same credentials will fare no better; the same token may have been refused by
            // mistake.
            return Ok(matches!(challenge, Challenge::Bearer { .. }));
        }
        session.header = Some(header);
        session.generation += 1;
        Ok(true)
    }

    /// Looks for credentials, off the network's thread: helpers are programs, and slow.
    async fn login(&self) -> Result<Login> {
        let (auth_files, reference) = (self.auth_files.clone(), self.reference.clone());
        let found = tokio::task::spawn_blocking(move || auth_files.find(&reference))
            .await
            .map_err(|error| Error::Io(std::io::Error::other(error)))??;
        Ok(match found {
            Some(credential) => Login::With(credential),
            None => Login::Anonymous(self.auth_files.searched()),
        })
    }

    /// The failure to get `what`, told to the user.
    pub(super) fn explain(&self, what: &str, failure: Failure) -> Error {
        let who = format!("registry {}", self.registry());
        let because = match failure {
            Failure::Failed(error) => return error,
            Failure::Refused(refusal, login) => refusal.explain(&who, self.registry(), &login),
            Failure::Broken(error) => fault::explain(&who, &error),
            Failure::TooLarge => format!("{who} answers with more than the limit"),
        };
        Error::Remote { what: what.to_owned(), because }
    }
}

/// Reads a body of at most `max` bytes; `None` for a longer one.
pub(super) async fn read_body(
    response: &mut Response,
    max: u64,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    if response.content_length().is_some_and(|length| length > max) {
        return Ok(None);
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if (body.len() + piece.len()) as u64 > max {
            return Ok(None);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Some(body))
}

fn client(reference: &Reference, options: &OpenOptions) -> Result<Client, reqwest::Error> {
    // Fails when a provider is there already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let insecure = options.insecure;
    let redirects = move |attempt: redirect::Attempt<'_>| {
        let encrypted = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
        if attempt.previous().len() > REDIRECTS_MAX {
            attempt.error("more redirections than any registry needs")
        } else if encrypted && attempt.url().scheme() != "https" && !insecure {
            attempt.error("it leads from HTTPS to plain HTTP")
        } else {
            attempt.follow()
        }
    };
    let builder = || {
        Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(redirect::Policy::custom(redirects))
            .referer(false)
            .tls_danger_accept_invalid_certs(insecure)
    };
    if reference.is_local() {
        // A machine without CA certificates can still read its own registry.
        let without_certificates = |_| builder().no_proxy().tls_certs_only([]).build();
        return builder().no_proxy().build().or_else(without_certificates);
    }
    builder().build()
}

/// `https` if the registry at `host` speaks it, with whatever certificate, else `http`.
async fn probe(client: &Client, host: &str) -> Result<&'static str, String> {
    let mut faults = Vec::new();
    for scheme in ["https", "http"] {
        match client.get(format!("{scheme}://{host}/v2/")).send().await {
            Ok(_) => return Ok(scheme),
            Err(error) => faults.push(fault::words(&error)),
        }
    }
    Err(format!(
        "answers neither over HTTPS ({}) nor over HTTP ({}): check its name and the network",
        faults.first().map_or("", String::as_str),
        faults.last().map_or("", String::as_str)
    ))
}
