//! What changed between two images: live bytes by file, directory and layer, each list summing
//! exactly to the change of its size.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::num::NonZeroUsize;

use crate::account::{Account, EqualContents, Threads};
use crate::error::Result;
use crate::layer::content_hash::ContentHash;

pub(crate) mod layers;
mod pairs;

use pairs::{Pair, Pairs};

pub use layers::{LayerChange, LayerState};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// Only the new image has it.
    Added,
    /// Only the old image has it.
    Removed,
    /// It has more bytes.
    Grown,
    /// It has fewer bytes.
    Shrunk,
    /// As many bytes, but others.
    Changed,
    /// The same content under another path.
    Moved,
}

impl Change {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Added, Self::Removed, Self::Grown, Self::Shrunk, Self::Changed, Self::Moved];

    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Grown => "grown",
            Self::Shrunk => "shrunk",
            Self::Changed => "changed",
            Self::Moved => "moved",
        }
    }
}

/// One file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// What became of it.
    pub change: Change,
    /// Where it is now; where it was, if it is gone.
    pub path: Vec<u8>,
    /// Where it was, if it moved.
    pub from: Option<Vec<u8>>,
    /// Bytes in the old image.
    pub old: u64,
    /// Bytes in the new image.
    pub new: u64,
    /// Its payload in the old image.
    pub old_payload: Option<u32>,
    /// Its payload in the new image.
    pub new_payload: Option<u32>,
}

impl FileChange {
    /// Its bytes in the image where it is larger: a file that moved is as large as it ever was.
    pub fn bytes(&self) -> u64 {
        self.old.max(self.new)
    }

    /// Change of live bytes.
    pub fn delta(&self) -> i64 {
        delta(self.old, self.new)
    }
}

/// Two images, compared.
pub struct Diff<'a> {
    /// The old image.
    pub old: &'a Account,
    /// The new image.
    pub new: &'a Account,
    /// Layers of both, in order; their deltas sum to the change of the layers' size.
    pub layers: Vec<LayerChange>,
    /// Files that differ, the largest change first, then by path. One with several names is one
    /// file. Empty files are left out.
    pub files: Vec<FileChange>,
}

/// What makes two files the same: bytes, and their hash.
type Content = (u64, ContentHash);

/// `new - old`. Sizes are below 2^63: the account's sums would not have been made otherwise.
pub fn delta(old: u64, new: u64) -> i64 {
    i64::try_from(i128::from(new) - i128::from(old)).unwrap_or(if new > old {
        i64::MAX
    } else {
        i64::MIN
    })
}

impl Diff<'_> {
    /// Files and change of live bytes of each kind of change that occurs.
    pub fn totals(&self) -> Vec<(Change, usize, i64)> {
        Change::ALL
            .into_iter()
            .filter_map(|change| {
                let files: Vec<_> = self.files.iter().filter(|f| f.change == change).collect();
                let sum = files.iter().map(|file| file.delta()).sum();
                (!files.is_empty()).then_some((change, files.len(), sum))
            })
            .collect()
    }

    /// Change of live bytes of every directory, with all that is below it, the largest first.
    /// One whose change is that of a single directory in it is passed over; the root is always
    /// there, with the whole.
    pub fn directories(&self) -> Vec<(Vec<u8>, i64)> {
        let mut sums: BTreeMap<&[u8], i64> = BTreeMap::from([(&b""[..], 0)]);
        for file in &self.files {
            let parts: [(&[u8], i64); 2] = match &file.from {
                Some(from) => [(from, delta(file.old, 0)), (&file.path, delta(0, file.new))],
                None => [(&file.path, file.delta()), (b"", 0)],
            };
            for (path, change) in parts.into_iter().filter(|(_, change)| *change != 0) {
                let mut end = path.len();
                while let Some(slash) = path[..end].iter().rposition(|b| *b == b'/') {
                    *sums.entry(&path[..slash]).or_default() += change;
                    end = slash;
                }
                *sums.entry(b"").or_default() += change;
            }
        }
        let told_by_child: HashSet<&[u8]> = sums
            .iter()
            .filter(|(path, _)| !path.is_empty())
            .map(|(path, change)| (crate::entry::split(path).0, change))
            .filter(|(parent, change)| sums.get(parent) == Some(change))
            .map(|(parent, _)| parent)
            .collect();
        let mut rows: Vec<(Vec<u8>, i64)> = sums
            .iter()
            .filter(|(path, change)| {
                path.is_empty() || (**change != 0 && !told_by_child.contains(*path))
            })
            .map(|(path, change)| (path.to_vec(), *change))
            .collect();
        rows.sort_by(|a, b| {
            b.1.unsigned_abs().cmp(&a.1.unsigned_abs()).then_with(|| a.0.cmp(&b.0))
        });
        rows
    }
}

/// Compares two images. Contents are read where equal size makes it matter.
pub fn diff<'a>(old: &'a Account, new: &'a Account, jobs: NonZeroUsize) -> Result<Diff<'a>> {
    let Pairs { both, gone, come } = pairs::pair(old, new);
    // What must be hashed: pairs of equal size, and candidates of moves.
    let (mut needed_old, mut needed_new) = (Vec::new(), Vec::new());
    for Pair { old: was, new: now, .. } in &both {
        if size(old, *was) == size(new, *now) && !same_entry(old, *was, new, *now) {
            needed_old.push(*was);
            needed_new.push(*now);
        }
    }
    let mut gone_by_size: HashMap<u64, Vec<u32>> = HashMap::new();
    for (_, at) in &gone {
        gone_by_size.entry(size(old, *at)).or_default().push(*at);
    }
    for (_, at) in &come {
        if let Some(candidates) = gone_by_size.get(&size(new, *at)) {
            needed_old.extend(candidates);
            needed_new.push(*at);
        }
    }
    let hashes_old = hashes(old, needed_old, jobs)?;
    let hashes_new = hashes(new, needed_new, jobs)?;

    let row = |change, path: &Vec<u8>, was: Option<u32>, now: Option<u32>| FileChange {
        change,
        path: path.clone(),
        from: None,
        old: was.map_or(0, |at| size(old, at)),
        new: now.map_or(0, |at| size(new, at)),
        old_payload: was,
        new_payload: now,
    };
    let mut changes = Vec::new();
    for Pair { path, old: before, new: after } in &both {
        let (was, now) = (size(old, *before), size(new, *after));
        let change = match was.cmp(&now) {
            Ordering::Less => Change::Grown,
            Ordering::Greater => Change::Shrunk,
            Ordering::Equal => {
                let same = same_entry(old, *before, new, *after)
                    || hashes_old.hash(*before as usize) == hashes_new.hash(*after as usize);
                if same {
                    continue;
                }
                Change::Changed
            }
        };
        changes.push(row(change, path, Some(*before), Some(*after)));
    }
    let mut moved_from: HashMap<Content, Vec<(&Vec<u8>, u32)>> = HashMap::new();
    for (path, at) in gone.iter().rev() {
        if let Some(hash) = hashes_old.hash(*at as usize) {
            moved_from.entry((size(old, *at), *hash)).or_default().push((path, *at));
        }
    }
    let mut moved = HashSet::new();
    for (path, at) in &come {
        let now = size(new, *at);
        let origin =
            hashes_new.hash(*at as usize).and_then(|hash| moved_from.get_mut(&(now, *hash))?.pop());
        changes.push(match origin {
            Some((from, was)) => {
                moved.insert(was);
                FileChange {
                    from: Some(from.clone()),
                    ..row(Change::Moved, path, Some(was), Some(*at))
                }
            }
            None => row(Change::Added, path, None, Some(*at)),
        });
    }
    let removed = gone.iter().filter(|(_, at)| !moved.contains(at));
    changes.extend(removed.map(|(path, at)| row(Change::Removed, path, Some(*at), None)));
    changes.sort_by(|a, b| {
        let weight = |file: &FileChange| (file.delta().unsigned_abs(), file.bytes());
        weight(b).cmp(&weight(a)).then_with(|| a.path.cmp(&b.path))
    });
    let aligned = |account: &Account| -> Vec<layers::Aligned> {
        account.layers.iter().map(layers::Aligned::of).collect()
    };
    let layers = layers::align(&aligned(old), &aligned(new), |_, _| false);
    let diff = Diff { old, new, layers, files: changes };
    assert_sums(&diff);
    Ok(diff)
}

fn size(account: &Account, payload: u32) -> u64 {
    account.payloads[payload as usize].size
}

/// Whether both payloads are the same entry of the same layer, and so equal without being read.
fn same_entry(old: &Account, a: u32, new: &Account, b: u32) -> bool {
    let (a, b) = (old.payloads[a as usize].entry, new.payloads[b as usize].entry);
    a.position == b.position
        && old.layers[a.layer as usize].diff_id == new.layers[b.layer as usize].diff_id
}

fn hashes(account: &Account, mut needed: Vec<u32>, jobs: NonZeroUsize) -> Result<EqualContents> {
    needed.sort_unstable();
    needed.dedup();
    EqualContents::of(
        &account.image,
        &account.read,
        &account.payloads,
        &needed,
        &Threads::new(jobs),
    )
}

/// Every list sums to the change that it explains.
fn assert_sums(diff: &Diff<'_>) {
    let (old, new) = (&diff.old.sizes, &diff.new.sizes);
    let live: i64 = diff.files.iter().map(FileChange::delta).sum();
    assert_eq!(live, delta(old.live.get(), new.live.get()), "files sum to the change of live");
    let layers: i64 = diff.layers.iter().map(|layer| layer.delta).sum();
    assert_eq!(layers, delta(old.layers.get(), new.layers.get()), "layers sum to their change");
}
