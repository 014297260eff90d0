//! The index of a layer: its entries in their order, without their content. Compact, because a
//! large image has a million of them: names stand in one arena, rare parts beside the records.

use std::sync::Arc;

use crate::content::Content;
use crate::entry::{self, Kind, Whiteout};
use crate::error::{Error, Result};
use crate::layer::content_hash::ContentHash;
use crate::limits::{ENTRIES_MAX, NAMES_MAX, WARNINGS_MAX};

/// Where a text stands in an arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Span {
    pub(crate) fn of(self, arena: &[u8]) -> &[u8] {
        let start = self.start as usize;
        &arena[start..start + self.len as usize]
    }
}

/// Stands for "none" in the indexes of a record.
pub(crate) const NONE: u32 = u32::MAX;

/// One entry as it is kept. 80 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) path: Span,
    pub(crate) link: Span,
    /// Content bytes of a file as people see them (holes included); else 0.
    pub(crate) size: u64,
    /// Where the content starts in the uncompressed layer, or its place in a directory of files.
    pub(crate) offset: u64,
    pub(crate) mtime: i64,
    pub(crate) mtime_nanos: u32,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Major and minor number of a device.
    pub(crate) device: (u32, u32),
    /// Position in `xattrs`, or [`NONE`].
    pub(crate) xattrs: u32,
    /// Position in `hashes`, or [`NONE`].
    pub(crate) hash: u32,
    /// Position in `sparse`, or [`NONE`].
    pub(crate) sparse: u32,
    pub(crate) kind: Kind,
}

/// The data runs of a sparse file: what stands at `offset` of the layer is these runs, packed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SparseMap {
    /// `(offset in the file, bytes)`, ascending, not overlapping.
    pub runs: Vec<(u64, u64)>,
}

/// The entries of one layer, in the order of the tar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerIndex {
    pub(crate) names: Vec<u8>,
    pub(crate) records: Vec<Record>,
    /// Name and value of each extended attribute, a list an entry.
    pub(crate) xattrs: Vec<Vec<(Span, Span)>>,
    pub(crate) hashes: Vec<ContentHash>,
    pub(crate) sparse: Vec<SparseMap>,
    /// Bytes of the uncompressed tar, end marker and padding included.
    pub(crate) tar_size: u64,
    pub(crate) warnings: Vec<String>,
    /// What the contents of files say, by position, where that was gathered.
    pub(crate) contents: Option<Vec<(u32, Arc<Content>)>>,
}

/// An entry on its way into an index.
#[derive(Clone, Debug)]
pub(crate) struct NewEntry<'a> {
    pub(crate) kind: Kind,
    /// The name as the tar has it.
    pub(crate) name: &'a [u8],
    /// Target of a symlink, as it is; of a hard link, the name as the tar has it.
    pub(crate) link: &'a [u8],
    pub(crate) size: u64,
    pub(crate) offset: u64,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mtime: (i64, u32),
    pub(crate) device: (u32, u32),
    pub(crate) xattrs: Vec<(&'a [u8], &'a [u8])>,
    pub(crate) sparse: Option<SparseMap>,
    pub(crate) hash: Option<ContentHash>,
}

impl LayerIndex {
    /// Bytes of the uncompressed tar, end marker and padding included.
    pub fn tar_size(&self) -> u64 {
        self.tar_size
    }

    /// How many entries the layer has, whiteouts included.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether the layer has no entry.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// What was odd about the layer without making it unreadable.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The entry at `position`, which is below [`Self::len`].
    pub fn entry(&self, position: usize) -> Entry<'_> {
        Entry { index: self, record: &self.records[position], position }
    }

    /// All entries, in the order of the tar.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.len()).map(|position| self.entry(position))
    }

    /// What the content of the file at `position` says, where it was gathered as it went by.
    pub(crate) fn gathered(&self, position: u32) -> Option<&Arc<Content>> {
        let contents = self.contents.as_ref()?;
        let at = contents.binary_search_by_key(&position, |(at, _)| *at).ok()?;
        Some(&contents[at].1)
    }

    /// Whether every file's content has been hashed.
    pub fn is_hashed(&self) -> bool {
        self.records.iter().all(|r| r.kind != Kind::File || r.size == 0 || r.hash != NONE)
    }

    pub(crate) fn warn(&mut self, warning: String) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(warning);
        } else if self.warnings.len() == WARNINGS_MAX {
            self.warnings.push("further warnings about this layer are left out".to_owned());
        }
    }

    /// Adds an entry; `what` names the layer in errors.
    pub(crate) fn push(&mut self, what: &str, new: NewEntry<'_>) -> Result<()> {
        if self.records.len() >= ENTRIES_MAX {
            return Err(Error::Limit {
                what: what.to_owned(),
                limit: format!("{} entries", self.records.len() + 1),
                max: ENTRIES_MAX.to_string(),
                remedy: "",
            });
        }
        let path = self.push_path(what, new.name)?;
        let link = match new.kind {
            Kind::HardLink => self.push_path(what, new.link)?,
            _ => self.push_text(what, new.link)?,
        };
        let xattrs = if new.xattrs.is_empty() {
            NONE
        } else {
            let mut list = Vec::with_capacity(new.xattrs.len());
            for (name, value) in new.xattrs {
                list.push((self.push_text(what, name)?, self.push_text(what, value)?));
            }
            self.xattrs.push(list);
            position(self.xattrs.len() - 1)
        };
        let hash = new.hash.map_or(NONE, |hash| {
            self.hashes.push(hash);
            position(self.hashes.len() - 1)
        });
        let sparse = new.sparse.map_or(NONE, |map| {
            self.sparse.push(map);
            position(self.sparse.len() - 1)
        });
        self.records.push(Record {
            path,
            link,
            size: new.size,
            offset: new.offset,
            mtime: new.mtime.0,
            mtime_nanos: new.mtime.1,
            mode: new.mode,
            uid: new.uid,
            gid: new.gid,
            device: new.device,
            xattrs,
            hash,
            sparse,
            kind: new.kind,
        });
        Ok(())
    }

    fn push_path(&mut self, what: &str, name: &[u8]) -> Result<Span> {
        let start = self.names.len();
        entry::clean_into(name, &mut self.names).map_err(|error| {
            Error::corrupt(
                what,
                format!(
                    "entry {} is named \"{}\", which {error}: no runtime would unpack it",
                    self.records.len(),
                    jettison_oci::escape::path(&name[..name.len().min(200)])
                ),
            )
        })?;
        self.span(what, start)
    }

    fn push_text(&mut self, what: &str, text: &[u8]) -> Result<Span> {
        if text.is_empty() {
            return Ok(Span::default());
        }
        let start = self.names.len();
        self.names.extend_from_slice(text);
        self.span(what, start)
    }

    fn span(&self, what: &str, start: usize) -> Result<Span> {
        match (u32::try_from(start), u32::try_from(self.names.len() - start)) {
            (Ok(start), Ok(len)) if self.names.len() < NAMES_MAX => Ok(Span { start, len }),
            _ => Err(Error::size_limit(
                what,
                "names and attributes",
                self.names.len() as u64,
                NAMES_MAX as u64,
            )),
        }
    }
}

/// A count that [`ENTRIES_MAX`] keeps far below 32 bits.
pub(crate) fn position(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(NONE - 1)
}

/// One entry of a [`LayerIndex`].
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    index: &'a LayerIndex,
    record: &'a Record,
    position: usize,
}

impl<'a> Entry<'a> {
    /// Position in its layer.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Cleaned path, without a leading slash; empty for the root.
    pub fn path(&self) -> &'a [u8] {
        self.record.path.of(&self.index.names)
    }

    /// Target of a symlink as written, or cleaned path of a hard link's target.
    pub fn link(&self) -> &'a [u8] {
        self.record.link.of(&self.index.names)
    }

    /// What the entry makes.
    pub fn kind(&self) -> Kind {
        self.record.kind
    }

    /// What the entry takes away, if it is a whiteout.
    pub fn whiteout(&self) -> Option<Whiteout<'a>> {
        entry::whiteout(self.path())
    }

    /// Content bytes of a file, holes included; 0 for everything else.
    pub fn size(&self) -> u64 {
        self.record.size
    }

    /// Permission bits, `setuid`, `setgid` and sticky included (0 to 0o7777).
    pub fn mode(&self) -> u32 {
        self.record.mode
    }

    /// Owner and group.
    pub fn owner(&self) -> (u32, u32) {
        (self.record.uid, self.record.gid)
    }

    /// Modification time: seconds since 1970 and nanoseconds.
    pub fn mtime(&self) -> (i64, u32) {
        (self.record.mtime, self.record.mtime_nanos)
    }

    /// Major and minor number of a device.
    pub fn device(&self) -> (u32, u32) {
        self.record.device
    }

    /// Extended attributes, in the order of the tar.
    pub fn xattrs(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let names = &self.index.names;
        let list: &'a [(Span, Span)] = match self.record.xattrs {
            NONE => &[],
            at => &self.index.xattrs[at as usize],
        };
        list.iter().map(|(name, value)| (name.of(names), value.of(names)))
    }

    /// Hash of the content, where it has been read.
    pub fn hash(&self) -> Option<&'a ContentHash> {
        self.index.hashes.get(self.record.hash as usize)
    }

    /// Where the content starts in the uncompressed layer, and how it is laid out.
    pub(crate) fn content(&self) -> (u64, Option<&'a SparseMap>) {
        (self.record.offset, self.index.sparse.get(self.record.sparse as usize))
    }
}
