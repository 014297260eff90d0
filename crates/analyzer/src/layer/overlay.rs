//! Layers that an engine unpacked for its overlay mounts, read in place: the headers from the
//! tar-split that the engine kept, the contents from the directory. The account is that of the
//! exported tar, to the byte, for a fraction of the reading.

mod directory;
mod tar_split;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashbrown::HashSet;
use jettison_oci::Digest;

use crate::blob::ReadAt;
use crate::blob::digester::{Digester, check};
use crate::blob::region::read_exact_at;
use crate::entry::{self, Kind, Whiteout};
use crate::error::{Error, Result};
use crate::layer::content_hash::ContentHash;
use crate::layer::index::LayerIndex;
use crate::layer::overlay::directory::Directory;
use crate::layer::overlay::tar_split::{ContentPlaces, Headers, Piece};
use crate::layer::scan::{self, ContentHasher, scan};
use crate::source::UnpackedLayer;
use jettison_oci::escape;

const BUFFER: usize = 256 << 10;

/// A layer in a directory, with the tar-split of the tar that it was.
#[derive(Debug)]
pub struct OverlayLayer {
    what: String,
    tar_split: PathBuf,
    directory: Directory,
    index: Arc<LayerIndex>,
}

impl OverlayLayer {
    /// Reads the headers of the layer whose tar-split stands at `tar_split` (in gzip, as engines
    /// keep it) and whose files stand in `directory`. `what` names it in errors. An error means
    /// that the layer cannot be read in place: damaged, or of a form whose files do not tell what
    /// the tar held.
    pub fn open(what: &str, tar_split: &Path, directory: &Path) -> Result<Self> {
        let mut contents = ContentPlaces::default();
        let headers = Headers::new(tar_split::open(tar_split)?, &mut contents);
        let index = scan(headers, what, scan::ContentMode::Skip)?;
        let layer = Self {
            what: what.to_owned(),
            tar_split: tar_split.to_owned(),
            directory: Directory::open(directory)?,
            index: Arc::new(index),
        };
        contents_fit(&layer.index, &contents)
            .and_then(|()| each_file_stands(&layer.index))
            .map_err(|because| Error::corrupt(what, because))?;
        layer.probe()?;
        Ok(layer)
    }

    /// Looks for the first and the last file, to tell a directory of another form (such as
    /// composefs, where files stand under their digests) before anything relies on it.
    fn probe(&self) -> Result<()> {
        let has_content = |position: &usize| self.index.entry(*position).size() > 0;
        let first = (0..self.index.len()).find(has_content);
        let last = (0..self.index.len()).rev().find(has_content);
        for position in first.into_iter().chain(last) {
            let entry = self.index.entry(position);
            self.open_file(entry.path(), entry.size())?;
        }
        Ok(())
    }

    fn open_file(&self, path: &[u8], expected: u64) -> Result<std::fs::File> {
        let (file, size) = self.directory.open_file(path)?;
        if size != expected {
            return Err(self.damaged(path, &format!("has {size} bytes, its layer {expected}")));
        }
        Ok(file)
    }

    fn reader<'a>(&'a self, path: &'a [u8], size: u64) -> Result<FileReader<'a>> {
        Ok(FileReader { file: self.open_file(path, size)?, size, layer: self, path })
    }

    /// Hands the content of a file to `each`, piece by piece.
    fn content(&self, path: &[u8], size: u64, mut each: impl FnMut(&[u8])) -> Result<()> {
        let reader = self.reader(path, size)?;
        let mut buffer = vec![0; BUFFER.min(usize::try_from(size).unwrap_or(BUFFER))];
        let mut offset = 0;
        while offset < size {
            let read = reader.read_at(&mut buffer, offset);
            let read = read.map_err(|error| Error::reading(&self.what, error))?;
            each(&buffer[..read]);
            offset += read as u64;
        }
        Ok(())
    }

    fn damaged(&self, path: &[u8], because: &str) -> Error {
        let place = format!("{}/{}", self.directory.path().display(), escape::path(path));
        Error::corrupt(
            &self.what,
            format!("{place} {because}; --no-in-place asks the engine for the layer instead"),
        )
    }
}

/// Reads a file of a layer, which has to have the bytes that the layer said.
struct FileReader<'a> {
    file: std::fs::File,
    size: u64,
    layer: &'a OverlayLayer,
    path: &'a [u8],
}

impl ReadAt for FileReader<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.size.saturating_sub(offset);
        let want = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = read_exact_at(&self.file, &mut buffer[..want], offset);
        read.map(|()| want).map_err(|error| {
            let because = match error.kind() {
                io::ErrorKind::UnexpectedEof => "became shorter while it was read".to_owned(),
                _ => format!("cannot be read: {error}"),
            };
            io::Error::other(self.layer.damaged(self.path, &because))
        })
    }
}

impl UnpackedLayer for OverlayLayer {
    fn index(&self) -> Result<Arc<LayerIndex>> {
        Ok(self.index.clone())
    }

    fn hash(&self, index: &LayerIndex, position: usize) -> Result<ContentHash> {
        let entry = index.entry(position);
        let mut hasher = ContentHasher::new(entry.size(), None);
        self.content(entry.path(), entry.size(), |piece| hasher.update(piece))?;
        Ok(hasher.finish())
    }

    fn open(&self, index: &LayerIndex, position: usize) -> Result<Box<dyn ReadAt + '_>> {
        let entry = index.entry(position);
        let path = self.index.entry(position).path();
        debug_assert_eq!(path, entry.path(), "the index is this layer's");
        Ok(Box::new(self.reader(path, entry.size())?))
    }

    fn verify(&self, diff_id: &Digest) -> Result<()> {
        let mut digester = Digester::new(diff_id.algorithm());
        let mut split = tar_split::open(&self.tar_split)?;
        let mut path = Vec::new();
        while let Some(piece) = split.next()? {
            match piece {
                Piece::Segment => digester.update(&split.segment),
                Piece::Content(size) => {
                    path.clear();
                    entry::clean_into(&split.name, &mut path)
                        .map_err(|error| Error::corrupt(&self.what, error.to_string()))?;
                    self.content(&path, size, |piece| digester.update(piece))?;
                }
            }
        }
        check(&format!("the tar of {}", self.what), diff_id, &digester.finish())
    }
}

/// Whether each content of the tar-split belongs to just the file that its header makes.
fn contents_fit(index: &LayerIndex, contents: &ContentPlaces) -> Result<(), String> {
    let mut contents = contents.iter();
    let mut clean = Vec::new();
    for entry in index.entries().filter(|entry| entry.size() > 0) {
        let (offset, sparse) = entry.content();
        let path = || escape::path(entry.path());
        if sparse.is_some() {
            return Err(format!("{} is sparse, and its directory does not tell its runs", path()));
        }
        clean.clear();
        let fits = contents.next().is_some_and(|(at, size, name)| {
            (at, size) == (offset, entry.size())
                && entry::clean_into(name, &mut clean).is_ok()
                && clean == entry.path()
        });
        if !fits {
            return Err(format!(
                "the header of {} and its place in the tar-split disagree",
                path()
            ));
        }
    }
    match contents.next() {
        None => Ok(()),
        Some((.., name)) => Err(format!(
            "the tar-split has content for {}, which no header makes a file",
            escape::path(name)
        )),
    }
}

/// Whether each file with content is what stands at its path. Where a path comes twice, or leads
/// through something that is no directory, unpacking has lost or moved what one of the entries
/// held, and only the engine can tell.
fn each_file_stands(index: &LayerIndex) -> Result<(), String> {
    let mut leaves: HashSet<Cow<'_, [u8]>> = HashSet::with_capacity(index.len());
    let twice = |path: &[u8]| Err(format!("{} comes twice in it", escape::path(path)));
    for entry in index.entries().filter(|entry| entry.kind() != Kind::Directory) {
        let path = entry.path();
        if let Some(Whiteout::Path { directory, name }) = entry.whiteout() {
            let target = match directory {
                [] => Cow::Borrowed(name),
                directory => Cow::Owned([directory, b"/", name].concat()),
            };
            if leaves.contains(&*target) {
                return twice(&target);
            }
        }
        if !leaves.insert(Cow::Borrowed(path)) {
            return twice(path);
        }
    }
    let mut known_parent: &[u8] = b"";
    for entry in index.entries() {
        let path = entry.path();
        if entry.kind() == Kind::Directory && leaves.contains(path) {
            return twice(path);
        }
        if entry.size() == 0 {
            continue;
        }
        if path.split(|byte| *byte == b'/').any(|name| name.starts_with(b".wh.")) {
            return Err(format!("{} is a whiteout with content", escape::path(path)));
        }
        let parent = entry::split(path).0;
        if parent == known_parent {
            continue;
        }
        let mut above = parent;
        while !above.is_empty() {
            if leaves.contains(above) {
                return Err(format!(
                    "{} lies below {}, which is no directory",
                    escape::path(path),
                    escape::path(above)
                ));
            }
            above = entry::split(above).0;
        }
        known_parent = parent;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
