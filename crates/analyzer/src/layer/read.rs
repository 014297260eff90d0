//! Reads the layers of an image side by side: decompressing and hashing are work for threads, and
//! the largest layer starts first, so that no thread is left alone with it at the end.

use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jettison_oci::{Algorithm, Digest};

use crate::blob::Region;
use crate::blob::decompress::{Compression, Decompressed, Expansion, Integrity};
use crate::blob::digester::{Digester, Metered, check};
use crate::error::{Error, Result};
use crate::layer::cache::Cache;
use crate::layer::input::{Seek, Stream};
use crate::layer::read_layer::ContentAccess;
use crate::layer::scan::{ContentMode, scan};
use crate::progress::{Progress, Reported};
use crate::source::{Image, Layer, LayerData, Scanned};

pub use crate::layer::read_layer::ReadLayer;

/// How layers are read.
pub struct ReadOptions<'a> {
    /// Threads that decompress and hash.
    pub jobs: NonZeroUsize,
    /// Whether every diff_id is checked too.
    pub verify: bool,
    /// How far layers may expand.
    pub expansion: Expansion,
    /// Whether what contents say is gathered from layers that pass by once.
    pub gather: bool,
    /// Indexes of layers that were read before.
    pub cache: Option<&'a Cache>,
    /// Told of each layer.
    pub progress: &'a dyn Progress,
}

/// What one thread does next.
enum Job {
    /// Read the layer at this position.
    Index(usize, StoredDigest),
    /// Hash the stored bytes of the layer, which another thread reads meanwhile.
    Verify(usize, Digest, Region),
}

/// Where the digest of a layer's stored bytes is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StoredDigest {
    /// By the thread that decompresses them, which has them at hand.
    Along,
    /// By a thread that would have nothing else to do, or not at all.
    Apart,
}

/// Reads every layer of `image`; one that stands in it twice is read once.
pub fn read_layers(image: &Image, options: &ReadOptions<'_>) -> Result<Vec<ReadLayer>> {
    let layers = &image.layers;
    let first = first_occurrences(layers);
    let mut slots: Vec<Option<ReadLayer>> = vec![None; layers.len()];
    let mut unread: Vec<(u64, usize)> = Vec::new();
    for (position, layer) in layers.iter().enumerate() {
        if first[position] != position {
            continue;
        }
        if let Some(hit) = cached(layer, options) {
            slots[position] = Some(hit);
            continue;
        }
        unread.push((stored_size(layer), position));
    }
    unread.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    let jobs = plan(image, &unread, options)?;
    let results: Vec<Mutex<Option<ReadLayer>>> = layers.iter().map(|_| Mutex::new(None)).collect();
    let failures: Mutex<Vec<(usize, Error)>> = Mutex::new(Vec::new());
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            if failed.load(Ordering::Relaxed) {
                return;
            }
            let (position, result) = match job {
                Job::Index(position, check) => {
                    (*position, read(image, *position, *check, options).map(Some))
                }
                Job::Verify(position, expected, region) => {
                    (*position, verify(&name(image, *position), expected, region).map(|()| None))
                }
            };
            match result {
                Ok(Some(layer)) => *lock(&results[position]) = Some(layer),
                Ok(None) => {}
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    lock(&failures).push((position, error));
                }
            }
        }
    };
    let threads = options.jobs.get().min(jobs.len());
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    // The lowest layer's error is told, so that the same input fails with the same words. A blob
    // that is corrupt also fails to decode: its digest says so more plainly.
    let failure = failures
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .into_iter()
        .min_by_key(|(at, error)| (*at, !matches!(error, Error::DigestMismatch { .. })));
    if let Some((position, error)) = failure {
        return Err(blame_region(image, position, error, options));
    }
    for (slot, result) in slots.iter_mut().zip(results) {
        if let Some(layer) = result.into_inner().unwrap_or_else(PoisonError::into_inner) {
            *slot = Some(layer);
        }
    }
    if let Some(cache) = options.cache {
        for job in &jobs {
            if let Job::Index(position, _) = job
                && let (Some(read), Some(descriptor)) =
                    (&slots[*position], &layers[*position].descriptor)
                && read.index.is_hashed()
                && is_worth_keeping(&layers[*position], read)
            {
                cache.store(&descriptor.digest, &read.index, read.compressed_size.is_some());
            }
        }
    }
    first.into_iter().map(|at| slots[at].clone().ok_or(Error::Interrupted)).collect()
}

/// Whether reading the layer again costs more than its cache entry: not where a plain tar stands in
/// a file, whose headers are all that is read; a plain blob elsewhere is transferred whole.
fn is_worth_keeping(layer: &Layer, read: &ReadLayer) -> bool {
    read.compressed_size.is_some() || matches!(layer.data, LayerData::Remote(_))
}

/// Hashing a stored byte takes about so much less than decompressing it: a third for zstd, a seventh
/// for gzip, on processors with instructions for SHA-256.
const HASHING: u64 = 4;

/// What is to be done, the longest first, so that the threads end together. Hashing a blob while it
/// is decompressed spares reading it twice; where too little work follows to keep the other threads
/// busy meanwhile, one of them hashes it.
fn plan(image: &Image, unread: &[(u64, usize)], options: &ReadOptions<'_>) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    let mut left: u64 = unread.iter().map(|(size, _)| size).sum();
    for (size, position) in unread {
        left -= size;
        let layer = &image.layers[*position];
        let mut check = StoredDigest::Apart;
        let hashing = size / HASHING;
        let mut work = *size;
        if let LayerData::Region(region) = &layer.data {
            let compressed =
                region_compression(region, &name(image, *position))? != Compression::None;
            if compressed && (options.jobs.get() == 1 || left >= size / 2) {
                check = StoredDigest::Along;
                work += hashing;
            } else if let Some(expected) = stored_digest(layer, compressed, options.verify) {
                jobs.push((hashing, Job::Verify(*position, expected, region.clone())));
            }
        }
        jobs.push((work, Job::Index(*position, check)));
    }
    jobs.sort_by_key(|(work, _)| std::cmp::Reverse(*work));
    Ok(jobs.into_iter().map(|(_, job)| job).collect())
}

/// Names a layer in errors.
pub(crate) fn name(image: &Image, position: usize) -> String {
    let layer = &image.layers[position];
    let digest = layer.descriptor.as_ref().map_or(&layer.diff_id, |d| &d.digest);
    format!("layer {position} ({digest}) of {}", image.origin)
}

fn first_occurrences(layers: &[Layer]) -> Vec<usize> {
    let mut seen = std::collections::HashMap::new();
    layers
        .iter()
        .enumerate()
        .map(|(at, layer)| *seen.entry((&layer.diff_id, &layer.descriptor)).or_insert(at))
        .collect()
}

fn cached(layer: &Layer, options: &ReadOptions<'_>) -> Option<ReadLayer> {
    if options.verify {
        return None;
    }
    let cache = options.cache?;
    let descriptor = layer.descriptor.as_ref()?;
    let (index, compressed) = cache.load(&descriptor.digest)?;
    // An index from a run that did not ask for contents says nothing of them.
    if options.gather && index.contents.is_none() {
        return None;
    }
    Some(ReadLayer {
        index: Arc::new(index),
        compressed_size: compressed.then_some(descriptor.size),
        contents: ContentAccess::Hashed,
    })
}

fn stored_size(layer: &Layer) -> u64 {
    match &layer.data {
        LayerData::Region(region) => region.len(),
        _ => layer.descriptor.as_ref().map_or(0, |descriptor| descriptor.size),
    }
}

fn region_compression(region: &Region, what: &str) -> Result<Compression> {
    let mut head = [0; 8];
    let read = region.read_at(&mut head, 0)?;
    Compression::detect(what, &head[..read])
}

/// What the stored bytes must hash to, if they are to be hashed at all.
fn stored_digest(layer: &Layer, compressed: bool, verify: bool) -> Option<Digest> {
    match &layer.descriptor {
        Some(descriptor) => Some(descriptor.digest.clone()),
        None if verify && !compressed => Some(layer.diff_id.clone()),
        None => None,
    }
}

fn verify(what: &str, expected: &Digest, region: &Region) -> Result<()> {
    let mut digester = Digester::new(expected.algorithm());
    let mut reader = region.reader();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            read => digester.update(&buffer[..read]),
        }
    }
    check(what, expected, &digester.finish())
}

/// The digest's error instead of the decoder's, also where the digest's turn had not come.
fn blame_region(image: &Image, position: usize, error: Error, options: &ReadOptions<'_>) -> Error {
    let layer = &image.layers[position];
    let LayerData::Region(region) = &layer.data else { return error };
    if !matches!(error, Error::Corrupt { .. }) {
        return error;
    }
    let what = name(image, position);
    let compressed = region_compression(region, &what).is_ok_and(|c| c != Compression::None);
    match stored_digest(layer, compressed, options.verify) {
        Some(expected) => verify(&what, &expected, region).err().unwrap_or(error),
        None => error,
    }
}

fn read(
    image: &Image,
    position: usize,
    check_stored: StoredDigest,
    options: &ReadOptions<'_>,
) -> Result<ReadLayer> {
    let layer = &image.layers[position];
    let what = name(image, position);
    let stored = match stored_size(layer) {
        0 => None,
        size => Some(size),
    };
    options.progress.begin(position, Some(image.layers.len()), stored);
    let result = match &layer.data {
        LayerData::Region(region) => {
            read_region(region, position, layer, &what, check_stored, options)
        }
        LayerData::Remote(remote) => {
            let descriptor = layer.descriptor.as_ref();
            let algorithm = descriptor.map(|descriptor| descriptor.digest.algorithm());
            let source = reported(remote.open()?, position, options);
            let (read, stored, digest) = read_stream(source, layer, &what, options, algorithm)?;
            if let (Some(descriptor), Some(digest)) = (descriptor, digest) {
                if stored != descriptor.size {
                    return Err(Error::SizeMismatch {
                        what,
                        expected: descriptor.size,
                        found: stored,
                    });
                }
                check(&what, &descriptor.digest, &digest)?;
            }
            Ok(read)
        }
        LayerData::Scanned(scanned) => read_scanned(scanned, layer, &what, options),
        LayerData::InPlace(unpacked) => {
            if options.verify {
                unpacked.verify(&layer.diff_id)?;
            }
            Ok(ReadLayer {
                index: unpacked.index()?,
                compressed_size: None,
                contents: ContentAccess::Unpacked(unpacked.clone()),
            })
        }
    };
    options.progress.end(position);
    result
}

fn read_region(
    region: &Region,
    position: usize,
    layer: &Layer,
    what: &str,
    check_stored: StoredDigest,
    options: &ReadOptions<'_>,
) -> Result<ReadLayer> {
    if region_compression(region, what)? == Compression::None {
        let index = scan(Seek::new(region.clone()), what, ContentMode::Skip)?;
        options.progress.advance(position, region.len());
        // An empty file has no end marker that could be missing: only its digest tells an empty
        // layer from one that was cut off.
        if region.is_empty() {
            verify(what, &layer.diff_id, region)?;
        }
        // The blob is the tar: where its digest is checked, the diff_id must be the same.
        if options.verify
            && let Some(descriptor) = &layer.descriptor
            && descriptor.digest.algorithm() == layer.diff_id.algorithm()
        {
            check(&format!("the tar of {what}"), &layer.diff_id, &descriptor.digest)?;
        }
        return Ok(ReadLayer {
            index: Arc::new(index),
            compressed_size: None,
            contents: ContentAccess::Region(region.clone()),
        });
    }
    let descriptor = layer.descriptor.as_ref().filter(|_| check_stored == StoredDigest::Along);
    let algorithm = descriptor.map(|descriptor| descriptor.digest.algorithm());
    let source = reported(region.reader(), position, options);
    let (read, _, digest) = read_stream(source, layer, what, options, algorithm)?;
    if let (Some(descriptor), Some(digest)) = (descriptor, digest) {
        check(what, &descriptor.digest, &digest)?;
    }
    Ok(read)
}

/// Reads a layer that passes by: its index, the bytes as stored, and their digest if asked for.
fn read_stream(
    source: impl Read,
    layer: &Layer,
    what: &str,
    options: &ReadOptions<'_>,
    algorithm: Option<Algorithm>,
) -> Result<(ReadLayer, u64, Option<Digest>)> {
    // Where nobody asks for more, the stored digest is checked along or apart, and that is enough.
    let integrity = match &layer.descriptor {
        Some(_) if !options.verify => Integrity::Digest,
        _ => Integrity::Checksums,
    };
    let stored = Metered::new(source, algorithm);
    let mut unpacked = Decompressed::with(stored, what, options.expansion, integrity)?;
    let compressed = unpacked.compression() != Compression::None;
    let diff_id = options.verify.then(|| layer.diff_id.algorithm());
    let mut tar = Metered::new(&mut unpacked, diff_id);
    let contents = if options.gather { ContentMode::Gather } else { ContentMode::Hash };
    let index = match scan(Stream::new(&mut tar), what, contents) {
        Ok(index) => index,
        Err(error) => return Err(blame(error, unpacked.into_inner(), layer, what)),
    };
    if let (_, Some(computed)) = tar.finish() {
        check(&format!("the tar of {what}"), &layer.diff_id, &computed)?;
    }
    let (stored, digest) = unpacked.into_inner().finish();
    let read = ReadLayer {
        index: Arc::new(index),
        compressed_size: compressed.then_some(stored),
        contents: ContentAccess::Hashed,
    };
    Ok((read, stored, digest))
}

/// A blob that is corrupt also fails to decode; its digest says so more plainly.
fn blame(error: Error, mut stored: Metered<impl Read>, layer: &Layer, what: &str) -> Error {
    let Some(descriptor) = &layer.descriptor else { return error };
    if !matches!(error, Error::Corrupt { .. }) {
        return error;
    }
    let left = descriptor.size.saturating_sub(stored.read_so_far()) + 1;
    if std::io::copy(&mut stored.by_ref().take(left), &mut std::io::sink()).is_err() {
        return error;
    }
    match stored.finish() {
        (size, _) if size < descriptor.size => {
            Error::SizeMismatch { what: what.to_owned(), expected: descriptor.size, found: size }
        }
        (_, Some(computed)) => check(what, &descriptor.digest, &computed).err().unwrap_or(error),
        _ => error,
    }
}

fn read_scanned(
    scanned: &Arc<Scanned>,
    layer: &Layer,
    what: &str,
    options: &ReadOptions<'_>,
) -> Result<ReadLayer> {
    let computed = |digest: &Option<Digest>| {
        digest.clone().ok_or_else(|| {
            Error::corrupt(
                what,
                "it passed by without being hashed, outside of blobs/: use --verify",
            )
        })
    };
    if let Some(descriptor) = &layer.descriptor {
        check(what, &descriptor.digest, &computed(&scanned.digest)?)?;
    }
    if options.verify || scanned.stored == 0 {
        let diff_id = scanned.diff_id.as_ref().or(scanned.digest.as_ref()).cloned();
        check(&format!("the tar of {what}"), &layer.diff_id, &computed(&diff_id)?)?;
    }
    Ok(ReadLayer {
        index: scanned.index.clone(),
        compressed_size: (scanned.compression != Compression::None).then_some(scanned.stored),
        contents: ContentAccess::Hashed,
    })
}

fn reported<'a, R>(inner: R, layer: usize, options: &ReadOptions<'a>) -> Reported<'a, R> {
    Reported { inner, layer, progress: options.progress }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
