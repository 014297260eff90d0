//! The containerd source against a real containerd, with images made here. Needs root, and the
//! Debian package `containerd`; `JETTISON_TEST_SKIP=containerd` leaves it out.
#![cfg(feature = "containerd")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what a test does not expect ends it")]

mod archive;
mod daemon;

use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::Path;

use jettison_analyzer::Error;
use jettison_analyzer::blob::Region;
use jettison_analyzer::blob::decompress::Expansion;
use jettison_analyzer::layer::read::{ReadLayer, ReadOptions, read_layers};
use jettison_analyzer::progress::Silent;
use jettison_analyzer::source::{Image, LayerData, OpenOptions, containerd};
use jettison_oci::{Digest, Platform};
use serde_json::Value;

use archive::{Archive, digest, layer, noise};
use daemon::Daemon;

fn read(image: &Image) -> jettison_analyzer::Result<Vec<ReadLayer>> {
    let options = ReadOptions {
        jobs: NonZeroUsize::new(2).unwrap(),
        verify: true,
        gather: false,
        expansion: Expansion::default(),
        cache: None,
        progress: &Silent,
    };
    read_layers(image, &options)
}

/// All that is known of a layer's entries.
fn rows(layer: &ReadLayer) -> Vec<String> {
    layer
        .index
        .entries()
        .map(|entry| {
            let hash = layer.hash("a layer", entry.position()).unwrap();
            format!(
                "{:?} {:?} {:?} {} {:o} {:?} {:?} {hash:?}",
                String::from_utf8_lossy(entry.path()),
                String::from_utf8_lossy(entry.link()),
                entry.kind(),
                entry.size(),
                entry.mode(),
                entry.owner(),
                entry.mtime(),
            )
        })
        .collect()
}

/// The same image, its layers read from files.
fn directly(image: &Image, archive: &Archive, folder: &Path) -> Image {
    let mut image = image.clone();
    for layer in &mut image.layers {
        let digest = &layer.descriptor.as_ref().unwrap().digest;
        let path = folder.join(digest.hex());
        fs_err::write(&path, &archive.blobs[digest]).unwrap();
        layer.data = LayerData::Region(Region::open(&path).unwrap());
    }
    image
}

fn small(content: &[u8]) -> Vec<Vec<u8>> {
    vec![layer(&[("etc/app.conf", content)])]
}

fn other_platform() -> Platform {
    let other = if Platform::host().architecture == "arm64" { "amd64" } else { "arm64" };
    Platform::new("linux", other, None)
}

#[test]
fn layers_are_read_as_the_archive_holds_them() {
    let Some(daemon) = Daemon::start() else { return };
    let mut archive = Archive::default();
    let large = noise(24 << 20);
    let manifest = archive.image(
        &Platform::host(),
        &[
            layer(&[("usr/lib/large", &large), ("etc/app.conf", b"a")]),
            layer(&[("etc/app.conf", b"bb"), ("usr/.wh.lib", b"")]),
            layer(&[("usr/share/large", &large[1..])]),
        ],
    );
    archive.name(&manifest, "docker.io/library/jettison-it:1");
    daemon.import("k8s.io", &archive);

    let image = daemon.open("jettison-it:1").unwrap();
    assert_eq!(image.origin.to_string(), "containerd:k8s.io/docker.io/library/jettison-it:1");
    assert_eq!(image.manifest_digest.as_ref().unwrap().as_str(), digest(&manifest));
    let folder = tempfile::tempdir().unwrap();
    let theirs = read(&image).unwrap();
    let ours = read(&directly(&image, &archive, folder.path())).unwrap();
    assert_eq!(theirs.len(), 3);
    for (theirs, ours) in theirs.iter().zip(&ours) {
        assert!(rows(ours).len() >= 2);
        assert_eq!(rows(theirs), rows(ours));
        assert_eq!(theirs.compressed_size, ours.compressed_size);
    }

    // A reader that stops early holds up nobody, and one outlives the image it came from.
    let LayerData::Remote(blob) = image.layers[0].data.clone() else { panic!("not remote") };
    let mut idle: Vec<_> = (0..8).map(|_| blob.open().unwrap()).collect();
    for reader in &mut idle {
        reader.read_exact(&mut [0; 10]).unwrap();
    }
    let mut late = blob.open().unwrap();
    let expected = image.layers[0].descriptor.clone().unwrap().digest;
    drop((image, blob));
    let mut bytes = Vec::new();
    late.read_to_end(&mut bytes).unwrap();
    assert_eq!(Digest::sha256(&bytes), expected);
    drop(late);
    drop(idle);
}

#[test]
fn images_are_found_by_namespace_name_and_digest() {
    let Some(daemon) = Daemon::start() else { return };
    let host = Platform::host();
    let mut kubernetes = Archive::default();
    let both = kubernetes.image(&host, &small(b"in k8s.io"));
    kubernetes.name(&both, "docker.io/library/both:1");
    let team = kubernetes.image(&host, &small(b"the team's"));
    kubernetes.name(&team, "docker.io/default/team:1");
    daemon.import("k8s.io", &kubernetes);
    let mut plain = Archive::default();
    let here = plain.image(&host, &small(b"in default"));
    for name in ["docker.io/library/both:1", "docker.io/library/only:1", "Odd Name/with space"] {
        plain.name(&here, name);
    }
    daemon.import("default", &plain);
    daemon.import("other", &plain);
    let config = digest(&kubernetes.parse(&both)["config"]).to_owned();
    let id = format!("k8s.io/{config}");

    let assert_opens = |text: &str, reference: &str, descriptor: &Value| {
        let image = daemon.open(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(image.origin.reference, reference, "{text}");
        assert_eq!(image.manifest_digest.unwrap().as_str(), digest(descriptor), "{text}");
        assert!(daemon.has(text), "{text}");
    };
    let in_kubernetes = "k8s.io/docker.io/library/both:1";
    assert_opens("both:1", in_kubernetes, &both);
    assert_opens("docker.io/library/both:1", in_kubernetes, &both);
    assert_opens(in_kubernetes, in_kubernetes, &both);
    assert_opens("default/both:1", "default/docker.io/library/both:1", &here);
    assert_opens("only:1", "default/docker.io/library/only:1", &here);
    assert_opens("other/only:1", "other/docker.io/library/only:1", &here);
    assert_opens("Odd Name/with space", "default/Odd Name/with space", &here);
    // `default` is a namespace without such an image: the text is a reference after all.
    assert_opens("default/team:1", "k8s.io/docker.io/default/team:1", &team);
    assert_opens(digest(&both), in_kubernetes, &both);
    assert_opens(&format!("both:1@{}", digest(&both)), in_kubernetes, &both);
    assert_opens(&format!("both@{}", digest(&both)), in_kubernetes, &both);
    assert!(!daemon.has(&format!("both@{}", digest(&team))), "another repository's digest");
    assert_opens(&config, &id, &both);
    // As the CRI plugin records images: their ID is a name too, which crictl shortens.
    daemon.run("k8s.io", &["images", "tag", "docker.io/library/both:1", &config]);
    assert_opens(&config, &id, &both);
    assert_opens(&config["sha256:".len()..][..13], &id, &both);

    assert!(!daemon.has("only"), "only:latest");
    assert!(!daemon.has("k8s.io/only:1"));
    let error = daemon.error("k8s.io/only:1");
    assert!(error.contains(daemon.socket().to_str().unwrap()), "{error}");
    assert!(error.contains("namespace k8s.io, has no image only:1"), "{error}");
    assert!(error.contains("  default/docker.io/library/only:1"), "{error}");
    assert!(error.contains("  other/docker.io/library/only:1"), "{error}");
    assert!(!error.contains("both"), "{error}");
    let error = daemon.error("nothing-like-it");
    assert!(error.contains("(namespaces default, k8s.io, other) has no image"), "{error}");
    assert!(error.contains(&format!("  {in_kubernetes}")), "{error}");
    assert!(matches!(daemon.open(""), Err(Error::Usage(_))));
}

#[test]
fn a_config_of_two_images_is_ambiguous() {
    let Some(daemon) = Daemon::start() else { return };
    let host = Platform::host();
    let mut archive = Archive::default();
    let tar = layer(&[("etc/app.conf", b"a")]);
    // The same layers twice: their order of compression differs, their config does not.
    let one = archive.image(&host, &[tar.clone(), tar]);
    let mut swapped = archive.parse(&one);
    swapped["layers"].as_array_mut().unwrap().reverse();
    let two = archive.manifest(&swapped);
    archive.name(&one, "docker.io/library/one:1");
    archive.name(&two, "docker.io/library/two:1");
    daemon.import("default", &archive);

    let config = digest(&swapped["config"]);
    let Err(Error::Ambiguous { what, mut found }) = daemon.open(config) else {
        panic!("it was not ambiguous");
    };
    assert!(what.contains(config) && what.contains("namespace default"), "{what}");
    found.sort();
    let mut expected = [&one, &two].map(|manifest| format!("default/{}", digest(manifest)));
    expected.sort();
    assert_eq!(found, expected);
    assert!(daemon.has(config));
    for manifest in [one, two] {
        read(&daemon.open(&format!("default/{}", digest(&manifest))).unwrap()).unwrap();
    }
}

#[test]
fn a_platform_that_was_not_pulled_is_told() {
    let Some(daemon) = Daemon::start() else { return };
    let (host, other) = (Platform::host(), other_platform());
    let mut archive = Archive::default();
    let here = archive.image(&host, &small(b"here"));
    let elsewhere = archive.image(&other, &small(b"elsewhere"));
    let index = archive.images(&[(&other, &elsewhere), (&host, &here)]);
    archive.remove(&elsewhere);
    archive.name(&index, "registry.example/multi:1");
    daemon.import("k8s.io", &archive);

    let image = daemon.open("registry.example/multi:1").unwrap();
    assert_eq!(image.manifest_digest.as_ref().unwrap().as_str(), digest(&here));
    read(&image).unwrap();
    // A manifest below an index can be named as well.
    let image = daemon.open(digest(&here)).unwrap();
    assert_eq!(image.origin.reference, format!("k8s.io/{}", digest(&here)));

    let options = |platform| OpenOptions { platform, platform_asked: true, ..daemon.options() };
    let error = containerd::open("registry.example/multi:1", &options(other.clone()))
        .unwrap_err()
        .to_string();
    assert!(error.contains(&format!("{} for {other}", digest(&elsewhere))), "{error}");
    assert!(error.contains(&format!("this node pulled only {host}")), "{error}");
    assert!(error.contains("docker://registry.example/multi:1"), "{error}");
    let plan9 = Platform::new("plan9", "mips", None);
    let error = containerd::open("registry.example/multi:1", &options(plan9)).unwrap_err();
    assert!(matches!(error, Error::NoSuchPlatform { .. }), "{error}");
}

#[test]
fn missing_content_is_told() {
    let Some(mut daemon) = Daemon::start() else { return };
    let mut archive = Archive::default();
    let manifest =
        archive.image(&Platform::host(), &[layer(&[("a", b"a")]), layer(&[("b", b"b")])]);
    archive.name(&manifest, "registry.example/app:1");
    daemon.import("k8s.io", &archive);
    let document = archive.parse(&manifest);

    // Discarded once it was opened, then before.
    let image = daemon.open("registry.example/app:1").unwrap();
    let layer = digest(&document["layers"][1]);
    daemon.run("k8s.io", &["content", "rm", layer]);
    let error = read(&image).err().unwrap().to_string();
    assert!(error.contains(layer) && error.contains("pull it again"), "{error}");
    let error = daemon.error("registry.example/app:1");
    assert!(error.contains(layer) && error.contains("discard_unpacked_layers"), "{error}");
    assert!(error.contains("namespace k8s.io: registry.example/app:1"), "{error}");
    assert!(error.contains("docker://registry.example/app:1"), "{error}");

    let config = digest(&document["config"]);
    daemon.run("k8s.io", &["content", "rm", config]);
    let error = daemon.error("registry.example/app:1");
    assert!(error.contains(config) && error.contains("pulled in part"), "{error}");

    daemon.crash();
    assert!(!daemon.has("registry.example/app:1"));
    let error = daemon.error("registry.example/app:1");
    assert!(error.contains("start containerd"), "{error}");
    let error = read(&image).err().unwrap().to_string();
    assert!(error.contains(daemon.socket().to_str().unwrap()), "{error}");
}

#[test]
fn thousands_of_images_can_be_listed() {
    let Some(daemon) = Daemon::start() else { return };
    let mut archive = Archive::default();
    let manifest = archive.image(&Platform::host(), &small(b"crowd"));
    // Together more than the 4 MiB that gRPC accepts by default.
    for number in 0..2_500 {
        archive.name(&manifest, &format!("registry.example/{}app:{number}", "team/".repeat(400)));
    }
    daemon.import("k8s.io", &archive);
    let error = daemon.error("registry.example/absent:1");
    assert!(error.contains("... and 2480 more"), "{error}");
}
