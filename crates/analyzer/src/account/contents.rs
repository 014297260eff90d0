//! Which contents are equal. A content is read only where equal size makes it matter: two live
//! payloads may be duplicates, an overwritten one and its successor may be the same.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::layer::index::ContentHash;
use crate::layer::read::{ReadLayer, name};
use crate::layer::scan::Scratch;
use crate::source::Image;
use crate::tree::{Cause, Fate, Payload};

/// Hashes of the payloads that had to be compared, by position in the table of payloads.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    hashes: HashMap<u32, ContentHash>,
}

/// Payloads that one thread takes at a time.
const BATCH: usize = 256;

impl Contents {
    /// The content's hash, where it was needed.
    pub fn hash(&self, payload: usize) -> Option<&ContentHash> {
        self.hashes.get(&u32::try_from(payload).ok()?)
    }

    pub(crate) fn read(
        image: &Image,
        layers: &[ReadLayer],
        payloads: &[Payload],
        jobs: NonZeroUsize,
    ) -> Result<Self> {
        let needed = needed(payloads);
        Self::of(image, layers, payloads, &needed, jobs)
    }

    /// Hashes the payloads at the positions in `needed`.
    pub(crate) fn of(
        image: &Image,
        layers: &[ReadLayer],
        payloads: &[Payload],
        needed: &[u32],
        jobs: NonZeroUsize,
    ) -> Result<Self> {
        let hash = |at: u32, scratch: &mut Scratch| {
            let entry = payloads[at as usize].entry;
            let what = || name(image, entry.layer as usize);
            layers[entry.layer as usize].hash_with(&what, entry.position as usize, scratch)
        };
        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<(u32, ContentHash)>> = Mutex::new(Vec::with_capacity(needed.len()));
        let failure: Mutex<Option<Error>> = Mutex::new(None);
        let work = || {
            let mut scratch = Scratch::default();
            loop {
                let start = next.fetch_add(BATCH, Ordering::Relaxed);
                let Some(batch) = needed.get(start..needed.len().min(start + BATCH)) else { break };
                if batch.is_empty() {
                    break;
                }
                let hashed: Result<Vec<_>> =
                    batch.iter().map(|at| Ok((*at, hash(*at, &mut scratch)?))).collect();
                match hashed {
                    Ok(rows) => lock(&results).extend(rows),
                    Err(error) => {
                        lock(&failure).get_or_insert(error);
                        next.store(needed.len(), Ordering::Relaxed);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..jobs.get().min(needed.len().div_ceil(BATCH)) {
                scope.spawn(work);
            }
            work();
        });
        if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Self { hashes: results.into_iter().collect() })
    }
}

/// The payloads whose content decides something, in the order of layers and entries.
fn needed(payloads: &[Payload]) -> Vec<u32> {
    let mut by_size: Vec<(u64, u32)> = Vec::new();
    let mut needed = Vec::new();
    for (at, payload) in (0_u32..).zip(payloads) {
        if payload.size == 0 {
            continue;
        }
        match payload.fate {
            Fate::Live(_) => by_size.push((payload.size, at)),
            Fate::Wasted { cause: Cause::Overwritten, successor, .. } => {
                if payloads.get(successor as usize).is_some_and(|next| next.size == payload.size) {
                    needed.push(at);
                    needed.push(successor);
                }
            }
            Fate::Wasted { .. } => {}
        }
    }
    by_size.sort_unstable();
    for group in by_size.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
        needed.extend(group.iter().map(|(_, at)| *at));
    }
    needed.sort_unstable();
    needed.dedup();
    needed
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
