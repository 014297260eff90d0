//! Decides whether an image's layers can be read where the engine keeps them, and opens them. A
//! directory is believed only if the engine names it, the store files it under the right `diff_id`,
//! and the config beside it hashes to the image's ID; what does not fit is exported instead.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jettison_oci::Digest;

use crate::blob::Region;
use crate::error::{Error, Result};
use crate::image::Config;
use crate::layer::overlay::OverlayLayer;
use crate::limits::DOCUMENT_MAX;
use crate::source::engine::session::Inspected;
use crate::source::engine::{containers_storage, layerdb};
use crate::source::{Image, Layer, LayerData, OpenOptions, Origin, UnpackedLayer as _};

/// Threads that read headers: layers are few, and most are small.
const THREADS_MAX: usize = 8;

/// Why layers are not read in place.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The store is not on this host, may not be read, or is of a kind without such layers.
    NotHere,
    /// The store is here, and something about the image does not fit.
    Unfit(String),
    /// The image itself is refused, however it is read.
    Final(Error),
}

/// What a store files under one `diff_id`.
#[derive(Clone, Debug)]
pub(super) struct Unpacked {
    pub(super) directory: PathBuf,
    pub(super) tar_split: PathBuf,
    /// Bytes of the tar, where the store knows them.
    pub(super) tar_size: Option<u64>,
}

/// Opens an image in place.
pub(super) fn open(
    inspected: &Inspected,
    origin: &Origin,
    options: &OpenOptions,
) -> Result<Image, Refusal> {
    let docker = match inspected.driver.as_str() {
        "overlay2" => true,
        "overlay" => false,
        _ => return Err(Refusal::NotHere),
    };
    let root = store_root(inspected).ok_or(Refusal::NotHere)?;
    let config_path = if docker {
        layerdb::config_path(root, &inspected.id)
    } else {
        containers_storage::config_path(root, &inspected.id)
    };
    let config = read_config(&config_path, &inspected.id)?;
    options.check_platform(origin.to_string(), &config).map_err(Refusal::Final)?;
    let unpacked = if docker {
        layerdb::layers(root, &config.diff_ids)?
    } else {
        containers_storage::layers(root, &inspected.id, &config.diff_ids)?
    };
    if inspected.directories.len() != unpacked.len() {
        return Err(Refusal::Unfit(format!(
            "the engine names {} layer directories, the config {} layers",
            inspected.directories.len(),
            unpacked.len()
        )));
    }
    for (layer, named) in unpacked.iter().zip(inspected.directories.iter().rev()) {
        same_directory(&layer.directory, named)?;
    }
    let layers = open_layers(&unpacked, &config.diff_ids, origin)?;
    Ok(Image {
        origin: origin.clone(),
        manifest_digest: None,
        manifest: None,
        config_digest: inspected.id.clone(),
        warnings: config.warnings(),
        config,
        layers,
        siblings: None,
        notes: Vec::new(),
    })
}

/// The directory above `overlay2/<id>/diff` or `overlay/<id>/diff`, if it can be read here. It is
/// taken from the layers, because the engine's own root need not be the one that holds them.
fn store_root(inspected: &Inspected) -> Option<&Path> {
    let top = inspected.directories.first()?;
    let overlay = top.parent()?.parent()?;
    let readable = overlay.ends_with(&inspected.driver) && top.is_dir();
    overlay.parent().filter(|root| readable && root.is_absolute())
}

fn read_config(path: &Path, id: &Digest) -> Result<Config, Refusal> {
    let region = Region::open(path).map_err(|error| match error {
        // Some engines keep images elsewhere than layers, and only root may look into the store.
        Error::NoSuchFile(_) => Refusal::NotHere,
        error => refusal(error),
    })?;
    let what = format!("config {id} at {}", path.display());
    let bytes = region.read_all(&what, DOCUMENT_MAX).map_err(refusal)?;
    if Digest::sha256(&bytes) != *id {
        return Err(Refusal::Unfit(format!("{} does not hash to the image ID", path.display())));
    }
    Config::parse(&what, &bytes).map_err(refusal)
}

/// What an error of the store means: where the right to read it is missing, nothing was to be had.
pub(super) fn refusal(error: Error) -> Refusal {
    match error {
        Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Refusal::NotHere
        }
        error => Refusal::Unfit(error.to_string()),
    }
}

fn same_directory(filed: &Path, named: &Path) -> Result<(), Refusal> {
    let identity = |path: &Path| {
        let metadata = fs_err::metadata(path).map_err(|error| refusal(Error::Io(error)))?;
        Ok((metadata.dev(), metadata.ino()))
    };
    if identity(filed)? == identity(named)? {
        return Ok(());
    }
    Err(Refusal::Unfit(format!(
        "the store files a layer at {}, the engine names {}",
        filed.display(),
        named.display()
    )))
}

fn open_layers(
    unpacked: &[Unpacked],
    diff_ids: &[Digest],
    origin: &Origin,
) -> Result<Vec<Layer>, Refusal> {
    // The longest first, so that no thread is left alone with it at the end.
    let mut order: Vec<usize> = (0..unpacked.len()).collect();
    let length = |at: &usize| fs_err::metadata(&unpacked[*at].tar_split).map_or(0, |m| m.len());
    order.sort_by_cached_key(|at| std::cmp::Reverse(length(at)));
    let slots: Vec<Mutex<Option<Result<Layer, Refusal>>>> =
        unpacked.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let layer = open_layer(at, &unpacked[at], &diff_ids[at], origin);
            *slots[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(layer);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    std::thread::scope(|scope| {
        for _ in 1..threads.min(THREADS_MAX).min(unpacked.len()) {
            scope.spawn(work);
        }
        work();
    });
    slots
        .into_iter()
        .map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner))
        .map(|layer| layer.unwrap_or(Err(Refusal::NotHere)))
        .collect()
}

fn open_layer(
    at: usize,
    unpacked: &Unpacked,
    diff_id: &Digest,
    origin: &Origin,
) -> Result<Layer, Refusal> {
    let what = format!("layer {at} ({diff_id}) of {origin}");
    let layer =
        OverlayLayer::open(&what, &unpacked.tar_split, &unpacked.directory).map_err(refusal)?;
    let tar_size = layer.index().map_err(refusal)?.tar_size();
    if let Some(expected) = unpacked.tar_size
        && expected != tar_size
    {
        return Err(Refusal::Unfit(format!(
            "{} gives a tar of {tar_size} bytes, the store says {expected}",
            unpacked.tar_split.display()
        )));
    }
    let data = LayerData::InPlace(Arc::new(layer));
    Ok(Layer { descriptor: None, diff_id: diff_id.clone(), data })
}
