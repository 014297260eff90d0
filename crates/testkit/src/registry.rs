//! A private registry, and a front before it that demands tokens and injects faults.

mod front;
mod http;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use jettison_oci::Digest;
use serde_json::Value;

use crate::image::Root;
use crate::process::{Daemon, Room, free_port, run};
use crate::require::{self, Part};
use http::Response;

pub use front::{Access, Fault, Front, Request};

/// A name and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl Credentials {
    /// A name and a password.
    pub fn new(user: &str, password: &str) -> Self {
        Self { user: user.to_owned(), password: password.to_owned() }
    }

    /// The value of an `Authorization` header, and with `Basic ` taken off, of `auth` in a
    /// Docker `config.json`.
    pub fn basic(&self) -> String {
        let pair = format!("{}:{}", self.user, self.password);
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    }
}

/// docker-registry on a free port of 127.0.0.1, without TLS, its store in a private directory.
#[derive(Debug)]
pub struct Registry {
    daemon: Daemon,
    address: SocketAddr,
    credentials: Option<Credentials>,
    room: Room,
}

impl Registry {
    /// Starts one that serves anybody.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_for(None)
    }

    /// Starts one that demands basic authentication.
    pub fn start_with_basic(credentials: Credentials) -> anyhow::Result<Self> {
        Self::start_for(Some(credentials))
    }

    /// Starts one that serves anybody, or gives `None` where the tests are asked to do without.
    pub fn for_test() -> Option<Self> {
        require::unless_skipped(Part::Registry, Self::start)
    }

    fn start_for(credentials: Option<Credentials>) -> anyhow::Result<Self> {
        let program = require::program("docker-registry", "docker-registry")?;
        let room = Room::new()?;
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, free_port()?).into();
        let mut configuration = format!(
            "version: 0.1\nlog:\n  level: info\nstorage:\n  delete:\n    enabled: true\n  \
             filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n  \
             secret: of no importance\n",
            room.directory("store")?.display()
        );
        if let Some(Credentials { user, password }) = &credentials {
            let htpasswd = require::program("htpasswd", "apache2-utils")?;
            let line = run(Command::new(htpasswd).args(["-Bbn", user, password]))?;
            fs_err::write(room.join("htpasswd"), line)?;
            let _ = writeln!(
                configuration,
                "auth:\n  htpasswd:\n    realm: registry\n    path: {}",
                room.join("htpasswd").display()
            );
        }
        fs_err::write(room.join("config.yml"), configuration)?;
        let mut command = Command::new(program);
        command.arg("serve").arg(room.join("config.yml"));
        // The machine's own settings for a registry are not for this one.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("REGISTRY_") {
                command.env_remove(name);
            }
        }
        let daemon = Daemon::start(&command, &room, || TcpStream::connect(address).is_ok())?;
        Ok(Self { daemon, address, credentials, room })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The reference of `name`, such as `app:1`, in this registry.
    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// The directory of its store.
    pub fn store(&self) -> std::path::PathBuf {
        self.room.join("store")
    }

    /// Pushes an image or index byte for byte as `repository:tag`, tags of its own aside. Gives
    /// the digest of what the tag names.
    pub fn push(
        &self,
        root: impl Into<Root>,
        repository: &str,
        tag: &str,
    ) -> anyhow::Result<Digest> {
        let root = root.into();
        let blobs = root.blobs();
        let descriptor = root.descriptor();
        self.push_manifest(repository, &descriptor, Some(tag), &blobs)?;
        digest_of(&descriptor)
    }

    fn push_manifest(
        &self,
        repository: &str,
        descriptor: &Value,
        tag: Option<&str>,
        blobs: &BTreeMap<Digest, Arc<Vec<u8>>>,
    ) -> anyhow::Result<()> {
        let digest = digest_of(descriptor)?;
        let bytes = blobs.get(&digest).with_context(|| format!("{digest} is not at hand"))?;
        let manifest: Value = serde_json::from_slice(bytes)?;
        for child in members(&manifest["manifests"]) {
            self.push_manifest(repository, child, None, blobs)?;
        }
        for child in members(&manifest["layers"]).iter().chain(manifest.get("config")) {
            // What is not at hand is not distributed.
            if let Some(bytes) = blobs.get(&digest_of(child)?) {
                self.push_blob(repository, bytes)?;
            }
        }
        let media_type = descriptor["mediaType"].as_str().unwrap_or_default();
        let target = format!("/v2/{repository}/manifests/{}", tag.unwrap_or(digest.as_str()));
        self.call("PUT", &target, &[("Content-Type", media_type)], bytes)?.expect(201)?;
        Ok(())
    }

    /// Pushes one blob.
    pub fn push_blob(&self, repository: &str, bytes: &[u8]) -> anyhow::Result<Digest> {
        let digest = Digest::sha256(bytes);
        let known = self.call("HEAD", &format!("/v2/{repository}/blobs/{digest}"), &[], &[])?;
        if known.status == 200 {
            return Ok(digest);
        }
        let upload = self.call("POST", &format!("/v2/{repository}/blobs/uploads/"), &[], &[])?;
        let location = upload.expect(202)?.header("location").unwrap_or_default().to_owned();
        let origin = format!("http://{}", self.address);
        let target = location.strip_prefix(&origin).unwrap_or(&location);
        let separator = if target.contains('?') { '&' } else { '?' };
        let target = format!("{target}{separator}digest={digest}");
        let kind = [("Content-Type", "application/octet-stream")];
        self.call("PUT", &target, &kind, bytes)?.expect(201)?;
        Ok(digest)
    }

    fn call(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> anyhow::Result<Response> {
        let basic = self.credentials.as_ref().map(Credentials::basic);
        let mut headers = headers.to_vec();
        headers.extend(basic.as_deref().map(|value| ("Authorization", value)));
        http::call(self.address, method, target, &headers, body)
    }
}

impl Response {
    fn expect(self, status: u16) -> anyhow::Result<Self> {
        if self.status != status {
            bail!("registry answered {}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        Ok(self)
    }
}

fn members(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn digest_of(descriptor: &Value) -> anyhow::Result<Digest> {
    let digest = descriptor["digest"].as_str().unwrap_or_default();
    ensure!(!digest.is_empty(), "a descriptor without a digest: {descriptor}");
    Ok(digest.parse()?)
}
