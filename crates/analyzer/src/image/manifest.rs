//! Manifests and indexes, in OCI's and Docker's media types.

use std::collections::BTreeMap;

use jettison_oci::{Digest, Platform};
use oci_spec::image::MediaType;

use crate::error::{Error, Result};
use crate::image::document::{self, DescriptorFields, ManifestOrIndex, Object, PlatformFields};
use crate::limits::DESCRIPTORS_MAX;
use crate::source::Descriptor;

/// Docker's index. oci-spec names OCI's media types only.
const DOCKER_MANIFEST_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// A document that a digest of an image may lead to.
#[derive(Clone, Debug)]
pub enum Document {
    /// One image.
    Manifest(Manifest),
    /// Several, by platform.
    Index(Index),
}

/// One image: its config and its layers, bottom first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The config blob.
    pub config: Descriptor,
    /// The layer blobs.
    pub layers: Vec<Descriptor>,
    /// Annotations, among them what the base image was.
    pub annotations: BTreeMap<String, String>,
}

/// Manifests by platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// In the order of the document.
    pub entries: Vec<IndexEntry>,
}

/// One row of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The manifest, or a nested index.
    pub descriptor: Descriptor,
    /// What it is for, where the index says so.
    pub platform: Option<Platform>,
    /// Annotations; a layout names its tags here.
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Whether it describes a filesystem, rather than another artifact.
    pub fn is_image(&self) -> bool {
        matches!(
            self.config.media_type.as_str(),
            "application/vnd.oci.image.config.v1+json"
                | "application/vnd.docker.container.image.v1+json"
                // Written by some builders that know no better.
                | ""
                | "application/json"
                | "application/octet-stream"
        ) && !self
            .layers
            .iter()
            .any(|layer| layer.media_type.starts_with("application/vnd.in-toto"))
    }
}

impl IndexEntry {
    /// Whether it is another index.
    pub fn is_index(&self) -> bool {
        is_index(self.descriptor.media_type.as_str().into())
    }

    /// Whether it is BuildKit's provenance or SBOM of another manifest, stored beside it under
    /// the platform `unknown/unknown`.
    pub fn is_attestation(&self) -> bool {
        self.annotations.get("vnd.docker.reference.type").map(String::as_str)
            == Some("attestation-manifest")
            || self.platform.as_ref().is_some_and(|platform| platform.os == "unknown")
    }
}

/// Tells what a document is by what is in it, and parses it. `what` names it in errors.
pub fn parse_document(what: &str, bytes: &[u8]) -> Result<Document> {
    let fields: ManifestOrIndex = document::read(what, bytes)?;
    if fields.fs_layers.is_some() {
        return Err(Error::malformed(
            what,
            "it is a Docker schema 1 manifest, which no current tool writes: push the image again",
        ));
    }
    let annotations = annotations(fields.annotations);
    // An index of nothing has `null` for its manifests, or leaves them out.
    let (manifests, is_index) = match fields.manifests {
        Some(Some(manifests)) => (manifests, true),
        Some(None) => (Vec::new(), fields.config.is_none()),
        None => (Vec::new(), fields.config.is_none() && fields.media_type.is_some_and(is_index)),
    };
    if is_index {
        return Ok(Document::Index(Index { entries: entries(what, manifests)? }));
    }
    let Some(Object(config)) = fields.config else {
        return Err(Error::malformed(what, "it is neither an image manifest nor an index"));
    };
    let layers = fields.layers.unwrap_or_default();
    if layers.len() > DESCRIPTORS_MAX {
        return Err(Error::malformed(what, format!("it names more than {DESCRIPTORS_MAX} layers")));
    }
    Ok(Document::Manifest(Manifest {
        config: descriptor(what, "config", config)?,
        layers: layers
            .into_iter()
            .enumerate()
            .map(|(at, Object(layer))| descriptor(what, &format!("layer {at}"), layer))
            .collect::<Result<_>>()?,
        annotations,
    }))
}

fn entries(what: &str, manifests: Vec<Object<DescriptorFields>>) -> Result<Vec<IndexEntry>> {
    if manifests.len() > DESCRIPTORS_MAX {
        return Err(Error::malformed(
            what,
            format!("it names more than {DESCRIPTORS_MAX} manifests"),
        ));
    }
    let entry = |(at, Object(mut fields)): (usize, Object<DescriptorFields>)| {
        Ok(IndexEntry {
            platform: fields.platform.take().and_then(|Object(fields)| platform(&fields)),
            annotations: annotations(fields.annotations.take()),
            descriptor: descriptor(what, &format!("manifest {at}"), fields)?,
        })
    };
    manifests.into_iter().enumerate().map(entry).collect()
}

/// A platform with a part missing says nothing: the config tells.
fn platform(fields: &PlatformFields) -> Option<Platform> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (os, architecture) = (given(&fields.os)?, given(&fields.architecture)?);
    Some(Platform::new(&os, &architecture, fields.variant.as_deref()))
}

/// `part` names the descriptor in its document.
fn descriptor(what: &str, part: &str, fields: DescriptorFields) -> Result<Descriptor> {
    let Some(digest) = fields.digest.filter(|digest| !digest.is_empty()) else {
        return Err(Error::malformed(what, format!("the descriptor of its {part} has no digest")));
    };
    Ok(Descriptor {
        media_type: fields.media_type.map(|name| name.to_string()).unwrap_or_default(),
        digest: digest.parse::<Digest>().map_err(|error| Error::malformed(what, error))?,
        size: fields.size.unwrap_or(0),
    })
}

fn annotations(fields: Option<BTreeMap<String, Option<String>>>) -> BTreeMap<String, String> {
    fields.into_iter().flatten().map(|(key, value)| (key, value.unwrap_or_default())).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of is_some_and")]
fn is_index(media_type: MediaType) -> bool {
    media_type == MediaType::ImageIndex || media_type.as_ref() == DOCKER_MANIFEST_LIST
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(value: &Value) -> Result<Document> {
        parse_document("the document", value.to_string().as_bytes())
    }

    fn digest() -> String {
        Digest::sha256(b"").to_string()
    }

    #[test]
    fn manifests_of_no_layers_are_read_as_go_reads_them() {
        let config = json!({ "digest": digest(), "mediaType": MediaType::ImageConfig.to_string() });
        for manifest in [
            json!({ "schemaVersion": 2, "config": config, "layers": [] }),
            json!({ "schemaVersion": 2, "config": config, "layers": null, "annotations": null }),
            json!({ "config": config, "manifests": null }),
        ] {
            let Document::Manifest(read) = parse(&manifest).unwrap() else { panic!("{manifest}") };
            assert!(read.layers.is_empty() && read.is_image(), "{manifest}");
        }
    }

    #[test]
    fn indexes_of_nothing_and_of_no_platform_are_read_as_go_reads_them() {
        for index in [
            json!({ "schemaVersion": 2, "manifests": null }),
            json!({ "manifests": [] }),
            json!({ "mediaType": MediaType::ImageIndex.to_string() }),
        ] {
            let Document::Index(read) = parse(&index).unwrap() else { panic!("{index}") };
            assert!(read.entries.is_empty());
        }
        for platform in [
            json!(null),
            json!({}),
            json!({ "os": "", "architecture": "" }),
            json!({ "os": "linux", "architecture": null }),
        ] {
            let entry =
                json!({ "digest": digest(), "platform": platform, "annotations": { "a": null } });
            let Document::Index(read) = parse(&json!({ "manifests": [entry] })).unwrap() else {
                panic!("{platform}")
            };
            let [entry] = &read.entries[..] else { panic!("{read:?}") };
            assert!(entry.platform.is_none() && !entry.is_attestation(), "{platform}");
            assert_eq!(entry.annotations["a"], "");
        }
    }

    #[test]
    fn what_is_no_document_is_malformed() {
        let config = json!({ "digest": digest() });
        let layers = |layers: Value| json!({ "config": config, "layers": layers });
        for (bad, word) in [
            (json!([]), "object"),
            (json!(null), "object"),
            (json!({}), "neither"),
            (json!({ "layers": [] }), "neither"),
            (json!({ "manifests": 7 }), "7"),
            (json!({ "manifests": [{}] }), "manifest 0 has no digest"),
            (json!({ "manifests": [[]] }), "object"),
            (json!({ "config": {}, "layers": [] }), "config has no digest"),
            (json!({ "config": [] }), "object"),
            (layers(json!([{ "size": 1 }])), "layer 0 has no digest"),
            (layers(json!([{ "digest": "sha256:1" }])), "hex digits"),
            (layers(json!([{ "digest": digest(), "size": -1 }])), "-1"),
            (layers(json!([{ "digest": digest(), "size": "1" }])), "u64"),
            (json!({ "schemaVersion": 1, "fsLayers": [] }), "schema 1"),
        ] {
            let error = parse(&bad).unwrap_err();
            assert!(matches!(error, Error::Malformed { .. }), "{bad}: {error}");
            assert!(error.to_string().contains(word), "{bad}: {error}");
        }
    }
}
