//! A finished image: its configuration, its layers, and the manifest over both.

use std::collections::BTreeMap;
use std::sync::Arc;

use jettison_oci::{Digest, Platform};
use serde_json::{Value, json};

use super::compression::{Codec, Compression};
use super::layer::LayerBuilder;

/// Whose media types a manifest uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `application/vnd.oci.image.…`
    #[default]
    Oci,
    /// `application/vnd.docker.distribution.…`, schema 2.
    Docker,
}

impl Format {
    /// The media type of a manifest.
    pub const fn manifest(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.manifest.v1+json",
            Self::Docker => "application/vnd.docker.distribution.manifest.v2+json",
        }
    }

    /// The media type of an index, which Docker calls a manifest list.
    pub const fn index(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.index.v1+json",
            Self::Docker => "application/vnd.docker.distribution.manifest.list.v2+json",
        }
    }

    /// The media type of a configuration.
    pub const fn config(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.config.v1+json",
            Self::Docker => "application/vnd.docker.container.image.v1+json",
        }
    }

    pub(super) fn layer(self, codec: Codec, foreign: bool) -> String {
        let kind = match (self, foreign) {
            (Self::Oci, false) => "application/vnd.oci.image.layer.v1.tar",
            (Self::Oci, true) => "application/vnd.oci.image.layer.nondistributable.v1.tar",
            (Self::Docker, false) => "application/vnd.docker.image.rootfs.diff.tar",
            (Self::Docker, true) => "application/vnd.docker.image.rootfs.foreign.diff.tar",
        };
        let suffix = match (self, codec) {
            (_, Codec::Plain) => "",
            (Self::Oci, Codec::Gzip) => "+gzip",
            (Self::Oci, Codec::Zstd) => "+zstd",
            (Self::Docker, Codec::Gzip) => ".gzip",
            (Self::Docker, Codec::Zstd) => ".zstd",
        };
        format!("{kind}{suffix}")
    }
}

/// A layer of a finished image.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The digest of the uncompressed archive.
    pub diff_id: Digest,
    /// The digest of the blob.
    pub digest: Digest,
    /// What the descriptor says the blob is.
    pub media_type: String,
    /// The uncompressed archive.
    pub tar: Arc<Vec<u8>>,
    /// The blob.
    pub blob: Arc<Vec<u8>>,
    /// The descriptor's annotations.
    pub annotations: BTreeMap<String, String>,
    /// Not distributed: named by the manifest, in no archive.
    pub foreign: bool,
}

impl Layer {
    pub(super) fn new(
        layer: &LayerBuilder,
        compression: Compression,
        format: Format,
        foreign: bool,
    ) -> Self {
        let encoded = compression.encode(layer);
        let tar = Arc::new(encoded.tar);
        let diff_id = Digest::sha256(&tar);
        let (blob, digest) = match encoded.blob {
            None => (Arc::clone(&tar), diff_id.clone()),
            Some(blob) => {
                let digest = Digest::sha256(&blob);
                (Arc::new(blob), digest)
            }
        };
        let media_type = format.layer(compression.codec(), foreign);
        let annotations = encoded.annotations;
        Self { diff_id, digest, media_type, tar, blob, annotations, foreign }
    }

    fn uncompressed(&self, format: Format) -> Self {
        Self {
            diff_id: self.diff_id.clone(),
            digest: self.diff_id.clone(),
            media_type: format.layer(Codec::Plain, self.foreign),
            tar: Arc::clone(&self.tar),
            blob: Arc::clone(&self.tar),
            annotations: BTreeMap::new(),
            foreign: self.foreign,
        }
    }

    fn descriptor(&self) -> Value {
        let mut descriptor = descriptor(&self.media_type, &self.digest, self.blob.len());
        if !self.annotations.is_empty() {
            descriptor["annotations"] = json!(self.annotations);
        }
        if self.foreign {
            descriptor["urls"] = json!([format!("https://layers.invalid/{}", self.digest.hex())]);
        }
        descriptor
    }
}

/// A finished image of one platform.
#[derive(Clone, Debug)]
pub struct Image {
    /// Whose media types it uses.
    pub format: Format,
    /// What it runs on.
    pub platform: Platform,
    /// Repository tags such as `example/app:1`.
    pub tags: Vec<String>,
    /// Layers, bottom first.
    pub layers: Vec<Layer>,
    annotations: BTreeMap<String, String>,
    config: Arc<Vec<u8>>,
    manifest: Arc<Vec<u8>>,
}

impl Image {
    pub(super) fn new(
        format: Format,
        platform: Platform,
        tags: Vec<String>,
        layers: Vec<Layer>,
        annotations: BTreeMap<String, String>,
        config: &Value,
    ) -> Self {
        let config = Arc::new(config.to_string().into_bytes());
        let manifest = Arc::default();
        let image = Self { format, platform, tags, layers, annotations, config, manifest };
        image.with_new_manifest()
    }

    fn with_new_manifest(mut self) -> Self {
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": self.format.manifest(),
            "config": descriptor(self.format.config(), &self.config_digest(), self.config.len()),
            "layers": self.layers.iter().map(Layer::descriptor).collect::<Vec<_>>(),
        });
        if !self.annotations.is_empty() {
            manifest["annotations"] = json!(self.annotations);
        }
        self.manifest = Arc::new(manifest.to_string().into_bytes());
        self
    }

    /// The configuration's bytes.
    pub fn config(&self) -> &Arc<Vec<u8>> {
        &self.config
    }

    /// The configuration's digest: Docker's image ID.
    pub fn config_digest(&self) -> Digest {
        Digest::sha256(&self.config)
    }

    /// The manifest's bytes.
    pub fn manifest(&self) -> &Arc<Vec<u8>> {
        &self.manifest
    }

    /// The manifest's digest.
    pub fn manifest_digest(&self) -> Digest {
        Digest::sha256(&self.manifest)
    }

    /// The manifest's descriptor, with its platform, as an index holds it.
    pub fn descriptor(&self) -> Value {
        let mut descriptor =
            descriptor(self.format.manifest(), &self.manifest_digest(), self.manifest.len());
        let Platform { os, architecture, variant } = &self.platform;
        descriptor["platform"] = json!({ "os": os, "architecture": architecture });
        if let Some(variant) = variant {
            descriptor["platform"]["variant"] = json!(variant);
        }
        descriptor
    }

    /// The diff IDs, bottom first.
    pub fn diff_ids(&self) -> Vec<Digest> {
        self.layers.iter().map(|layer| layer.diff_id.clone()).collect()
    }

    /// Every blob that an archive of this image holds, by digest: manifest, configuration, layers.
    pub fn blobs(&self) -> BTreeMap<Digest, Arc<Vec<u8>>> {
        let mut blobs = BTreeMap::from([
            (self.manifest_digest(), Arc::clone(&self.manifest)),
            (self.config_digest(), Arc::clone(&self.config)),
        ]);
        for layer in self.layers.iter().filter(|layer| !layer.foreign) {
            blobs.insert(layer.digest.clone(), Arc::clone(&layer.blob));
        }
        blobs
    }

    /// The same image with plain layers, as Docker's own store keeps it.
    #[must_use]
    pub fn uncompressed(&self) -> Self {
        let layers = self.layers.iter().map(|layer| layer.uncompressed(self.format)).collect();
        Self { layers, ..self.clone() }.with_new_manifest()
    }

    /// The same image with every layer in one gzip member.
    #[must_use]
    pub fn gzipped(&self) -> Self {
        let gzip = |layer: &Layer| {
            let tar = LayerBuilder::from_tar(layer.tar.as_ref().clone());
            Layer::new(&tar, Compression::default(), self.format, layer.foreign)
        };
        Self { layers: self.layers.iter().map(gzip).collect(), ..self.clone() }.with_new_manifest()
    }

    /// The same image under other tags.
    #[must_use]
    pub fn tagged<S: Into<String>>(mut self, tags: impl IntoIterator<Item = S>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Changes the configuration; the manifest follows, so that only the meaning is tampered with.
    ///
    /// # Panics
    /// When an earlier edit left something that is not JSON.
    #[must_use]
    pub fn edit_config(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        let mut config = serde_json::from_slice(&self.config).expect("a configuration is JSON");
        edit(&mut config);
        self.config = Arc::new(config.to_string().into_bytes());
        self.with_new_manifest()
    }

    /// Changes the manifest, and with it the digest that the index names.
    ///
    /// # Panics
    /// When an earlier edit left something that is not JSON.
    #[must_use]
    pub fn edit_manifest(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        let mut manifest = serde_json::from_slice(&self.manifest).expect("a manifest is JSON");
        edit(&mut manifest);
        self.manifest = Arc::new(manifest.to_string().into_bytes());
        self
    }
}

/// A descriptor of `length` bytes.
pub(super) fn descriptor(media_type: &str, digest: &Digest, length: usize) -> Value {
    json!({ "mediaType": media_type, "digest": digest, "size": length })
}
