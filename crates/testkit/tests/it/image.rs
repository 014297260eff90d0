//! Images made in code, read back by GNU tar, gzip, zstd and skopeo.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use jettison_oci::{Digest, Platform};
use jettison_testkit::image::{
    Compression, EPOCH, Format, History, Image, ImageBuilder, ImageFiles, IndexBuilder,
    LayerBuilder, LongNames, Meta, SparseFormat, Wrap,
};

fn long(tail: &str) -> String {
    format!("{}/{tail}", ["a-directory-with-a-name"; 6].join("/"))
}

fn odd_layer() -> LayerBuilder {
    LayerBuilder::new()
        .pax_global(&[("comment", "of the whole archive")])
        .directory("etc")
        .file_with(
            "etc/motd",
            "hello\n",
            Meta::mode(0o600).owner(7, 9_000_000).xattr("user.k", "v"),
        )
        .symlink("etc/link", "motd")
        .hard_link("etc/hard", "etc/motd")
        .char_device("dev-null", 1, 3)
        .block_device("dev-loop", 7, 0)
        .fifo("pipe")
        .file(long("pax"), "1")
        .long_names(LongNames::Gnu)
        .file(long("gnu"), "22")
        .symlink("long-link", long("target"))
        .long_names(LongNames::Prefix)
        .file(long("prefix"), "333")
        .file(b"caf\xe9", "latin 1")
        .sparse("old", SparseFormat::Gnu, 100_000, &[(0, b"start"), (50_000, b"middle")])
        .sparse("pax-0.1", SparseFormat::Pax01, 100_000, &[(50_000, b"middle"), (99_997, b"end")])
        .sparse("pax-1.0", SparseFormat::Pax10, 100_000, &[(512, b"early")])
        .whiteout("etc/passwd")
        .opaque("var/cache")
}

fn pipe(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        let mut output = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
        output
    });
    assert!(child.wait().unwrap().success(), "{program} {arguments:?}");
    output
}

#[test]
fn gnu_tar_lists_what_was_written() {
    let listing = pipe("tar", &["-tv", "--numeric-owner", "--utc", "-f", "-"], &odd_layer().tar());
    let listing = String::from_utf8(listing).unwrap();
    for expected in [
        "-rw------- 7/9000000         6 2024-01-01 00:00 etc/motd\n".to_owned(),
        "etc/link -> motd\n".to_owned(),
        "etc/hard link to etc/motd\n".to_owned(),
        format!(" {}\n", long("pax")),
        format!(" {}\n", long("gnu")),
        format!(" {}\n", long("prefix")),
        format!("long-link -> {}\n", long("target")),
        "caf\\351\n".to_owned(),
        "    100000 2024-01-01 00:00 old\n".to_owned(),
        "    100000 2024-01-01 00:00 pax-0.1\n".to_owned(),
        "    100000 2024-01-01 00:00 pax-1.0\n".to_owned(),
        "etc/.wh.passwd\n".to_owned(),
        "var/cache/.wh..wh..opq\n".to_owned(),
    ] {
        assert!(listing.contains(&expected), "{expected:?} is not in\n{listing}");
    }
}

#[test]
fn gnu_tar_fills_the_holes_of_sparse_files() {
    let many: Vec<(u64, &[u8])> = (0..60).map(|n| (n * 4096, [b'x'; 512].as_slice())).collect();
    for format in [SparseFormat::Gnu, SparseFormat::Pax01, SparseFormat::Pax10] {
        let layer = LayerBuilder::new().sparse("holes", format, 300_000, &many);
        let content = pipe("tar", &["-xO", "-f", "-"], &layer.tar());
        assert_eq!(content.len(), 300_000, "{format:?}");
        assert_eq!(content.split(|&byte| byte == b'x').count(), 60 * 512 + 1, "{format:?}");
        assert!((0..60).all(|n| content[n * 4096] == b'x'), "{format:?}");
    }
}

#[test]
fn every_compression_gives_the_diff_id_back() {
    for compression in [
        Compression::Plain,
        Compression::Gzip { level: 1 },
        Compression::MultiMemberGzip { members: 5 },
        Compression::Zstd { level: 3 },
        Compression::ZstdFrames { frames: 3 },
        Compression::EStargz { end_before_toc: false },
        Compression::EStargz { end_before_toc: true },
        Compression::ZstdChunked,
    ] {
        let image = ImageBuilder::new().layer_with(odd_layer(), "COPY . /", compression).build();
        let layer = &image.layers[0];
        let program = match layer.media_type.rsplit_once('+') {
            None => "cat",
            Some((_, "gzip")) => "gzip",
            Some((_, codec)) => codec,
        };
        let arguments: &[&str] = if program == "cat" { &[] } else { &["-dc"] };
        let tar = pipe(program, arguments, &layer.blob);
        assert_eq!(Digest::sha256(&tar), layer.diff_id, "{compression:?}");
        assert_eq!(Digest::sha256(&layer.blob), layer.digest, "{compression:?}");
    }
}

#[test]
fn the_footers_lead_to_the_tables_of_contents() {
    let build = |compression| {
        ImageBuilder::new().layer_with(odd_layer(), "COPY", compression).build().layers.remove(0)
    };
    let stargz = build(Compression::EStargz { end_before_toc: false });
    let footer = &stargz.blob[stargz.blob.len() - 51..];
    assert_eq!(&footer[32..38], b"STARGZ");
    let at = usize::from_str_radix(std::str::from_utf8(&footer[16..32]).unwrap(), 16).unwrap();
    let tail = pipe("gzip", &["-dc"], &stargz.blob[at..]);
    assert!(tail.starts_with(b"stargz.index.json\0"));
    let toc = pipe("tar", &["-xO", "-f", "-"], &tail);
    let annotation = &stargz.annotations["containerd.io/snapshot/stargz/toc.digest"];
    assert_eq!(annotation, Digest::sha256(&toc).as_str());
    let toc: serde_json::Value = serde_json::from_slice(&toc).unwrap();
    let motd = toc["entries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["name"] == "etc/motd")
        .unwrap();
    let offset = usize::try_from(motd["offset"].as_u64().unwrap()).unwrap();
    assert!(pipe("gzip", &["-dc"], &stargz.blob[offset..]).starts_with(b"hello\n"));

    let chunked = build(Compression::ZstdChunked);
    let footer = &chunked.blob[chunked.blob.len() - 64..];
    assert_eq!(&footer[56..], b"GNUlInUx");
    let number = |at: usize| {
        usize::try_from(u64::from_le_bytes(footer[at * 8..at * 8 + 8].try_into().unwrap())).unwrap()
    };
    let manifest = pipe("zstd", &["-dc"], &chunked.blob[number(0)..number(0) + number(1)]);
    assert_eq!(manifest.len(), number(2));
}

fn sample(architecture: &str) -> Image {
    ImageBuilder::new()
        .platform(Platform::new("linux", architecture, None))
        .layer(LayerBuilder::new().file("one", "1"), "ADD one /")
        .empty("ENV A=b")
        .layer(LayerBuilder::new().file("two", "2"), "COPY two /")
        .layer(LayerBuilder::new().file("one", "1"), "ADD one /")
        .entrypoint(&["/one"])
        .env("A", "b")
        .user("nobody")
        .workdir("/srv")
        .label("k", "v")
        .expose("80/tcp")
        .annotation("org.opencontainers.image.title", "sample")
        .tag("localhost/sample:1")
        .build()
}

fn layers_seen_by_skopeo(place: &str, options: &[&str]) -> usize {
    let arguments = [options, &["inspect", "--format", "{{len .Layers}}", place]].concat();
    String::from_utf8(pipe("skopeo", &arguments, b"")).unwrap().trim().parse().unwrap()
}

#[test]
fn skopeo_reads_every_archive() {
    let room = tempfile::tempdir().unwrap();
    let image = sample("amd64");
    let images = std::slice::from_ref(&image);
    for (name, files, transport) in [
        ("legacy", ImageFiles::docker_archive_legacy(images, false), "docker-archive"),
        ("links", ImageFiles::docker_archive_legacy(images, true), "docker-archive"),
        ("current", ImageFiles::docker_archive(images), "docker-archive"),
        ("compressed", ImageFiles::docker_archive_compressed(images), "docker-archive"),
        ("kaniko", ImageFiles::kaniko_archive(images), "docker-archive"),
        ("oci", ImageFiles::oci_layout([image.clone()]), "oci-archive"),
    ] {
        let path = room.path().join(name);
        files.write_archive(&path, Wrap::None).unwrap();
        let place = format!("{transport}:{}", path.display());
        assert_eq!(layers_seen_by_skopeo(&place, &[]), 3, "{name}");
    }
}

#[test]
fn skopeo_chooses_from_nested_indexes_and_passes_attestations_by() {
    let room = tempfile::tempdir().unwrap();
    let (amd64, arm64) = (sample("amd64"), sample("arm64"));
    let nested = IndexBuilder::new().image(&arm64).build();
    let index = IndexBuilder::new()
        .attestation(&amd64)
        .image(&amd64)
        .image(&arm64)
        .index(&nested)
        .tag("localhost/sample:multi")
        .build();
    ImageFiles::oci_layout([index]).write_directory(room.path()).unwrap();
    let place = format!("oci:{}", room.path().display());
    assert_eq!(layers_seen_by_skopeo(&place, &["--override-arch", "arm64"]), 3);
}

#[test]
fn histories_take_the_asked_shape() {
    let entries = |history| {
        let image = ImageBuilder::new()
            .layer(LayerBuilder::new().file("one", "1"), "ADD")
            .empty("ENV")
            .history(history)
            .build();
        let config: serde_json::Value = serde_json::from_slice(image.config()).unwrap();
        config["history"].as_array().map(|entries| {
            (entries.len(), entries.iter().filter(|entry| entry["empty_layer"] == true).count())
        })
    };
    assert_eq!(entries(History::Complete), Some((2, 1)));
    assert_eq!(entries(History::Unmarked), Some((2, 0)));
    assert_eq!(entries(History::Shortened(1)), Some((1, 0)));
    assert_eq!(entries(History::Lengthened(3)), Some((5, 1)));
    assert_eq!(entries(History::Absent), None);
}

#[test]
fn tampering_touches_only_what_was_named() {
    let image = sample("amd64");
    let layer = image.layers[0].digest.clone();
    let files = ImageFiles::oci_layout([image.clone()]);
    let path = format!("blobs/sha256/{}", layer.hex());
    let whole = files.get(&path).unwrap().len();
    assert_eq!(files.clone().truncate_blob(&layer, 5).get(&path).unwrap().len(), 5);
    assert_eq!(files.clone().corrupt_blob(&layer).get(&path).unwrap().len(), whole);
    assert!(!files.clone().drop_blob(&layer).contains(&path));
    let edited = image.edit_manifest(|manifest| manifest["layers"][0]["size"] = 1.into());
    assert_ne!(edited.manifest_digest(), sample("amd64").manifest_digest());
}

#[test]
fn the_same_call_gives_the_same_bytes() {
    let build = || ImageFiles::docker_archive(&[sample("amd64")]).archive(Wrap::Gzip);
    assert_eq!(build(), build());
    let docker = ImageBuilder::new().format(Format::Docker).layer(odd_layer(), "ADD").build();
    assert!(docker.layers[0].media_type.ends_with("diff.tar.gzip"));
    assert_eq!(Meta::default().mtime, EPOCH);
}
