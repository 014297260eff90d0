//! `oci:` and `oci-archive:`: tags, nested indexes, platforms, attestations, media types.

use jettison_oci::Platform;
use jettison_testkit::image::{
    Compression, Format, Image, ImageBuilder, ImageFiles, Index, IndexBuilder, LayerBuilder, Root,
    Wrap,
};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use crate::jettison::{User, account};
use crate::shop;

/// An image whose only file tells its platform.
fn image(platform: &str) -> Image {
    ImageBuilder::new()
        .platform(platform.parse().unwrap())
        .layer(LayerBuilder::new().file(platform.replace('/', "-"), platform), "COPY name /")
        .build()
}

fn index(platforms: &[&str]) -> Index {
    let images: Vec<Image> = platforms.iter().map(|platform| image(platform)).collect();
    let with_images = images.iter().fold(IndexBuilder::new(), IndexBuilder::image);
    images.iter().fold(with_images, IndexBuilder::attestation).tag("many").build()
}

/// A platform that no machine of ours has.
const OTHER: &str = "linux/s390x";

fn host() -> String {
    Platform::host().to_string()
}

/// Writes the same layout as a directory and as an archive; gives both words.
fn write<R: Into<Root>>(
    user: &User,
    name: &str,
    roots: impl IntoIterator<Item = R>,
) -> [String; 2] {
    let files = ImageFiles::oci_layout(roots);
    files.write_directory(&user.path(name)).unwrap();
    let archive = format!("{name}.tar");
    files.write_archive(&user.path(&archive), Wrap::None).unwrap();
    [format!("oci:{name}"), format!("oci-archive:{archive}")]
}

fn platform(user: &User, word: &str, more: &[&str]) -> String {
    user.analyze_with(word, more)["image"]["platform"].as_str().unwrap().to_owned()
}

#[test]
fn directory_and_archive_have_the_same_account_as_docker_s() {
    let user = User::new();
    let gzip = shop::builder().compression(Compression::default()).build();
    let reference = ImageFiles::docker_archive(std::slice::from_ref(&gzip));
    reference.write_archive(&user.path("docker.tar"), Wrap::None).unwrap();
    let expected = account(user.analyze("docker.tar"));
    let docker_types =
        shop::builder().compression(Compression::default()).format(Format::Docker).build();
    let zstd = shop::builder().compression(Compression::Zstd { level: 3 }).build();
    for (name, image) in
        [("oci", gzip), ("docker", docker_types), ("zstd", zstd), ("plain", shop::image())]
    {
        let manifest = image.manifest_digest().to_string();
        let stored: u64 = image.layers.iter().map(|layer| layer.blob.len() as u64).sum();
        for word in write(&user, name, [image.clone()]) {
            for more in [&["--no-cache"][..], &["--verify"], &[], &["--jobs", "1"]] {
                let read = user.analyze_with(&word, more);
                assert_eq!(read["image"]["manifestDigest"], manifest);
                for (row, layer) in read["layers"].as_array().unwrap().iter().zip(&image.layers) {
                    assert_eq!(row["digest"], layer.digest.as_str());
                    assert_eq!(row["mediaType"], layer.media_type);
                }
                if name != "plain" {
                    assert_eq!(read["size"]["compressed"], stored, "{word}");
                }
                assert_eq!(account(read), expected, "{word} {more:?}");
            }
        }
    }
}

#[test]
fn tags_choose_and_several_are_listed() {
    let user = User::new();
    let (one, two) = (shop::image().tagged(["one", "first"]), shop::second().tagged(["two"]));
    for word in write(&user, "layout", [one.clone(), two.clone()]) {
        user.run(&["analyze", &word]).fails(3, &["3 images", "one", "first", "two"]);
        for (tag, image) in [
            ("one", &one),
            ("first", &one),
            ("two", &two),
            ("@2", &two),
            (&*format!("@{}", two.manifest_digest()), &two),
            (two.manifest_digest().as_str(), &two),
        ] {
            let read = user.analyze(&format!("{word}:{tag}"));
            assert_eq!(read["image"]["manifestDigest"], image.manifest_digest().as_str(), "{tag}");
        }
        for tag in ["three", "on", "@3"] {
            let wrong = format!("{word}:{tag}");
            user.run(&["analyze", &wrong]).fails(3, &["has no image", tag, "it holds", "two"]);
        }
    }
    // One image under two tags is no choice, whether its descriptors tell a platform or not.
    for word in write(&user, "twice", [one.clone()]) {
        assert_eq!(user.analyze(&word)["size"]["duplicate"], 70_000);
    }
    let files = ImageFiles::oci_layout([one]);
    let mut index: serde_json::Value =
        serde_json::from_slice(files.get("index.json").unwrap()).unwrap();
    for entry in index["manifests"].as_array_mut().unwrap() {
        assert!(entry.as_object_mut().unwrap().remove("platform").is_some());
    }
    let files = files.replace("index.json", index.to_string());
    files.write_directory(&user.path("no-platform")).unwrap();
    assert_eq!(user.analyze("oci:no-platform")["size"]["duplicate"], 70_000);
}

/// A layout whose `index.json` names the images with these annotations and no platform, as
/// `ctr images export` writes it.
fn write_annotated(user: &User, name: &str, images: &[(&Image, Value)]) -> String {
    let files = ImageFiles::oci_layout(images.iter().map(|(image, _)| (*image).clone()));
    let entries = images.iter().map(|(image, annotations)| {
        let mut entry = image.descriptor();
        entry.as_object_mut().unwrap().remove("platform");
        entry["annotations"] = annotations.clone();
        entry
    });
    let index = json!({ "schemaVersion": 2, "manifests": entries.collect::<Vec<_>>() });
    let archive = format!("{name}.tar");
    let files = files.replace("index.json", index.to_string());
    files.write_archive(&user.path(&archive), Wrap::None).unwrap();
    format!("oci-archive:{archive}")
}

#[test]
fn images_of_one_tag_are_told_apart_by_their_whole_names() {
    let user = User::new();
    let (one, other) = (shop::image(), shop::second());
    let names = |name: &str, tag: &str| json!({ "io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag });
    let both = [(&one, names("ex.test/a:1", "1")), (&other, names("ex.test/b:1", "1"))];
    let word = write_annotated(&user, "two", &both);
    let listed = ["2 images", "\n  ex.test/a:1\n", "\n  ex.test/b:1\n"];
    user.run(&["analyze", &word]).fails(3, &listed);
    user.run(&["analyze", &format!("{word}:1")]).fails(3, &listed);
    for (name, image) in [("ex.test/a:1", &one), ("ex.test/b:1", &other)] {
        let read = user.analyze(&format!("{word}:{name}"));
        assert_eq!(read["image"]["manifestDigest"], image.manifest_digest().as_str());
    }
    user.run(&["analyze", &format!("{word}:2")]).fails(3, &["ex.test/a:1", "ex.test/b:1"]);
    let word = write_annotated(&user, "one", &both[..1]);
    assert_eq!(user.analyze(&word)["image"]["reference"], "one.tar:ex.test/a:1");
}

#[test]
fn platforms_make_no_choice_between_images_of_different_names() {
    let user = User::new();
    let (amd64, arm64) = (image("linux/amd64"), image("linux/arm64"));
    // Without names, each is an image of its own.
    for word in write(&user, "unnamed", [amd64.clone(), arm64.clone()]) {
        let listed = ["2 images", "@0 (linux/amd64)", "@1 (linux/arm64)"];
        user.run(&["analyze", &word]).fails(3, &listed);
        assert_eq!(platform(&user, &format!("{word}:@1"), &[]), "linux/arm64");
    }
    let names = |name: &str| json!({ "io.containerd.image.name": name, "org.opencontainers.image.ref.name": "1" });
    let both = [(&amd64, names("ex.test/a:1")), (&arm64, names("ex.test/b:1"))];
    let word = write_annotated(&user, "named", &both);
    user.run(&["analyze", &word]).fails(3, &["2 images", "ex.test/a:1", "ex.test/b:1"]);
    // Of one name, they are one image.
    for word in write(&user, "one", [amd64.tagged(["both"]), arm64.tagged(["both"])]) {
        for asked in ["linux/amd64", "linux/arm64"] {
            assert_eq!(platform(&user, &word, &["--platform", asked]), asked);
        }
    }
}

#[test]
fn the_platform_is_the_host_s_or_the_one_asked_for() {
    let user = User::new();
    let platforms = ["linux/amd64", "linux/arm64", "linux/arm/v6", "linux/arm/v7", OTHER];
    for word in write(&user, "many", [index(&platforms)]) {
        assert_eq!(platform(&user, &word, &[]), host());
        assert_eq!(platform(&user, &format!("{word}:many"), &[]), host());
        for asked in platforms {
            assert_eq!(platform(&user, &word, &["--platform", asked]), asked);
        }
        for (asked, given) in [
            ("linux/x86_64", "linux/amd64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/amd64/v3", "linux/amd64"),
            ("linux/arm/v8", "linux/arm/v7"),
        ] {
            assert_eq!(platform(&user, &word, &["--platform", asked]), given);
        }
        for asked in ["linux/riscv64", "windows/amd64", "linux/arm/v5"] {
            let message = user.run(&["analyze", &word, "--platform", asked]);
            let message = message.fails(3, &[asked, "it has"]);
            for has in platforms {
                assert!(message.contains(&format!("\n  {has}\n")), "{has}: {message}");
            }
            assert!(!message.contains("unknown"), "attestations are no choice: {message}");
        }
    }
}

#[test]
fn none_that_fits_the_host_lists_what_there_is() {
    let user = User::new();
    for word in write(&user, "other", [index(&[OTHER, "linux/riscv64"])]) {
        user.run(&["analyze", &word]).fails(3, &[&host(), OTHER, "linux/riscv64"]);
        assert_eq!(platform(&user, &word, &["--platform", OTHER]), OTHER);
    }
    // Where there is no choice, what is there is read, unless another was asked for.
    for word in write(&user, "one", [index(&[OTHER])]) {
        assert_eq!(platform(&user, &word, &[]), OTHER);
        user.run(&["analyze", &word, "--platform", "linux/arm"]).fails(3, &["linux/arm", OTHER]);
    }
    let single = image(OTHER).tagged(["example.test/single:1"]);
    for word in write(&user, "single", [single.clone()]) {
        assert_eq!(platform(&user, &word, &[]), OTHER);
        user.run(&["analyze", &word, "--platform", "linux/arm"]).fails(3, &["linux/arm", OTHER]);
    }
    let files = ImageFiles::docker_archive_legacy(&[single], false);
    files.write_archive(&user.path("docker.tar"), Wrap::None).unwrap();
    assert_eq!(platform(&user, "docker.tar", &["--platform", OTHER]), OTHER);
    let asked = ["analyze", "docker.tar", "--platform", "linux/arm"];
    user.run(&asked).fails(3, &["docker.tar", "linux/arm", OTHER]);
}

#[test]
fn nested_indexes_are_followed_to_a_depth() {
    let user = User::new();
    let nest = |index: Index| IndexBuilder::new().index(&index).tag("nested").build();
    let mixed = IndexBuilder::new()
        .index(&index(&["linux/arm64", "linux/amd64"]))
        .image(&image(OTHER))
        .tag("mixed")
        .build();
    for word in write(&user, "mixed", [mixed.clone()]) {
        assert_eq!(platform(&user, &word, &[]), host());
        assert_eq!(platform(&user, &word, &["--platform", OTHER]), OTHER);
    }
    let deep = nest(mixed);
    for word in write(&user, "deep", [deep.clone()]) {
        assert_eq!(platform(&user, &word, &["--platform", OTHER]), OTHER);
    }
    for word in write(&user, "too-deep", [nest(deep)]) {
        user.run(&["analyze", &word]).fails(3, &["nest deeper"]);
    }
}

#[test]
fn indexes_that_multiply_are_each_read_once_and_not_without_end() {
    let user = User::new();
    let level = |count: usize, below: &[Index]| -> Vec<Index> {
        let one = |at: usize| {
            let builder = IndexBuilder::new().image(&image("linux/amd64"));
            below
                .iter()
                .fold(builder.annotation("at", &at.to_string()), IndexBuilder::index)
                .build()
        };
        (0..count).map(one).collect()
    };
    let root = |below: &[Index]| {
        below.iter().fold(IndexBuilder::new().tag("many"), IndexBuilder::index).build()
    };
    // Each of 60 names all of the same 50: 3,000 ways, 110 documents.
    let top = root(&level(60, &level(50, &[])));
    ImageFiles::oci_layout([top]).write_directory(&user.path("read")).unwrap();
    assert_eq!(platform(&user, "oci:read", &["--platform", "linux/amd64"]), "linux/amd64");

    let wide = level(1100, &[]);
    let halves: Vec<Index> = wide.chunks(550).map(root).collect();
    ImageFiles::oci_layout([root(&halves)]).write_directory(&user.path("wide")).unwrap();
    user.run(&["analyze", "oci:wide"]).fails(3, &["1024 indexes"]);
}

#[test]
fn a_fifo_in_a_layout_is_not_waited_for() {
    let user = User::new();
    let built = shop::image();
    for name in ["index.json".to_owned(), format!("blobs/sha256/{}", built.layers[1].digest.hex())]
    {
        let [word, _] = write(&user, "fifo", [built.clone()]);
        let path = user.path("fifo").join(&name);
        fs_err::remove_file(&path).unwrap();
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        user.run(&["analyze", &word]).fails(3, &[&name, "is not a file"]);
        fs_err::remove_dir_all(user.path("fifo")).unwrap();
    }
}

#[test]
fn an_index_that_holds_itself_ends() {
    let user = User::new();
    // By digest it cannot; by a blob that lies about its own it can.
    let digest = jettison_oci::Digest::sha256(b"itself");
    let itself = json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": Format::Oci.index(), "digest": digest, "size": 0,
        }],
    });
    let bytes = itself.to_string().into_bytes();
    let files = ImageFiles::oci_layout([image("linux/amd64")])
        .replace("index.json", bytes.clone())
        .replace_blob(&digest, bytes);
    files.write_directory(&user.path("loop")).unwrap();
    user.run(&["analyze", "oci:loop"]).fails(3, &[digest.as_str()]);
}

#[test]
fn an_artifact_is_no_image() {
    let user = User::new();
    let artifact = shop::image().edit_manifest(|manifest| {
        manifest["config"]["mediaType"] = json!("application/vnd.cncf.helm.config.v1+json");
    });
    for word in write(&user, "artifact", [artifact]) {
        user.run(&["analyze", &word]).fails(3, &["helm", "artifact"]);
    }
}

#[test]
fn the_base_is_what_annotations_or_the_caller_say() {
    let user = User::new();
    let base = ImageBuilder::new()
        .compression(Compression::Plain)
        .layer(shop::base(), "/bin/sh -c #(nop) ADD file:rootfs.tar.xz in / ")
        .tag("base")
        .build();
    let annotated = shop::builder()
        .annotation("org.opencontainers.image.base.name", "example.test/base:1")
        .annotation("org.opencontainers.image.base.digest", base.manifest_digest().as_str())
        .build();
    let bases = |document: &serde_json::Value| {
        let layers = document["layers"].as_array().unwrap().iter();
        layers.filter(|layer| layer["base"] == true).count()
    };
    for word in write(&user, "annotated", [annotated.tagged(["shop"]), base.clone()]) {
        let read = user.analyze(&format!("{word}:shop"));
        assert_eq!(read["base"]["source"], "annotation");
        assert_eq!(read["base"]["reference"], "example.test/base:1");
        assert_eq!((&read["base"]["layers"], bases(&read)), (&json!(1), 1));
    }
    for word in write(&user, "shop", [shop::image()]) {
        assert_eq!(user.analyze(&word)["base"], json!(null), "never guessed");
        let counted = user.analyze_with(&word, &["--base", "2"]);
        assert_eq!((&counted["base"]["source"], bases(&counted)), (&json!("count"), 2));
        let [beside, _] = write(&user, "base", [base.clone()]);
        let compared = user.analyze_with(&word, &["--base", &beside]);
        assert_eq!((&compared["base"]["layers"], bases(&compared)), (&json!(1), 1));
        // The longest common prefix counts, whatever stands above it.
        let [second, _] = write(&user, "second", [shop::second()]);
        assert_eq!(bases(&user.analyze_with(&word, &["--base", &second])), 6);
        let [strange, _] = write(&user, "strange", [image("linux/amd64").tagged(["x"])]);
        let run = user.run(&["analyze", &word, "--base", &strange, "--format", "json"]);
        assert!(run.stderr.contains("shares no layer"), "{}", run.stderr);
        assert_eq!(run.json()["base"], json!(null));
        user.run(&["analyze", &word, "--base", "8"]).fails(2, &["8", "7 layers"]);
    }
}
