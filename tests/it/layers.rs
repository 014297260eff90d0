//! Layers: every compression that blobs have, and every kind of tar entry.

use jettison_testkit::image::{
    Compression, Image, ImageBuilder, ImageFiles, LayerBuilder, LongNames, Meta, SparseFormat,
    Wrap, gzip, zstd,
};
use serde_json::{Value, json};

use crate::jettison::{User, account};
use crate::shop;

/// The account of an image, which is the same from a layout and, without blobs, from an archive
/// through a pipe.
fn analyze(user: &User, image: &Image) -> Value {
    let name = image.manifest_digest().hex()[..16].to_owned();
    ImageFiles::oci_layout([image.clone()]).write_directory(&user.path(&name)).unwrap();
    let read = user.analyze_with(&format!("oci:{name}"), &["--verify"]);
    let saved = ImageFiles::docker_archive_legacy(std::slice::from_ref(image), false);
    let piped = user.run_with_input(&["analyze", "-", "--format", "json"], &saved.tar()).json();
    assert_eq!(account(piped), account(read.clone()));
    read
}

/// An image of these layers, not compressed.
fn image(layers: impl IntoIterator<Item = LayerBuilder>) -> Image {
    let builder = ImageBuilder::new().compression(Compression::Plain);
    layers.into_iter().fold(builder, |image, layer| image.layer(layer, "COPY . /")).build()
}

fn sizes(read: &Value) -> [u64; 4] {
    ["files", "live", "wasted", "duplicate"].map(|name| read["size"][name].as_u64().unwrap())
}

#[test]
fn every_compression_has_the_same_account() {
    let user = User::new();
    let expected = account(analyze(&user, &shop::image()));
    for compression in [
        Compression::Gzip { level: 0 },
        Compression::Gzip { level: 1 },
        Compression::Gzip { level: 9 },
        Compression::MultiMemberGzip { members: 2 },
        Compression::MultiMemberGzip { members: 50 },
        Compression::Zstd { level: 1 },
        Compression::Zstd { level: 19 },
        Compression::ZstdFrames { frames: 2 },
        Compression::ZstdFrames { frames: 50 },
    ] {
        let image = shop::builder().compression(compression).build();
        assert_eq!(account(analyze(&user, &image)), expected, "{compression:?}");
    }
    // Layers of one image need not agree.
    let mixed = ImageBuilder::new()
        .layer_with(shop::base(), "ADD . /", Compression::Plain)
        .layer_with(shop::base(), "ADD . /", Compression::Zstd { level: 3 })
        .layer_with(shop::base(), "ADD . /", Compression::MultiMemberGzip { members: 3 })
        .build();
    let read = analyze(&user, &mixed);
    let rows = read["waste"].as_array().unwrap();
    assert!(
        rows.iter().all(|row| row["cause"] == "overwritten" || row["cause"] == "metadata-only")
    );
    assert_eq!(read["size"]["wasted"].as_u64(), Some(2 * read["size"]["live"].as_u64().unwrap()));
}

#[test]
fn seekable_layers_are_layers_with_their_tables_of_contents() {
    let user = User::new();
    let plain = analyze(&user, &shop::image());
    for (compression, added) in [
        // The landmark, and the table of contents where the archive does not end before it.
        (Compression::EStargz { end_before_toc: true }, 1),
        (Compression::EStargz { end_before_toc: false }, 2),
        (Compression::ZstdChunked, 0),
    ] {
        let image = shop::builder().compression(compression).build();
        let read = analyze(&user, &image);
        let own = |read: &Value| -> Vec<Value> {
            let rows = read["waste"].as_array().unwrap().iter();
            let mut rows: Vec<Value> = rows
                .map(|row| {
                    json!([
                        row["cause"],
                        row["addedBy"]["layer"],
                        row["hiddenBy"]["layer"],
                        row["topPaths"]
                    ])
                })
                .collect();
            // The tables themselves overwrite each other.
            for row in &mut rows {
                row[3].as_array_mut().unwrap().retain(|path| {
                    !["/stargz.index.json", "/.no.prefetch.landmark"]
                        .contains(&path["path"].as_str().unwrap())
                });
            }
            rows.retain(|row| row[3] != json!([]));
            rows
        };
        assert_eq!(own(&read), own(&plain), "{compression:?}");
        for (with, without) in
            read["layers"].as_array().unwrap().iter().zip(plain["layers"].as_array().unwrap())
        {
            let entries = |row: &Value| row["entries"].as_u64().unwrap();
            assert_eq!(entries(with), entries(without) + added, "{compression:?}");
        }
        // A digest of the whole blob, table of contents and footer included, is checked.
        let layer = &image.layers[1];
        let mut blob = layer.blob.as_ref().clone();
        *blob.last_mut().unwrap() ^= 1;
        let files = ImageFiles::oci_layout([image.clone()]).replace_blob(&layer.digest, blob);
        files.write_archive(&user.path("spoilt.tar"), Wrap::None).unwrap();
        let run = user.run(&["analyze", "spoilt.tar", "--no-cache"]);
        run.fails(3, &["layer 1", layer.digest.as_str()]);
    }
}

#[test]
fn empty_layers_are_layers() {
    let user = User::new();
    let empty = || LayerBuilder::new();
    for compression in [Compression::Plain, Compression::default(), Compression::Zstd { level: 3 }]
    {
        let image = ImageBuilder::new()
            .compression(compression)
            .layer(empty(), "RUN true")
            .layer(LayerBuilder::new().file("file", "12345"), "COPY file /")
            .layer(empty(), "RUN true")
            .layer(empty().trailer([]), "RUN true")
            .build();
        let read = analyze(&user, &image);
        assert_eq!(sizes(&read), [5, 5, 0, 0], "{compression:?}");
        assert_eq!(read["layers"].as_array().unwrap().len(), 4);
        assert_eq!(read["layers"][0]["size"], 1024);
        assert_eq!(read["layers"][3]["size"], 0);
    }
    assert_eq!(sizes(&analyze(&user, &image([]))), [0; 4]);
}

#[test]
fn foreign_layers_that_are_absent_are_named() {
    let user = User::new();
    let image = ImageBuilder::new()
        .foreign_layer(LayerBuilder::new().file("windows", "x"), "ADD base /")
        .layer(LayerBuilder::new().file("own", "y"), "COPY own /")
        .build();
    let layer = &image.layers[0];
    let (digest, media_type) = (layer.digest.as_str(), layer.media_type.as_str());
    let blob = layer.blob.as_ref().clone();
    let files = ImageFiles::oci_layout([image.clone()]);
    files.write_directory(&user.path("layout")).unwrap();
    files.write_archive(&user.path("layout.tar"), Wrap::Gzip).unwrap();
    for word in ["oci:layout", "oci-archive:layout.tar"] {
        user.run(&["analyze", word]).fails(3, &["layer 0", digest, media_type, "foreign"]);
    }
    let saved = ImageFiles::docker_archive_compressed(std::slice::from_ref(&image));
    saved.write_archive(&user.path("saved.tar"), Wrap::None).unwrap();
    user.run(&["analyze", "saved.tar"]).fails(3, &["saved.tar", layer.digest.hex(), "missing"]);
    // One that is there is read like any other.
    let with = files.replace_blob(&layer.digest, blob);
    with.write_directory(&user.path("with")).unwrap();
    assert_eq!(sizes(&user.analyze("oci:with")), [2, 2, 0, 0]);
}

#[test]
fn archives_may_be_compressed_inside_and_out() {
    let user = User::new();
    let files = ImageFiles::docker_archive_compressed(&[shop::builder()
        .compression(Compression::MultiMemberGzip { members: 5 })
        .build()]);
    files.write_archive(&user.path("plain.tar"), Wrap::None).unwrap();
    let expected = account(user.analyze("plain.tar"));
    let tar = files.tar();
    let halves = tar.split_at(tar.len() / 2);
    let members = [gzip(halves.0, 6), gzip(halves.1, 1)].concat();
    let frames = [zstd(halves.0, 1), zstd(halves.1, 3)].concat();
    for (name, bytes) in [("members", members), ("frames", frames)] {
        fs_err::write(user.path(name), &bytes).unwrap();
        assert_eq!(account(user.analyze(name)), expected, "{name}");
        let piped = user.run_with_input(&["analyze", "-", "--format", "json"], &bytes);
        assert_eq!(account(piped.json()), expected, "{name}");
    }
}

#[test]
fn names_are_cleaned_as_runtimes_clean_them() {
    let user = User::new();
    let spellings =
        ["/etc/x", "./etc/x", "etc//x", "etc/./x", "usr/../etc/x", "//etc/x", "/../etc/x"];
    let layer = spellings.iter().fold(LayerBuilder::new(), |layer, name| layer.file(name, *name));
    let read = analyze(&user, &image([layer.clone()]));
    let total: usize = spellings.iter().map(|name| name.len()).sum();
    let last = spellings[6].len();
    assert_eq!(sizes(&read), [total, last, total - last, 0].map(|size| size as u64));
    assert_eq!(read["waste"][0]["cause"], "repeated");
    let why = user.run(&["why", "-", "/usr/../etc/./x"]);
    why.fails(3, &["standard input"]);
    let escape = image([LayerBuilder::new().file("../etc/x", "out")]);
    ImageFiles::oci_layout([escape]).write_directory(&user.path("escape")).unwrap();
    user.run(&["analyze", "oci:escape"]).fails(3, &["layer 0", "../etc/x"]);
}

#[test]
fn long_names_are_one_name_in_every_writer_s_words() {
    let user = User::new();
    let name = format!("{}file", "directory-of-a-long-name/".repeat(6));
    let target = format!("{}file", "a-target-of-some-length/".repeat(6));
    let layer = |long_names| {
        let layer = LayerBuilder::new().long_names(long_names);
        layer.file(&name, "same").symlink(format!("{name}-link"), &target)
    };
    let [pax, gnu, prefix] = [LongNames::Pax, LongNames::Gnu, LongNames::Prefix].map(layer);
    let read = analyze(&user, &image([pax, gnu, prefix]));
    assert_eq!(sizes(&read), [12, 4, 8, 0]);
    let why = user.run(&["why", "--format", "json", &layout(&user), &format!("{name}-link")]);
    assert_eq!(why.json()["events"].as_array().unwrap().len(), 3);
    let text = user.run(&["why", &layout(&user), &format!("{name}-link")]).text();
    assert!(text.contains(&format!("symlink to\n{target}\n")), "{text}");
}

/// The word of the only layout that [`analyze`] wrote.
fn layout(user: &User) -> String {
    let names = crate::jettison::names(&user.work());
    assert_eq!(names.len(), 1, "{names:?}");
    format!("oci:{}", names[0])
}

#[test]
fn sparse_files_are_what_they_stand_for() {
    let user = User::new();
    let mut whole = vec![0; 300_000];
    whole[..512].fill(7);
    whole[204_800..206_848].fill(9);
    let segments: [(u64, &[u8]); 2] = [(0, &[7; 512]), (204_800, &[9; 2048])];
    let layer = LayerBuilder::new()
        .sparse("gnu", SparseFormat::Gnu, 300_000, &segments)
        .sparse("pax-0.1", SparseFormat::Pax01, 300_000, &segments)
        .sparse("pax-1.0", SparseFormat::Pax10, 300_000, &segments)
        .file("whole", whole);
    let read = analyze(&user, &image([layer]));
    assert_eq!(sizes(&read), [1_200_000, 1_200_000, 0, 900_000]);
    assert_eq!(read["duplicates"][0]["paths"], json!(["/gnu", "/pax-0.1", "/pax-1.0", "/whole"]));
    // More segments than fit one header block.
    let many: Vec<(u64, &[u8])> = (0..100).map(|n| (n * 8192, &[1; 512][..])).collect();
    let layer = LayerBuilder::new().sparse("gnu", SparseFormat::Gnu, 1 << 20, &many).sparse(
        "pax",
        SparseFormat::Pax10,
        1 << 20,
        &many,
    );
    assert_eq!(sizes(&analyze(&user, &image([layer])))[3], 1 << 20);
}

#[test]
fn hard_links_carry_no_bytes_and_keep_them_alive() {
    let user = User::new();
    let read = analyze(
        &user,
        &image([
            // A chain in one layer, and targets that a lower layer has.
            LayerBuilder::new().file("a", vec![1; 1000]).hard_link("b", "a").hard_link("c", "b"),
            LayerBuilder::new().hard_link("d", "a").hard_link("./e", "/d"),
            LayerBuilder::new().whiteout("a").whiteout("b").whiteout("c").whiteout("d"),
        ]),
    );
    assert_eq!(sizes(&read), [1000, 1000, 0, 0], "e still leads to it");
    let read = analyze(
        &user,
        &image([
            LayerBuilder::new().file("a", vec![1; 1000]).hard_link("b", "a"),
            LayerBuilder::new().file("a", vec![2; 500]),
            LayerBuilder::new().whiteout("b"),
        ]),
    );
    assert_eq!(sizes(&read), [1500, 500, 1000, 0]);
    assert_eq!(read["waste"][0]["hiddenBy"]["layer"], 2, "the last path decides");
    let dangling = image([LayerBuilder::new().hard_link("b", "nothing")]);
    ImageFiles::oci_layout([dangling]).write_directory(&user.path("dangling")).unwrap();
    let run = user.run(&["analyze", "oci:dangling"]);
    assert!(matches!(run.code(), 0 | 3) && run.stderr.contains("nothing"), "{run:?}");
}

#[test]
fn whiteouts_act_on_lower_layers_wherever_they_stand() {
    let user = User::new();
    let base = || LayerBuilder::new().file("d/old", vec![1; 100]).file("f", vec![2; 10]);
    let after = LayerBuilder::new()
        .file("d/new", vec![3; 7])
        .opaque("d")
        .file("f", vec![4; 5])
        .whiteout("f");
    let before = LayerBuilder::new()
        .whiteout("f")
        .opaque("d")
        .file("f", vec![4; 5])
        .file("d/new", vec![3; 7]);
    for layer in [after, before] {
        let read = analyze(&user, &image([base(), layer]));
        assert_eq!(sizes(&read), [122, 12, 110, 0]);
    }
    // A whiteout of nothing, one of a directory, and one at the root.
    let read = analyze(
        &user,
        &image([
            base(),
            LayerBuilder::new().whiteout("absent").whiteout("d"),
            LayerBuilder::new().opaque(""),
        ]),
    );
    assert_eq!(sizes(&read), [110, 0, 110, 0]);
    let causes: Vec<_> =
        read["waste"].as_array().unwrap().iter().map(|row| &row["cause"]).collect();
    assert_eq!(causes, ["removed", "opaque"]);
}

#[test]
fn metadata_of_every_kind_is_told_from_content() {
    let user = User::new();
    let file = |meta| LayerBuilder::new().file_with("f", vec![1; 100], meta);
    let plain = || Meta::mode(0o644);
    for (what, meta) in [
        ("mode", Meta::mode(0o600)),
        ("owner", plain().owner(1000, 1000)),
        ("group", plain().owner(0, 1000)),
        ("time", plain().mtime(1)),
        ("xattr", plain().xattr("user.a", *b"1")),
        ("large owner", plain().owner(3_000_000_000, 0)),
        ("nothing", plain()),
    ] {
        let read = analyze(&user, &image([file(plain()), file(meta)]));
        assert_eq!(sizes(&read), [200, 100, 100, 0]);
        assert_eq!(read["waste"][0]["cause"], "metadata-only", "{what}");
    }
    let global = LayerBuilder::new().pax_global(&[("uid", "1234")]).file("f", vec![1; 100]);
    let read = analyze(&user, &image([file(plain()), global]));
    assert_eq!(read["waste"][0]["cause"], "metadata-only");
}
