//! A layer of unknown bytes, as it is and with its headers made whole: read as it passes by, out
//! of a file, and through each compression. All ways give the same entries and contents.

#![no_main]

use jettison_analyzer::layer::read::ReadLayer;
use jettison_analyzer::source::LayerData;
use jettison_fuzz::{image, repair};
use jettison_testkit::image::{gzip, zstd};
use libfuzzer_sys::fuzz_target;

fn read(data: LayerData) -> Option<ReadLayer> {
    image::read(&image::image(vec![data]), None).ok()?.pop()
}

fn agree(one: &ReadLayer, other: &ReadLayer) {
    assert_eq!(one.index.len(), other.index.len());
    assert_eq!(one.index.tar_size(), other.index.tar_size());
    assert_eq!(one.index.warnings(), other.index.warnings());
    for (a, b) in one.index.entries().zip(other.index.entries()) {
        assert_eq!((a.path(), a.link(), a.kind()), (b.path(), b.link(), b.kind()));
        assert_eq!((a.size(), a.mode(), a.owner()), (b.size(), b.mode(), b.owner()));
        assert_eq!((a.mtime(), a.device()), (b.mtime(), b.device()));
        assert!(a.xattrs().eq(b.xattrs()));
        let hash = |layer: &ReadLayer| layer.hash("the layer", a.position()).ok();
        assert_eq!(hash(one), hash(other));
    }
}

fn check(bytes: &[u8]) {
    let Some(streamed) = read(image::streamed(bytes.to_vec())) else { return };
    let packed = bytes.starts_with(&[0x1f, 0x8b]) || bytes.get(1..4) == Some(&[0xb5, 0x2f, 0xfd]);
    if !packed && bytes.get(1..4) != Some(&[0x2a, 0x4d, 0x18]) && !bytes.is_empty() {
        let file = image::file(bytes).expect("a temporary file");
        let seekable = image::seekable(file.path()).expect("it was just written");
        let mut ways =
            vec![seekable, image::streamed(gzip(bytes, 1)), image::streamed(zstd(bytes, 1))];
        for way in ways.drain(..) {
            agree(&streamed, &read(way).expect("it was read as it passed by"));
        }
    }
    // Twice over itself: every payload is written again with equal content.
    let layers = vec![image::streamed(bytes.to_vec()), image::streamed(bytes.to_vec())];
    let _ = image::account_of(image::image(layers));
}

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let mut sealed = bytes.to_vec();
    repair::seal(&mut sealed, 0);
    if sealed != bytes {
        check(&sealed);
    }
});
