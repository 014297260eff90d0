//! OCI image layouts: a directory, or the same files in an archive.

use std::collections::BTreeMap;
use std::sync::Arc;

use jettison_oci::Digest;
use serde_json::{Value, json};

use super::built::{Format, Image};
use super::files::ImageFiles;
use super::index::Index;

/// What `index.json` of a layout points to: an image or an index.
#[derive(Clone, Debug)]
pub enum Root {
    /// An image of one platform.
    Image(Image),
    /// Several images.
    Index(Index),
}

impl From<Image> for Root {
    fn from(image: Image) -> Self {
        Self::Image(image)
    }
}

impl From<Index> for Root {
    fn from(index: Index) -> Self {
        Self::Index(index)
    }
}

impl Root {
    /// Repository tags.
    pub fn tags(&self) -> &[String] {
        match self {
            Self::Image(image) => &image.tags,
            Self::Index(index) => &index.tags,
        }
    }

    /// The descriptor in `index.json`.
    pub fn descriptor(&self) -> Value {
        match self {
            Self::Image(image) => image.descriptor(),
            Self::Index(index) => index.descriptor(),
        }
    }

    /// Every blob below it, itself included.
    pub fn blobs(&self) -> BTreeMap<Digest, Arc<Vec<u8>>> {
        match self {
            Self::Image(image) => image.blobs(),
            Self::Index(index) => index.blobs(),
        }
    }
}

impl ImageFiles {
    /// An OCI image layout of `roots`: each tag is one entry of `index.json`, its
    /// `org.opencontainers.image.ref.name` the whole tag.
    pub fn oci_layout<R: Into<Root>>(roots: impl IntoIterator<Item = R>) -> Self {
        let mut files = Self::default();
        let mut manifests = Vec::new();
        for root in roots.into_iter().map(Into::into) {
            for (digest, bytes) in root.blobs() {
                files.blob(&digest, &bytes);
            }
            if root.tags().is_empty() {
                manifests.push(root.descriptor());
            }
            for tag in root.tags() {
                let mut descriptor = root.descriptor();
                descriptor["annotations"] = json!({ "org.opencontainers.image.ref.name": tag });
                manifests.push(descriptor);
            }
        }
        files.file("index.json", index_json(&manifests));
        files.file("oci-layout", oci_layout());
        files
    }
}

/// The layout's marker file.
pub(super) fn oci_layout() -> Vec<u8> {
    json!({ "imageLayoutVersion": "1.0.0" }).to_string().into_bytes()
}

/// The layout's entry point.
pub(super) fn index_json(manifests: &[Value]) -> Vec<u8> {
    json!({ "schemaVersion": 2, "mediaType": Format::Oci.index(), "manifests": manifests })
        .to_string()
        .into_bytes()
}
