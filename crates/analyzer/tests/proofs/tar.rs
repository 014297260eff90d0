//! Layers written by several programs, read by us and by Python's tarfile.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use jettison_analyzer::entry::{Kind, clean_into};
use jettison_analyzer::layer::content_hash;
use jettison_analyzer::tree::Cause;
use jettison_testkit::image::{
    Compression, ImageFiles, LayerBuilder, LongNames, Meta, SparseFormat, Wrap,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::pipeline;

const PEER: &str = include_str!("tarfile_peer.py");

fn python(arguments: &[&str], input: &str) -> Vec<u8> {
    let mut child = Command::new("python3")
        .args(["-c", PEER])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is missing: apt-get install python3");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "python3 {arguments:?} failed");
    output.stdout
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn clean(name: &[u8]) -> Vec<u8> {
    let mut path = Vec::new();
    clean_into(name, &mut path).unwrap();
    path
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Symlink => "symlink",
        Kind::HardLink => "hard-link",
        Kind::CharDevice => "char-device",
        Kind::BlockDevice => "block-device",
        Kind::Fifo => "fifo",
    }
}

/// Reads the tar both ways, ours once by seeking and once as it passes by.
fn agree(tar: &[u8]) -> Result<usize, TestCaseError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), tar).unwrap();
    let listing = python(&["list", file.path().to_str().unwrap()], "");
    let listing: Vec<Value> = serde_json::from_slice(&listing).unwrap();
    for compression in [Compression::Plain, Compression::Gzip { level: 1 }] {
        let image = pipeline::image(vec![LayerBuilder::from_tar(tar)], compression);
        let files = ImageFiles::docker_archive_compressed(&[image]);
        let image = pipeline::open(pipeline::file(&files, Wrap::None).path());
        let layer = &pipeline::read(&image, 1)[0];
        prop_assert_eq!(layer.index.tar_size(), tar.len() as u64);
        prop_assert_eq!(layer.index.len(), listing.len());
        for (entry, row) in layer.index.entries().zip(&listing) {
            let about = String::from_utf8_lossy(entry.path()).into_owned();
            prop_assert_eq!(entry.path(), clean(&bytes(&row["name"])));
            prop_assert_eq!(name(entry.kind()), row["kind"].as_str().unwrap(), "{}", about);
            let link = bytes(&row["link"]);
            let link = if entry.kind() == Kind::HardLink { clean(&link) } else { link };
            prop_assert_eq!(entry.link(), link, "{}", about);
            prop_assert_eq!(entry.size(), row["size"].as_u64().unwrap(), "{}", about);
            prop_assert_eq!(u64::from(entry.mode()), row["mode"].as_u64().unwrap(), "{}", about);
            let owner = (row["uid"].as_u64().unwrap(), row["gid"].as_u64().unwrap());
            let (uid, gid) = entry.owner();
            prop_assert_eq!((u64::from(uid), u64::from(gid)), owner, "{}", about);
            let (seconds, nanos) = entry.mtime();
            let theirs = row["mtime"].as_f64().unwrap();
            // A float of today has not all the nanoseconds.
            #[expect(clippy::cast_precision_loss, reason = "as tarfile has it")]
            let ours = seconds as f64 + f64::from(nanos) / 1e9;
            prop_assert!((ours - theirs).abs() < 1e-6, "{}: {} for {}", about, ours, theirs);
            let (major, minor) = entry.device();
            prop_assert_eq!(&json!([major, minor]), &row["device"], "{}", about);
            let xattrs: BTreeMap<String, Vec<u8>> = entry
                .xattrs()
                .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.to_vec()))
                .collect();
            let theirs = row["xattrs"].as_object().unwrap();
            let theirs: BTreeMap<String, Vec<u8>> =
                theirs.iter().map(|(name, value)| (name.clone(), bytes(value))).collect();
            prop_assert_eq!(xattrs, theirs, "{}", about);
            if entry.kind() == Kind::File {
                let hash = layer.hash("the layer", entry.position()).unwrap();
                prop_assert_eq!(hash, content_hash::of(&bytes(&row["content"])), "{}", about);
            }
        }
    }
    Ok(listing.len())
}

/// What a writer is to write.
#[derive(Clone, Debug)]
struct Member {
    kind: &'static str,
    name: String,
    link: String,
    mode: u32,
    uid: u32,
    gid: u32,
    mtime: i64,
    device: (u32, u32),
    content: Vec<u8>,
    xattrs: Vec<(&'static str, String)>,
}

/// Names of one component to many, shorter and longer than every field that could hold them.
fn names() -> impl Strategy<Value = String> {
    let component = prop_oneof!["[a-z]{1,8}", "[a-zA-Z0-9 ._é-]{1,40}x", "[a-z]{90,110}"];
    prop::collection::vec(component, 1..5).prop_map(|names| names.join("/"))
}

fn members() -> impl Strategy<Value = Vec<Member>> {
    let kind = prop::sample::select(vec![
        "file",
        "file",
        "file",
        "directory",
        "symlink",
        "hard-link",
        "char-device",
        "block-device",
        "fifo",
    ]);
    let id = || prop_oneof![0..2000_u32, 2_097_150..2_097_155_u32, Just(u32::MAX - 1)];
    let mtime = prop_oneof![
        0..2_000_000_000_i64,
        Just(0),
        Just(8_589_934_591),
        Just(8_589_934_592),
        Just(-1),
        -3_000_000_000..0_i64,
    ];
    let xattr = ("[ -~]{0,20}", prop::sample::select(vec!["user.one", "security.x=y"]));
    let facts = (0..0o10000_u32, id(), id(), mtime, (0..256_u32, 0..256_u32));
    let content = prop::collection::vec(any::<u8>(), 0..2000);
    let xattrs = prop::collection::vec(xattr, 0..2);
    let member = (kind, names(), names(), facts, content, xattrs).prop_map(
        |(kind, name, link, (mode, uid, gid, mtime, device), content, xattrs)| Member {
            kind,
            name,
            link: if kind.ends_with("link") { link } else { String::new() },
            mode,
            uid,
            gid,
            mtime,
            device: if kind.ends_with("device") { device } else { (0, 0) },
            content: if kind == "file" { content } else { Vec::new() },
            xattrs: xattrs.into_iter().map(|(value, name)| (name, value)).collect(),
        },
    );
    prop::collection::vec(member, 1..12)
}

impl Member {
    fn flag(&self) -> u8 {
        match self.kind {
            "file" => b'0',
            "hard-link" => b'1',
            "symlink" => b'2',
            "char-device" => b'3',
            "block-device" => b'4',
            "directory" => b'5',
            _ => b'6',
        }
    }

    fn meta(&self) -> Meta {
        let mut meta = Meta::mode(self.mode).owner(self.uid.into(), self.gid.into());
        meta.mtime = self.mtime.cast_unsigned();
        meta
    }

    /// What fits the header of POSIX alone.
    fn is_ustar(&self) -> bool {
        let fits = |name: &str| name.len() < 90;
        fits(&self.name)
            && fits(&self.link)
            && (0..8_589_934_592).contains(&self.mtime)
            && self.uid.max(self.gid) < 2_000_000
    }
}

fn by_testkit(members: &[Member], long_names: LongNames) -> Vec<u8> {
    let layer = members.iter().fold(LayerBuilder::new().long_names(long_names), |layer, member| {
        // A negative time needs PAX here: the field of the testkit's header has none.
        let (layer, mut meta) = match member.mtime {
            0.. => (layer, member.meta()),
            time => (layer.pax(&[("mtime", time.to_string())]), member.meta().mtime(0)),
        };
        if member.mtime >= 0 {
            for (name, value) in member.xattrs.iter().filter(|(name, _)| !name.contains('=')) {
                meta = meta.xattr(name, value.as_bytes());
            }
        }
        // Two extended headers before one entry: readers differ.
        let is_short = member.name.len() <= 100 && member.link.len() <= 100;
        if member.mtime < 0 && !is_short {
            return layer.file("instead", "");
        }
        let (path, link) = (member.name.as_bytes(), member.link.as_bytes());
        layer.entry(member.flag(), path, link, meta, member.content.clone(), member.device)
    });
    layer.tar()
}

fn by_crate(members: &[Member]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for member in members.iter().filter(|member| member.mtime >= 0) {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::new(member.flag()));
        header.set_mode(member.mode);
        header.set_uid(member.uid.into());
        header.set_gid(member.gid.into());
        header.set_mtime(member.mtime.cast_unsigned());
        header.set_size(member.content.len() as u64);
        header.set_device_major(member.device.0).unwrap();
        header.set_device_minor(member.device.1).unwrap();
        if member.kind.ends_with("link") {
            tar.append_link(&mut header, &member.name, &member.link).unwrap();
        } else {
            tar.append_data(&mut header, &member.name, &member.content[..]).unwrap();
        }
    }
    tar.into_inner().unwrap()
}

fn by_python(members: &[Member], format: &str) -> Vec<u8> {
    let rows: Vec<Value> = members
        .iter()
        .filter(|member| format != "ustar" || member.is_ustar())
        .map(|member| {
            let xattrs: BTreeMap<_, _> = member.xattrs.iter().cloned().collect();
            json!({
                "kind": member.kind, "name": member.name, "link": member.link,
                "mode": member.mode, "uid": member.uid, "gid": member.gid,
                // Only PAX has fractions.
                "mtime": if format == "pax" && member.mtime % 2 == 0 {
                    json!(f64::from(i32::try_from(member.mtime).unwrap_or(7)) + 0.25)
                } else {
                    json!(member.mtime)
                },
                "device": [member.device.0, member.device.1], "content": member.content,
                "xattrs": xattrs,
            })
        })
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    python(&["write", format, file.path().to_str().unwrap()], &json!(rows).to_string());
    fs_err::read(file.path()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn tarfile_reads_our_layers_alike(members in members()) {
        for long_names in [LongNames::Pax, LongNames::Gnu, LongNames::Prefix] {
            agree(&by_testkit(&members, long_names))?;
        }
    }

    #[test]
    fn tarfile_reads_the_crates_tars_alike(members in members()) {
        agree(&by_crate(&members))?;
    }

    #[test]
    fn tarfile_reads_its_own_tars_alike(members in members()) {
        for format in ["ustar", "gnu", "pax"] {
            agree(&by_python(&members, format))?;
        }
    }

    #[test]
    fn tarfile_fills_holes_alike(
        runs in prop::collection::vec((0..20_u64, 1..3_usize), 0..40),
        tail in 0..5000_u64,
    ) {
        let mut at = 0;
        let mut segments: Vec<(u64, Vec<u8>)> = Vec::new();
        for (number, (gap, blocks)) in (1..=255_u8).zip(&runs) {
            at += (gap + 1) * 512;
            segments.push((at, vec![number; blocks * 512]));
            at += *blocks as u64 * 512;
        }
        let segments: Vec<(u64, &[u8])> =
            segments.iter().map(|(at, data)| (*at, data.as_slice())).collect();
        let mut layer = LayerBuilder::new();
        for format in [SparseFormat::Gnu, SparseFormat::Pax01, SparseFormat::Pax10] {
            layer = layer.sparse(format!("{format:?}"), format, at + tail, &segments).file("next", "next");
        }
        agree(&layer.tar())?;
    }
}

/// A tree on disk with all that GNU tar can hold.
fn tree(at: &Path, long: bool) {
    let put = |name: &str, content: &[u8]| {
        let path = at.join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content).unwrap();
    };
    put("plain", b"content");
    put("empty", b"");
    put("dir/inner/file", &[1; 1500]);
    put("caf\u{e9} with space", b"latin");
    fs_err::hard_link(at.join("plain"), at.join("dir/second")).unwrap();
    fs_err::os::unix::fs::symlink("../plain", at.join("dir/link")).unwrap();
    if long {
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at.join("pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o640),
            0,
        )
        .unwrap();
        let deep = ["a-directory-with-a-name"; 6].join("/");
        put(&format!("{deep}/file"), b"deep");
        put(&"n".repeat(140), b"long name");
        fs_err::os::unix::fs::symlink(&deep, at.join("long-link")).unwrap();
        fs_err::hard_link(at.join(&deep).join("file"), at.join("long-second")).unwrap();
    }
    for (name, size, runs) in [
        ("holes", 300_000, vec![0, 40_960, 102_400, 204_800]),
        ("all-hole", 100_000, vec![]),
        ("hole-last", 150_000, vec![0]),
        ("hole-first", 81_920, vec![77_824]),
        ("many", 573_440, (0..70).map(|at| at * 8192).collect()),
    ] {
        let file = fs_err::File::create(at.join(name)).unwrap();
        file.set_len(size).unwrap();
        for run in runs {
            file.file().write_all_at(&[b'#'; 4096], run).unwrap();
        }
    }
}

fn gnu_tar(at: &Path, options: &[&str]) -> Vec<u8> {
    let output = Command::new("tar")
        .args(options)
        .args(["--sort=name", "-cf", "-", "."])
        .current_dir(at)
        .output()
        .expect("tar is missing: apt-get install tar");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A layer of a few blocks must not ask for hours of hashing zeros.
#[test]
fn giant_holes_are_not_hashed() {
    let layer = |at: u64| {
        (0..500).fold(LayerBuilder::new(), |layer, number| {
            let runs: &[(u64, &[u8])] = &[(at, &[b'x'; 512])];
            layer.sparse(format!("f{number}"), SparseFormat::Pax10, 1 << 31, runs)
        })
    };
    let account = pipeline::account_of(
        pipeline::open_stream(
            &ImageFiles::docker_archive(&[pipeline::image(
                vec![layer(0), layer(0), layer(4096)],
                Compression::Plain,
            )])
            .tar(),
        ),
        2,
    );
    // The same map is the same file, another map is not.
    assert_eq!(account.sizes.files.get(), 1500 << 31);
    let bytes = |cause| -> u64 {
        let rows = account.waste.iter().filter(|row| row.cause == cause);
        rows.map(|row| row.bytes.get()).sum()
    };
    assert_eq!(bytes(Cause::MetadataOnly), 500 << 31);
    assert_eq!(bytes(Cause::Overwritten), 500 << 31);
}

#[test]
fn tarfile_reads_gnu_tars_alike() {
    let (short, long) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    tree(short.path(), false);
    tree(long.path(), true);
    let date = "--mtime=2024-05-06 07:08:09.123456789";
    let old = "--mtime=1960-01-02 03:04:05";
    for (tree, options) in [
        (&short, vec!["--format=v7"]),
        (&short, vec!["--format=ustar", "--numeric-owner", "--owner=:12345", "--group=:54321"]),
        (&long, vec!["--format=oldgnu"]),
        (&long, vec!["--format=gnu", "--owner=big:3000000000", "--group=big:3000000001"]),
        (&long, vec!["--format=gnu", old]),
        (&long, vec!["--format=posix", date, "--owner=big:3000000000"]),
        (&long, vec!["--format=posix", old]),
        (&long, vec!["--format=posix", "--pax-option=comment=whole", "--xattrs"]),
        (&long, vec!["-S", "--format=oldgnu"]),
        (&long, vec!["-S", "--format=gnu"]),
        (&long, vec!["-S", "--format=posix", "--sparse-version=0.0"]),
        (&long, vec!["-S", "--format=posix", "--sparse-version=0.1"]),
        (&long, vec!["-S", "--format=posix", "--sparse-version=1.0"]),
    ] {
        let tar = gnu_tar(tree.path(), &options);
        let entries = agree(&tar).unwrap_or_else(|error| panic!("{options:?}: {error}"));
        assert!(entries >= 13, "{options:?}: {entries} entries");
    }
}
