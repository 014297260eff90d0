//! Archives cut off or spoilt at every place: an error, or what the whole one gives; never a
//! panic, a signal or a lie.

use jettison_testkit::image::{
    Compression, Image, ImageBuilder, ImageFiles, LayerBuilder, Meta, Wrap,
};
use serde_json::Value;

use crate::jettison::{Run, User, account};

fn image(compression: Compression) -> Image {
    ImageBuilder::new()
        .compression(compression)
        .layer(
            LayerBuilder::new()
                .file_with("f", "content of f", Meta::mode(0o644).xattr("user.a", *b"1"))
                .file(format!("{}long", "directory/".repeat(12)), "long")
                .hard_link("h", "f"),
            "COPY . /",
        )
        .layer(LayerBuilder::new().whiteout("f").symlink("l", "h"), "RUN rm /f")
        .tag("example.test/small:1")
        .build()
}

fn archives() -> Vec<(&'static str, Vec<u8>)> {
    let plain = [image(Compression::Plain)];
    let gzip = [image(Compression::default())];
    let zstd = image(Compression::ZstdFrames { frames: 2 });
    vec![
        ("legacy", ImageFiles::docker_archive_legacy(&plain, true).tar()),
        ("compressed", ImageFiles::docker_archive_compressed(&gzip).tar()),
        ("zstd layout", ImageFiles::oci_layout([zstd]).tar()),
        ("wrapped", ImageFiles::docker_archive(&plain).archive(Wrap::Gzip)),
        ("wrapped zstd", ImageFiles::kaniko_archive(&plain).archive(Wrap::Zstd)),
    ]
}

/// Block boundaries with their neighbours, and more in between.
fn places(length: usize) -> impl Iterator<Item = usize> {
    let near = |at: &usize| at % 512 <= 1 || at % 512 == 511 || at.is_multiple_of(73);
    (0..length).filter(near)
}

/// The account, or `None` for an error that is told as one.
fn read(run: Run, what: &str) -> Option<Value> {
    match run.code() {
        0 => Some(account(run.json())),
        3 => {
            run.fails(3, &[]);
            None
        }
        code => panic!("{what}: exit code {code}\n{}", run.stderr),
    }
}

/// A file, and the same bytes through a pipe.
fn both_ways(user: &User, bytes: &[u8], what: &str) -> [Option<Value>; 2] {
    fs_err::write(user.path("damaged.tar"), bytes).unwrap();
    let json = ["--format", "json", "--no-cache", "--jobs", "1"];
    let file = user.run(&[&["analyze", "./damaged.tar"][..], &json].concat());
    let pipe = user.run_with_input(&[&["analyze", "-"][..], &json].concat(), bytes);
    [read(file, what), read(pipe, what)]
}

#[test]
fn archives_cut_off_anywhere_fail_or_are_whole() {
    let user = User::new();
    for (name, whole) in archives() {
        let [expected, piped] = both_ways(&user, &whole, name);
        assert!(expected.is_some() && expected == piped, "{name}");
        let (mut tried, mut failed) = (0, 0);
        for length in places(whole.len()) {
            for cut in both_ways(&user, &whole[..length], &format!("{name} cut at {length}")) {
                tried += 1;
                failed += usize::from(cut.is_none());
                // A tar may lack the blocks of zeros at its end, a compressed one nothing.
                assert!(
                    cut.is_none() || (cut == expected && !name.starts_with("wrapped")),
                    "{name} cut at {length} is read as another image"
                );
            }
        }
        assert!(tried > 20 && failed * 2 > tried, "{name}: {failed} of {tried}");
    }
}

#[test]
fn spoilt_bytes_give_an_error_or_a_valid_account() {
    let user = User::new();
    for (name, whole) in archives() {
        let [expected, _] = both_ways(&user, &whole, name);
        for (number, at) in places(whole.len()).enumerate() {
            let mut spoilt = whole.clone();
            spoilt[at] ^= [0xFF, 1, 0x80, b'0'][number % 4];
            for read in both_ways(&user, &spoilt, &format!("{name} spoilt at {at}")) {
                let Some(read) = read else { continue };
                // Blobs are held against their digests: only the frame around them can change.
                if name == "zstd layout" || name == "compressed" {
                    assert_eq!(read["size"]["live"], expected.as_ref().unwrap()["size"]["live"]);
                }
                let sum = |key: &str| read["size"][key].as_u64().unwrap();
                assert_eq!(sum("files"), sum("live") + sum("wasted"), "{name} spoilt at {at}");
            }
        }
    }
}

#[test]
fn blobs_cut_off_anywhere_fail() {
    let user = User::new();
    let json = ["--format", "json", "--no-cache"];
    for compression in
        [Compression::Plain, Compression::default(), Compression::ZstdFrames { frames: 2 }]
    {
        let image = image(compression);
        let files = ImageFiles::oci_layout([image.clone()]);
        let blobs =
            [image.layers[0].digest.clone(), image.config_digest(), image.manifest_digest()];
        for digest in &blobs {
            let path = format!("blobs/sha256/{}", digest.hex());
            let length = files.get(&path).unwrap().len();
            for length in places(length) {
                let cut = files.clone().truncate_blob(digest, length);
                cut.write_directory(&user.path("cut")).unwrap();
                let run = user.run(&[&["analyze", "oci:cut"][..], &json].concat());
                let message = run.fails(3, &[]);
                assert!(message.contains(digest.hex()), "cut at {length}: {message}");
            }
        }
    }
}
