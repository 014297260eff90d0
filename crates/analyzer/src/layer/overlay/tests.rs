use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use super::*;
use crate::blob::Region;
use crate::layer::input::Seek;
use crate::layer::scan::{ContentMode as Scan, Scratch, hash_at};

/// A tar, made entry by entry.
struct Tar(Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    fn add(&mut self, kind: EntryType, path: &str, content: &[u8]) -> &mut Self {
        let mut header = header(kind, content.len() as u64);
        self.0.append_data(&mut header, path, content).unwrap();
        self
    }

    fn file(&mut self, path: &str, content: &[u8]) -> &mut Self {
        self.add(EntryType::Regular, path, content)
    }

    fn directory(&mut self, path: &str) -> &mut Self {
        self.add(EntryType::Directory, path, b"")
    }

    fn link(&mut self, kind: EntryType, path: &str, target: &str) -> &mut Self {
        let mut header = header(kind, 0);
        self.0.append_link(&mut header, path, target).unwrap();
        self
    }

    fn finish(&mut self) -> Vec<u8> {
        std::mem::replace(&mut self.0, Builder::new(Vec::new())).into_inner().unwrap()
    }
}

fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(7);
    header.set_gid(8);
    header.set_mtime(1_700_000_000);
    header
}

fn segment(bytes: &[u8], lines: &mut Vec<String>) {
    if !bytes.is_empty() {
        let (payload, position) = (STANDARD.encode(bytes), lines.len());
        lines.push(format!(r#"{{"type":2,"payload":"{payload}","position":{position}}}"#));
    }
}

/// Splits a tar as vbatts/tar-split does: a segment up to each file, a line for it.
fn split(tar: &[u8]) -> Vec<String> {
    let (mut lines, mut from) = (Vec::new(), 0);
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let start = usize::try_from(entry.raw_file_position()).unwrap();
        let size = usize::try_from(entry.size()).unwrap();
        segment(&tar[from..start], &mut lines);
        let path = entry.path_bytes();
        let name = match std::str::from_utf8(&path) {
            Ok(name) => format!(r#""name":{}"#, serde_json::to_string(name).unwrap()),
            Err(_) => format!(r#""name_raw":"{}""#, STANDARD.encode(&path)),
        };
        let position = lines.len();
        lines.push(match size {
            0 => format!(r#"{{"type":1,{name},"payload":null,"position":{position}}}"#),
            size => format!(
                r#"{{"type":1,{name},"size":{size},"payload":"AAAAAAAAAAA=","position":{position}}}"#
            ),
        });
        from = start + size;
    }
    segment(&tar[from..], &mut lines);
    lines
}

fn gzip(lines: &[String]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for line in lines {
        writeln!(encoder, "{line}").unwrap();
    }
    encoder.finish().unwrap()
}

/// A tar-split and an empty layer directory beside it.
fn place(tar_split: &[u8]) -> (TempDir, PathBuf, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let (file, directory) = (root.path().join("tar-split.json.gz"), root.path().join("diff"));
    fs_err::write(&file, tar_split).unwrap();
    fs_err::create_dir(&directory).unwrap();
    (root, file, directory)
}

fn open(lines: &[String], files: &[(&str, &[u8])]) -> Result<OverlayLayer> {
    let (_root, tar_split, directory) = place(&gzip(lines));
    for (path, content) in files {
        let path = directory.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content).unwrap();
    }
    OverlayLayer::open("layer 0", &tar_split, &directory)
}

fn refusal(tar: &[u8]) -> String {
    open(&split(tar), &[]).unwrap_err().to_string()
}

#[test]
fn a_split_tar_reads_as_the_tar_does() {
    let long = format!("usr/{}/name", "long".repeat(40));
    let big: Vec<u8> = (0_u32..300_000).flat_map(u32::to_le_bytes).collect();
    let mut tar = Tar::new();
    tar.directory("usr/").file("usr/a", b"first").file("usr/empty", b"");
    tar.link(EntryType::Link, "usr/b", "usr/a").link(EntryType::Symlink, "usr/c", "/etc/x");
    tar.file("./usr//big", &big);
    tar.0.append_pax_extensions([("SCHILY.xattr.user.x", &b"value"[..])]).unwrap();
    tar.file("usr/quote\"<&>\u{e9}", &[7; 512]).file(&long, b"deep").file("etc/.wh.gone", b"");
    let mut bytes = tar.finish();
    // Writers pad to a record of 20 blocks or more.
    bytes.resize(bytes.len() + 9216, 0);

    let (_root, tar_split, directory) = place(&gzip(&split(&bytes)));
    tar::Archive::new(&bytes[..]).unpack(&directory).unwrap();
    let layer = OverlayLayer::open("layer 0", &tar_split, &directory).unwrap();
    let file = directory.join("../layer.tar");
    fs_err::write(&file, &bytes).unwrap();
    let region = Region::open(&file).unwrap();
    let direct = scan(Seek::new(region.clone()), "layer 0", Scan::Skip).unwrap();

    let index = layer.index().unwrap();
    assert_eq!(*index, direct);
    assert_eq!(index.tar_size(), bytes.len() as u64);
    let mut hashed = 0;
    for entry in index.entries().filter(|entry| entry.size() > 0) {
        let (offset, sparse) = entry.content();
        let what = || "layer 0".to_owned();
        let expected =
            hash_at(&region, &what, entry.size(), offset, sparse, &mut Scratch::default()).unwrap();
        assert_eq!(layer.hash(&index, entry.position()).unwrap(), expected);
        hashed += 1;
    }
    assert_eq!(hashed, 4);
    layer.verify(&Digest::sha256(&bytes)).unwrap();
    assert!(layer.verify(&Digest::sha256(b"")).is_err());
}

#[test]
fn names_may_be_any_bytes() {
    let mut tar = Tar::new();
    tar.file("name", b"content");
    let mut bytes = tar.finish();
    bytes[..2].fill(0xff);
    bytes[148..156].fill(b' ');
    let checksum: u32 = bytes[..512].iter().copied().map(u32::from).sum();
    bytes[148..155].copy_from_slice(format!("{checksum:06o}\0").as_bytes());
    let lines = split(&bytes);
    assert!(lines[1].contains("name_raw"), "{lines:?}");
    let (_root, tar_split, directory) = place(&gzip(&lines));
    let name = std::os::unix::ffi::OsStrExt::from_bytes(&b"\xff\xffme"[..]);
    fs_err::write(directory.join::<&std::ffi::OsStr>(name), "content").unwrap();
    let layer = OverlayLayer::open("layer 0", &tar_split, &directory).unwrap();
    layer.verify(&Digest::sha256(&bytes)).unwrap();
}

#[test]
fn what_the_directory_cannot_tell_is_refused() {
    let twice = Tar::new().file("a", b"one").file("b", b"x").file("./a", b"two").finish();
    assert!(refusal(&twice).contains("a comes twice in it"), "{}", refusal(&twice));
    let replaced = Tar::new().file("a", b"one").directory("a/").finish();
    assert!(refusal(&replaced).contains("a comes twice in it"), "{}", refusal(&replaced));
    let removed = Tar::new().file("d/a", b"one").file("d/.wh.a", b"").finish();
    assert!(refusal(&removed).contains("d/a comes twice in it"), "{}", refusal(&removed));
    let through =
        Tar::new().link(EntryType::Symlink, "lib", "usr/lib").file("lib/x/y", b"one").finish();
    assert!(refusal(&through).contains("lib/x/y lies below lib"), "{}", refusal(&through));
    let whiteout = Tar::new().file(".wh.a", b"one").finish();
    assert!(refusal(&whiteout).contains("is a whiteout with content"), "{}", refusal(&whiteout));
    // A whiteout may come before what takes the place.
    let mut whiteout = Tar::new();
    let tar = whiteout.file(".wh.a", b"").file("a", b"one").finish();
    open(&split(&tar), &[("a", b"one")]).unwrap();

    let mut sparse = Tar::new();
    let pax = [("GNU.sparse.map", &b"0,3"[..]), ("GNU.sparse.size", b"9")];
    sparse.0.append_pax_extensions(pax).unwrap();
    let sparse = sparse.file("holes", b"abc").finish();
    assert!(refusal(&sparse).contains("holes is sparse"), "{}", refusal(&sparse));
}

#[test]
fn a_directory_that_does_not_fit_is_refused() {
    let tar = Tar::new().file("a", b"one").file("b", b"two").finish();
    let lines = split(&tar);
    open(&lines, &[("a", b"one"), ("b", b"two")]).unwrap();
    let error = open(&lines, &[("a", b"one")]).unwrap_err().to_string();
    assert!(error.contains("diff/b: No such file"), "{error}");
    let error = open(&lines, &[("a", b"one more"), ("b", b"two")]).unwrap_err().to_string();
    assert!(error.contains("diff/a has 8 bytes, its layer 3"), "{error}");
}

#[test]
fn damaged_splits_are_told() {
    let tar = Tar::new().file("a", b"one").file("b", b"two").finish();
    let lines = split(&tar);
    let files: &[(&str, &[u8])] = &[("a", b"one"), ("b", b"two")];
    let error = |lines: &[String]| open(lines, files).unwrap_err().to_string();
    let changed = |at: usize, line: String| {
        let mut lines = lines.clone();
        lines[at] = line;
        error(&lines)
    };

    let not_json = changed(2, "x".to_owned());
    assert!(not_json.starts_with("line 3 of the tar-split"), "{not_json}");
    let not_base64 = changed(2, r#"{"type":2,"payload":"*"}"#.to_owned());
    assert!(not_base64.starts_with("line 3 of the tar-split"), "{not_base64}");
    let kind = changed(2, r#"{"type":3}"#.to_owned());
    assert!(kind.contains("3 is no type of entry"), "{kind}");
    let negative = changed(1, r#"{"type":1,"name":"a","size":-3}"#.to_owned());
    assert!(negative.starts_with("line 2 of the tar-split"), "{negative}");
    let name = changed(1, lines[1].replace(r#""name":"a""#, r#""name":"b""#));
    assert!(name.contains("header of a and its place in the tar-split disagree"), "{name}");
    let size = changed(1, lines[1].replace(r#""size":3"#, r#""size":2"#));
    assert!(size.contains("content stands at byte"), "{size}");
    let huge = changed(1, lines[1].replace(r#""size":3"#, &format!(r#""size":{}"#, u64::MAX)));
    assert!(huge.contains("content stands at byte"), "{huge}");
    let without_file = error(&[&lines[..1], &lines[2..]].concat());
    assert!(without_file.contains("content stands at byte"), "{without_file}");
    let cut = error(&lines[..1]);
    assert!(cut.contains("truncated"), "{cut}");

    let whole = gzip(&lines);
    let (_root, tar_split, directory) = place(&whole[..whole.len() - 9]);
    let truncated = OverlayLayer::open("layer 0", &tar_split, &directory).unwrap_err().to_string();
    assert!(truncated.contains("is truncated"), "{truncated}");
}
