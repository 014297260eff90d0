//! Small images made in memory.

use std::io::Write as _;
use std::path::Path;

use jettison_oci::Digest;
use serde_json::{Value, json};

pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Bytes under their digest.
#[derive(Clone)]
pub(crate) struct Blob {
    pub(crate) digest: Digest,
    pub(crate) bytes: Vec<u8>,
}

impl Blob {
    fn new(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::sha256(&bytes), bytes }
    }

    fn json(value: &Value) -> Self {
        Self::new(serde_json::to_vec(value).unwrap())
    }
}

/// An image of two layers, one large enough to come in several pieces.
#[derive(Clone)]
pub(crate) struct TestImage {
    pub(crate) manifest: Blob,
    pub(crate) config: Blob,
    pub(crate) layers: Vec<Blob>,
}

impl TestImage {
    pub(crate) fn new(architecture: &str) -> Self {
        let tars = [
            tar(&[("etc/os-release", b"ID=test\n".to_vec())]),
            tar(&[("srv/data", noise(3 << 20)), ("srv/arch", architecture.into())]),
        ];
        let layers: Vec<Blob> = tars.iter().map(|tar| Blob::new(gzip(tar))).collect();
        let diff_ids: Vec<_> = tars.iter().map(|tar| Digest::sha256(tar).to_string()).collect();
        let config = Blob::json(&json!({
            "architecture": architecture, "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        }));
        Self::of(config, layers, LAYER_TYPE)
    }

    /// The same image, its layers of another media type.
    pub(crate) fn with_layer_type(&self, media_type: &str) -> Self {
        Self::of(self.config.clone(), self.layers.clone(), media_type)
    }

    fn of(config: Blob, layers: Vec<Blob>, media_type: &str) -> Self {
        let manifest = Blob::json(&json!({
            "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
            "config": descriptor(CONFIG_TYPE, &config),
            "layers": layers.iter().map(|layer| descriptor(media_type, layer)).collect::<Vec<_>>(),
        }));
        Self { manifest, config, layers }
    }

    fn blobs(&self) -> impl Iterator<Item = &Blob> {
        [&self.manifest, &self.config].into_iter().chain(&self.layers)
    }
}

/// Writes an OCI layout that holds `images`, by platform, behind the tag `many`, and the first one
/// alone behind `one`.
pub(crate) fn write_layout(directory: &Path, images: &[(&str, &TestImage)]) {
    let blobs = directory.join("blobs/sha256");
    fs_err::create_dir_all(&blobs).unwrap();
    let write = |blob: &Blob| fs_err::write(blobs.join(blob.digest.hex()), &blob.bytes).unwrap();
    let rows: Vec<_> = images
        .iter()
        .map(|(architecture, image)| {
            image.blobs().for_each(write);
            let mut row = descriptor(MANIFEST_TYPE, &image.manifest);
            row["platform"] = json!({"os": "linux", "architecture": architecture});
            row
        })
        .collect();
    let many = Blob::json(&json!({
        "schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": rows,
    }));
    write(&many);
    let named = |media_type: &str, blob: &Blob, name: &str| {
        let mut row = descriptor(media_type, blob);
        row["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        row
    };
    let index = json!({
        "schemaVersion": 2,
        "manifests": [
            named(MANIFEST_TYPE, &images[0].1.manifest, "one"),
            named(INDEX_TYPE, &many, "many"),
        ],
    });
    fs_err::write(directory.join("index.json"), index.to_string()).unwrap();
    fs_err::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

fn descriptor(media_type: &str, blob: &Blob) -> Value {
    json!({"mediaType": media_type, "digest": blob.digest.to_string(), "size": blob.bytes.len()})
}

fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        tar.append_data(&mut header, path, content.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// Bytes that do not compress.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(count)
    .collect()
}
