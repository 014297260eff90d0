//! Manifests and indexes, in OCI's and Docker's media types.

use std::collections::BTreeMap;

use jettison_oci::{Digest, Platform};
use oci_spec::image as spec;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::limits::DESCRIPTORS_MAX;
use crate::source::Descriptor;

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
        matches!(
            self.descriptor.media_type.as_str(),
            "application/vnd.oci.image.index.v1+json"
                | "application/vnd.docker.distribution.manifest.list.v2+json"
        )
    }

    /// Whether it is BuildKit's provenance or SBOM of another manifest, stored beside it under
    /// the platform `unknown/unknown`.
    pub fn is_attestation(&self) -> bool {
        self.annotations.get("vnd.docker.reference.type").map(String::as_str)
            == Some("attestation-manifest")
            || self.platform.as_ref().is_some_and(|platform| platform.os == "unknown")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    manifests: Option<serde::de::IgnoredAny>,
    config: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    fs_layers: Option<serde::de::IgnoredAny>,
}

/// Tells what a document is by what is in it, and parses it. `what` names it in errors.
pub fn parse_document(what: &str, bytes: &[u8]) -> Result<Document> {
    let malformed = |error: serde_json::Error| Error::malformed(what, error);
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    if first != Some(&b'{') {
        return Err(Error::malformed(what, "expected a JSON object"));
    }
    let probe: Probe = serde_json::from_slice(bytes).map_err(malformed)?;
    if probe.fs_layers.is_some() {
        return Err(Error::malformed(
            what,
            "it is a Docker schema 1 manifest, which no current tool writes: push the image again",
        ));
    }
    if probe.manifests.is_some() {
        let index: spec::ImageIndex = serde_json::from_slice(bytes).map_err(malformed)?;
        return Ok(Document::Index(convert_index(what, &index)?));
    }
    if probe.config.is_some() && probe.layers.is_some() {
        let manifest: spec::ImageManifest = serde_json::from_slice(bytes).map_err(malformed)?;
        return Ok(Document::Manifest(convert_manifest(what, &manifest)?));
    }
    Err(Error::malformed(what, "it is neither an image manifest nor an index"))
}

fn convert_manifest(what: &str, manifest: &spec::ImageManifest) -> Result<Manifest> {
    if manifest.layers().len() > DESCRIPTORS_MAX {
        return Err(Error::malformed(what, format!("it names more than {DESCRIPTORS_MAX} layers")));
    }
    Ok(Manifest {
        config: descriptor(what, manifest.config())?,
        layers: manifest
            .layers()
            .iter()
            .map(|layer| descriptor(what, layer))
            .collect::<Result<_>>()?,
        annotations: annotations(manifest.annotations().as_ref()),
    })
}

fn convert_index(what: &str, index: &spec::ImageIndex) -> Result<Index> {
    if index.manifests().len() > DESCRIPTORS_MAX {
        return Err(Error::malformed(
            what,
            format!("it names more than {DESCRIPTORS_MAX} manifests"),
        ));
    }
    let entries = index
        .manifests()
        .iter()
        .map(|entry| {
            Ok(IndexEntry {
                descriptor: descriptor(what, entry)?,
                platform: entry.platform().as_ref().map(|platform| {
                    Platform::new(
                        &platform.os().to_string(),
                        &platform.architecture().to_string(),
                        platform.variant().as_deref(),
                    )
                }),
                annotations: annotations(entry.annotations().as_ref()),
            })
        })
        .collect::<Result<_>>()?;
    Ok(Index { entries })
}

fn descriptor(what: &str, descriptor: &spec::Descriptor) -> Result<Descriptor> {
    Ok(Descriptor {
        media_type: descriptor.media_type().to_string(),
        digest: descriptor
            .digest()
            .to_string()
            .parse::<Digest>()
            .map_err(|error| Error::malformed(what, error))?,
        size: descriptor.size(),
    })
}

fn annotations(
    annotations: Option<&std::collections::HashMap<String, String>>,
) -> BTreeMap<String, String> {
    annotations.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect()
}
