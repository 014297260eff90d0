//! Instructions and the layers that they made, also where the history leaves that open.

use jettison_testkit::image::{History, ImageBuilder, ImageFiles, LayerBuilder, Wrap};
use serde_json::{Value, json};

use crate::jettison::User;
use crate::shop;

/// The instruction of each layer.
fn instructions(user: &User, image: ImageBuilder) -> Vec<Value> {
    let files = ImageFiles::docker_archive_legacy(&[image.build()], false);
    files.write_archive(&user.path("image.tar"), Wrap::None).unwrap();
    let run = user.run(&["analyze", "image.tar", "--format", "json"]);
    let read = run.json();
    read["layers"].as_array().unwrap().iter().map(|row| row["createdBy"].clone()).collect()
}

#[test]
fn instructions_stay_with_their_layers() {
    let user = User::new();
    let complete = instructions(&user, shop::builder());
    assert_eq!(complete.len(), 7);
    assert_eq!(complete[2], "COPY . /opt/shop # buildkit");
    // `empty_layer` is missing everywhere, or the last row, which made no layer, is.
    for history in [History::Unmarked, History::Shortened(1)] {
        assert_eq!(instructions(&user, shop::builder().history(history)), complete, "{history:?}");
    }
    // A layer without a row, and rows without a layer: those below keep theirs.
    let shortened = instructions(&user, shop::builder().history(History::Shortened(2)));
    assert_eq!((&shortened[..6], &shortened[6]), (&complete[..6], &json!(null)));
    let lengthened = instructions(&user, shop::builder().history(History::Lengthened(3)));
    assert_eq!(lengthened, complete);
    let absent = instructions(&user, shop::builder().history(History::Absent));
    assert_eq!(absent, vec![json!(null); 7]);
}

#[test]
fn instructions_are_named_in_every_builder_s_words() {
    let user = User::new();
    let layer = |name: &str| LayerBuilder::new().file(name, shop::content(name, 2000));
    let image = ImageBuilder::new()
        .layer(layer("a"), "/bin/sh -c #(nop) COPY file:0123 in /a ")
        .layer(layer("b"), "|1 version=2 /bin/sh -c make install")
        .layer(layer("c"), "RUN |1 version=2 /bin/sh -c make check # buildkit")
        .layer(layer("d"), "/bin/bash -o pipefail -c curl example.test | tar x")
        .layer(LayerBuilder::new().opaque(""), "RUN /bin/sh -c rm -rf /* # buildkit")
        .build();
    let files = ImageFiles::docker_archive(&[image]);
    files.write_archive(&user.path("image.tar"), Wrap::None).unwrap();
    let text = user.run(&["analyze", "image.tar"]).text();
    for instruction in
        ["COPY file:0123 in /a", "RUN make install", "RUN make check", "RUN rm -rf /*"]
    {
        let row = text.lines().find(|line| line.ends_with(&format!("  {instruction}")));
        assert!(row.is_some(), "{instruction}:\n{text}");
    }
    let read = user.analyze("image.tar");
    let waste = read["waste"].as_array().unwrap();
    assert_eq!(waste.len(), 4);
    assert!(waste.iter().all(|row| row["hiddenBy"]["instruction"] == "RUN rm -rf /*"));
}

#[test]
fn a_layer_of_several_instructions_shows_them_all() {
    let user = User::new();
    let layer = LayerBuilder::new().whiteout("a").file("b", shop::content("b", 2000));
    let image = ImageBuilder::new()
        .layer(LayerBuilder::new().file("a", shop::content("a", 3000)), "COPY a / # buildkit")
        .empty("/bin/bash -ec #(nop) WORKDIR /w")
        .empty("/bin/bash -ec #(nop) COPY file:0123 in /b ")
        .empty("/bin/bash -ec rm /a")
        .layer(layer, "/bin/bash -ec #(nop) CMD [\"b\"]")
        .build();
    let files = ImageFiles::docker_archive(&[image]);
    files.write_archive(&user.path("image.tar"), Wrap::None).unwrap();
    let text = user.run(&["analyze", "image.tar"]).text();
    let row = "  3 instructions: WORKDIR /w; COPY file:0123 in /b; R…";
    assert!(text.lines().any(|line| line.ends_with(row)), "{text}");
    assert!(text.contains("  layer #1 deletes "), "{text}");
    let read = user.analyze("image.tar");
    let written = read["layers"][1]["createdBy"].as_str().unwrap();
    assert_eq!(written.lines().count(), 3, "{written}");
    assert_eq!(written.lines().last(), Some("/bin/bash -ec rm /a"));
}
