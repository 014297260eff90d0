//! Images of real engines: read in place, exported, and saved by the engine's own client, an image
//! is the same to the byte.
#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jettison_analyzer::Error;
use jettison_analyzer::blob::decompress::Expansion;
use jettison_analyzer::layer::read::{ReadOptions, read_layers};
use jettison_analyzer::progress::Silent;
use jettison_analyzer::source::engine::{has_docker, has_podman, open_docker, open_podman};
use jettison_analyzer::source::{Image, Layer, LayerData, OpenOptions, RemoteBlob, Transport};
use jettison_testkit::engine::Dockerd;
use jettison_testkit::image::{Image as MadeImage, ImageBuilder, LayerBuilder, Meta};
use jettison_testkit::podman::Service;
use jettison_testkit::require;

/// What a build does to files: adds, removes, changes only the mode, links, replaces.
const DOCKERFILE: &str = r#"FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin"]
RUN mkdir -p /data/deep/er && echo one > /data/one && ln /data/one /data/deep/link \
 && cp /bin/busybox /data/copy && echo gone > /data/gone && mkfifo /data/pipe \
 && echo f > /data/file && mkdir /data/dir && echo d > /data/dir/inside
RUN rm /data/gone && chmod 600 /data/copy && echo two >> /data/one
RUN rm -rf /data/deep && mkdir /data/deep && echo new > /data/deep/new \
 && rm /data/file && mkdir /data/file && echo in > /data/file/in \
 && rm -r /data/dir && ln -s /nowhere /data/dir
ENV NOTHING=1
RUN true
CMD ["/bin/sh"]
"#;

fn context() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let busybox = require::program("busybox", "busybox-static").unwrap();
    std::fs::copy(busybox, directory.path().join("busybox")).unwrap();
    fs_err::write(directory.path().join("Dockerfile"), DOCKERFILE).unwrap();
    directory
}

/// What builders seldom write, and archives may still hold.
fn odd_image(tag: &str) -> MadeImage {
    let long = format!("usr/{}/{}", "directory".repeat(15), "name".repeat(20));
    let bottom = LayerBuilder::new()
        .pax_global(&[("comment", "0123456789abcdef")])
        .directory_with("usr", Meta::mode(0o755).owner(1000, 70_000).mtime(1_600_000_000))
        .file_with("usr/ping", vec![9; 70_000], Meta::mode(0o4755).xattr("user.note", *b"a\0b"))
        .file("usr/empty", "")
        .file("./usr/./dotted", "dotted")
        .file("/usr/rooted", "rooted")
        .file(long.as_bytes(), "long")
        .file(&b"usr/\xff\xfe"[..], "not UTF-8")
        .symlink("usr/link", "../../outside")
        .hard_link("usr/pong", "usr/ping")
        .char_device("usr/null", 1, 3)
        .fifo("usr/fifo")
        .file("usr/gone", "gone")
        .directory("opaque")
        .file("opaque/below", "below")
        .trailer(vec![0; 9 * 512]);
    let top = LayerBuilder::new()
        .whiteout("usr/gone")
        .opaque("opaque")
        .file("opaque/above", "above")
        .file("usr/ping", vec![9; 70_000]);
    ImageBuilder::new().layer(bottom, "ADD a /").layer(top, "ADD b /").tag(tag).build()
}

/// A file that its layer reaches through a symlink: it does not stand where its name says.
fn moved_image(tag: &str) -> MadeImage {
    let layer = LayerBuilder::new()
        .directory("usr")
        .directory("usr/lib")
        .symlink("lib", "usr/lib")
        .file("lib/moved", "moved");
    ImageBuilder::new().layer(layer, "ADD a /").tag(tag).build()
}

fn read_options(verify: bool) -> ReadOptions<'static> {
    ReadOptions {
        jobs: NonZeroUsize::new(2).unwrap(),
        verify,
        gather: false,
        expansion: Expansion::default(),
        cache: None,
        progress: &Silent,
    }
}

/// Everything that the index says of each entry, with the hash of each file; the tar's size first.
fn account(image: &Image, verify: bool) -> Vec<Vec<String>> {
    let mut layers = Vec::new();
    let read = read_layers(image, &read_options(verify)).unwrap();
    for (layer, source) in read.iter().zip(&image.layers) {
        let mut rows =
            vec![format!("{} bytes, {:?}", layer.index.tar_size(), layer.index.warnings())];
        rows.extend(layer.index.entries().map(|entry| {
            let hash = match &source.data {
                LayerData::InPlace(unpacked) if entry.size() > 0 => {
                    Some(unpacked.hash(&layer.index, entry.position()).unwrap())
                }
                _ => entry.hash().copied(),
            };
            assert_eq!(hash.is_some(), entry.size() > 0);
            format!(
                "{} {:?} {:?} {} {:o} {:?} {:?} {:?} {:?} {hash:x?}",
                entry.path().escape_ascii(),
                entry.link().escape_ascii().to_string(),
                entry.kind(),
                entry.size(),
                entry.mode(),
                entry.owner(),
                entry.mtime(),
                entry.device(),
                entry.xattrs().collect::<Vec<_>>(),
            )
        }));
        layers.push(rows);
    }
    layers
}

/// The tar of one layer, read from start to end.
struct LayerTar(PathBuf);

impl RemoteBlob for LayerTar {
    fn open(&self) -> Result<Box<dyn Read + Send>, Error> {
        Ok(Box::new(fs_err::File::open(&self.0)?))
    }
}

/// The image `like`, its layers taken from an archive that the engine's client saved.
fn saved(archive: &Path, like: &Image) -> Image {
    let directory = archive.with_extension("unpacked");
    tar::Archive::new(fs_err::File::open(archive).unwrap()).unpack(&directory).unwrap();
    let manifest = fs_err::read(directory.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let names = manifest[0]["Layers"].as_array().unwrap();
    let layers = names.iter().zip(&like.layers).map(|(name, layer)| Layer {
        descriptor: None,
        diff_id: layer.diff_id.clone(),
        data: LayerData::Remote(Arc::new(LayerTar(directory.join(name.as_str().unwrap())))),
    });
    let layers: Vec<Layer> = layers.collect();
    assert_eq!(layers.len(), names.len());
    Image { layers, ..like.clone() }
}

fn is_in_place(image: &Image) -> bool {
    image.layers.iter().all(|layer| matches!(layer.data, LayerData::InPlace(_)))
}

type Open = fn(&str, &OpenOptions) -> Result<Image, Error>;

/// Reads `reference` in every way there is and compares; gives the image read in place.
fn compare(open: Open, reference: &str, options: &OpenOptions, archive: &Path) -> Image {
    let in_place = open(reference, options).unwrap();
    assert_eq!(in_place.warnings, Vec::<String>::new());
    assert!(is_in_place(&in_place), "{in_place:?}");
    let exported = open(reference, &OpenOptions { in_place: false, ..options.clone() }).unwrap();
    assert!(exported.layers.iter().all(|layer| matches!(layer.data, LayerData::Scanned(_))));
    assert_eq!(in_place.config, exported.config);
    assert_eq!(in_place.config_digest, exported.config_digest);
    assert_eq!(in_place.origin, exported.origin);

    let expected = account(&saved(archive, &in_place), true);
    // The tar put together again must hash to the diff_id, too.
    assert_eq!(account(&in_place, true), expected);
    assert_eq!(account(&exported, true), expected);
    in_place
}

#[test]
fn docker_images_are_the_same_in_place_and_exported() {
    let Some(docker) = require::unless_skipped(require::Part::Docker, Dockerd::start_with_tcp)
    else {
        return;
    };
    docker.build(context().path(), "built:1").unwrap();
    docker.load_image(&odd_image("odd:1")).unwrap();
    let room = tempfile::tempdir().unwrap();
    let save = |reference: &str, name: &str| {
        let archive = room.path().join(name);
        docker.docker(&["save", "-o", archive.to_str().unwrap(), reference]).unwrap();
        archive
    };
    let options =
        OpenOptions { docker_host: Some(docker.host()), verify: true, ..OpenOptions::default() };
    let built = compare(open_docker, "built:1", &options, &save("built:1", "built.tar"));
    assert_eq!(built.origin.to_string(), "docker-daemon:built:1");
    assert!(built.layers.len() >= 5);
    let odd = compare(open_docker, "odd:1", &options, &save("odd:1", "odd.tar"));

    // Every word that the engine accepts names the same image, over TCP too.
    let tcp = OpenOptions {
        docker_host: Some(format!("tcp://{}", docker.tcp().unwrap())),
        ..OpenOptions::default()
    };
    docker.docker(&["tag", "built:1", "built:latest"]).unwrap();
    for options in [&options, &tcp] {
        for reference in
            ["built", "built:1", built.config_digest.as_str(), built.config_digest.short()]
        {
            for in_place in [true, false] {
                let options = OpenOptions { in_place, ..options.clone() };
                let image = open_docker(reference, &options).unwrap();
                assert_eq!(image.config_digest, built.config_digest, "{reference}");
                assert_eq!(is_in_place(&image), in_place);
            }
            assert!(has_docker(reference, options).unwrap());
        }
    }
    no_such_images(&options);

    // A store that contradicts the config is not believed, and the account stays the same.
    let [top, bottom] = [&odd.layers[1].diff_id, &odd.layers[0].diff_id];
    let bottom_file = docker.data_root().join("image/overlay2/layerdb/sha256").join(bottom.hex());
    fs_err::write(bottom_file.join("diff"), top.as_str()).unwrap();
    let exported = open_docker("odd:1", &options).unwrap();
    assert!(!is_in_place(&exported));
    let [warning] = &exported.warnings[..] else { panic!("{:?}", exported.warnings) };
    assert!(warning.contains("exported instead of read in place"), "{warning}");
    assert_eq!(account(&exported, true), account(&odd, true));

    // A file that changed behind the engine's back is found by checking, either way.
    let cache_id = fs_err::read_to_string(bottom_file.join("cache-id")).unwrap();
    fs_err::write(bottom_file.join("diff"), bottom.as_str()).unwrap();
    let changed = docker.data_root().join("overlay2").join(cache_id).join("diff/usr/dotted");
    fs_err::write(changed, "DOTTED").unwrap();
    let image = open_docker("odd:1", &options).unwrap();
    assert!(is_in_place(&image));
    let error = read_layers(&image, &read_options(true)).err().unwrap();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    let exporting = OpenOptions { in_place: false, ..options.clone() };
    let error = open_docker("odd:1", &exporting).unwrap_err().to_string();
    assert!(error.contains("integrity"), "{error}");

    // Docker exports no image without layers, and its config has no `diff_ids`.
    let empty = tempfile::tempdir().unwrap();
    fs_err::write(empty.path().join("Dockerfile"), "FROM scratch\nLABEL a=b\nCMD [\"/no\"]\n")
        .unwrap();
    docker.build(empty.path(), "empty:1").unwrap();
    for in_place in [true, false] {
        let image = open_docker("empty:1", &OpenOptions { in_place, ..options.clone() }).unwrap();
        assert_eq!((image.layers.len(), image.warnings.len()), (0, 0));
        assert_eq!(image.config.cmd, ["/no"]);
    }

    // Layers whose files do not stand where their names say are exported.
    docker.load_image(&moved_image("moved:1")).unwrap();
    let moved = open_docker("moved:1", &options).unwrap();
    assert!(!is_in_place(&moved));
    assert!(moved.warnings[0].contains("lib/moved lies below lib"), "{:?}", moved.warnings);
    let archive = save("moved:1", "moved.tar");
    assert_eq!(account(&moved, true), account(&saved(&archive, &moved), true));
}

fn no_such_images(options: &OpenOptions) {
    let missing = open_docker("absent:1", options).unwrap_err();
    assert!(matches!(missing, Error::NoSuchImage { .. }), "{missing}");
    assert!(!has_docker("absent:1", options).unwrap());
    assert!(!has_docker("built?all=1", options).unwrap());
    assert!(open_docker("../containers/json", options).unwrap_err().is_usage());
    let windows = OpenOptions {
        platform: "windows/arm64".parse().unwrap(),
        platform_asked: true,
        ..options.clone()
    };
    for in_place in [true, false] {
        let options = OpenOptions { in_place, ..windows.clone() };
        let error = open_docker("built:1", &options).unwrap_err();
        assert!(matches!(error, Error::NoSuchPlatform { .. }), "{error}");
    }
}

#[test]
fn podman_images_are_the_same_in_place_and_exported() {
    let Some(podman) = Service::for_test() else { return };
    let context = context();
    let path = context.path().to_str().unwrap();
    let build = ["build", "--isolation", "chroot", "--network", "host", "--layers"];
    podman.podman(&[&build[..], &["--tag", "localhost/built:1", path]].concat()).unwrap();
    podman.load_image(&odd_image("localhost/odd:1")).unwrap();
    let room = tempfile::tempdir().unwrap();
    let save = |reference: &str, name: &str| {
        let archive = room.path().join(name);
        let arguments = ["save", "--format", "docker-archive", "-o", archive.to_str().unwrap()];
        podman.podman(&[&arguments[..], &[reference]].concat()).unwrap();
        archive
    };
    let options =
        OpenOptions { podman_host: Some(podman.host()), verify: true, ..OpenOptions::default() };
    let archive = save("localhost/built:1", "built.tar");
    let from_podman = compare(open_podman, "localhost/built:1", &options, &archive);
    assert_eq!(from_podman.origin.to_string(), "containers-storage:localhost/built:1");
    compare(open_podman, "localhost/odd:1", &options, &save("localhost/odd:1", "odd.tar"));

    for reference in
        ["built:1", from_podman.config_digest.as_str(), from_podman.config_digest.short()]
    {
        assert!(has_podman(reference, &options).unwrap(), "{reference}");
        assert!(is_in_place(&open_podman(reference, &options).unwrap()), "{reference}");
    }
    assert!(!has_podman("absent:1", &options).unwrap());
    let missing = open_podman("absent:1", &options).unwrap_err();
    assert!(matches!(missing, Error::NoSuchImage { .. }), "{missing}");

    // DOCKER_HOST may name podman's socket.
    let docker = OpenOptions { docker_host: Some(podman.host()), ..OpenOptions::default() };
    let image = open_docker("localhost/built:1", &docker).unwrap();
    assert!(is_in_place(&image));
    assert_eq!(image.origin.transport, Transport::DockerDaemon);
    assert_eq!(account(&image, false), account(&from_podman, false));

    podman.load_image(&moved_image("localhost/moved:1")).unwrap();
    let displaced = open_podman("localhost/moved:1", &options).unwrap();
    assert!(displaced.warnings[0].contains("lib/moved lies below lib"), "{:?}", displaced.warnings);
    let archive = save("localhost/moved:1", "moved.tar");
    assert_eq!(account(&displaced, true), account(&saved(&archive, &displaced), true));
}
