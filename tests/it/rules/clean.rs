//! Images in which there is next to nothing to find.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use jettison_testkit::busybox;
use jettison_testkit::image::{Compression, ImageBuilder, LayerBuilder};
use jettison_testkit::require::{self, Part};
use serde_json::Value;

use super::case::{findings, write};
use crate::jettison::User;

#[test]
fn a_stripped_program_alone_has_no_finding() {
    let user = User::new();
    let image = busybox::builder("example.test/busybox:1", &["sh", "-c", "true"]).unwrap();
    let word = write(&user, "busybox.tar", image);
    let document = findings(&user, &word);
    assert_eq!(document["findings"], Value::Array(Vec::new()));
    let text = user.run(&["analyze", &word, "--min-bytes", "0"]).text();
    assert!(!text.contains("What to do, "), "{text}");
}

/// The smallest installation of the machine's release, which `tests/prepare` makes once.
fn minbase() -> anyhow::Result<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/minbase.tar");
    fs_err::read(path).context("tests/prepare, as root, makes it by debootstrap")
}

/// An image of it, whose first layer `created_by` made, with another one on top.
fn installation(root: Vec<u8>, created_by: &str) -> ImageBuilder {
    ImageBuilder::new()
        .compression(Compression::Plain)
        .layer(LayerBuilder::from_tar(root), created_by)
        .layer(LayerBuilder::new().file("etc/motd", "hello\n"), "RUN /bin/sh -c greet # buildkit")
        .cmd(&["/bin/bash"])
        .tag("example.test/minbase:1")
}

fn rules(document: &Value) -> BTreeSet<&str> {
    let all = document["findings"].as_array().unwrap();
    all.iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

#[test]
fn a_bare_installation_has_no_grave_finding() {
    let Some(root) = require::unless_skipped(Part::Debootstrap, minbase) else { return };
    let user = User::new();
    let created_by = "/bin/sh -c #(nop) ADD file:0123 in / ";
    let word = write(&user, "minbase.tar", installation(root.clone(), created_by));
    let document = findings(&user, &word);
    for finding in document["findings"].as_array().unwrap() {
        let severity = finding["severity"].as_str().unwrap();
        assert!(matches!(severity, "info" | "low"), "{finding}");
    }
    // Where an instruction of its own brought the files, they weigh what they weigh; but they are of
    // these kinds only, and of those what nobody has to keep.
    let word = write(&user, "copied.tar", installation(root, "COPY rootfs / # buildkit"));
    let document = findings(&user, &word);
    let known = [
        "apt-cache",
        "apt-lists",
        "docs",
        "duplicate-content",
        "generic-cache",
        "locales",
        "logs",
        "man",
        "overwritten-later",
    ];
    let found = rules(&document);
    assert!(found.is_subset(&known.into_iter().collect()), "{found:?}");
    assert!(found.contains("docs") && found.contains("locales"), "{found:?}");
    let kept = ["/usr/share/doc/bash/copyright", "/usr/share/locale/locale.alias", "/usr/bin/dpkg"];
    let all = document["findings"].as_array().unwrap().iter();
    for row in all.flat_map(|finding| finding["topPaths"].as_array().unwrap()) {
        assert!(!kept.contains(&row["path"].as_str().unwrap()), "{row}");
    }
}
