//! Engines that break off, lie or never stop, which real ones do on no demand.
#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use jettison_analyzer::Error;
use jettison_analyzer::source::engine::{has_docker, open_docker};
use jettison_analyzer::source::{Image, OpenOptions};
use jettison_testkit::image::{ImageBuilder, ImageFiles, LayerBuilder};
use serde_json::{Value, json};

/// An engine that answers a path by `answer`, one request a connection.
fn engine(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> OpenOptions {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("tcp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            // A client that only looks whether somebody listens sends nothing.
            let Some(Ok(line)) = lines.next() else { continue };
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            answer(line.split(' ').nth(1).unwrap(), &mut stream);
        }
    });
    OpenOptions { docker_host: Some(host), ..OpenOptions::default() }
}

fn reply(stream: &mut TcpStream, status: &str, body: &[u8]) {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// An answer in chunks, with its end or without.
fn reply_in_chunks(stream: &mut TcpStream, body: &[u8], ends: bool) {
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let _ = stream.write_all(head.as_bytes());
    for piece in body.chunks(64 << 10) {
        let _ = write!(stream, "{:x}\r\n", piece.len());
        let _ = stream.write_all(piece).and_then(|()| stream.write_all(b"\r\n"));
    }
    if ends {
        let _ = stream.write_all(b"0\r\n\r\n");
    }
}

/// Spaces, which JSON may hold any number of.
fn reply_endlessly(stream: &mut TcpStream, status: &str) {
    let _ = write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n\r\n");
    let piece = vec![b' '; 64 << 10];
    for _ in 0..(4 << 30) / piece.len() {
        if stream.write_all(&piece).is_err() {
            return;
        }
    }
}

fn image() -> jettison_testkit::image::Image {
    let layer = || LayerBuilder::new().file("file", vec![7; 200_000]);
    ImageBuilder::new().layer(layer(), "COPY a /").layer(layer(), "COPY b /").tag("e:1").build()
}

fn inspected() -> Value {
    json!({
        "Id": image().config_digest(),
        "GraphDriver": { "Name": "vfs", "Data": null },
        "RootFS": { "Type": "layers", "Layers": image().diff_ids() },
    })
}

/// An engine that says `inspected` of every image and exports `export`.
fn exporting(inspected: Value, export: Vec<u8>, ends: bool) -> OpenOptions {
    engine(move |path, stream| match path {
        path if path.ends_with("/json") => {
            reply(stream, "200 OK", inspected.to_string().as_bytes());
        }
        _ => reply_in_chunks(stream, &export, ends),
    })
}

fn saved() -> Vec<u8> {
    ImageFiles::docker_archive_legacy(&[image()], false).tar()
}

#[track_caller]
fn fails(opened: Result<Image, Error>, words: &[&str]) {
    let text = opened.unwrap_err().to_string();
    for word in words {
        assert!(text.contains(word), "{text:?} lacks {word:?}");
    }
}

#[test]
fn an_export_that_breaks_off_is_said_to() {
    let whole = open_docker("e:1", &exporting(inspected(), saved(), true)).unwrap();
    assert_eq!(whole.config_digest, image().config_digest());
    // Behind the first member, inside it, at its start; with a proper end, and without.
    for cut in [512 + 512 + 200_704, 100_352, 100_000, 300, 0] {
        for ends in [true, false] {
            let options = exporting(inspected(), saved()[..cut].to_vec(), ends);
            let words = ["the engine at tcp://127.0.0.1", "its export broke off"];
            fails(open_docker("e:1", &options), &words);
        }
    }
    let refused = br#"{"message":"no space left on device"}"#.to_vec();
    let words = ["the engine at", "broke off, or is none of an image", "not a tar"];
    fails(open_docker("e:1", &exporting(inspected(), refused, true)), &words);
}

#[test]
fn another_image_than_was_asked_for_is_refused() {
    let other = jettison_oci::Digest::sha256(b"another");
    let with = |edit: &dyn Fn(&mut Value)| {
        let mut inspected = inspected();
        edit(&mut inspected);
        inspected
    };
    let lying = with(&|inspected| {
        inspected["Id"] = json!(other);
        inspected["RootFS"]["Layers"] = json!([other]);
    });
    let error = open_docker("e:1", &exporting(lying, saved(), true)).unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    assert!(error.to_string().contains(other.as_str()), "{error}");

    // Docker on containerd's store: the ID is the manifest's digest.
    let by_manifest = with(&|inspected| {
        inspected["Id"] = json!(image().manifest_digest());
        inspected["RootFS"] = json!(null);
    });
    let archive = ImageFiles::oci_layout([image()]);
    let docker = ImageFiles::docker_archive(&[image()]);
    let docker = docker.replace("index.json", archive.get("index.json").unwrap().as_ref().clone());
    let opened = open_docker("e:1", &exporting(by_manifest, docker.tar(), true)).unwrap();
    assert_eq!((opened.config_digest, opened.warnings.len()), (image().config_digest(), 0));

    // podman, of a config that it writes anew: the layers are the same.
    let rewritten = with(&|inspected| inspected["Id"] = json!(other));
    let opened = open_docker("e:1", &exporting(rewritten, saved(), true)).unwrap();
    assert!(opened.warnings[0].contains("wrote the config anew"), "{:?}", opened.warnings);
}

#[test]
fn an_endless_answer_is_cut() {
    for status in ["200 OK", "404 Not Found", "500 Internal Server Error"] {
        let options = engine(move |_, stream| reply_endlessly(stream, status));
        fails(open_docker("e:1", &options), &["the engine at", "more than 64.0 MiB"]);
        let error = has_docker("e:1", &options).unwrap_err().to_string();
        assert!(error.contains("more than 64.0 MiB"), "{error}");
    }
    let options = engine(|path, stream| match path {
        path if path.ends_with("/json") => {
            reply(stream, "200 OK", inspected().to_string().as_bytes());
        }
        _ => reply_endlessly(stream, "500 Internal Server Error"),
    });
    fails(open_docker("e:1", &options), &["the engine at", "more than 64.0 MiB"]);
}

#[test]
fn an_image_without_layers_is_not_exported() {
    let inspected = json!({
        "Id": image().config_digest(),
        "Os": "linux", "Architecture": "amd64", "Created": "2026-01-01T00:00:00Z",
        "Config": { "Cmd": ["/nothing"] },
        "GraphDriver": { "Name": "overlay2", "Data": null },
        "RootFS": { "Type": "layers" },
    });
    let options = exporting(inspected, Vec::new(), true);
    let opened = open_docker("e:1", &options).unwrap();
    assert_eq!(
        (opened.layers.len(), opened.config.platform.to_string()),
        (0, "linux/amd64".into())
    );
    assert_eq!(opened.config.cmd, ["/nothing"]);
    let platform = "linux/arm64".parse().unwrap();
    let asked = OpenOptions { platform, platform_asked: true, ..options };
    assert!(matches!(open_docker("e:1", &asked), Err(Error::NoSuchPlatform { .. })));
}
