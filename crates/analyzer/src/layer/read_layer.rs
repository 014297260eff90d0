//! A layer after it was read, and the way to the contents of its files: at hand, in its tar, or in
//! an engine's store.

use std::io;
use std::sync::Arc;

use crate::blob::{ReadAt, Region};
use crate::content::elf::sections;
use crate::content::{self, Content};
use crate::error::{Error, Result};
use crate::layer::content_hash::{self, ContentHash};
use crate::layer::index::LayerIndex;
use crate::layer::scan::{Scratch, hash_at};
use crate::source::UnpackedLayer;

/// A layer after it was read.
#[derive(Clone)]
pub struct ReadLayer {
    /// Its entries.
    pub index: Arc<LayerIndex>,
    /// Bytes as stored, where they were stored compressed.
    pub compressed_size: Option<u64>,
    pub(super) contents: ContentAccess,
}

/// The way to a layer's contents, after it was read.
#[derive(Clone)]
pub(super) enum ContentAccess {
    /// None: they passed by, and each file is hashed already.
    Hashed,
    /// In the uncompressed tar.
    Region(Region),
    /// In an engine's store.
    Unpacked(Arc<dyn UnpackedLayer>),
}

impl ReadLayer {
    /// Hash of the content of the file at `position`, read now if it was not before. `what` names
    /// the layer in errors.
    pub fn hash(&self, what: &str, position: usize) -> Result<ContentHash> {
        self.hash_with(&|| what.to_owned(), position, &mut Scratch::default())
    }

    pub(crate) fn hash_with(
        &self,
        what: &dyn Fn() -> String,
        position: usize,
        scratch: &mut Scratch,
    ) -> Result<ContentHash> {
        let entry = self.index.entry(position);
        if entry.size() == 0 {
            return Ok(content_hash::of(&[]));
        }
        if let Some(hash) = entry.hash() {
            return Ok(*hash);
        }
        match &self.contents {
            ContentAccess::Region(region) => {
                let (offset, sparse) = entry.content();
                hash_at(region, what, entry.size(), offset, sparse, scratch)
            }
            ContentAccess::Unpacked(layer) => layer.hash(&self.index, position),
            ContentAccess::Hashed => {
                Err(Error::corrupt(what(), "a file's content was not read; clear the layer cache"))
            }
        }
    }

    /// Whether [`Self::open`] gives the content of the file at `position`: not where it was hashed
    /// as it went by, and not where holes would have to be filled in.
    pub(crate) fn can_open(&self, position: usize) -> bool {
        let entry = self.index.entry(position);
        !matches!(self.contents, ContentAccess::Hashed)
            && entry.hash().is_none()
            && entry.content().1.is_none()
    }

    /// The content of a file that can be opened; `None` where the layer ends inside it.
    pub(crate) fn open(&self, position: usize) -> Result<Option<Box<dyn ReadAt + '_>>> {
        let entry = self.index.entry(position);
        Ok(match &self.contents {
            ContentAccess::Hashed => None,
            ContentAccess::Region(region) => match region.part(entry.content().0, entry.size()) {
                Some(part) => Some(Box::new(part)),
                None => None,
            },
            ContentAccess::Unpacked(layer) => Some(layer.open(&self.index, position)?),
        })
    }

    /// What the content of the file at `position` says, looked at now or when it went by. `what`
    /// names the layer in errors.
    pub(crate) fn content(
        &self,
        what: &dyn Fn() -> String,
        position: usize,
    ) -> Result<Option<Arc<Content>>> {
        if matches!(self.contents, ContentAccess::Hashed) {
            let position = crate::layer::index::position(position);
            return Ok(self.index.gathered(position).cloned());
        }
        let entry = self.index.entry(position);
        let look = |file: &dyn ReadAt| content::at_hand(entry.path(), entry.size(), file);
        Ok(self.look(what, position, look)?.flatten().map(Arc::new))
    }

    /// The first bytes of the file at `position`, as many as there are and `buffer` has. `None` where
    /// it cannot be opened.
    pub(crate) fn start<'b>(
        &self,
        what: &dyn Fn() -> String,
        position: usize,
        buffer: &'b mut [u8],
    ) -> Result<Option<&'b [u8]>> {
        let read = self.look(what, position, |file| file.read_at(buffer, 0))?;
        Ok(read.map(|read| &buffer[..read]))
    }

    /// Bytes of the sections for debuggers and of the symbol table of the file at `position`, without
    /// looking into the rest of it. `None` where it is no ELF file; what was gathered as it went by
    /// says it elsewhere.
    pub(crate) fn sections(
        &self,
        what: &dyn Fn() -> String,
        position: usize,
    ) -> Result<Option<(u64, u64)>> {
        let size = self.index.entry(position).size();
        let found = self.look(what, position, |file| sections::sections(size, file))?;
        Ok(found.flatten())
    }

    /// Looks at the file at `position`; `None` where it cannot be opened.
    fn look<T>(
        &self,
        what: &dyn Fn() -> String,
        position: usize,
        look: impl FnOnce(&dyn ReadAt) -> io::Result<T>,
    ) -> Result<Option<T>> {
        if !self.can_open(position) {
            return Ok(None);
        }
        let truncated = || Error::corrupt(what(), "it is truncated inside a file's content");
        let file = self.open(position)?.ok_or_else(truncated)?;
        look(&*file).map(Some).map_err(|error| Error::reading(&what(), error))
    }

    /// The uncompressed tar, where it stands in a file.
    pub(crate) fn region(&self) -> Option<&Region> {
        match &self.contents {
            ContentAccess::Region(region) => Some(region),
            _ => None,
        }
    }
}
