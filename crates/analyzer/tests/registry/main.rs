//! The registry source against docker-registry, and against a fake one for what a real one does
//! only on bad days.

#![expect(clippy::unwrap_used, reason = "a test's own machinery may panic as tests do")]

mod fake;
mod faults;
mod image;
mod login;
mod server;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use jettison_analyzer::Result;
use jettison_analyzer::layer::read::{ReadLayer, ReadOptions, read_layers};
use jettison_analyzer::progress::Silent;
use jettison_analyzer::source::{Image, OpenOptions, registry};
use jettison_oci::Platform;

use crate::image::{TestImage, write_layout};
use crate::server::Server;

/// Options that look into one auth file, or none.
pub(crate) fn options(auth_file: Option<PathBuf>) -> OpenOptions {
    OpenOptions {
        platform: Platform::new("linux", "amd64", None),
        auth_files: auth_file.into_iter().collect(),
        ..OpenOptions::default()
    }
}

pub(crate) fn open(reference: &str, options: &OpenOptions) -> Result<Image> {
    registry::open(&reference.parse().unwrap(), options)
}

/// Reads all layers, side by side, everything checked.
pub(crate) fn read(image: &Image) -> Result<Vec<ReadLayer>> {
    let options = ReadOptions {
        jobs: NonZeroUsize::new(4).unwrap(),
        verify: true,
        gather: false,
        expansion: OpenOptions::default().expansion,
        cache: None,
        progress: &Silent,
    };
    read_layers(image, &options)
}

/// The message of an error.
pub(crate) fn message<T>(result: Result<T>) -> String {
    result.err().expect("it should fail").to_string()
}

#[track_caller]
pub(crate) fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
}

/// A layout with an image for amd64 and one for arm64.
pub(crate) fn layout() -> (tempfile::TempDir, TestImage, TestImage) {
    let (amd64, arm64) = (TestImage::new("amd64"), TestImage::new("arm64"));
    let directory = tempfile::tempdir().unwrap();
    write_layout(directory.path(), &[("amd64", &amd64), ("arm64", &arm64)]);
    (directory, amd64, arm64)
}

#[test]
fn reads_an_image_by_tag_digest_and_platform() {
    let (layout, amd64, arm64) = layout();
    let server = Server::open();
    server.push(layout.path(), "one");
    server.push(layout.path(), "many");
    let name = format!("{}/team/app", server.address());

    let image = open(&format!("{name}:one"), &options(None)).unwrap();
    assert_eq!(image.origin.to_string(), format!("docker://{name}:one"));
    assert_eq!(image.manifest_digest.as_ref(), Some(&amd64.manifest.digest));
    assert_eq!(image.config_digest, amd64.config.digest);
    let layers = read(&image).unwrap();
    assert_eq!(layers[1].compressed_size, Some(amd64.layers[1].bytes.len() as u64));
    assert_eq!(layers.iter().map(|layer| layer.index.len()).collect::<Vec<_>>(), [1, 2]);

    let pinned = format!("{name}:gone@{}", amd64.manifest.digest);
    assert_eq!(open(&pinned, &options(None)).unwrap().config_digest, amd64.config.digest);

    let wanted = Platform::new("linux", "arm64", None);
    let asked = OpenOptions { platform: wanted, platform_asked: true, ..options(None) };
    let image = open(&format!("{name}:many"), &asked).unwrap();
    assert_eq!(image.manifest_digest.as_ref(), Some(&arm64.manifest.digest));
    read(&image).unwrap();

    let wanted = Platform::new("linux", "s390x", None);
    let asked = OpenOptions { platform: wanted, platform_asked: true, ..options(None) };
    let text = message(open(&format!("{name}:many"), &asked));
    assert_has(&text, &["linux/s390x", "linux/amd64", "linux/arm64"]);
}

#[test]
fn says_what_a_registry_does_not_have() {
    let (layout, amd64, _) = layout();
    let server = Server::open();
    server.push(layout.path(), "one");
    let name = format!("{}/team/app", server.address());

    let text = message(open(&format!("{name}:absent"), &options(None)));
    assert_has(&text, &["has no absent of team/app", "404 Not Found (MANIFEST_UNKNOWN: "]);
    let absent = format!("{}/no/such:tag", server.address());
    assert_has(&message(open(&absent, &options(None))), &["404 Not Found", "no/such"]);

    server.lose(&amd64.layers[1].digest);
    let image = open(&format!("{name}:one"), &options(None)).unwrap();
    let text = message(read(&image));
    assert_has(&text, &[amd64.layers[1].digest.as_str(), "docker://", "missing"]);

    server.lose(&amd64.config.digest);
    let text = message(open(&format!("{name}:one"), &options(None)));
    assert_has(&text, &["config", amd64.config.digest.as_str(), "missing"]);

    let address = server.address();
    drop(server);
    let text = message(open(&format!("{address}/team/app:one"), &options(None)));
    assert_has(&text, &[&address, "cannot be reached", "Connection refused"]);
}

#[test]
fn certificates_are_proven_unless_insecure() {
    let (layout, amd64, _) = layout();
    let server = Server::with_tls();
    server.push(layout.path(), "one");
    let name = format!("{}/team/app:one", server.unlocal_address());

    let text = message(open(&name, &options(None)));
    assert_has(&text, &["certificate of registry", "not trusted", "SSL_CERT_FILE", "--insecure"]);

    let insecure = OpenOptions { insecure: true, ..options(None) };
    let image = open(&name, &insecure).unwrap();
    assert_eq!(image.config_digest, amd64.config.digest);
    read(&image).unwrap();

    // This machine's registries are spoken to over plain HTTP, until one says that it speaks TLS.
    let local = format!("{}/team/app:one", server.address());
    assert_has(&message(open(&local, &options(None))), &["certificate of registry", "--insecure"]);
    read(&open(&local, &insecure).unwrap()).unwrap();
}

#[test]
fn insecure_falls_back_to_plain_http() {
    let (layout, ..) = layout();
    let server = Server::open();
    server.push(layout.path(), "one");
    let name = format!("{}/team/app:one", server.unlocal_address());
    let text = message(open(&name, &options(None)));
    assert_has(&text, &["does not speak TLS", "--insecure"]);
    read(&open(&name, &OpenOptions { insecure: true, ..options(None) }).unwrap()).unwrap();
}
