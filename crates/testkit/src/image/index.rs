//! Several images behind one reference.

use std::collections::BTreeMap;
use std::sync::Arc;

use jettison_oci::Digest;
use serde_json::{Value, json};

use super::built::{Format, Image, descriptor};

/// A finished image index (Docker: manifest list), with every blob below it.
#[derive(Clone, Debug)]
pub struct Index {
    /// Whose media types it uses.
    pub format: Format,
    /// Repository tags.
    pub tags: Vec<String>,
    bytes: Arc<Vec<u8>>,
    blobs: BTreeMap<Digest, Arc<Vec<u8>>>,
}

impl Index {
    /// The index's bytes.
    pub fn bytes(&self) -> &Arc<Vec<u8>> {
        &self.bytes
    }

    /// The index's digest.
    pub fn digest(&self) -> Digest {
        Digest::sha256(&self.bytes)
    }

    /// The index's descriptor.
    pub fn descriptor(&self) -> Value {
        descriptor(self.format.index(), &self.digest(), self.bytes.len())
    }

    /// Every blob that an archive of this index holds, the index itself included.
    pub fn blobs(&self) -> BTreeMap<Digest, Arc<Vec<u8>>> {
        let mut blobs = self.blobs.clone();
        blobs.insert(self.digest(), Arc::clone(&self.bytes));
        blobs
    }
}

/// Builds an image index.
#[derive(Clone, Debug, Default)]
pub struct IndexBuilder {
    format: Format,
    tags: Vec<String>,
    manifests: Vec<Value>,
    annotations: BTreeMap<String, String>,
    blobs: BTreeMap<Digest, Arc<Vec<u8>>>,
}

impl IndexBuilder {
    /// An index of no images, with OCI media types.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whose media types it uses.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// One more image; its platform goes into the descriptor.
    #[must_use]
    pub fn image(self, image: &Image) -> Self {
        self.descriptor(image.descriptor(), image.blobs())
    }

    /// One more index inside this one.
    #[must_use]
    pub fn index(self, index: &Index) -> Self {
        self.descriptor(index.descriptor(), index.blobs())
    }

    /// One more manifest by its descriptor, with the blobs it needs.
    #[must_use]
    pub fn descriptor(mut self, descriptor: Value, blobs: BTreeMap<Digest, Arc<Vec<u8>>>) -> Self {
        self.manifests.push(descriptor);
        self.blobs.extend(blobs);
        self
    }

    /// The attestation manifest that `BuildKit` puts beside `image`: its platform is unknown, and
    /// its only layer is an in-toto statement that is no file system.
    #[must_use]
    pub fn attestation(self, image: &Image) -> Self {
        let subject = image.manifest_digest();
        let predicate = "https://slsa.dev/provenance/v1";
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": predicate,
            "subject": [{ "name": "_", "digest": { "sha256": subject.hex() } }],
            "predicate": { "buildDefinition": { "buildType": "https://mobyproject.org/buildkit@v1" } },
        })
        .to_string()
        .into_bytes();
        let statement_digest = Digest::sha256(&statement);
        let config = json!({
            "architecture": "unknown",
            "os": "unknown",
            "config": {},
            "rootfs": { "type": "layers", "diff_ids": [statement_digest] },
        })
        .to_string()
        .into_bytes();
        let mut layer =
            descriptor("application/vnd.in-toto+json", &statement_digest, statement.len());
        layer["annotations"] = json!({ "in-toto.io/predicate-type": predicate });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": Format::Oci.manifest(),
            "config": descriptor(Format::Oci.config(), &Digest::sha256(&config), config.len()),
            "layers": [layer],
        })
        .to_string()
        .into_bytes();
        let mut entry =
            descriptor(Format::Oci.manifest(), &Digest::sha256(&manifest), manifest.len());
        entry["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
        entry["annotations"] = json!({
            "vnd.docker.reference.digest": subject,
            "vnd.docker.reference.type": "attestation-manifest",
        });
        let blobs = [statement, config, manifest]
            .map(|bytes| (Digest::sha256(&bytes), Arc::new(bytes)))
            .into();
        self.descriptor(entry, blobs)
    }

    /// One more annotation of the index.
    #[must_use]
    pub fn annotation(mut self, name: &str, value: &str) -> Self {
        self.annotations.insert(name.to_owned(), value.to_owned());
        self
    }

    /// One more repository tag.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    /// The finished index.
    pub fn build(self) -> Index {
        let mut index = json!({
            "schemaVersion": 2,
            "mediaType": self.format.index(),
            "manifests": self.manifests,
        });
        if !self.annotations.is_empty() {
            index["annotations"] = json!(self.annotations);
        }
        let bytes = Arc::new(index.to_string().into_bytes());
        Index { format: self.format, tags: self.tags, bytes, blobs: self.blobs }
    }
}
