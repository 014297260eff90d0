//! `containerd:`: a real containerd, its namespaces, and layers as they were pulled.

use jettison_oci::Platform;
use jettison_testkit::containerd::Daemon;
use jettison_testkit::image::{
    Compression, Image, ImageBuilder, ImageFiles, IndexBuilder, LayerBuilder,
};

use crate::jettison::{Run, User, account, names};
use crate::shop;

fn compressed() -> Image {
    shop::builder().compression(Compression::default()).build()
}

/// An image whose only file tells which it is.
fn named(tag: &str, name: &str) -> Image {
    ImageBuilder::new()
        .platform(Platform::host())
        .layer(LayerBuilder::new().file(name, name), "COPY name /")
        .tag(tag)
        .build()
}

struct Node {
    containerd: Daemon,
    user: User,
}

impl Node {
    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.user.command(arguments);
        Run::of(command.env("CONTAINERD_ADDRESS", self.containerd.socket()))
    }

    /// Whether the image that `word` leads to has the file `name`.
    fn has(&self, word: &str, name: &str) -> bool {
        let why = self.run(&["why", word, name, "--format", "json"]).json();
        why["final"] == "file"
    }
}

#[test]
fn containerd_s_images_are_read_with_their_layers_as_pulled() {
    let Some(containerd) = Daemon::for_test() else { return };
    let node = Node { containerd, user: User::new() };
    let image = compressed();
    node.containerd.import("k8s.io", [image.clone()]).unwrap();
    let zstd = shop::builder().compression(Compression::ZstdFrames { frames: 2 }).build();
    node.containerd.import("default", [zstd.tagged(["example.test/zstd:1"])]).unwrap();
    node.containerd.import("k8s.io", [named("example.test/both:1", "kubernetes")]).unwrap();
    node.containerd.import("default", [named("example.test/both:1", "default")]).unwrap();
    node.containerd.import("elsewhere", [named("example.test/elsewhere:1", "elsewhere")]).unwrap();

    ImageFiles::oci_layout([image.clone()]).write_directory(&node.user.path("layout")).unwrap();
    let expected = account(node.user.analyze_with("oci:layout", &["--no-cache"]));
    let print = |word: &str, more: &[&str]| {
        node.run(&[&["analyze", word, "--format", "json"], more].concat()).bytes()
    };
    for word in ["containerd:example.test/shop:1", "containerd:k8s.io/example.test/shop:1"] {
        let first = print(word, &["--no-cache"]);
        let read: serde_json::Value = serde_json::from_slice(&first).unwrap();
        assert_eq!(read["image"]["transport"], "containerd");
        assert_eq!(read["image"]["reference"], "k8s.io/example.test/shop:1");
        assert_eq!(read["image"]["manifestDigest"], image.manifest_digest().as_str());
        let stored: u64 = image.layers.iter().map(|layer| layer.blob.len() as u64).sum();
        assert_eq!(read["size"]["compressed"], stored);
        assert_eq!(account(read), expected);
        for more in [&[][..], &[], &["--verify"], &["--jobs", "1"]] {
            assert!(print(word, more) == first, "{word} {more:?}");
        }
    }
    assert_eq!(names(&node.user.cache()).len(), image.layers.len(), "compressed layers are cached");
    let zstd = node.run(&["analyze", "containerd:example.test/zstd:1", "--format", "json"]);
    assert_eq!(account(zstd.json()), expected, "found in the second namespace");

    // k8s.io comes first; a namespace can be said.
    assert!(node.has("containerd:example.test/both:1", "kubernetes"));
    assert!(node.has("containerd:k8s.io/example.test/both:1", "kubernetes"));
    assert!(node.has("containerd:default/example.test/both:1", "default"));
    assert!(node.has("containerd:elsewhere/example.test/elsewhere:1", "elsewhere"));
    node.run(&["analyze", "containerd:example.test/elsewhere:1"]).fails(3, &["elsewhere:1"]);
    node.run(&["analyze", "containerd:example.test/absent:1"]).fails(3, &["absent:1"]);
    // By the image ID that crictl shows, and a bare word, which the output names.
    let id = image.config_digest();
    let by_id = format!("containerd:{}", &id.hex()[..13]);
    assert_eq!(account(node.run(&["analyze", &by_id, "--format", "json"]).json()), expected);
    let text = node.run(&["analyze", "example.test/shop:1"]).text();
    assert_eq!(text.lines().next(), Some("containerd:k8s.io/example.test/shop:1"));
}

#[test]
fn containerd_s_indexes_hold_what_was_pulled() {
    let Some(containerd) = Daemon::for_test() else { return };
    let node = Node { containerd, user: User::new() };
    let other = ImageBuilder::new()
        .platform("linux/s390x".parse().unwrap())
        .layer(LayerBuilder::new().file("s390x", "s390x"), "COPY name /")
        .build();
    let host = named("unused", "host").tagged([] as [&str; 0]);
    let index = IndexBuilder::new()
        .image(&host)
        .image(&other)
        .attestation(&host)
        .tag("example.test/many:1");
    node.containerd.import("k8s.io", [index.build()]).unwrap();
    let word = "containerd:example.test/many:1";
    assert!(node.has(word, "host"));
    let read = node.run(&["analyze", word, "--format", "json", "--platform", "linux/s390x"]).json();
    assert_eq!(read["image"]["platform"], "linux/s390x");
    let asked = ["analyze", word, "--platform", "linux/riscv64"];
    node.run(&asked).fails(3, &["linux/riscv64", "linux/s390x"]);
    // A node pulls one platform of an index: the layers of the others are not there.
    let digest = other.manifest_digest();
    let remove = ["--namespace", "k8s.io", "content", "rm", digest.as_str()];
    node.containerd.ctr(&remove).unwrap();
    assert!(node.has(word, "host"));
    let asked = ["analyze", word, "--platform", "linux/s390x"];
    node.run(&asked).fails(3, &[digest.as_str(), "linux/s390x"]);
}
