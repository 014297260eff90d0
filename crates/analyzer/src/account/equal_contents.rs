//! Which contents are equal. A content is read only where equal size makes it matter, and no more
//! of it than it takes: an overwritten payload is compared with its successor byte by byte, live
//! payloads of equal size are told apart by their first bytes, and only those that are still alike
//! are hashed. Equal first bytes never make two payloads equal, nor does anything but the
//! content hash or the bytes themselves.

use std::hash::BuildHasher as _;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use hashbrown::DefaultHashBuilder;

use crate::account::Account;
use crate::error::{Error, Result};
use crate::layer::content::{Place, Reader};
use crate::layer::content_hash::ContentHash;
use crate::layer::read::ReadLayer;
use crate::source::Image;
use crate::tree::{Cause, Fate, Payload};

/// What is known of the payloads that had to be compared, by position in the table of payloads.
#[derive(Clone, Debug, Default)]
pub struct EqualContents {
    /// Ascending.
    hashed: Vec<u32>,
    /// One for each of `hashed`.
    hashes: Vec<ContentHash>,
    /// Overwritten payloads whose successor has the same content. Ascending.
    rewritten: Vec<u32>,
}

/// How many threads may compare: more, once others have done what they do beside.
pub(crate) struct Threads(AtomicUsize);

impl Threads {
    pub(crate) const fn new(count: NonZeroUsize) -> Self {
        Self(AtomicUsize::new(count.get()))
    }

    /// Says that one more processor has nothing else to do.
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Bytes by which payloads of equal size are told apart before they are hashed.
const HEAD: u64 = 4 << 10;
/// Payloads that one thread takes at a time: neighbours, whose contents are read together.
const BATCH: usize = 256;
/// Pairs that one thread takes at a time; a few of them may be large.
const PAIRS: usize = 32;

impl EqualContents {
    /// The content's hash, where it was needed.
    pub fn hash(&self, payload: usize) -> Option<&ContentHash> {
        let at = self.hashed.binary_search(&u32::try_from(payload).ok()?).ok()?;
        self.hashes.get(at)
    }

    /// Every payload that was hashed, in the order of the table.
    pub(crate) fn hashed(&self) -> impl Iterator<Item = (u32, &ContentHash)> {
        self.hashed.iter().copied().zip(&self.hashes)
    }

    /// Whether an overwritten payload's successor has the same content.
    pub(crate) fn is_rewritten(&self, payload: usize) -> bool {
        u32::try_from(payload).is_ok_and(|at| self.rewritten.binary_search(&at).is_ok())
    }

    /// Compares the live payloads, and overwritten ones with their successors.
    pub(crate) fn of_live(account: &Account, threads: &Threads) -> Result<Self> {
        let Account { image, read: layers, payloads, .. } = account;
        let rewritten = rewritten(image, layers, payloads, threads)?;
        let mut by_size = live_by_size(payloads);
        sift(&mut by_size, image, layers, payloads, threads)?;
        by_size.sort_unstable_by_key(|(_, at)| *at);
        let alike: Vec<u32> = by_size.into_iter().map(|(_, at)| at).collect();
        Ok(Self { rewritten, ..Self::of(image, layers, payloads, &alike, threads)? })
    }

    /// Hashes the payloads at the positions in `needed`, which ascend.
    pub(crate) fn of(
        image: &Image,
        layers: &[ReadLayer],
        payloads: &[Payload],
        needed: &[u32],
        threads: &Threads,
    ) -> Result<Self> {
        let places = Places { image, layers, payloads };
        let hashes =
            in_parallel(needed, BATCH, threads, &places, [0; 32], |batch, hashes, reader| {
                reader.hash_all(&places.of(batch), hashes)
            })?;
        Ok(Self { hashed: needed.to_vec(), hashes, rewritten: Vec::new() })
    }
}

/// The overwritten payloads whose successor has the same content.
fn rewritten(
    image: &Image,
    layers: &[ReadLayer],
    payloads: &[Payload],
    threads: &Threads,
) -> Result<Vec<u32>> {
    let successor = |payload: &Payload| match payload.fate {
        Fate::Wasted { cause: Cause::Overwritten, successor, .. } => Some(successor),
        _ => None,
    };
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    for (at, payload) in (0_u32..).zip(payloads) {
        if let Some(next) = successor(payload)
            && payload.size > 0
            && payloads.get(next as usize).is_some_and(|next| next.size == payload.size)
        {
            pairs.push((at, next));
        }
    }
    let places = Places { image, layers, payloads };
    let same = in_parallel(&pairs, PAIRS, threads, &places, false, |batch, same, reader| {
        for ((old, new), same) in batch.iter().zip(same) {
            *same = reader.are_equal(places.at(*old), places.at(*new))?;
        }
        Ok(())
    })?;
    Ok(pairs.into_iter().zip(same).filter(|(_, same)| *same).map(|((at, _), _)| at).collect())
}

/// Live payloads that are not alone with their size: the size, then the position.
fn live_by_size(payloads: &[Payload]) -> Vec<(u64, u32)> {
    let mut by_size: Vec<(u64, u32)> = (0_u32..)
        .zip(payloads)
        .filter(|(_, payload)| payload.size > 0 && matches!(payload.fate, Fate::Live(_)))
        .map(|(at, payload)| (payload.size, at))
        .collect();
    by_size.sort_unstable();
    keep_groups(&mut by_size, |row| row.0);
    by_size
}

/// Drops those that their first bytes tell from all others of their size.
fn sift(
    by_size: &mut Vec<(u64, u32)>,
    image: &Image,
    layers: &[ReadLayer],
    payloads: &[Payload],
    threads: &Threads,
) -> Result<()> {
    let places = Places { image, layers, payloads };
    // A hash that is at hand tells more than first bytes do, and cannot be compared with them.
    let openable = |at: u32| {
        let (layer, position) = places.at(at);
        layers[layer].can_open(position)
    };
    let mut rows: Vec<u32> = Vec::new();
    let mut whole: Vec<(u64, u32)> = Vec::new();
    for group in by_size.chunk_by(|a, b| a.0 == b.0) {
        if group.iter().all(|(_, at)| openable(*at)) {
            rows.extend(group.iter().map(|(_, at)| *at));
        } else {
            whole.extend(group);
        }
    }
    rows.sort_unstable();
    let hasher = DefaultHashBuilder::default();
    let heads = in_parallel(&rows, BATCH, threads, &places, 0, |batch, heads, reader| {
        reader.starts(&places.of(batch), HEAD, |at, bytes| heads[at] = hasher.hash_one(bytes))
    })?;
    let mut alike: Vec<(u64, u64, u32)> = rows
        .into_iter()
        .zip(heads)
        .map(|(at, head)| (payloads[at as usize].size, head, at))
        .collect();
    alike.sort_unstable();
    keep_groups(&mut alike, |row| (row.0, row.1));
    *by_size = whole;
    by_size.extend(alike.into_iter().map(|(size, _, at)| (size, at)));
    Ok(())
}

/// Keeps the rows of a sorted list that share their key with a neighbour.
fn keep_groups<T: Copy, K: PartialEq>(rows: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let mut kept = 0;
    let mut start = 0;
    while start < rows.len() {
        let first = key(&rows[start]);
        let len = rows[start..].iter().take_while(|row| key(row) == first).count();
        if len > 1 {
            rows.copy_within(start..start + len, kept);
            kept += len;
        }
        start += len;
    }
    rows.truncate(kept);
}

/// Where payloads stand.
struct Places<'a> {
    image: &'a Image,
    layers: &'a [ReadLayer],
    payloads: &'a [Payload],
}

impl Places<'_> {
    fn at(&self, payload: u32) -> Place {
        let entry = self.payloads[payload as usize].entry;
        (entry.layer as usize, entry.position as usize)
    }

    fn of(&self, payloads: &[u32]) -> Vec<Place> {
        payloads.iter().map(|at| self.at(*at)).collect()
    }
}

/// Fills a list with one answer for each of `items`, which threads take in batches, each thread
/// with a reader of its own.
fn in_parallel<T: Sync, A: Copy + Send>(
    items: &[T],
    batch: usize,
    threads: &Threads,
    places: &Places<'_>,
    empty: A,
    work: impl Fn(&[T], &mut [A], &mut Reader<'_>) -> Result<()> + Sync,
) -> Result<Vec<A>> {
    let mut answers = vec![empty; items.len()];
    let batches: Vec<Mutex<&mut [A]>> = answers.chunks_mut(batch).map(Mutex::new).collect();
    let next = AtomicUsize::new(0);
    let failure: Mutex<Option<(usize, Error)>> = Mutex::new(None);
    let run = |more: &mut dyn FnMut()| {
        let mut reader = Reader::new(places.image, places.layers);
        loop {
            more();
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some(answers), Some(items)) = (batches.get(at), items.chunks(batch).nth(at))
            else {
                break;
            };
            if let Err(error) = work(items, &mut lock(answers), &mut reader) {
                // The first in order is told, so that the same input fails with the same words.
                let mut failure = lock(&failure);
                if failure.as_ref().is_none_or(|(known, _)| at < *known) {
                    *failure = Some((at, error));
                }
                next.store(batches.len(), Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        let mut running = 1;
        run(&mut || {
            while running < threads.0.load(Ordering::Relaxed).min(batches.len()) {
                scope.spawn(|| run(&mut || ()));
                running += 1;
            }
        });
    });
    drop(batches);
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => Ok(answers),
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
