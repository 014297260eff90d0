//! `jettison gate` and `jettison baseline`: budgets, baselines, and who grew.

mod baselines;
mod growth;
mod pull_request;
mod settings;

use jettison_testkit::image::{Compression, ImageBuilder, ImageFiles, IndexBuilder, LayerBuilder};
use serde_json::Value;

use crate::jettison::{Run, User};
use crate::shop::content;

/// A base of two layers.
fn base() -> ImageBuilder {
    ImageBuilder::new()
        .layer(
            LayerBuilder::new().file("lib/libc.so", content("libc", 300_000)),
            "COPY base / # buildkit",
        )
        .layer(
            LayerBuilder::new().file("usr/bin/tool", content("tool", 100_000)),
            "RUN /bin/sh -c install-tools # buildkit",
        )
}

/// An application above it.
fn app() -> LayerBuilder {
    LayerBuilder::new()
        .file("app/server", content("server", 500_000))
        .file("app/data/large.bin", content("large", 200_000))
}

/// Writes an image as a layout of that name.
fn write(user: &User, name: &str, image: ImageBuilder) {
    let image = image.build();
    ImageFiles::oci_layout([image]).write_directory(&user.path(name)).unwrap();
}

/// Settings that no run exceeds unless it grows by more than 1000 bytes.
const SETTINGS: &str = "[[gate.budget]]\nmetric = \"effective\"\nmax-increase = 1000\n";

fn settings(user: &User, text: &str) {
    fs_err::write(user.path("jettison.toml"), text).unwrap();
}

/// A gate that ends with a code, as JSON.
fn gate(user: &User, code: i32, arguments: &[&str]) -> Value {
    let all = [&["gate", "--format", "json"], arguments].concat();
    let run = user.run(&all);
    assert_eq!(run.code(), code, "{}\n{}", String::from_utf8_lossy(&run.stdout), run.stderr);
    let document: Value = serde_json::from_slice(&run.stdout).unwrap();
    sums(&document);
    document
}

fn text(run: &Run) -> String {
    String::from_utf8(run.stdout.clone()).unwrap()
}

/// Every list sums to what it explains.
fn sums(document: &Value) {
    let number = |value: &Value| value.as_i64().unwrap();
    let list = |value: &Value| value.as_array().unwrap().clone();
    for image in list(&document["images"]) {
        let grown = &image["grown"];
        if grown.is_null() {
            continue;
        }
        let metric = |name: &str| {
            let row = list(&image["metrics"]).into_iter().find(|row| row["name"] == name);
            row.map(|row| row["delta"].clone())
        };
        assert_eq!(Some(grown["effective"].clone()), metric("effective"));
        assert_eq!(Some(grown["uncompressed"].clone()), metric("uncompressed"));
        let residue: i64 = list(&grown["residue"]).iter().map(|row| number(&row["delta"])).sum();
        assert_eq!(number(&grown["uncompressed"]), number(&grown["effective"]) + residue);
        for (key, total) in [("effective", "effective"), ("uncompressed", "uncompressed")] {
            let rows: i64 = list(&grown["instructions"]).iter().map(|row| number(&row[key])).sum();
            assert_eq!(rows, number(&grown[total]), "{key}");
        }
        for row in list(&grown["instructions"]) {
            let parts: i64 = list(&row["parts"]).iter().map(|part| number(&part["delta"])).sum();
            assert_eq!(parts + number(&row["rest"]["delta"]), number(&row["effective"]));
            for part in list(&row["parts"]).iter().filter(|part| !part["files"].is_null()) {
                let files: i64 =
                    list(&part["files"]).iter().map(|file| number(&file["delta"])).sum();
                assert_eq!(
                    files + number(&part["rest"]["delta"]),
                    number(&part["delta"]),
                    "{part}"
                );
            }
        }
    }
}

#[test]
fn the_same_image_twice_is_silent() {
    let user = User::new();
    write(&user, "a", base().layer(app(), "COPY app /app/ # buildkit"));
    settings(&user, SETTINGS);
    for against in [["--against", "oci:a"], ["--baseline", "b.json"]] {
        user.run(&["baseline", "update", "oci:a", "--baseline", "b.json"]).text();
        let run = user.run(&[&["gate", "oci:a"][..], &against].concat());
        assert_eq!((run.code(), run.stderr.as_str()), (0, ""));
        assert_eq!(text(&run), "pass  a (linux/amd64): nothing changed\n");
        let document = gate(&user, 0, &[&["oci:a"][..], &against].concat());
        assert_eq!(document["verdict"], "pass");
        assert_eq!(document["images"][0]["grown"]["instructions"], Value::Array(Vec::new()));
        assert_eq!(document["next"], Value::Array(Vec::new()));
    }
}

#[test]
fn a_byte_decides() {
    let user = User::new();
    let image = |bytes: usize| {
        base().layer(
            LayerBuilder::new().file("app/x", content("x", bytes)),
            "COPY x /app/ # buildkit",
        )
    };
    write(&user, "old", image(10_000));
    for (bytes, code) in [(10_999, 0), (11_000, 0), (11_001, 1)] {
        write(&user, "new", image(bytes));
        settings(&user, SETTINGS);
        let document = gate(&user, code, &["new=oci:new", "--against", "oci:old"]);
        let check = &document["images"][0]["checks"][0];
        assert_eq!(check["limit"], "max-increase");
        assert_eq!(check["over"], u64::try_from(bytes).unwrap().saturating_sub(11_000));
        settings(&user, &format!("[[gate.budget]]\nmetric = \"effective\"\nmax = {}\n", 411_000));
        gate(&user, code, &["oci:new"]);
    }
    // Where both would read the same, every byte is told.
    let run = user.run(&["gate", "oci:new"]);
    assert!(
        text(&run).contains("effective is 411001 B, 1 B over its maximum of 411000 B"),
        "{}",
        text(&run)
    );
    // Whoever only wants to know is never failed.
    assert_eq!(user.run(&["gate", "oci:new", "--exit-zero"]).code(), 0);
}

#[test]
fn growth_of_the_base_is_not_the_application_s() {
    let user = User::new();
    let old_base = base();
    let new_base = base().layer(
        LayerBuilder::new().file("usr/lib/more.so", content("more", 400_000)),
        "RUN /bin/sh -c upgrade # buildkit",
    );
    write(&user, "old-base", old_base.clone());
    write(&user, "new-base", new_base.clone());
    write(&user, "old", old_base.layer(app(), "COPY app /app/ # buildkit"));
    write(&user, "new", new_base.layer(app(), "COPY app /app/ # buildkit"));
    settings(&user, "[[gate.budget]]\nmetric = \"own-effective\"\nmax-increase = 0\n");
    user.run(&[
        "baseline",
        "update",
        "app=oci:old",
        "--base",
        "oci:old-base",
        "--baseline",
        "b.json",
    ])
    .text();
    let document =
        gate(&user, 0, &["app=oci:new", "--base", "oci:new-base", "--baseline", "b.json"]);
    let rows = document["images"][0]["grown"]["instructions"].as_array().unwrap().clone();
    assert_eq!((rows.len(), &rows[0]["base"]), (1, &true.into()));
    assert_eq!(rows[0]["effective"], 400_000);
    // Nobody knows what is own where nobody knows the base.
    user.run(&["gate", "oci:new"]).fails(2, &["own-effective is not known", "give --base IMAGE"]);
}

#[test]
fn hostile_names_act_on_nothing() {
    let user = User::new();
    let names: [&[u8]; 5] =
        [b"a\nb", b"\x1b[31mred", b"latin-\xe4\xff", "rtl-\u{202e}x".as_bytes(), b"a|b`c"];
    let mut layer = LayerBuilder::new();
    for name in names {
        layer = layer.file([b"srv/", name, b"/", name].concat(), content("evil", 5000));
    }
    let hostile = "RUN /bin/sh -c echo '\u{1b}[2J\u{202e}' && x # buildkit";
    write(&user, "old", base());
    write(&user, "new", base().layer(layer, hostile));
    settings(&user, &format!("{SETTINGS}[[gate.deny]]\npath = \"/srv/**\"\n"));
    for against in [["--against", "oci:old"], ["--baseline", "b.json"]] {
        user.run(&["baseline", "update", "app=oci:old", "--baseline", "b.json"]).text();
        for format in
            ["text", "json", "markdown", "github", "sarif", "gitlab", "openmetrics", "junit", "csv"]
        {
            let arguments = [&["gate", "app=oci:new", "--format", format][..], &against].concat();
            let run = user.run(&arguments);
            assert_eq!(run.code(), 1, "{}", run.stderr);
            let page = text(&run);
            let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            // CSV's lines end as its standard says.
            assert!(!page.replace("\r\n", "\n").contains(acts), "{format}: {page}");
            let is_told = format == "openmetrics" || page.contains("red");
            assert!(is_told, "{format} names the path: {page}");
        }
    }
}

#[test]
fn small_changes_need_no_comment() {
    let user = User::new();
    let image = |bytes: usize| {
        let layer = LayerBuilder::new().file("app/x", content("x", bytes));
        base().layer(layer, "COPY x /app/ # buildkit")
    };
    write(&user, "old", image(10_000));
    write(&user, "new", image(10_500));
    settings(&user, SETTINGS);
    let markdown = |threshold: &str| {
        let arguments = ["gate", "app=oci:new", "--against", "oci:old", "--format", "markdown"];
        text(&user.run(&[&arguments[..], &["--comment-threshold", threshold]].concat()))
    };
    assert!(markdown("0").contains("Who grew"));
    assert!(markdown("300").contains("Who grew"));
    let quiet = markdown("1KiB");
    assert_eq!(quiet.lines().count(), 2, "{quiet}");
    assert!(quiet.starts_with("<!-- jettison-gate:app -->\n"), "{quiet}");
}

#[test]
fn what_a_source_does_not_tell_is_no_number() {
    let user = User::new();
    let image = base().compression(Compression::Plain).build();
    ImageFiles::docker_archive_legacy(&[image], false)
        .write_archive(&user.path("a.tar"), jettison_testkit::image::Wrap::None)
        .unwrap();
    settings(&user, "[[gate.budget]]\nmetric = \"compressed\"\nmax = 1\n");
    user.run(&["gate", "a.tar"]).fails(
        2,
        &[
            "[[gate.budget]] 1",
            "compressed is not known",
            "docker-archive does not hold",
            "docker://",
        ],
    );
    settings(&user, SETTINGS);
    let run = user.run(&["gate", "a.tar"]);
    assert!(text(&run).contains("compressed                    -         n/a"), "{}", text(&run));
}

#[test]
fn every_platform_has_a_row() {
    let user = User::new();
    let image = |platform: &str, bytes: usize| {
        ImageBuilder::new()
            .platform(platform.parse().unwrap())
            .layer(LayerBuilder::new().file("x", content(platform, bytes)), "COPY x / # buildkit")
            .build()
    };
    let (amd64, arm64) = (image("linux/amd64", 1000), image("linux/arm64", 3000));
    let index =
        IndexBuilder::new().image(&amd64).attestation(&amd64).image(&arm64).attestation(&arm64);
    ImageFiles::oci_layout([index.build()]).write_directory(&user.path("many")).unwrap();
    settings(
        &user,
        "[[gate.budget]]\nplatform = \"linux/arm*\"\nmetric = \"effective\"\nmax = 2999\n",
    );
    for list in ["all", "linux/amd64,linux/arm64"] {
        let document = gate(&user, 1, &["oci:many", "--platforms", list]);
        let rows: Vec<(&str, &str)> = document["images"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row["platform"].as_str().unwrap(), row["verdict"].as_str().unwrap()))
            .collect();
        assert_eq!(rows, [("linux/amd64", "pass"), ("linux/arm64", "fail")]);
    }
    gate(&user, 0, &["oci:many", "--platform", "linux/amd64"]);
    user.run(&["gate", "oci:many", "--platforms", "linux/s390x"]).fails(3, &["linux/s390x"]);
    user.run(&["gate", "oci:many", "--platforms", "linux"]).fails(2, &["not a platform"]);
}
