//! Indexes of layers on disk, under the digest of the blob they were read from. A digest that was
//! checked once names the same entries for ever, so a second run, or another image on the same
//! base, reads only layers that nobody has seen.
//!
//! Many processes may share a cache: an entry is written to a file of its own and renamed into
//! place, readers see a whole entry or none. Each ends in a BLAKE3 of itself; one that does not
//! fit is removed and read anew. The least recently used entries go when the cache outgrows its
//! bound. Only indexes whose blob's digest was verified are ever stored.
//!
//! The key of the content hashes stands in the root, so that the hashes of one run compare
//! with those of the next.

use std::fs::FileTimes;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jettison_oci::{Bytes, Digest};

use crate::layer::content_hash;
use crate::layer::index::LayerIndex;

mod encoding;

/// Changes with the encoding and with what the parser makes of a tar.
const VERSION: &str = "v13";
/// The suffix of entries; everything else in the directory is left alone.
const SUFFIX: &str = "layer";
/// The key of the content hashes.
const KEY: &str = "content.key";
/// An entry larger than this is not read: no layer within the limits makes one.
const ENTRY_MAX: u64 = 8 << 30;

/// A directory of layer indexes.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
    bound: u64,
}

/// What [`Cache::clear`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    /// How many entries.
    pub entries: usize,
    /// How large they were.
    pub bytes: Bytes,
}

/// One entry's file.
struct Stored {
    path: PathBuf,
    used: SystemTime,
    bytes: u64,
}

impl Cache {
    /// The cache in `root`, of at most `bound` bytes, for looking after it. Nothing is made.
    pub fn new(root: PathBuf, bound: Bytes) -> Self {
        Self { root, bound: bound.get() }
    }

    /// The cache in `root`, of at most `bound` bytes, for reading layers with it: the directory and
    /// its key are made where there are none, and this process hashes contents under that key from
    /// now on. To be called before anything is hashed; entries under another key are not used. A
    /// cache that cannot be made is no reason to fail.
    pub fn open(root: PathBuf, bound: Bytes) -> Self {
        let cache = Self::new(root, bound);
        if let Ok(key) = cache.key() {
            content_hash::choose(&key);
        }
        cache
    }

    /// The key that all processes with this cache agree on: that of the first one.
    fn key(&self) -> io::Result<content_hash::Key> {
        let path = self.root.join(KEY);
        let read = || fs_err::read(&path).map(content_hash::Key::try_from);
        match read() {
            Ok(Ok(key)) => return Ok(key),
            // Cut short or overwritten: so are the entries worth nothing that were made under it.
            Ok(Err(_)) => fs_err::remove_file(&path)?,
            Err(_) => {}
        }
        create_private(&self.directory())?;
        let key = content_hash::random_key().ok_or(io::ErrorKind::Unsupported)?;
        let mut file =
            tempfile::Builder::new().prefix(&temporary_prefix()).tempfile_in(self.directory())?;
        file.write_all(&key)?;
        match file.persist_noclobber(&path) {
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
            _ => read()?.map_err(|_| io::ErrorKind::InvalidData.into()),
        }
    }

    /// Where the entries are.
    pub fn directory(&self) -> PathBuf {
        self.root.join("layers").join(VERSION)
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        self.directory().join(format!("{}-{}.{SUFFIX}", digest.algorithm().name(), digest.hex()))
    }

    /// The index of the blob `digest`, and whether that blob was compressed. `None` where there
    /// is none, or none that can be trusted.
    pub(crate) fn load(&self, digest: &Digest) -> Option<(LayerIndex, bool)> {
        let path = self.file(digest);
        let mut file = fs_err::File::open(&path).ok()?;
        let size = file.metadata().ok()?.len();
        if size > ENTRY_MAX {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).ok()?);
        io::Read::read_to_end(&mut file, &mut bytes).ok()?;
        let Some(decoded) = encoding::decode(digest, &bytes) else {
            let _ = fs_err::remove_file(&path);
            return None;
        };
        // Entries are ordered by their use; whether that can be noted does not matter.
        let _ = file.file().set_times(FileTimes::new().set_modified(SystemTime::now()));
        Some(decoded)
    }

    /// Keeps `index` for the next run, until [`Self::trim`]. A cache that cannot be written is no
    /// reason to fail.
    pub(crate) fn store(&self, digest: &Digest, index: &LayerIndex, compressed: bool) {
        let bytes = encoding::encode(digest, index, compressed);
        if bytes.len() as u64 <= self.bound {
            let _ = self.write(digest, &bytes);
        }
    }

    fn write(&self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        let directory = self.directory();
        create_private(&directory)?;
        let mut file =
            tempfile::Builder::new().prefix(&temporary_prefix()).tempfile_in(&directory)?;
        file.write_all(bytes)?;
        // By the same clock as uses: the filesystem's own lags behind it by some milliseconds.
        let now = FileTimes::new().set_modified(SystemTime::now());
        let _ = file.as_file().set_times(now);
        file.persist(self.file(digest)).map_err(|error| error.error)?;
        Ok(())
    }

    /// Removes the least recently used entries until the rest is within the bound. Only the
    /// listing is read. Whoever used the cache does this last, whether or not it stored anything:
    /// the bound may be smaller than that of the run before.
    pub(crate) fn trim(&self) {
        let Ok(mut stored) = self.stored() else { return };
        let mut total: u64 = stored.iter().map(|entry| entry.bytes).sum();
        stored.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
        for entry in stored {
            if total <= self.bound {
                break;
            }
            // Another process may have removed it first.
            let _ = fs_err::remove_file(&entry.path);
            total -= entry.bytes;
        }
    }

    fn stored(&self) -> io::Result<Vec<Stored>> {
        let listing = match fs_err::read_dir(self.directory()) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut stored = Vec::new();
        for entry in listing {
            let path = entry?.path();
            if !is_entry(&path) {
                continue;
            }
            if let Ok(metadata) = fs_err::symlink_metadata(&path) {
                let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                stored.push(Stored { path, used, bytes: metadata.len() });
            }
        }
        Ok(stored)
    }

    /// Removes every entry, and what interrupted writers left.
    pub fn clear(&self) -> io::Result<Cleared> {
        let mut cleared = Cleared::default();
        for entry in self.stored()? {
            match fs_err::remove_file(&entry.path) {
                // Another process removed it first.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                result => result?,
            }
            cleared.entries += 1;
            cleared.bytes = Bytes(cleared.bytes.get() + entry.bytes);
        }
        Ok(cleared)
    }
}

/// Removes what this process was writing into the cache at `root`, for a run that is cut short.
pub fn abandon(root: &Path) {
    let directory = Cache::new(root.to_owned(), Bytes(0)).directory();
    let prefix = temporary_prefix();
    for entry in fs_err::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()) {
            let _ = fs_err::remove_file(entry.path());
        }
    }
}

fn temporary_prefix() -> String {
    format!(".new-{}-", std::process::id())
}

/// Entries, and the temporary files that become entries.
fn is_entry(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == SUFFIX)
        || path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".new-"))
}

/// The names in an image may be private: so is the directory.
fn create_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", directory.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Kind;
    use crate::layer::index::{NewEntry, SparseMap};

    fn sample() -> LayerIndex {
        let mut index = LayerIndex { tar_size: 10_240, ..LayerIndex::default() };
        for (kind, name, link) in [
            (Kind::Directory, &b"etc/"[..], &b""[..]),
            (Kind::File, b"etc/\xff", b""),
            (Kind::Symlink, b"etc/link", b"../\xffx"),
            (Kind::HardLink, b"etc/hard", b"etc/\xff"),
        ] {
            let new = NewEntry {
                kind,
                name,
                link,
                size: 7,
                offset: 512,
                mode: 0o4755,
                uid: 1,
                gid: u32::MAX,
                mtime: (-5, 999),
                device: (1, 2),
                xattrs: vec![(b"user.a", b"\0\x01")],
                sparse: Some(SparseMap { runs: vec![(0, 3), (4, 3)] }),
                hash: Some([7; 32]),
            };
            index.push("sample", new).unwrap();
        }
        index.warnings.push("odd".to_owned());
        index
    }

    #[test]
    fn what_is_stored_is_loaded_and_damage_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path().to_owned(), Bytes(1 << 20));
        let (digest, other) = (Digest::sha256(b"a"), Digest::sha256(b"b"));
        assert!(cache.load(&digest).is_none());
        cache.store(&digest, &sample(), true);
        assert_eq!(cache.load(&digest), Some((sample(), true)));
        // An entry under another digest's name is not that digest's.
        fs_err::rename(cache.file(&digest), cache.file(&other)).unwrap();
        assert!(cache.load(&other).is_none());
        cache.store(&digest, &sample(), false);
        let whole = fs_err::read(cache.file(&digest)).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert!(encoding::decode(&digest, &damaged).is_none(), "byte {at}");
            assert!(encoding::decode(&digest, &whole[..at]).is_none(), "cut at {at}");
        }
        fs_err::write(cache.file(&digest), &whole[1..]).unwrap();
        assert!(cache.load(&digest).is_none());
        assert!(!cache.file(&digest).exists(), "a damaged entry is removed");
    }

    #[test]
    fn hashes_under_another_key_are_not_used() {
        let digest = Digest::sha256(b"a");
        let whole = encoding::encode(&digest, &sample(), true);
        let mut body = whole[..whole.len() - 32].to_vec();
        let identity = content_hash::identity();
        let at = body.windows(32).position(|window| window == identity).unwrap();
        body[at] ^= 1;
        let other = [&body[..], blake3::hash(&body).as_bytes()].concat();
        assert!(encoding::decode(&digest, &whole).is_some());
        assert!(encoding::decode(&digest, &other).is_none());
    }

    #[test]
    fn all_processes_agree_on_the_first_key() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path().join("made"), Bytes(1 << 20));
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| cache.key().unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        let file = cache.root.join(KEY);
        let mode = |path: &Path| {
            std::os::unix::fs::PermissionsExt::mode(&fs_err::metadata(path).unwrap().permissions())
        };
        assert_eq!((mode(&file) & 0o777, mode(&cache.directory()) & 0o777), (0o600, 0o700));
        // One that was damaged is made anew, once and for all.
        fs_err::write(&file, b"short").unwrap();
        let next = cache.key().unwrap();
        assert_ne!(next, keys[0]);
        assert_eq!(cache.key().unwrap(), next);
        assert_eq!(cache.clear().unwrap().entries, 0);
        assert!(file.exists(), "what running processes agreed on stays");
        let nowhere = Cache::new(PathBuf::from("/proc/none"), Bytes(1));
        assert!(nowhere.key().is_err());
    }

    #[test]
    fn the_bound_holds_and_the_oldest_goes() {
        let directory = tempfile::tempdir().unwrap();
        let one = encoding::encode(&Digest::sha256(b""), &sample(), true).len() as u64;
        let cache = Cache::open(directory.path().to_owned(), Bytes(one * 2));
        let digests: Vec<Digest> = (0..3_u8).map(|n| Digest::sha256(&[n])).collect();
        for (digest, age) in digests.iter().zip([300, 200, 100]) {
            cache.store(digest, &sample(), true);
            if let Ok(file) = fs_err::File::open(cache.file(digest)) {
                let then = SystemTime::now() - std::time::Duration::from_secs(age);
                file.file().set_times(FileTimes::new().set_modified(then)).unwrap();
            }
            cache.trim();
        }
        assert!(cache.load(&digests[0]).is_none());
        assert!(cache.load(&digests[1]).is_some() && cache.load(&digests[2]).is_some());
        let smaller = Cache::new(directory.path().to_owned(), Bytes(one));
        smaller.store(&digests[2], &sample(), true);
        smaller.trim();
        assert!(cache.load(&digests[1]).is_none() && cache.load(&digests[2]).is_some());
        assert_eq!(cache.clear().unwrap(), Cleared { entries: 1, bytes: Bytes(one) });
        assert_eq!(cache.clear().unwrap(), Cleared::default());
    }
}
