//! The demonstration image.

use jettison_oci::Digest;
use jettison_testkit::demo;

#[test]
fn the_same_machine_gives_the_same_image_of_some_size() {
    let image = demo::image().unwrap();
    assert_eq!(image.manifest_digest(), demo::image().unwrap().manifest_digest());
    let size: usize = image.layers.iter().map(|layer| layer.tar.len()).sum();
    assert!((60 << 20..170 << 20).contains(&size), "{size}");
    let config: serde_json::Value = serde_json::from_slice(image.config()).unwrap();
    let history = config["history"].as_array().unwrap();
    let with_layer = history.iter().filter(|entry| entry["empty_layer"] != true).count();
    assert_eq!(with_layer, image.layers.len());
    assert_eq!(image.config_digest(), Digest::sha256(image.config()));
}
