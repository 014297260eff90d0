//! Documents as Go's programs write and read them: what is absent or `null` is nothing.

use jettison_testkit::image::{Compression, Image, ImageBuilder, ImageFiles, LayerBuilder, Wrap};
use serde_json::{Value, json};

use crate::jettison::User;

fn image() -> Image {
    let layer = LayerBuilder::new().file("file", "content");
    ImageBuilder::new().compression(Compression::default()).layer(layer, "COPY file /").build()
}

/// Writes what `edit` makes of the config, as a layout and for Docker; gives both words.
fn with_config(user: &User, image: &Image, edit: &dyn Fn(&mut Value)) -> [&'static str; 2] {
    let image = image.clone().edit_config(edit);
    let docker = ImageFiles::docker_archive_legacy(std::slice::from_ref(&image), false);
    docker.write_archive(&user.path("docker.tar"), Wrap::None).unwrap();
    ImageFiles::oci_layout([image]).write_archive(&user.path("oci.tar"), Wrap::None).unwrap();
    ["docker.tar", "oci.tar"]
}

fn remove(value: &mut Value, key: &str) {
    assert!(value.as_object_mut().unwrap().remove(key).is_some(), "{key}");
}

#[test]
fn an_image_without_layers_is_read_however_it_says_so() {
    let user = User::new();
    let empty = ImageBuilder::new().empty("LABEL a=b").build();
    let edits: [&dyn Fn(&mut Value); 4] = [
        &|_| {},
        // Docker's own.
        &|config| remove(&mut config["rootfs"], "diff_ids"),
        &|config| config["rootfs"]["diff_ids"] = json!(null),
        &|config| remove(config, "rootfs"),
    ];
    for edit in edits {
        for word in with_config(&user, &empty, edit) {
            let read = user.analyze(word);
            assert_eq!(read["layers"], json!([]), "{word}");
            assert_eq!((&read["size"]["files"], &read["efficiency"]), (&json!(0), &json!(1.0)));
            user.run(&["analyze", word]).text();
        }
    }
    for layers in [json!(null), json!([])] {
        let image = empty.clone().edit_manifest(|manifest| manifest["layers"] = layers.clone());
        let files = ImageFiles::oci_layout([image]);
        files.write_archive(&user.path("null.tar"), Wrap::None).unwrap();
        assert_eq!(user.analyze("null.tar")["layers"], json!([]));
    }
    // Layers that only one of config and manifest has are still missed.
    for word in with_config(&user, &image(), &|config| remove(config, "rootfs")) {
        user.run(&["analyze", word]).fails(3, &["1 layers", "0 diff_ids"]);
    }
}

#[test]
fn what_is_null_or_absent_keeps_no_image_from_being_read() {
    let user = User::new();
    let edits: [&dyn Fn(&mut Value); 5] = [
        &|config| remove(&mut config["rootfs"], "type"),
        &|config| config["config"]["ExposedPorts"] = json!({ "80/tcp": null }),
        &|config| config["config"] = json!(null),
        &|config| config["history"] = json!(null),
        &|config| config["created"] = json!(null),
    ];
    for edit in edits {
        for word in with_config(&user, &image(), edit) {
            assert_eq!(user.analyze(word)["size"]["files"], 7, "{word}");
        }
    }
    let manifests: [&dyn Fn(&mut Value); 4] = [
        &|manifest| remove(manifest, "schemaVersion"),
        &|manifest| remove(manifest, "mediaType"),
        &|manifest| manifest["annotations"] = json!(null),
        &|manifest| manifest["layers"][0]["urls"] = json!(null),
    ];
    for edit in manifests {
        let files = ImageFiles::oci_layout([image().edit_manifest(edit)]);
        files.write_archive(&user.path("oci.tar"), Wrap::None).unwrap();
        assert_eq!(user.analyze("oci.tar")["size"]["files"], 7);
    }
}

#[test]
fn a_platform_that_nobody_names_is_unknown() {
    let user = User::new();
    let no_platform = |config: &mut Value| {
        remove(config, "os");
        remove(config, "architecture");
    };
    for word in with_config(&user, &image(), &no_platform) {
        let read = user.analyze(word);
        assert_eq!(read["image"]["platform"], "unknown/unknown");
        let warning = read["warnings"][0].as_str().unwrap();
        assert!(warning.contains("does not say what the image is for"), "{warning}");
        let asked = ["analyze", word, "--platform", "linux/amd64"];
        user.run(&asked).fails(3, &["linux/amd64", "unknown/unknown"]);
    }
    // The index may leave to the config what it is for.
    for platform in
        [json!(null), json!({}), json!({ "os": "linux" }), json!({ "os": "", "architecture": "" })]
    {
        let files = ImageFiles::oci_layout([image()]);
        let mut index: Value = serde_json::from_slice(files.get("index.json").unwrap()).unwrap();
        remove(&mut index, "schemaVersion");
        index["manifests"][0]["platform"] = platform;
        let files = files.replace("index.json", index.to_string());
        files.write_archive(&user.path("index.tar"), Wrap::None).unwrap();
        assert_eq!(user.analyze("index.tar")["image"]["platform"], "linux/amd64");
    }
}

#[test]
fn an_encrypted_layer_says_so() {
    let user = User::new();
    let encrypted = image().edit_manifest(|manifest| {
        let layer = &mut manifest["layers"][0];
        layer["mediaType"] = json!(format!("{}+encrypted", layer["mediaType"].as_str().unwrap()));
    });
    ImageFiles::oci_layout([encrypted]).write_directory(&user.path("encrypted")).unwrap();
    let words = ["layer 0", "is encrypted", "+encrypted", "--decryption-key"];
    user.run(&["analyze", "oci:encrypted"]).fails(3, &words);
}
