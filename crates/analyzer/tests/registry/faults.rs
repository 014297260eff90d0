//! Registries that are busy, broken, lying or hostile.

use std::io::Write as _;

use jettison_analyzer::Error;
use jettison_analyzer::limits::DOCUMENT_MAX;
use jettison_analyzer::source::OpenOptions;

use crate::fake::{Fake, reply, reply_endlessly, serve};
use crate::image::TestImage;
use crate::{assert_has, message, open, options, read};

fn name(registry: &Fake) -> String {
    format!("{}/team/app:1", registry.address)
}

#[test]
fn a_busy_registry_is_asked_again() {
    let image = TestImage::new("amd64");
    let registry = Fake::start(move |request, before, stream| match before {
        0 => reply(stream, "429 Too Many Requests", &["Retry-After: 0"], b""),
        // Nothing at all.
        1 if request.path.contains("blobs") => {}
        _ => serve(&image, request, stream),
    });
    let image = open(&name(&registry), &options(None)).unwrap();
    assert_eq!(registry.requests("blobs").len(), 3, "no layer is fetched before it is read");
    read(&image).unwrap();
    assert_eq!(registry.requests("manifests").len(), 2);
    assert_eq!(registry.requests("blobs").len(), 9);
}

#[test]
fn a_broken_registry_is_given_up() {
    let body = br#"{"errors":[{"code":"UNKNOWN","message":"disk full"}]}"#;
    let registry = Fake::start(|_, _, stream| reply(stream, "503 Service Unavailable", &[], body));
    let text = message(open(&name(&registry), &options(None)));
    assert_has(&text, &["503 Service Unavailable (UNKNOWN: disk full)", "asked 5 times"]);
    assert_eq!(registry.requests("").len(), 5);
}

#[test]
fn a_limit_of_hours_is_told_at_once() {
    let body = br#"{"errors":[{"code":"TOOMANYREQUESTS","message":"pull limit reached"}]}"#;
    let registry = Fake::start(|_, _, stream| {
        reply(stream, "429 Too Many Requests", &["Retry-After: 21600"], body);
    });
    let text = message(open(&name(&registry), &options(None)));
    assert_has(&text, &["429 Too Many Requests", "pull limit reached", "Wait 21600 s", "log in"]);
    assert_eq!(registry.requests("").len(), 1);
}

#[test]
fn endless_documents_and_errors_are_cut() {
    // What sockets and buffers hold comes on top of what is read.
    const TAKEN_MAX: u64 = DOCUMENT_MAX + (48 << 20);
    let image = TestImage::new("amd64");
    for (part, status) in
        [("manifests", "200 OK"), ("blobs", "200 OK"), ("manifests", "404 Not Found")]
    {
        let image = image.clone();
        let (sender, taken) = std::sync::mpsc::channel();
        let registry = Fake::start(move |request, _, stream| {
            if !request.path.contains(part) {
                return serve(&image, request, stream);
            }
            sender.send(reply_endlessly(stream, status)).unwrap();
        });
        let error = open(&name(&registry), &options(None)).unwrap_err();
        assert_eq!(matches!(error, Error::Limit { .. }), status == "200 OK", "{error}");
        assert!(taken.recv().unwrap() < TAKEN_MAX);
    }
}

#[test]
fn a_layer_that_breaks_off_is_resumed() {
    for knows_ranges in [true, false] {
        let image = TestImage::new("amd64");
        let layer = image.layers[1].clone();
        let registry = Fake::start(move |request, before, stream| {
            if !request.path.ends_with(layer.digest.as_str()) {
                return serve(&image, request, stream);
            }
            let length = layer.bytes.len();
            let asked = request.header("range").strip_prefix("bytes=").unwrap_or("0-");
            let from: usize =
                if knows_ranges { asked.trim_end_matches('-').parse().unwrap() } else { 0 };
            let until = if before < 3 { length * (before + 1) / 4 } else { length };
            let status = match from {
                0 => "200 OK".to_owned(),
                from => format!(
                    "206 Partial Content\r\nContent-Range: bytes {from}-{}/{length}",
                    length - 1
                ),
            };
            let left = length - from;
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {left}\r\n\r\n");
            let _ = stream.write_all(&layer.bytes[from..until]);
        });
        read(&open(&name(&registry), &options(None)).unwrap()).unwrap();
        let ranges: Vec<_> = registry
            .requests("blobs")
            .iter()
            .filter(|request| request.headers.contains_key("range"))
            .map(|request| request.header("range").to_owned())
            .collect();
        assert_eq!(ranges.len(), 3, "{ranges:?}");
    }
}

#[test]
fn a_layer_of_no_stated_length_that_breaks_off_is_resumed_and_given_up_in_the_end() {
    for breaks in [1, usize::MAX] {
        let image = TestImage::new("amd64");
        let layer = image.layers[1].clone();
        let registry = Fake::start(move |request, before, stream| {
            if before >= breaks || !request.path.ends_with(layer.digest.as_str()) {
                return serve(&image, request, stream);
            }
            let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(&layer.bytes[..layer.bytes.len() / 2]);
        });
        let result = read(&open(&name(&registry), &options(None)).unwrap());
        if breaks == 1 {
            result.unwrap();
        } else {
            let half = TestImage::new("amd64").layers[1].bytes.len() / 2;
            assert_has(&message(result), &["ends it after", &half.to_string(), "cuts it off"]);
        }
    }
}

#[test]
fn a_document_past_the_limit_is_said_to_be() {
    let registry = Fake::start(|_, _, stream| {
        reply_endlessly(stream, "200 OK");
    });
    let text = message(open(&name(&registry), &options(None)));
    assert_has(&text, &["team/app:1: the document is beyond the limit of 4.0 MiB"]);
}

#[test]
fn blobs_elsewhere_are_fetched_without_the_registrys_credentials() {
    let image = TestImage::new("amd64");
    let held = image.clone();
    let storage = Fake::start(move |request, _, stream| serve(&held, request, stream));
    let target = storage.address.clone();
    let registry = Fake::start(move |request, _, stream| {
        if request.header("authorization").is_empty() {
            return reply(
                stream,
                "401 Unauthorized",
                &["WWW-Authenticate: Basic realm=\"x\""],
                b"",
            );
        }
        if request.path.contains("blobs") {
            let location = format!("Location: http://{target}{}", request.path);
            return reply(stream, "307 Temporary Redirect", &[&location], b"");
        }
        serve(&image, request, stream);
    });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("auth.json");
    let row = format!(r#"{{"auths":{{"{}":{{"auth":"YTpi"}}}}}}"#, registry.address);
    fs_err::write(&path, row).unwrap();
    read(&open(&name(&registry), &options(Some(path))).unwrap()).unwrap();
    let fetched = storage.requests("blobs");
    assert_eq!(fetched.len(), 3);
    assert!(fetched.iter().all(|request| !request.headers.contains_key("authorization")));
}

#[test]
fn insecure_finds_out_that_a_registry_has_no_tls() {
    let image = TestImage::new("amd64");
    let registry = Fake::start(move |request, _, stream| serve(&image, request, stream));
    read(&open(&name(&registry), &OpenOptions { insecure: true, ..options(None) }).unwrap())
        .unwrap();
}

#[test]
fn bytes_that_do_not_fit_their_digest_are_refused() {
    let (image, other) = (TestImage::new("amd64"), TestImage::new("arm64"));
    // The manifest's own header says otherwise.
    let (manifest, stated) = (image.manifest.clone(), other.manifest.digest.clone());
    let registry = Fake::start(move |_, _, stream| {
        let header = format!("Docker-Content-Digest: {stated}");
        reply(stream, "200 OK", &[&header], &manifest.bytes);
    });
    let text = message(open(&name(&registry), &options(None)));
    assert_has(&text, &["manifest", "corrupt", other.manifest.digest.as_str()]);

    // The reference asks for another one.
    let held = image.clone();
    let registry = Fake::start(move |request, _, stream| serve(&held, request, stream));
    let pinned = format!("{}/team/app@{}", registry.address, other.manifest.digest);
    assert_has(&message(open(&pinned, &options(None))), &["corrupt"]);

    // The layer's bytes are of its size, and others.
    let mut lying = image.clone();
    lying.layers[1].bytes[1 << 20] ^= 1;
    let registry = Fake::start(move |request, _, stream| serve(&lying, request, stream));
    let opened = open(&name(&registry), &options(None)).unwrap();
    assert_has(&message(read(&opened)), &[image.layers[1].digest.as_str()]);

    // It is longer or shorter than its descriptor says.
    for change in [1, -1] {
        let mut lying = image.clone();
        let length = lying.layers[0].bytes.len().saturating_add_signed(change);
        lying.layers[0].bytes.resize(length, 0);
        let registry = Fake::start(move |request, _, stream| serve(&lying, request, stream));
        let opened = open(&name(&registry), &options(None)).unwrap();
        let error = read(&opened).err().expect("the size is wrong");
        assert!(matches!(error, Error::SizeMismatch { .. }), "{error}");
    }
}

#[test]
fn documents_that_are_none_are_refused() {
    for body in [&b"{"[..], b"", b"[]", b"{}", b"\xff\xfe", br#"{"manifests":7}"#] {
        let registry = Fake::start(move |_, _, stream| reply(stream, "200 OK", &[], body));
        assert_has(&message(open(&name(&registry), &options(None))), &["malformed"]);
    }
}

#[test]
fn foreign_layers_are_looked_for_before_they_are_missed() {
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let image = TestImage::new("amd64").with_layer_type(foreign);
    let held = image.clone();
    let registry = Fake::start(move |request, _, stream| serve(&held, request, stream));
    open(&name(&registry), &options(None)).unwrap();
    let heads: Vec<_> = registry.requests("blobs").into_iter().map(|r| r.method).collect();
    assert_eq!(heads, ["GET", "HEAD", "HEAD"]);

    let mut without = image;
    without.layers.clear();
    let registry = Fake::start(move |request, _, stream| serve(&without, request, stream));
    let error = open(&name(&registry), &options(None)).unwrap_err();
    assert!(matches!(error, Error::ForeignLayer { index: 0, .. }), "{error}");
}
