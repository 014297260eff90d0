//! Who grew: layers that moved, files that moved, and what only looks as if it had changed.

use jettison_testkit::image::{Compression, LayerBuilder, Meta};
use serde_json::Value;

use super::{app, base, gate, settings, write};
use crate::jettison::User;
use crate::shop::content;

const ANY: &str = "[[gate.budget]]\nmetric = \"effective\"\nmax-increase = \"1GB\"\n";

fn rows(document: &Value) -> Vec<(String, String, i64)> {
    let rows = document["images"][0]["grown"]["instructions"].as_array().unwrap();
    rows.iter()
        .map(|row| {
            let text = |key: &str| row[key].as_str().unwrap().to_owned();
            (text("state"), text("instruction"), row["effective"].as_i64().unwrap())
        })
        .collect()
}

fn files(document: &Value) -> Vec<Value> {
    let rows = document["images"][0]["grown"]["instructions"].as_array().unwrap();
    rows.iter()
        .flat_map(|row| row["parts"].as_array().unwrap())
        .flat_map(|part| part["files"].as_array().cloned().unwrap_or_default())
        .collect()
}

#[test]
fn an_inserted_layer_shifts_nothing() {
    let user = User::new();
    let copy = "COPY app /app/ # buildkit";
    write(&user, "old", base().layer(app(), copy));
    let inserted = LayerBuilder::new().file("opt/new", content("new", 40_000));
    write(
        &user,
        "new",
        base().layer(inserted, "RUN /bin/sh -c make # buildkit").layer(app(), copy),
    );
    settings(&user, ANY);
    let document = gate(&user, 0, &["app=oci:new", "--against", "oci:old"]);
    assert_eq!(rows(&document), [("added".to_owned(), "RUN make".to_owned(), 40_000)]);
    let new = &files(&document)[0];
    assert_eq!(
        (&new["path"], &new["old"], &new["new"]),
        (&"/opt/new".into(), &0.into(), &40_000.into())
    );
    // A baseline knows no files, and a new layer's are all new.
    user.run(&["baseline", "update", "app=oci:old", "--baseline", "b.json"]).text();
    let document = gate(&user, 0, &["app=oci:new", "--baseline", "b.json"]);
    assert_eq!(rows(&document).len(), 1);
    assert_eq!(files(&document)[0]["path"], "/opt/new");
}

#[test]
fn another_instruction_that_brings_the_same_is_the_same_layer() {
    let user = User::new();
    let layer = |more: usize| {
        LayerBuilder::new()
            .file("opt/lib/a.so", content("a", 60_000))
            .file("opt/lib/b.so", content("b", 10_000 + more))
    };
    write(&user, "old", base().layer(layer(0), "RUN /bin/sh -c install a=1 b=1 # buildkit"));
    write(&user, "new", base().layer(layer(5000), "RUN /bin/sh -c install a=1 b=2 # buildkit"));
    settings(&user, ANY);
    let document = gate(&user, 0, &["app=oci:new", "--against", "oci:old"]);
    let row = ("changed".to_owned(), "RUN install a=1 b=2".to_owned(), 5000);
    assert_eq!(rows(&document), [row]);
    assert_eq!(files(&document)[0]["path"], "/opt/lib/b.so");
}

#[test]
fn moves_and_copies_are_seen_by_content() {
    let user = User::new();
    let layer = |paths: &[&str]| {
        let one = |layer: LayerBuilder, path: &&str| layer.file(path, content("same", 50_000));
        paths.iter().fold(LayerBuilder::new(), one)
    };
    let copy = "COPY data / # buildkit";
    write(&user, "old", base().layer(layer(&["opt/a/x"]), copy));
    write(&user, "moved", base().layer(layer(&["opt/b/x"]), copy));
    write(&user, "copied", base().layer(layer(&["opt/a/x", "opt/c/y"]), copy));
    settings(&user, ANY);
    let document = gate(&user, 0, &["app=oci:moved", "--against", "oci:old"]);
    assert_eq!(rows(&document), [("changed".to_owned(), "COPY data /".to_owned(), 0)]);
    let found = files(&document);
    let origin = |path: &str| {
        let file = found.iter().find(|file| file["path"] == path).unwrap();
        (file["origin"].clone(), file["other"].clone())
    };
    assert_eq!(origin("/opt/b/x"), ("moved-from".into(), "/opt/a/x".into()));
    assert_eq!(origin("/opt/a/x"), ("moved-to".into(), "/opt/b/x".into()));
    let document = gate(&user, 0, &["app=oci:copied", "--against", "oci:old"]);
    assert_eq!(rows(&document)[0].2, 50_000);
    let file = &files(&document)[0];
    assert_eq!(
        (&file["path"], &file["origin"], &file["other"]),
        (&"/opt/c/y".into(), &"copy-of".into(), &"/opt/a/x".into())
    );
}

#[test]
fn a_hard_link_that_is_split_grows_by_one_file() {
    let user = User::new();
    let first = LayerBuilder::new().file("a", content("linked", 30_000));
    let copy = "COPY two / # buildkit";
    write(&user, "old", base().layer(first.clone().hard_link("b", "a"), copy));
    write(&user, "new", base().layer(first.file("b", content("linked", 30_000)), copy));
    settings(&user, ANY);
    let document = gate(&user, 0, &["app=oci:new", "--against", "oci:old"]);
    assert_eq!(rows(&document), [("changed".to_owned(), "COPY two /".to_owned(), 30_000)]);
    let found = files(&document);
    assert_eq!(
        (found.len(), &found[0]["path"], &found[0]["origin"]),
        (1, &"/b".into(), &"copy-of".into())
    );
}

#[test]
fn a_layer_made_anew_with_the_same_files_is_told_as_that() {
    let user = User::new();
    let layer = |time: u64| {
        LayerBuilder::new().file_with("app/x", content("x", 70_000), Meta::mode(0o644).mtime(time))
    };
    let copy = "RUN /bin/sh -c make # buildkit";
    write(&user, "old", base().layer(layer(1), copy));
    write(&user, "new", base().layer(layer(2), copy));
    settings(&user, "[[gate.budget]]\nmetric = \"effective\"\nmax-increase = 0\n");
    for against in [["--against", "oci:old"], ["--baseline", "b.json"]] {
        user.run(&["baseline", "update", "app=oci:old", "--baseline", "b.json"]).text();
        let document = gate(&user, 0, &[&["app=oci:new"][..], &against].concat());
        let row = &document["images"][0]["grown"]["instructions"][0];
        assert_eq!((&row["state"], &row["effective"]), (&"changed".into(), &0.into()));
        assert!(row["rebuilt"].as_u64().unwrap() > 0);
        let run = user.run(&[&["gate", "app=oci:new"][..], &against].concat());
        assert!(super::text(&run).contains("made anew with the same files"));
    }
}

#[test]
fn what_a_compressor_does_is_within_tolerance() {
    let user = User::new();
    let noise: Vec<u8> = content("noise", 400_000);
    let image = |compression| {
        base()
            .compression(compression)
            .layer(LayerBuilder::new().file("x", noise.clone()), "COPY x / # buildkit")
    };
    write(&user, "fast", image(Compression::Gzip { level: 1 }));
    let budget = |tolerance: &str| {
        let budget = "[[gate.budget]]\nmetric = \"compressed\"\nmax-increase = 0\n";
        settings(&user, &format!("{budget}{tolerance}"));
    };
    budget("tolerance = \"1 MB\"");
    let best = [
        Compression::Gzip { level: 9 },
        Compression::Zstd { level: 3 },
        Compression::ZstdFrames { frames: 3 },
    ];
    for compression in best {
        write(&user, "other", image(compression));
        // Smaller or larger, and nothing else: the same layers.
        for (new, old) in [("fast", "other"), ("other", "fast")] {
            let (new, old) = (format!("app=oci:{new}"), format!("oci:{old}"));
            let document = gate(&user, 0, &[&new, "--against", &old]);
            let all = rows(&document);
            assert!(all.iter().all(|row| row.0 == "same" && row.2 == 0), "{compression:?} {all:?}");
        }
    }
    // eStargz adds a table of contents to the tar: the layer is another.
    write(&user, "other", image(Compression::EStargz { end_before_toc: false }));
    let document = gate(&user, 0, &["app=oci:other", "--against", "oci:fast"]);
    assert_eq!(document["images"][0]["verdict"], "pass");
    // Tolerance can be taken away.
    budget("tolerance = 0");
    write(&user, "other", image(Compression::Gzip { level: 9 }));
    gate(&user, 1, &["app=oci:fast", "--against", "oci:other"]);
    let run = user.run(&["gate", "app=oci:fast", "--against", "oci:other"]);
    assert!(super::text(&run).contains("compressed anew: its blob changed by +"), "{run:?}");
}

#[test]
fn a_blob_that_is_there_twice_is_sent_once() {
    let user = User::new();
    let layer = || LayerBuilder::new().file("x", content("x", 90_000));
    write(&user, "once", base().layer(layer(), "COPY x / # buildkit"));
    write(
        &user,
        "twice",
        base().layer(layer(), "COPY x / # buildkit").layer(layer(), "COPY x / # buildkit"),
    );
    settings(&user, ANY);
    let document = gate(&user, 0, &["app=oci:twice", "--against", "oci:once"]);
    let delta = |name: &str| {
        let metrics = document["images"][0]["metrics"].as_array().unwrap();
        metrics.iter().find(|row| row["name"] == name).unwrap()["delta"].as_i64().unwrap()
    };
    assert_eq!((delta("compressed"), delta("effective"), delta("wasted")), (0, 0, 90_000));
    assert!(delta("uncompressed") > 90_000);
    assert_eq!(delta("layers"), 1);
}

#[test]
fn a_hundred_thousand_files_are_cut() {
    let user = User::new();
    let mut many = LayerBuilder::new();
    for at in 0..100_000 {
        many = many.file(format!("opt/{}/{at}", at % 100), format!("{at}"));
    }
    write(&user, "old", base());
    write(&user, "new", base().layer(many, "RUN /bin/sh -c make-many # buildkit"));
    settings(&user, ANY);
    let arguments = ["gate", "app=oci:new", "--against", "oci:old", "--format", "json"];
    let run = user.run(&arguments);
    assert_eq!(run.code(), 0, "{}", run.stderr);
    assert!(run.stdout.len() < 200_000, "{}", run.stdout.len());
    super::sums(&serde_json::from_slice(&run.stdout).unwrap());
}
