//! Layers and archives that expand without measure.

use std::time::{Duration, Instant};

use jettison_oci::Digest;
use jettison_testkit::image::{
    Compression, Header, Image, ImageBuilder, ImageFiles, LayerBuilder, Meta, Wrap, gzip, zstd,
};
use serde_json::json;

use crate::jettison::User;

const MEMBERS: usize = 40;
const MEMBER: usize = 64 << 20;
/// 2.5 GiB.
const EXPANDED: u64 = (MEMBERS * MEMBER) as u64;

/// A layer with one file of zeros, compressed by `compress` piece by piece.
fn bomb(compress: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut header = Header::posix(b'0');
    header.name(b"zeros").meta(&Meta::mode(0o644)).size(EXPANDED).seal();
    let zeros = compress(&vec![0; MEMBER]);
    [compress(&header.0), zeros.repeat(MEMBERS), compress(&[0; 1024])].concat()
}

/// A layout whose only layer is `blob`.
fn layout(blob: &[u8], compression: Compression) -> ImageFiles {
    let image: Image =
        ImageBuilder::new().compression(compression).layer(LayerBuilder::new(), "COPY . /").build();
    let placeholder = image.layers[0].digest.clone();
    let digest = Digest::sha256(blob);
    let image = image.edit_manifest(|manifest| {
        manifest["layers"][0]["size"] = json!(blob.len());
        manifest["layers"][0]["digest"] = json!(digest);
    });
    ImageFiles::oci_layout([image]).drop_blob(&placeholder).replace_blob(&digest, blob)
}

#[test]
fn bombs_are_refused_in_good_time() {
    let user = User::new();
    let gzipped = bomb(|bytes| gzip(bytes, 6));
    let packed = bomb(|bytes| zstd(bytes, 1));
    assert!(gzipped.len() < 4 << 20 && packed.len() < 1 << 20);
    let started = Instant::now();
    for (blob, compression) in
        [(&gzipped, Compression::default()), (&packed, Compression::Zstd { level: 1 })]
    {
        let files = layout(blob, compression);
        files.write_directory(&user.path("bomb")).unwrap();
        let run = user.run(&["analyze", "oci:bomb", "--no-cache"]);
        run.fails(3, &["layer 0", "more than 1.0 GiB", "--max-expansion"]);
        // Through a pipe, plain and compressed once more.
        for wrap in [Wrap::None, Wrap::Gzip, Wrap::Zstd] {
            let run = user.run_with_input(&["analyze", "-"], &files.archive(wrap));
            run.fails(3, &["layer", "--max-expansion"]);
        }
        fs_err::remove_dir_all(user.path("bomb")).unwrap();
    }
    // An archive that is a bomb itself.
    let run = user.run_with_input(&["analyze", "-"], &gzipped);
    run.fails(3, &["standard input", "--max-expansion"]);
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
}

#[test]
fn who_says_so_reads_them() {
    let user = User::new();
    let files = layout(&bomb(|bytes| zstd(bytes, 1)), Compression::Zstd { level: 1 });
    files.write_directory(&user.path("bomb")).unwrap();
    let read = user.analyze_with("oci:bomb", &["--max-expansion", "0"]);
    assert_eq!(read["size"]["live"], EXPANDED);
    assert_eq!(read["layers"][0]["size"], EXPANDED + 512 + 1024);
    let run = user.run(&["analyze", "oci:bomb", "--no-cache", "--max-expansion", "10"]);
    run.fails(3, &["--max-expansion"]);
    // What was read once is known, and need not be expanded again.
    assert_eq!(user.analyze("oci:bomb")["size"]["live"], EXPANDED);
}

/// A layer whose tar is `tar`, compressed as writers do.
fn compressed(tar: Vec<u8>) -> ImageFiles {
    let image = ImageBuilder::new().layer(LayerBuilder::from_tar(tar), "COPY . /").build();
    ImageFiles::oci_layout([image])
}

/// A file under `depth` directories of its own.
fn deep(number: usize, depth: usize) -> Vec<u8> {
    LayerBuilder::new().file(format!("{number}{}/f", "/d".repeat(depth - 1)), "").trailer([]).tar()
}

#[test]
fn directories_out_of_nothing_are_refused_in_good_time() {
    let user = User::new();
    let started = Instant::now();
    // A thousand deep paths are odd, not harmful.
    let tar: Vec<u8> = (0..900).flat_map(|number| deep(number, 1000)).collect();
    compressed(tar).write_directory(&user.path("odd")).unwrap();
    let read = user.analyze("oci:odd");
    assert_eq!(read["layers"][0]["entries"], 900);
    let tar: Vec<u8> = (0..2000).flat_map(|number| deep(number, 1000)).collect();
    compressed(tar).write_directory(&user.path("deep")).unwrap();
    let run = user.run(&["analyze", "oci:deep", "--no-cache"]);
    run.fails(3, &["layer 0", "directories that no entry describes", "limit"]);
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
}
