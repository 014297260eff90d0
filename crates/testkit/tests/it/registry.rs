//! docker-registry and the front before it, pulled from by skopeo.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use jettison_oci::Platform;
use jettison_testkit::image::{Compression, Image, ImageBuilder, IndexBuilder, LayerBuilder};
use jettison_testkit::process::run;
use jettison_testkit::registry::{Access, Credentials, Fault, Front, Registry};
use jettison_testkit::require::{Part, unless_skipped};

fn image(architecture: &str) -> Image {
    ImageBuilder::new()
        .platform(Platform::new("linux", architecture, None))
        .layer(LayerBuilder::new().file("name", architecture), "COPY name /")
        .layer_with(
            LayerBuilder::new().file("more", "more"),
            "COPY more /",
            Compression::ZstdFrames { frames: 2 },
        )
        .build()
}

fn skopeo(arguments: &[&str]) -> anyhow::Result<String> {
    run(Command::new("skopeo").args(arguments))
}

fn get(address: SocketAddr, target: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: r\r\nAccept: */*, application/vnd.oci.image.manifest.v1+json\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // An answer cut short is an answer too.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn an_index_is_pushed_byte_for_byte() {
    let Some(registry) = Registry::for_test() else { return };
    let (amd64, arm64) = (image("amd64"), image("arm64"));
    let index = IndexBuilder::new().image(&amd64).image(&arm64).attestation(&amd64).build();
    let digest = registry.push(index.clone(), "team/app", "1").unwrap();
    assert_eq!(digest, index.digest());
    let place = format!("docker://{}", registry.reference("team/app:1"));
    let inspect = ["inspect", "--tls-verify=false", "--raw", &place];
    assert_eq!(skopeo(&inspect).unwrap().as_bytes(), index.bytes().as_slice());
    let room = tempfile::tempdir().unwrap();
    let copy = format!("dir:{}", room.path().display());
    skopeo(&["copy", "--all", "--src-tls-verify=false", &place, &copy]).unwrap();
}

#[test]
fn basic_authentication_is_demanded() {
    let start = || Registry::start_with_basic(Credentials::new("ann", "secret"));
    let Some(registry) = unless_skipped(Part::Registry, start) else { return };
    registry.push(image("amd64"), "app", "1").unwrap();
    let place = format!("docker://{}", registry.reference("app:1"));
    let inspect =
        |more: &[&str]| skopeo(&[&["inspect", "--tls-verify=false", &place], more].concat());
    assert!(inspect(&["--no-creds"]).is_err());
    assert!(inspect(&["--creds", "ann:wrong"]).is_err());
    inspect(&["--creds", "ann:secret"]).unwrap();
}

#[test]
fn the_front_demands_tokens() {
    let Some(registry) = Registry::for_test() else { return };
    registry.push(image("amd64"), "team/app", "1").unwrap();
    let inspect = |front: &Front, more: &[&str]| {
        let place = format!("docker://{}", front.reference("team/app:1"));
        skopeo(&[&["inspect", "--tls-verify=false", &place], more].concat())
    };

    let anonymous = Front::start(&registry, Access::Anonymous).unwrap();
    inspect(&anonymous, &["--no-creds"]).unwrap();
    assert!(anonymous.count("/token?") > 0);
    let answer = get(anonymous.address(), "/v2/team/app/manifests/1");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("scope=\"repository:team/app:pull\""), "{answer}");

    let ann = Access::Credentials(Credentials::new("ann", "secret"));
    let named = Front::start(&registry, ann).unwrap();
    assert!(inspect(&named, &["--no-creds"]).is_err());
    inspect(&named, &["--creds", "ann:secret"]).unwrap();

    // Pushing through the front: chunked bodies, Location headers, a wider scope.
    let room = tempfile::tempdir().unwrap();
    let copy = format!("dir:{}", room.path().display());
    let options = ["copy", "--src-tls-verify=false", "--dest-tls-verify=false"];
    let source = format!("docker://{}", registry.reference("team/app:1"));
    skopeo(&[&options[..], &[source.as_str(), copy.as_str()]].concat()).unwrap();
    let target = format!("docker://{}", named.reference("team/copy:1"));
    let push = ["--dest-creds", "ann:secret", copy.as_str(), target.as_str()];
    skopeo(&[&options[..], &push[..]].concat()).unwrap();
    assert!(registry.store().join("docker/registry/v2/repositories/team/copy").exists());
}

#[test]
fn the_front_injects_faults_and_counts() {
    let Some(registry) = Registry::for_test() else { return };
    let image = image("amd64");
    registry.push(image.clone(), "app", "1").unwrap();
    let front = Front::start(&registry, Access::Open).unwrap();
    let manifest = "/v2/app/manifests/1";
    let layer = format!("/v2/app/blobs/{}", image.layers[0].digest);
    let whole = get(front.address(), &layer);
    assert!(whole.starts_with("HTTP/1.1 200"), "{whole}");

    front.fault("HEAD /v2/app/manifests/", 1, Fault::Status(500));
    front.fault("/manifests/", 1, Fault::RetryAfter(429, 7));
    front.fault("/manifests/", 1, Fault::Status(503));
    let answer = get(front.address(), manifest);
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("Retry-After: 7"), "{answer}");
    assert!(get(front.address(), manifest).starts_with("HTTP/1.1 503"));
    let good = get(front.address(), manifest);
    assert!(good.ends_with(std::str::from_utf8(image.manifest()).unwrap()), "{good}");
    assert_eq!(front.count("/manifests/"), 3);
    let statuses: Vec<_> = front.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [None, Some(429), Some(503), None]);

    front.fault(&layer, 1, Fault::Truncated(10));
    assert!(get(front.address(), &layer).len() < whole.len());
    front.fault(&layer, 1, Fault::Corrupted);
    assert_ne!(
        get(front.address(), &layer).split("\r\n\r\n").nth(1),
        whole.split("\r\n\r\n").nth(1)
    );
    front.fault(&layer, 1, Fault::HangUp);
    assert_eq!(get(front.address(), &layer), "");
    front.fault(&layer, 1, Fault::Replaced("text/html".into(), b"<html>".to_vec()));
    assert!(get(front.address(), &layer).ends_with("\r\n\r\n<html>"));
    front.fault(&layer, 1, Fault::Stalled(Duration::from_millis(200)));
    let started = std::time::Instant::now();
    assert_eq!(get(front.address(), &layer).len(), whole.len());
    assert!(started.elapsed() >= Duration::from_millis(200));

    front.fault("/manifests/", usize::MAX, Fault::Endless);
    let mut stream = TcpStream::connect(front.address()).unwrap();
    write!(stream, "GET {manifest} HTTP/1.1\r\nHost: r\r\n\r\n").unwrap();
    let mut much = Vec::new();
    stream.take(5 << 20).read_to_end(&mut much).unwrap();
    assert_eq!(much.len(), 5 << 20);
    front.clear_faults();
    front.forget_requests();
    assert_eq!(front.count(""), 0);
}
