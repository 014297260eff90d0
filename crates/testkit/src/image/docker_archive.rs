//! What `docker save` and kaniko write.

use std::collections::BTreeMap;
use std::sync::Arc;

use jettison_oci::{Digest, Reference, chain_ids};
use serde_json::{Map, Value, json};

use super::built::Image;
use super::files::{ImageFiles, blob_path};
use super::layout::{index_json, oci_layout};

impl ImageFiles {
    /// What Docker up to 24 saves: `<id>/layer.tar`, the configurations, `manifest.json` and
    /// `repositories`. With `link_repeats`, a layer that was written before becomes a symbolic
    /// link (`../<id>/layer.tar`) to the first, as Docker writes it.
    pub fn docker_archive_legacy(images: &[Image], link_repeats: bool) -> Self {
        let mut files = Self::default();
        let mut manifest = Vec::new();
        let mut repositories = Map::new();
        let mut written: BTreeMap<&Digest, String> = BTreeMap::new();
        for image in images {
            let config = format!("{}.json", image.config_digest().hex());
            files.file(&config, Arc::clone(image.config()));
            let mut parent: Option<String> = None;
            let mut layers = Vec::new();
            for (layer, chain_id) in image.layers.iter().zip(chain_ids(&image.diff_ids())) {
                // Docker hashes the v1 configuration; ours is as unique and as stable.
                let id = Digest::sha256(format!("{config} {chain_id}").as_bytes()).hex().to_owned();
                let mut v1 = json!({ "id": id, "os": image.platform.os });
                if let Some(parent) = &parent {
                    v1["parent"] = json!(parent);
                }
                let path = format!("{id}/layer.tar");
                files.directory(format!("{id}/"));
                files.file(format!("{id}/VERSION"), b"1.0".to_vec());
                files.file(format!("{id}/json"), v1.to_string().into_bytes());
                match written.get(&layer.diff_id).filter(|_| link_repeats) {
                    Some(first) => files.symlink(&path, format!("../{first}")),
                    None if layer.foreign => {}
                    None => {
                        files.file(&path, Arc::clone(&layer.tar));
                        written.insert(&layer.diff_id, path.clone());
                    }
                }
                layers.push(path);
                parent = Some(id);
            }
            if let Some(top) = parent {
                name(&mut repositories, image, &top);
            }
            manifest.push(entry(&config, image, &layers));
        }
        files.file("manifest.json", Value::Array(manifest).to_string().into_bytes());
        if !repositories.is_empty() {
            files.file("repositories", Value::Object(repositories).to_string().into_bytes());
        }
        files.sorted()
    }

    /// What Docker from 25 saves: an OCI layout with plain layers, `manifest.json` beside it.
    pub fn docker_archive(images: &[Image]) -> Self {
        Self::docker_layout(images.iter().map(Image::uncompressed))
    }

    /// What Docker saves from its containerd image store: as [`Self::docker_archive`], with the
    /// blobs compressed as they were pulled.
    pub fn docker_archive_compressed(images: &[Image]) -> Self {
        Self::docker_layout(images.iter().cloned())
    }

    fn docker_layout(images: impl Iterator<Item = Image>) -> Self {
        let mut files = Self::default();
        let (mut manifest, mut index) = (Vec::new(), Vec::new());
        files.directory("blobs/");
        files.directory("blobs/sha256/");
        for image in images {
            for (digest, bytes) in image.blobs() {
                files.blob(&digest, &bytes);
            }
            if image.tags.is_empty() {
                index.push(image.descriptor());
            }
            for tag in &image.tags {
                let mut descriptor = image.descriptor();
                let mut annotations = Map::new();
                if let Ok(reference) = tag.parse::<Reference>() {
                    annotations
                        .insert("io.containerd.image.name".into(), json!(reference.to_string()));
                    annotations
                        .insert("org.opencontainers.image.ref.name".into(), json!(reference.tag()));
                }
                descriptor["annotations"] = Value::Object(annotations);
                index.push(descriptor);
            }
            let layers: Vec<_> =
                image.layers.iter().map(|layer| blob_path(&layer.digest)).collect();
            let mut entry = entry(&blob_path(&image.config_digest()), &image, &layers);
            let sources: Map<String, Value> = image
                .layers
                .iter()
                .map(|layer| {
                    let source = json!({
                        "mediaType": layer.media_type,
                        "size": layer.blob.len(),
                        "digest": layer.digest,
                    });
                    (layer.diff_id.as_str().to_owned(), source)
                })
                .collect();
            entry["LayerSources"] = Value::Object(sources);
            manifest.push(entry);
        }
        files.file("index.json", index_json(&index));
        files.file("manifest.json", Value::Array(manifest).to_string().into_bytes());
        files.file("oci-layout", oci_layout());
        files.sorted()
    }

    /// What kaniko writes: a configuration named by its whole digest, and `<hex>.tar.gz` layers.
    pub fn kaniko_archive(images: &[Image]) -> Self {
        let mut files = Self::default();
        let mut manifest = Vec::new();
        for image in images.iter().map(Image::gzipped) {
            let config = image.config_digest().as_str().to_owned();
            files.file(&config, Arc::clone(image.config()));
            let mut layers = Vec::new();
            for layer in &image.layers {
                let path = format!("{}.tar.gz", layer.digest.hex());
                if !layer.foreign {
                    files.file(&path, Arc::clone(&layer.blob));
                }
                layers.push(path);
            }
            manifest.push(entry(&config, &image, &layers));
        }
        files.file("manifest.json", Value::Array(manifest).to_string().into_bytes());
        files
    }
}

/// One image of `manifest.json`.
fn entry(config: &str, image: &Image, layers: &[String]) -> Value {
    let tags = if image.tags.is_empty() { Value::Null } else { json!(image.tags) };
    json!({ "Config": config, "RepoTags": tags, "Layers": layers })
}

/// Notes the image's tags in the legacy `repositories` file.
fn name(repositories: &mut Map<String, Value>, image: &Image, top: &str) {
    for tag in &image.tags {
        if let Some((repository, tag)) = tag.rsplit_once(':') {
            repositories.entry(repository).or_insert_with(|| json!({}))[tag] = json!(top);
        }
    }
}
