//! Images that cannot be read: one clear message, the right exit code, and nothing left behind.

use jettison_testkit::image::{
    Compression, Header, Image, ImageBuilder, ImageFiles, LayerBuilder, Meta, Wrap, gzip, zstd,
};
use serde_json::json;

use crate::jettison::{User, names};
use crate::shop;

/// Reads `word`, which must fail with 3 and all of `words`; outputs that were asked for are not
/// there, and one that was there before is as it was.
fn fails(user: &User, word: &str, words: &[&str]) {
    fails_with(user, word, &[], words);
}

fn fails_with(user: &User, word: &str, more: &[&str], words: &[&str]) {
    // The same words whatever the threads do.
    let on = |jobs| user.run(&[&["analyze", word, "--no-cache", "--jobs", jobs], more].concat());
    assert_eq!(on("1").fails(3, words), on("4").fails(3, words));
    let reports = user.path("reports");
    fs_err::create_dir_all(&reports).unwrap();
    fs_err::write(reports.join("kept.txt"), "kept").unwrap();
    let outputs = ["--output", "json=reports/new.json", "--output", "text=reports/kept.txt"];
    let run = user.run(&[&["analyze", word, "--no-cache"], more, &outputs].concat());
    run.fails(3, words);
    assert_eq!(names(&reports), ["kept.txt"], "{word}");
    assert_eq!(fs_err::read(reports.join("kept.txt")).unwrap(), b"kept");
    user.run(&[&["why", word, "/etc"], more].concat()).fails(3, words);
}

/// The same through a pipe.
fn fails_piped(user: &User, bytes: &[u8], words: &[&str]) {
    let arguments = ["analyze", "-", "--no-cache", "--output", "json=piped.json"];
    let run = user.run_with_input(&arguments, bytes);
    run.fails(3, words);
    assert!(!user.path("piped.json").exists());
}

fn write(user: &User, name: &str, files: &ImageFiles) {
    files.write_archive(&user.path(name), Wrap::None).unwrap();
}

/// Image archives of one plain layer with these bytes: a layout and what docker saves.
fn with_layer(user: &User, layer: LayerBuilder, compression: Compression) -> Image {
    let image = ImageBuilder::new().compression(compression).layer(layer, "COPY . /").build();
    write(user, "oci.tar", &ImageFiles::oci_layout([image.clone()]));
    write(user, "docker.tar", &ImageFiles::docker_archive(std::slice::from_ref(&image)));
    image
}

/// Fails from a layout, from an archive and through a pipe, naming the layer.
fn layer_fails(user: &User, layer: LayerBuilder, compression: Compression, words: &[&str]) {
    let image = with_layer(user, layer, compression);
    let named = |first: &'static str| [&[first], words].concat();
    fails(user, "oci.tar", &named("layer 0"));
    fails(user, "docker.tar", &named("layer 0"));
    let files = ImageFiles::docker_archive_compressed(&[image]);
    fails_piped(user, &files.tar(), &named("layer blobs/sha256/"));
}

#[test]
fn missing_files_are_named() {
    let user = User::new();
    for word in ["no/such.tar", "./no-such", "/no/such/image.tar.gz"] {
        fails(&user, word, &[word, "no such file"]);
        fails(&user, &format!("docker-archive:{word}"), &[word, "no such file"]);
        fails(&user, &format!("oci-archive:{word}:tag"), &[word, "no such file"]);
        fails(&user, &format!("oci:{word}"), &[word, "no such file"]);
    }
    let dangling = user.path("dangling.tar");
    fs_err::os::unix::fs::symlink("nowhere", dangling).unwrap();
    fails(&user, "docker-archive:dangling.tar", &["dangling.tar", "no such file"]);
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    let user = User::new();
    let text = shop::content("text", 5000);
    let zip = [b"PK\x03\x04".as_slice(), &[0; 600]].concat();
    for (name, bytes) in [
        ("text", text.clone()),
        ("short", b"short".to_vec()),
        ("text.gz", gzip(&text, 6)),
        ("text.zst", zstd(&text, 3)),
        ("empty.gz", gzip(b"", 6)),
        ("zip", zip),
        ("other.tar", LayerBuilder::new().file("README", "hello").tar()),
        ("empty.tar", LayerBuilder::new().tar()),
        ("zeros", vec![0; 100_000]),
    ] {
        fs_err::write(user.path(name), &bytes).unwrap();
        fails(&user, &format!("./{name}"), &[name, "not an image"]);
        fails_piped(&user, &bytes, &["standard input", "not an image"]);
    }
    fs_err::write(user.path("empty"), "").unwrap();
    fails(&user, "docker-archive:empty", &["empty", "not an image"]);
    fails_piped(&user, b"", &["standard input"]);
    fs_err::create_dir(user.path("directory")).unwrap();
    for word in ["directory", "oci:directory"] {
        fails(&user, word, &["directory", "index.json"]);
    }
    fails(&user, "docker-archive:directory", &["directory", "is a directory"]);
    fails(&user, "/dev/null", &["/dev/null"]);
}

#[test]
fn a_root_filesystem_is_recognised() {
    let user = User::new();
    let rootfs = shop::base().file("bin/sh", "sh").tar();
    for (name, bytes) in [("rootfs.tar", rootfs.clone()), ("rootfs.tar.gz", gzip(&rootfs, 1))] {
        fs_err::write(user.path(name), &bytes).unwrap();
        for word in [name.to_owned(), format!("docker-archive:{name}")] {
            fails(&user, &word, &[name, "root filesystem", "docker import"]);
        }
        fails_piped(&user, &bytes, &["standard input", "root filesystem"]);
    }
}

#[test]
fn wrong_digests_are_found() {
    let user = User::new();
    let image = shop::builder().compression(Compression::default()).build();
    let layout = ImageFiles::oci_layout([image.clone()]);
    for (what, digest) in [
        ("layer 2", image.layers[2].digest.clone()),
        ("manifest", image.manifest_digest()),
        ("config", image.config_digest()),
    ] {
        let corrupt = layout.clone().corrupt_blob(&digest);
        corrupt.write_directory(&user.path("corrupt")).unwrap();
        write(&user, "corrupt.tar", &corrupt);
        let words = if what == "layer 2" { what } else { "sha256:" };
        for word in ["oci:corrupt", "oci-archive:corrupt.tar"] {
            fails(&user, word, &[words, digest.as_str(), "corrupt", "expected"]);
        }
        fails_piped(&user, &corrupt.tar(), &[digest.hex()]);
        fs_err::remove_dir_all(user.path("corrupt")).unwrap();
    }
    // The bytes are another layer's: everything decodes, only the digest tells.
    let other = image.layers[0].blob.as_ref().clone();
    let padded = [other, vec![0; 100_000]].concat();
    let length = image.layers[2].blob.len();
    let swapped = layout.replace_blob(&image.layers[2].digest, &padded[..length.min(padded.len())]);
    write(&user, "swapped.tar", &swapped);
    fails(&user, "swapped.tar", &["layer 2", image.layers[2].digest.as_str()]);

    // Docker's plain layers are named by what they hash to; that is checked when asked for.
    let plain = shop::image();
    let saved = ImageFiles::docker_archive(std::slice::from_ref(&plain));
    let mut tar = plain.layers[1].tar.as_ref().clone();
    tar[80_000] ^= 0xFF;
    let saved = saved.replace_blob(&plain.layers[1].diff_id, tar);
    write(&user, "saved.tar", &saved);
    let words = ["layer 1", plain.layers[1].diff_id.as_str(), "corrupt"];
    fails_with(&user, "saved.tar", &["--verify"], &words);
    let legacy = ImageFiles::docker_archive_legacy(std::slice::from_ref(&plain), false);
    let configuration = format!("{}.json", plain.config_digest().hex());
    write(&user, "legacy.tar", &legacy.corrupt(&configuration));
    fails(&user, "legacy.tar", &[&configuration, "corrupt"]);
}

#[test]
fn a_diff_id_that_lies_is_found_when_asked() {
    let user = User::new();
    let image = shop::builder().compression(Compression::default()).build();
    let lie = format!("sha256:{}", "0".repeat(64));
    let lying = image.edit_config(|config| config["rootfs"]["diff_ids"][3] = json!(lie));
    let layout = ImageFiles::oci_layout([lying.clone()]);
    write(&user, "oci.tar", &layout);
    write(&user, "saved.tar", &ImageFiles::docker_archive_compressed(&[lying]));
    for word in ["oci.tar", "saved.tar"] {
        fails_with(&user, word, &["--verify"], &["layer 3", &lie, "corrupt"]);
    }
    let run = user.run_with_input(&["analyze", "-", "--verify"], &layout.tar());
    run.fails(3, &["layer 3", &lie]);
}

#[test]
fn missing_blobs_are_named() {
    let user = User::new();
    let image = shop::builder().compression(Compression::default()).build();
    let layout = ImageFiles::oci_layout([image.clone()]);
    for digest in [&image.layers[4].digest, &image.manifest_digest(), &image.config_digest()] {
        let without = layout.clone().drop_blob(digest);
        without.write_directory(&user.path("missing")).unwrap();
        write(&user, "missing.tar", &without);
        for word in ["oci:missing", "oci-archive:missing.tar"] {
            fails(&user, word, &["missing", digest.as_str()]);
        }
        fails_piped(&user, &without.tar(), &["missing", digest.as_str()]);
        fs_err::remove_dir_all(user.path("missing")).unwrap();
    }
    for files in [
        ImageFiles::docker_archive_legacy(std::slice::from_ref(&image), false),
        ImageFiles::docker_archive(std::slice::from_ref(&image)),
        ImageFiles::kaniko_archive(std::slice::from_ref(&image)),
    ] {
        let manifest: serde_json::Value =
            serde_json::from_slice(files.get("manifest.json").unwrap()).unwrap();
        for name in [&manifest[0]["Layers"][4], &manifest[0]["Config"]] {
            let name = name.as_str().unwrap();
            let without = files.clone().remove(name);
            write(&user, "missing.tar", &without);
            fails(&user, "docker-archive:missing.tar", &["missing", name]);
            fails_piped(&user, &without.tar(), &["missing", name]);
        }
    }
    // A link to itself leads nowhere.
    let legacy = ImageFiles::docker_archive_legacy(&[image], false);
    let layer = legacy.paths().find(|path| path.ends_with("/layer.tar")).unwrap().to_owned();
    let looped = legacy.replace_with_symlink(&layer, "layer.tar");
    write(&user, "looped.tar", &looped);
    fails(&user, "looped.tar", &[&layer, "missing"]);
}

#[test]
fn malformed_documents_are_named() {
    let user = User::new();
    let image = shop::image();
    let layout = ImageFiles::oci_layout([image.clone()]);
    let legacy = ImageFiles::docker_archive_legacy(std::slice::from_ref(&image), false);
    let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(5 << 20));
    let deep = "[".repeat(200_000);
    for bad in ["", "{", "null", "[]", "{}", "[{}]", "\u{1}\u{2}", "[1,2]", "\"x\"", &huge, &deep] {
        let files = layout.clone().replace("index.json", bad);
        write(&user, "bad.tar", &files);
        fails(&user, "oci-archive:bad.tar", &["bad.tar"]);
        fails_piped(&user, &files.tar(), &["standard input"]);
        let files = legacy.clone().replace("manifest.json", bad);
        write(&user, "bad.tar", &files);
        fails(&user, "docker-archive:bad.tar", &["bad.tar"]);
    }
    let manifest = |edit: &dyn Fn(&mut serde_json::Value)| {
        write(&user, "bad.tar", &ImageFiles::oci_layout([image.clone().edit_manifest(edit)]));
    };
    manifest(&|manifest| manifest["layers"][0]["size"] = json!(-1));
    fails(&user, "bad.tar", &["sha256:", "malformed", "-1"]);
    manifest(&|manifest| manifest["layers"][0]["size"] = json!(1));
    fails(&user, "bad.tar", &["layer 0", "its descriptor says 1"]);
    manifest(&|manifest| manifest["layers"][0]["digest"] = json!("sha256:../../../etc/passwd"));
    fails(&user, "bad.tar", &["malformed"]);
    manifest(&|manifest| _ = manifest["layers"].as_array_mut().unwrap().pop());
    fails(&user, "bad.tar", &["6 layers", "7 diff_ids"]);
    manifest(&|manifest| {
        let layer = manifest["layers"][0].clone();
        manifest["layers"] = json!(vec![layer; 5000]);
    });
    fails(&user, "bad.tar", &["1024 layers"]);
    let config = |edit: &dyn Fn(&mut serde_json::Value)| {
        let image = image.clone().edit_config(edit);
        write(&user, "bad.tar", &ImageFiles::oci_layout([image]));
    };
    config(&|config| config["rootfs"] = json!("nothing"));
    fails(&user, "bad.tar", &["config", "malformed"]);
    config(&|config| config["rootfs"]["diff_ids"][0] = json!("md5:1"));
    fails(&user, "bad.tar", &["config", "malformed"]);
    let schema1 = json!({ "schemaVersion": 1, "fsLayers": [], "history": [] }).to_string();
    let digest = image.manifest_digest();
    let files = layout.replace_blob(&digest, schema1);
    write(&user, "bad.tar", &files);
    fails(&user, "bad.tar", &[digest.as_str()]);
}

#[test]
fn names_that_lead_out_of_an_archive_lead_nowhere() {
    let user = User::new();
    let secret = user.path("secret.json");
    fs_err::write(&secret, "{}").unwrap();
    let secret = secret.display().to_string();
    for name in [&*secret, "../secret.json", "../../../../../../etc/passwd"] {
        let manifest = json!([{ "Config": name, "RepoTags": null, "Layers": [] }]);
        let files = ImageFiles::default().replace("manifest.json", manifest.to_string());
        write(&user, "out.tar", &files);
        fails(&user, "docker-archive:out.tar", &["out.tar", "missing"]);
        let linked = files.replace_with_symlink(name.trim_start_matches(['.', '/']), name);
        write(&user, "linked.tar", &linked);
        fails(&user, "docker-archive:linked.tar", &["linked.tar"]);
    }
}

#[test]
fn absurd_sizes_are_refused() {
    let user = User::new();
    let edited = |edit: &dyn Fn(&mut Header)| {
        LayerBuilder::new().file("big", "x").edit_header(|header| edit(header))
    };
    let plain = Compression::Plain;
    let gzip = Compression::default();
    for compression in [plain, gzip] {
        for size in [1 << 40, u64::from(u32::MAX), i64::MAX as u64, u64::MAX >> 1] {
            let layer = edited(&|header| _ = header.size(size));
            layer_fails(&user, layer, compression, &[]);
        }
        // Negative in base 256, and no number at all.
        layer_fails(&user, edited(&|header| header.0[124..136].fill(0xFF)), compression, &[]);
        layer_fails(&user, edited(&|header| header.0[124..136].fill(b'9')), compression, &[]);
        for size in ["99999999999999999999", "-1", "1e9", "18446744073709551615"] {
            let layer = LayerBuilder::new().pax(&[("size", size)]).file("big", "x");
            layer_fails(&user, layer, compression, &[]);
        }
        let unsealed = LayerBuilder::new()
            .file("first", "x")
            .file("second", "x")
            .edit_header_unsealed(|header| header.0[0] ^= 1);
        layer_fails(&user, unsealed, compression, &[]);
    }
    // The archive itself.
    let archive = LayerBuilder::new()
        .file("manifest.json", "[]")
        .edit_header(|header| _ = header.size(1 << 50))
        .tar();
    fs_err::write(user.path("absurd.tar"), &archive).unwrap();
    fails(&user, "absurd.tar", &["absurd.tar", "truncated"]);
    fails_piped(&user, &archive, &["standard input", "truncated"]);
}

#[test]
fn names_past_the_limits_are_refused() {
    let user = User::new();
    for (layer, word) in [
        (LayerBuilder::new().file("a/".repeat(2000), ""), "1024 directories"),
        (LayerBuilder::new().file("a".repeat(40_000), ""), "32 KiB"),
        (LayerBuilder::new().pax(&[("path", "nul\0nul")]).file("x", ""), "NUL"),
        (LayerBuilder::new().pax(&[("comment", "x".repeat(2 << 20))]).file("x", ""), "limit"),
        (LayerBuilder::new().file_with("x", "", Meta::mode(0o644)).raw(vec![7; 512]), ""),
    ] {
        for compression in [Compression::Plain, Compression::Zstd { level: 1 }] {
            layer_fails(&user, layer.clone(), compression, &[word]);
        }
    }
}

#[test]
fn headers_without_end_are_refused() {
    let user = User::new();
    // A million headers that describe an entry which never comes, as 100 gzip members.
    let header = LayerBuilder::new().pax(&[("comment", "x")]).trailer([]).tar();
    let member = gzip(&header.repeat(10_000), 6);
    let layer = LayerBuilder::from_tar(LayerBuilder::new().tar());
    let image = ImageBuilder::new().layer(layer, "COPY . /").build();
    let digest = &image.layers[0].digest;
    let blob = member.repeat(100);
    let image = image.clone().edit_manifest(|manifest| {
        manifest["layers"][0]["size"] = json!(blob.len());
        manifest["layers"][0]["digest"] = json!(jettison_oci::Digest::sha256(&blob));
    });
    let files = ImageFiles::oci_layout([image]).drop_blob(digest);
    let files = files.replace_blob(&jettison_oci::Digest::sha256(&blob), blob);
    write(&user, "headers.tar", &files);
    fails(&user, "headers.tar", &["layer 0", "extension headers"]);
    fails_piped(&user, &files.tar(), &["layer", "extension headers"]);
    // Many members of an archive are a root filesystem, or nothing.
    let one = LayerBuilder::new().file("f", "").trailer([]).tar();
    let archive = gzip(&one.repeat(50), 6).repeat(2500);
    fails_piped(&user, &archive, &["standard input", "not an image"]);
}
