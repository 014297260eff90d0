//! What layouts, registries and containerd have in common: documents and blobs under digests.
//! Choosing a platform through nested indexes is written once, here.

use std::collections::HashSet;

use jettison_oci::{Digest, Platform};

use crate::blob::digester::{Digester, check};
use crate::error::{Error, Result};
use crate::image::{Config, Document, Index, IndexEntry, Manifest, parse_document};
use crate::limits::{DESCRIPTORS_MAX, DOCUMENT_MAX, INDEX_DEPTH_MAX, INDEXES_MAX};
use crate::source::{Descriptor, Image, Layer, LayerData, OpenOptions, Origin};

/// A place that holds blobs under their digests.
pub trait BlobStore: Send + Sync {
    /// Names the place in errors.
    fn name(&self) -> String;

    /// The bytes of a document (index, manifest, config): at most `max` of them, checked by the
    /// caller against the digest. An [`Error::MissingBlob`] where there is none.
    fn document(&self, descriptor: &Descriptor, max: u64) -> Result<Vec<u8>>;

    /// The way to a layer's bytes; `None` where the blob is not there.
    fn layer(&self, descriptor: &Descriptor) -> Result<Option<LayerData>>;
}

impl std::fmt::Debug for dyn BlobStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

/// Reads a document and checks its size and digest.
pub fn fetch(store: &dyn BlobStore, descriptor: &Descriptor) -> Result<Vec<u8>> {
    let what = || format!("{} in {}", descriptor.digest, store.name());
    if descriptor.size > DOCUMENT_MAX {
        return Err(Error::size_limit(what(), "a document", descriptor.size, DOCUMENT_MAX));
    }
    let bytes = store.document(descriptor, DOCUMENT_MAX)?;
    // A size of 0 stands for "unknown": a document that was named by digest alone.
    if descriptor.size > 0 && bytes.len() as u64 != descriptor.size {
        return Err(Error::SizeMismatch {
            what: what(),
            expected: descriptor.size,
            found: bytes.len() as u64,
        });
    }
    let mut digester = Digester::new(descriptor.digest.algorithm());
    digester.update(&bytes);
    check(&what(), &descriptor.digest, &digester.finish())?;
    Ok(bytes)
}

/// Opens the image that `root` (an index or a manifest) leads to on the wanted platform.
pub fn open(
    store: std::sync::Arc<dyn BlobStore>,
    root: &Descriptor,
    origin: Origin,
    options: &OpenOptions,
) -> Result<Image> {
    let (digest, manifest) = choose(&*store, root, options)?;
    open_manifest(store, digest, manifest, origin, options)
}

/// Opens the image of one manifest.
pub fn open_manifest(
    store: std::sync::Arc<dyn BlobStore>,
    digest: Digest,
    manifest: Manifest,
    origin: Origin,
    options: &OpenOptions,
) -> Result<Image> {
    let what = format!("manifest {digest} in {}", store.name());
    if !manifest.is_image() {
        return Err(Error::NotAnImage {
            what,
            expected: "an image manifest",
            because: format!(
                "its config is {}: an artifact, which has no filesystem",
                manifest.config.media_type
            ),
        });
    }
    let config = Config::parse(
        &format!("config {} in {}", manifest.config.digest, store.name()),
        &fetch(&*store, &manifest.config)?,
    )?;
    options.check_platform(origin.to_string(), &config)?;
    if config.diff_ids.len() != manifest.layers.len() {
        return Err(Error::malformed(
            what,
            format!(
                "it names {} layers, its config has {} diff_ids",
                manifest.layers.len(),
                config.diff_ids.len()
            ),
        ));
    }
    let mut layers = Vec::with_capacity(manifest.layers.len());
    for (index, (descriptor, diff_id)) in manifest.layers.iter().zip(&config.diff_ids).enumerate() {
        if is_encrypted(&descriptor.media_type) {
            return Err(Error::EncryptedLayer {
                index,
                digest: descriptor.digest.clone(),
                media_type: descriptor.media_type.clone(),
            });
        }
        let Some(data) = store.layer(descriptor)? else {
            if is_foreign(&descriptor.media_type) {
                return Err(Error::ForeignLayer {
                    index,
                    digest: descriptor.digest.clone(),
                    media_type: descriptor.media_type.clone(),
                });
            }
            return Err(Error::MissingBlob {
                what,
                blob: format!("layer {index} ({})", descriptor.digest),
            });
        };
        if let LayerData::Region(region) = &data
            && region.len() != descriptor.size
        {
            return Err(Error::SizeMismatch {
                what: format!("layer {index} ({}) in {}", descriptor.digest, store.name()),
                expected: descriptor.size,
                found: region.len(),
            });
        }
        layers.push(Layer { descriptor: Some(descriptor.clone()), diff_id: diff_id.clone(), data });
    }
    Ok(Image {
        origin,
        manifest_digest: Some(digest),
        config_digest: manifest.config.digest.clone(),
        manifest: Some(manifest),
        warnings: config.warnings(),
        config,
        layers,
        siblings: Some(store),
        notes: Vec::new(),
    })
}

/// The diff_ids of the image that `digest` leads to on the wanted platform.
pub fn diff_ids(
    store: &dyn BlobStore,
    digest: &Digest,
    options: &OpenOptions,
) -> Result<Vec<Digest>> {
    let root = Descriptor { media_type: String::new(), digest: digest.clone(), size: 0 };
    let (_, manifest) = choose(store, &root, options)?;
    let what = format!("config {} in {}", manifest.config.digest, store.name());
    Ok(Config::parse(&what, &fetch(store, &manifest.config)?)?.diff_ids)
}

/// Media types of layers that are not distributed with their image.
pub fn is_foreign(media_type: &str) -> bool {
    media_type.contains("nondistributable") || media_type.contains("rootfs.foreign")
}

/// Media types of layers that ocicrypt has encrypted: the suffix follows that of the compression.
fn is_encrypted(media_type: &str) -> bool {
    media_type.ends_with("+encrypted")
}

/// Follows indexes down to the one manifest that fits the platform best.
fn choose(
    store: &dyn BlobStore,
    root: &Descriptor,
    options: &OpenOptions,
) -> Result<(Digest, Manifest)> {
    let bytes = fetch(store, root)?;
    let what = format!("{} in {}", root.digest, store.name());
    let index = match parse_document(&what, &bytes)? {
        Document::Manifest(manifest) => return Ok((root.digest.clone(), manifest)),
        Document::Index(index) => index,
    };
    pick(store, flatten(store, index)?, &what, options)
}

/// Chooses among the manifests of an index, nested ones flattened.
pub fn pick(
    store: &dyn BlobStore,
    manifests: Vec<IndexEntry>,
    what: &str,
    options: &OpenOptions,
) -> Result<(Digest, Manifest)> {
    // One manifest under several tags is named as often.
    let mut seen = HashSet::new();
    let candidates: Vec<(Option<Platform>, Descriptor)> = manifests
        .into_iter()
        .filter(|entry| !entry.is_attestation())
        .map(|entry| (entry.platform, entry.descriptor))
        .filter(|(platform, descriptor)| seen.insert((platform.clone(), descriptor.digest.clone())))
        .collect();
    let mut fitting: Vec<(u32, &Descriptor)> = candidates
        .iter()
        .filter_map(|(platform, descriptor)| {
            Some((options.platform.fit(platform.as_ref()?)?, descriptor))
        })
        .collect();
    let best = fitting.iter().map(|(fit, _)| *fit).min();
    fitting.retain(|(fit, _)| Some(*fit) == best);
    fitting.dedup_by_key(|(_, descriptor)| &descriptor.digest);
    let chosen = match (&fitting[..], &candidates[..]) {
        ([(_, one)], _) => Some(*one),
        // A sole manifest is taken whatever it says of its platform, unless one was asked for;
        // one that says nothing can still turn out to fit: its config tells.
        ([], [(platform, only)]) if !options.platform_asked || platform.is_none() => Some(only),
        ([], _) => None,
        (several, _) => {
            return Err(Error::Ambiguous {
                what: format!("{what}, for {},", options.platform),
                found: several.iter().map(|(_, one)| one.digest.to_string()).collect(),
            });
        }
    };
    let Some(chosen) = chosen else {
        let mut found: Vec<String> = candidates
            .iter()
            .map(|(platform, descriptor)| match platform {
                Some(platform) => platform.to_string(),
                None => format!("{} (no platform given)", descriptor.digest),
            })
            .collect();
        found.sort();
        found.dedup();
        return Err(Error::NoSuchPlatform {
            what: what.to_owned(),
            wanted: options.platform.clone(),
            found,
        });
    };
    let what = format!("{} in {}", chosen.digest, store.name());
    match parse_document(&what, &fetch(store, chosen)?)? {
        Document::Manifest(manifest) => Ok((chosen.digest.clone(), manifest)),
        Document::Index(_) => Err(Error::malformed(what, "expected a manifest, found an index")),
    }
}

/// All manifests that an index leads to, in its order.
pub fn flatten(store: &dyn BlobStore, index: Index) -> Result<Vec<IndexEntry>> {
    let mut walk = Walk { store, manifests: Vec::new(), seen: HashSet::new() };
    walk.index(index, 1)?;
    Ok(walk.manifests)
}

/// A walk through nested indexes.
struct Walk<'a> {
    store: &'a dyn BlobStore,
    manifests: Vec<IndexEntry>,
    /// Every nested index so far: what leads to one again adds nothing.
    seen: HashSet<Digest>,
}

impl Walk<'_> {
    fn index(&mut self, index: Index, depth: usize) -> Result<()> {
        let store = self.store;
        let malformed = |because: String| Err(Error::malformed(store.name(), because));
        if depth > INDEX_DEPTH_MAX {
            return malformed(format!("its indexes nest deeper than {INDEX_DEPTH_MAX}"));
        }
        for entry in index.entries {
            if self.manifests.len() >= DESCRIPTORS_MAX {
                return malformed(format!(
                    "its indexes name more than {DESCRIPTORS_MAX} manifests"
                ));
            }
            if !entry.is_index() {
                self.manifests.push(entry);
                continue;
            }
            let digest = &entry.descriptor.digest;
            if !self.seen.insert(digest.clone()) {
                continue;
            }
            if self.seen.len() > INDEXES_MAX {
                return malformed(format!("it nests more than {INDEXES_MAX} indexes"));
            }
            let what = format!("{digest} in {}", self.store.name());
            match parse_document(&what, &fetch(self.store, &entry.descriptor)?)? {
                Document::Index(nested) => self.index(nested, depth + 1)?,
                Document::Manifest(_) => self.manifests.push(entry),
            }
        }
        Ok(())
    }
}
