//! containers/storage, which podman, buildah and CRI-O share: what its files say that the answers of
//! podman and CRI-O leave out. Images are in `overlay-images`, layers in `overlay-layers`, containers in
//! `overlay-containers`, each with one JSON list.

use std::collections::{HashMap, HashSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::inventory::{Container, ImageId, Pullable};
use crate::reclaim::{Part, Storage};

/// The longest list that is read, in bytes: tens of thousands of layers.
const LIST_MAX: u64 = 64 << 20;
/// The longest manifest, in bytes: what registries accept.
const MANIFEST_MAX: u64 = 4 << 20;
/// Layers on top of each other at most: the kernel's overlay takes 500.
const CHAIN_MAX: usize = 1024;

#[derive(Deserialize)]
struct ImageRow {
    id: String,
    #[serde(default)]
    layer: Option<String>,
    #[serde(default, rename = "mapped-layers")]
    mapped_layers: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct LayerRow {
    id: String,
    #[serde(default)]
    parent: Option<String>,
    #[serde(default)]
    created: Option<Timestamp>,
    #[serde(default, rename = "diff-size")]
    diff_size: Option<u64>,
    #[serde(default, rename = "diff-digest")]
    diff_digest: Option<String>,
}

#[derive(Deserialize)]
struct ContainerRow {
    id: String,
    #[serde(default)]
    names: Option<Vec<String>>,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    layer: Option<String>,
}

/// The lists of one store.
pub(super) struct Store {
    root: PathBuf,
    images: HashMap<ImageId, ImageRow>,
    layers: HashMap<String, LayerRow>,
    containers: Vec<ContainerRow>,
}

impl Store {
    /// The store whose images are in `images`, as CRI-O names the directory of its image file system:
    /// `<root>/overlay-images`. `None` where that is no store, or cannot be looked into from here.
    pub(super) fn of_images(images: &Path) -> Option<PathBuf> {
        let root = images.parent().filter(|_| images.ends_with("overlay-images"))?;
        Self::is_at(root).then(|| root.to_owned())
    }

    /// Whether a store is at `root` that can be read.
    pub(super) fn is_at(root: &Path) -> bool {
        root.join("overlay-layers").is_dir()
    }

    /// Reads the lists. A list that is not there is empty; one that cannot be read is an error.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let images: Vec<ImageRow> = list(&root.join("overlay-images/images.json"))?;
        let layers: Vec<LayerRow> = list(&root.join("overlay-layers/layers.json"))?;
        let containers = list(&root.join("overlay-containers/containers.json"))?;
        Ok(Self {
            root: root.to_owned(),
            images: images.into_iter().map(|row| (ImageId::new(&row.id), row)).collect(),
            layers: layers.into_iter().map(|row| (row.id.clone(), row)).collect(),
            containers,
        })
    }

    /// The layers of an image, and whether that is all of them.
    fn layers_of(&self, id: &ImageId) -> Option<Vec<&LayerRow>> {
        let row = self.images.get(id)?;
        let tops = row.layer.iter().chain(row.mapped_layers.iter().flatten());
        let mut layers = Vec::new();
        for top in tops.filter(|top| !top.is_empty()) {
            layers.extend(self.chain(top)?);
        }
        Some(layers)
    }

    fn chain(&self, top: &str) -> Option<Vec<&LayerRow>> {
        let mut chain = Vec::new();
        let mut next = top;
        while !next.is_empty() {
            let row = self.layers.get(next)?;
            chain.push(row);
            if chain.len() > CHAIN_MAX {
                return None;
            }
            next = row.parent.as_deref().unwrap_or_default();
        }
        Some(chain)
    }

    /// When the newest of an image's layers was written: not after the image came, and before that
    /// only where it brought no layer of its own.
    pub(super) fn pulled(&self, id: &ImageId) -> Option<Timestamp> {
        self.layers_of(id)?.iter().filter_map(|row| row.created).max()
    }

    /// Whether an image was pulled: registries hand out layers compressed, so that the manifest names
    /// other digests than those of the layers themselves. What was built or loaded here is filed as
    /// it lies.
    pub(super) fn pullable(&self, id: &ImageId) -> Pullable {
        #[derive(Deserialize)]
        struct Manifest {
            #[serde(default)]
            layers: Vec<Layer>,
        }
        #[derive(Deserialize)]
        struct Layer {
            #[serde(default)]
            digest: String,
        }
        let path = self.root.join("overlay-images").join(id.hex()).join("manifest");
        let manifest = bounded(&path, MANIFEST_MAX).ok();
        let manifest = manifest.and_then(|bytes| serde_json::from_slice::<Manifest>(&bytes).ok());
        let Some(manifest) = manifest else {
            return Pullable::No("its manifest in podman's store cannot be read".to_owned());
        };
        let layers = self.layers_of(id).unwrap_or_default();
        let own: HashSet<&str> =
            layers.iter().filter_map(|row| row.diff_digest.as_deref()).collect();
        let is_packed = |layer: &Layer| !own.contains(layer.digest.as_str());
        if own.is_empty() {
            return Pullable::No("podman's store does not say what its layers are".to_owned());
        }
        if manifest.layers.iter().all(is_packed) {
            Pullable::Yes
        } else {
            Pullable::No("it was built or loaded here (its layers are not compressed)".to_owned())
        }
    }

    /// Adds the containers of the store that are not among `containers`.
    pub(super) fn add_containers(&self, containers: &mut Vec<Container>) {
        let known: HashSet<String> = containers.iter().map(|one| one.id.clone()).collect();
        containers.extend(self.containers().filter(|one| !known.contains(&one.id)));
    }

    /// The containers of the store, whoever made them.
    fn containers(&self) -> impl Iterator<Item = Container> {
        self.containers.iter().filter_map(|row| {
            let image = row.image.clone().filter(|image| !image.is_empty())?;
            Some(Container {
                id: row.id.clone(),
                name: row.names.iter().flatten().next().cloned().unwrap_or_default(),
                state: "in containers/storage".to_owned(),
                images: vec![image],
                pod: None,
            })
        })
    }

    /// What the images are made of: layers by their ID. Each counts once however many images have
    /// it.
    pub(super) fn storage(&self) -> Storage {
        let mut storage = Storage::default();
        for row in self.layers.values() {
            storage.part(&row.id, row.diff_size.unwrap_or_default());
        }
        for id in self.images.keys() {
            let Some(layers) = self.layers_of(id) else { continue };
            let parts: Vec<Part> = layers
                .iter()
                .map(|row| storage.part(&row.id, row.diff_size.unwrap_or_default()))
                .collect();
            storage.image(id, parts);
        }
        for row in &self.containers {
            let chain = row.layer.as_deref().and_then(|layer| self.chain(layer));
            for layer in chain.unwrap_or_default() {
                storage.hold(&layer.id);
            }
        }
        storage
    }
}

fn list<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let told = |because: &dyn std::fmt::Display| {
        let path = path.display();
        Error::Refused(format!("{path}: {because}: the store does not say what is in use"))
    };
    match bounded(path, LIST_MAX) {
        Ok(bytes) if bytes.len() as u64 > LIST_MAX => Err(told(&"it is longer than any list")),
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| told(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(told(&error.kind())),
    }
}

/// A file's bytes, one more than `max` where there are more.
fn bounded(path: &Path, max: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs_err::File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_says_what_podman_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let id = "a".repeat(64);
        for (path, text) in [
            ("overlay-images/images.json", format!("[{{\"id\": \"{id}\", \"layer\": \"top\"}}]")),
            (
                "overlay-layers/layers.json",
                "[{\"id\": \"low\", \"created\": \"2026-01-01T00:00:00.5Z\", \"diff-size\": 40,
                   \"diff-digest\": \"sha256:low\"},
                  {\"id\": \"top\", \"parent\": \"low\", \"diff-size\": 5,
                   \"created\": \"2026-02-01T01:00:00+01:00\"}]"
                    .to_owned(),
            ),
            (
                "overlay-containers/containers.json",
                format!(
                    "[{{\"id\": \"c\", \"names\": [\"build\"], \"image\": \"{id}\", \"layer\": \"low\"}}]"
                ),
            ),
        ] {
            let path = root.join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        assert_eq!(Store::of_images(&root.join("overlay-images")).as_deref(), Some(root));
        assert_eq!(Store::of_images(&root.join("overlay-layers")), None);
        assert_eq!(Store::of_images(Path::new("/nowhere/overlay-images")), None);
        let store = Store::read(root).unwrap();
        let image = ImageId::new(&id);
        assert_eq!(store.pulled(&image).unwrap().to_string(), "2026-02-01T00:00:00Z");
        assert_eq!(store.storage().total(), 45);
        let ledger_storage = store.storage();
        let ledger = crate::reclaim::Ledger::new(&ledger_storage);
        assert_eq!(ledger.price(&image, 0).bytes(), 5);
        assert_eq!(store.containers().next().unwrap().images, std::slice::from_ref(&id));
        assert!(matches!(store.pullable(&image), Pullable::No(_)));
        let manifest = root.join("overlay-images").join(&id).join("manifest");
        fs_err::create_dir_all(manifest.parent().unwrap()).unwrap();
        for (digest, is_pullable) in [("packed", true), ("low", false)] {
            let text = format!("{{\"layers\": [{{\"digest\": \"sha256:{digest}\"}}]}}");
            fs_err::write(&manifest, text).unwrap();
            assert_eq!(store.pullable(&image) == Pullable::Yes, is_pullable);
        }
        fs_err::write(root.join("overlay-layers/layers.json"), "[{").unwrap();
        assert!(Store::read(root).err().unwrap().is_refusal());
    }
}
