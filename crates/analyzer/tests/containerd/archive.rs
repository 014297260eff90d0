//! OCI archives made in code, for `ctr images import`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use jettison_oci::{Digest, Platform};
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An OCI archive in the making.
#[derive(Default)]
pub(crate) struct Archive {
    pub(crate) blobs: BTreeMap<Digest, Vec<u8>>,
    index: Vec<Value>,
}

impl Archive {
    fn blob(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let (digest, size) = (Digest::sha256(&bytes), bytes.len());
        let descriptor = json!({"mediaType": media_type, "digest": digest.as_str(), "size": size});
        self.blobs.insert(digest, bytes);
        descriptor
    }

    fn document(&mut self, media_type: &str, document: &Value) -> Value {
        self.blob(media_type, serde_json::to_vec(document).unwrap())
    }

    /// An image of `layers`, each a tar; every other one is compressed. Its descriptor.
    pub(crate) fn image(&mut self, platform: &Platform, layers: &[Vec<u8>]) -> Value {
        let diff_ids: Vec<_> =
            layers.iter().map(|tar| Digest::sha256(tar).as_str().to_owned()).collect();
        let config = json!({
            "os": platform.os, "architecture": platform.architecture,
            "rootfs": {"type": "layers", "diff_ids": diff_ids}, "config": {},
        });
        let config = self.document("application/vnd.oci.image.config.v1+json", &config);
        let layers: Vec<_> = layers
            .iter()
            .enumerate()
            .map(|(at, tar)| match at % 2 {
                0 => self.blob("application/vnd.oci.image.layer.v1.tar+gzip", gzip(tar)),
                _ => self.blob("application/vnd.oci.image.layer.v1.tar", tar.clone()),
            })
            .collect();
        self.manifest(
            &json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}),
        )
    }

    pub(crate) fn manifest(&mut self, manifest: &Value) -> Value {
        self.document(MANIFEST, manifest)
    }

    /// An index of images by platform.
    pub(crate) fn images(&mut self, entries: &[(&Platform, &Value)]) -> Value {
        let manifests: Vec<_> = entries
            .iter()
            .map(|(platform, descriptor)| {
                let mut entry = (*descriptor).clone();
                entry["platform"] =
                    json!({"os": platform.os, "architecture": platform.architecture});
                entry
            })
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.document(INDEX, &index)
    }

    /// Names an image or index.
    pub(crate) fn name(&mut self, descriptor: &Value, name: &str) {
        let mut descriptor = descriptor.clone();
        descriptor["annotations"] = json!({"io.containerd.image.name": name});
        self.index.push(descriptor);
    }

    /// Leaves out a blob that others name.
    pub(crate) fn remove(&mut self, descriptor: &Value) {
        self.blobs.remove(&digest(descriptor).parse().unwrap()).unwrap();
    }

    /// A document that was put in before.
    pub(crate) fn parse(&self, descriptor: &Value) -> Value {
        serde_json::from_slice(&self.blobs[&digest(descriptor).parse().unwrap()]).unwrap()
    }

    pub(crate) fn write(&self, path: &Path) {
        let mut tar = tar::Builder::new(fs_err::File::create(path).unwrap());
        let mut add = |name: &str, bytes: &[u8]| append(&mut tar, name, bytes);
        add("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
        let index = json!({"schemaVersion": 2, "manifests": self.index});
        add("index.json", &serde_json::to_vec(&index).unwrap());
        for (digest, bytes) in &self.blobs {
            add(&format!("blobs/sha256/{}", digest.hex()), bytes);
        }
        tar.finish().unwrap();
    }
}

/// The digest in a descriptor.
pub(crate) fn digest(descriptor: &Value) -> &str {
    descriptor["digest"].as_str().unwrap()
}

/// The tar of a layer with these files, and a symlink to the first.
pub(crate) fn layer(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        append(&mut tar, name, bytes);
    }
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    header.set_mode(0o777);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    tar.append_link(&mut header, "link", files[0].0).unwrap();
    tar.into_inner().unwrap()
}

fn append(tar: &mut tar::Builder<impl Write>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o640);
    header.set_uid(7);
    header.set_gid(8);
    header.set_mtime(1_700_000_000);
    tar.append_data(&mut header, name, bytes).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Bytes that do not compress, so that a blob takes many messages.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        })
        .collect()
}
