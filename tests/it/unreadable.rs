//! What is damaged or too large among the files that facts are told from: each is named, the rest is
//! told, and the confidence is lowered where what it leads to is not known.

use std::fmt::Write as _;

use jettison_testkit::image::{ImageBuilder, LayerBuilder};

use crate::owners::executable;
use crate::reach::{Run, image, layer, programs};

#[track_caller]
fn warns(image: ImageBuilder, expected: &[&str]) -> Run {
    let run = Run::of(image);
    let warnings = run.warnings();
    for text in expected {
        assert!(warnings.contains(text), "{text} is not in: {warnings}");
    }
    run
}

#[track_caller]
fn confidence(run: &Run, path: &str, expected: &str) {
    let used = run.used(path);
    assert_eq!((&used["evidence"], &used["confidence"]), (&"none".into(), &expected.into()));
}

#[test]
fn programs_and_libraries_that_are_cut_off_are_named() {
    let whole = fs_err::read("/usr/bin/bash").unwrap();
    let files = |bytes: &[u8]| {
        programs(executable(LayerBuilder::new(), "opt/app", bytes), &["opt/plugin.so", "opt/tool"])
    };
    for length in [5, 20, 64, 2_000, 40_000] {
        let image = image(files(&whole[..length])).cmd(&["/opt/app"]);
        let run = warns(image, &["warning: /opt/app: it "]);
        // What it would have started is not known.
        confidence(&run, "/opt/tool", "low");
        confidence(&run, "/opt/plugin.so", "low");
    }
    for at in [4, 5, 32] {
        let mut bytes = whole.clone();
        bytes[at] = 0xee;
        bytes[at + 1] = 0xee;
        warns(image(files(&bytes)).cmd(&["/opt/app"]), &["warning: /opt/app: it "]);
    }
    let run = Run::of(image(files(&whole)).cmd(&["/opt/app"]));
    assert!(!run.warnings().contains("/opt/app"), "{}", run.warnings());
    // Nobody needs it: it says nothing of others.
    let run = Run::of(image(files(&whole[..2_000])).cmd(&["/opt/tool"]));
    assert!(!run.warnings().contains("/opt/app"), "{}", run.warnings());
    confidence(&run, "/opt/app", "medium");
}

#[test]
fn scripts_that_are_too_large_are_named() {
    let mut large = "// a line of a bundle\n".repeat(800_000);
    let _ = write!(large, "require('q')");
    let files = layer(&[
        ("srv/app/node_modules/q/package.json", r#"{"name":"q","main":"index.js"}"#),
        ("opt/node_modules/r/index.js", "module.exports = 1"),
        ("opt/r.js", "module.exports = 1"),
    ]);
    let files = programs(executable(files, "srv/app/bundle.js", large.clone()), &["usr/bin/node"]);
    let image = image(files).cmd(&["node", "/srv/app/bundle.js"]);
    let run = warns(image, &["warning: /srv/app/bundle.js: it is too large"]);
    confidence(&run, "/opt/r.js", "low");
    let script = format!("#!/bin/sh\n{}/opt/tool\n", large.replace("//", "#"));
    let files =
        programs(executable(LayerBuilder::new(), "opt/start", script), &["bin/sh", "opt/tool"]);
    let run = warns(image_of(files), &["warning: /opt/start: it is too large"]);
    confidence(&run, "/opt/tool", "low");
}

fn image_of(layer: LayerBuilder) -> ImageBuilder {
    image(layer).cmd(&["/opt/start"])
}

#[test]
fn databases_that_are_damaged_are_named_and_the_rest_is_read() {
    let status = "Package: whole\nStatus: install ok installed\n\nPack";
    let run = warns(
        image(layer(&[
            ("var/lib/dpkg/status", status),
            ("var/lib/dpkg/info/whole.list", "/.\n/opt/x\n"),
            ("opt/x", "x"),
        ])),
        &[
            "/var/lib/dpkg/status: it is no text, or ends within a line",
            "/var/lib/dpkg/status: 1 paragraphs of it name no package",
        ],
    );
    assert_eq!(run.used("/opt/x")["owner"], "whole");
    let garbage = "\0\u{1}garbage";
    for path in [
        "var/lib/dpkg/status",
        "var/lib/apt/extended_states",
        "lib/apk/db/installed",
        "usr/lib/apk/db/installed",
        "etc/ld.so.cache",
        "srv/node_modules/x/package.json",
    ] {
        warns(image(layer(&[(path, garbage)])), &[&format!("/{path}: it ")]);
    }
    let status = ("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\n");
    warns(
        image(layer(&[status, ("var/lib/dpkg/diversions", "/usr/bin/x\n/usr/b")])),
        &["/var/lib/dpkg/diversions: it ", "/var/lib/dpkg: the package a has no list of files"],
    );
    let metadata = "usr/lib/python3/dist-packages/x-1.dist-info/METADATA";
    let place = "/usr/lib/python3/dist-packages/x-1.dist-info: its metadata names no distribution";
    warns(image(layer(&[(metadata, "\0")])), &[place]);
}

#[test]
fn archives_that_are_damaged_are_named() {
    warns(
        image(layer(&[("opt/x.jar", "version https://git-lfs")])),
        &["/opt/x.jar: it is no whole"],
    );
    warns(image(layer(&[("opt/y.jar", "PK\u{3}\u{4}")])), &["/opt/y.jar: it is no whole"]);
    let used = layer(&[("opt/z.jar", "PK\u{3}\u{4}")]);
    let used = programs(used, &["usr/bin/java", "opt/tool"]);
    let run =
        warns(image(used).cmd(&["java", "-jar", "/opt/z.jar"]), &["/opt/z.jar: it is no whole"]);
    assert_eq!(run.used("/opt/z.jar")["evidence"], "needed");
}

#[test]
fn symlinks_that_lead_in_a_circle_are_named_where_they_are_met() {
    let files = LayerBuilder::new()
        .symlink("opt/a", "b")
        .symlink("opt/b", "a")
        .symlink("opt/c", "d")
        .symlink("opt/d", "c");
    let files = programs(files, &["usr/bin/app"]);
    let run = warns(image(files).cmd(&["app", "/opt/a"]), &["this symlink leads in a circle"]);
    assert!(!run.warnings().contains("/opt/c"), "{}", run.warnings());
}
