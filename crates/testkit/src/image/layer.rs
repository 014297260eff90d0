//! One layer as a list of tar entries, in the order given.

use jettison_oci::Digest;

use super::header::{self, Header, Meta};

/// How names and link targets of more than 100 bytes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongNames {
    /// A PAX `path` or `linkpath` record: what Docker, `BuildKit` and containerd write.
    #[default]
    Pax,
    /// GNU `L` and `K` entries: what GNU tar and kaniko write.
    Gnu,
    /// The `ustar` prefix field where the name can be split there, else PAX.
    Prefix,
}

/// Builds one layer. Entries keep their order, duplicates stay, names go in as the bytes given.
#[derive(Clone, Debug)]
pub struct LayerBuilder {
    pub(super) parts: Vec<Part>,
    pub(super) trailer: Vec<u8>,
    long_names: LongNames,
}

/// What one call added: header blocks, then content. The facts repeat what the headers say, for
/// the tables of contents of eStargz and zstd:chunked.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) head: Vec<u8>,
    pub(super) content: Vec<u8>,
    pub(super) facts: Option<Facts>,
}

#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) name: Vec<u8>,
    pub(super) kind: u8,
    pub(super) meta: Meta,
    pub(super) link: Vec<u8>,
    pub(super) device: (u32, u32),
}

impl Part {
    /// The content with the zeros that fill its last block.
    pub(super) fn padded(&self) -> impl Iterator<Item = &[u8]> {
        const ZEROS: [u8; header::BLOCK] = [0; header::BLOCK];
        [self.content.as_slice(), &ZEROS[..header::padding(self.content.len())]].into_iter()
    }
}

impl Default for LayerBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl LayerBuilder {
    /// A layer without entries.
    pub fn new() -> Self {
        Self {
            parts: Vec::new(),
            trailer: vec![0; 2 * header::BLOCK],
            long_names: LongNames::default(),
        }
    }

    /// A layer of finished tar bytes, taken as they are.
    pub fn from_tar(tar: impl Into<Vec<u8>>) -> Self {
        Self::new().raw(tar).trailer([])
    }

    /// How long names of the entries after this call are written.
    #[must_use]
    pub fn long_names(mut self, long_names: LongNames) -> Self {
        self.long_names = long_names;
        self
    }

    /// A regular file of mode 0644.
    #[must_use]
    pub fn file(self, path: impl AsRef<[u8]>, content: impl Into<Vec<u8>>) -> Self {
        self.file_with(path, content, Meta::default())
    }

    /// A regular file.
    #[must_use]
    pub fn file_with(
        self,
        path: impl AsRef<[u8]>,
        content: impl Into<Vec<u8>>,
        meta: Meta,
    ) -> Self {
        self.entry(b'0', path.as_ref(), b"", meta, content.into(), (0, 0))
    }

    /// A directory of mode 0755.
    #[must_use]
    pub fn directory(self, path: impl AsRef<[u8]>) -> Self {
        self.directory_with(path, Meta::mode(0o755))
    }

    /// A directory.
    #[must_use]
    pub fn directory_with(self, path: impl AsRef<[u8]>, meta: Meta) -> Self {
        let mut name = path.as_ref().to_vec();
        if !name.ends_with(b"/") {
            name.push(b'/');
        }
        self.entry(b'5', &name, b"", meta, Vec::new(), (0, 0))
    }

    /// A symbolic link.
    #[must_use]
    pub fn symlink(self, path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        let (path, target) = (path.as_ref(), target.as_ref());
        self.entry(b'2', path, target, Meta::mode(0o777), Vec::new(), (0, 0))
    }

    /// A hard link to the entry named `target`, with its mode, owner and time where this layer has
    /// it: runtimes set them again from the link's header.
    #[must_use]
    pub fn hard_link(self, path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        let (path, target) = (path.as_ref(), target.as_ref());
        let named = |part: &&Part| part.facts.as_ref().is_some_and(|facts| facts.name == target);
        let facts = self.parts.iter().rev().find(named).and_then(|part| part.facts.as_ref());
        let mut meta = facts.map_or_else(Meta::default, |facts| facts.meta.clone());
        meta.xattrs.clear();
        self.entry(b'1', path, target, meta, Vec::new(), (0, 0))
    }

    /// A character device.
    #[must_use]
    pub fn char_device(self, path: impl AsRef<[u8]>, major: u32, minor: u32) -> Self {
        self.entry(b'3', path.as_ref(), b"", Meta::mode(0o666), Vec::new(), (major, minor))
    }

    /// A block device.
    #[must_use]
    pub fn block_device(self, path: impl AsRef<[u8]>, major: u32, minor: u32) -> Self {
        self.entry(b'4', path.as_ref(), b"", Meta::mode(0o660), Vec::new(), (major, minor))
    }

    /// A named pipe.
    #[must_use]
    pub fn fifo(self, path: impl AsRef<[u8]>) -> Self {
        self.entry(b'6', path.as_ref(), b"", Meta::default(), Vec::new(), (0, 0))
    }

    /// A whiteout: `path` of a lower layer is gone.
    #[must_use]
    pub fn whiteout(self, path: impl AsRef<[u8]>) -> Self {
        let path = path.as_ref();
        let path = path.strip_suffix(b"/").unwrap_or(path);
        let base = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        let marker = [&path[..base], b".wh.", &path[base..]].concat();
        self.file_with(marker, [], Meta::mode(0))
    }

    /// An opaque whiteout: what lower layers have inside `directory` is gone.
    #[must_use]
    pub fn opaque(self, directory: impl AsRef<[u8]>) -> Self {
        let directory = directory.as_ref();
        let slash: &[u8] =
            if directory.is_empty() || directory.ends_with(b"/") { b"" } else { b"/" };
        self.file_with([directory, slash, b".wh..wh..opq"].concat(), [], Meta::mode(0))
    }

    /// An entry of any type byte, with any content and link target.
    #[must_use]
    pub fn entry(
        mut self,
        kind: u8,
        path: &[u8],
        link: &[u8],
        meta: Meta,
        content: Vec<u8>,
        device: (u32, u32),
    ) -> Self {
        let mut head = Vec::new();
        let mut records: Vec<(String, Vec<u8>)> = Vec::new();
        let mut main = Header::posix(kind);
        let split = prefix_split(path).filter(|_| self.long_names == LongNames::Prefix);
        match (path.len() > 100, self.long_names, split) {
            (true, LongNames::Gnu, _) => head.extend(header::gnu_long(b'L', path)),
            (true, _, None) => records.push(("path".into(), path.to_vec())),
            _ => {}
        }
        if let (true, Some(slash)) = (path.len() > 100, split) {
            main.name(&path[slash + 1..]).put(345, 155, &path[..slash]);
        } else {
            main.name(path);
        }
        match (link.len() > 100, self.long_names) {
            (true, LongNames::Gnu) => head.extend(header::gnu_long(b'K', link)),
            (true, _) => records.push(("linkpath".into(), link.to_vec())),
            _ => {}
        }
        for (name, value) in &meta.xattrs {
            records.push((format!("SCHILY.xattr.{name}"), value.clone()));
        }
        if !records.is_empty() {
            head.extend(header::pax(b'x', path, &records));
        }
        main.meta(&meta).size(content.len() as u64).put(157, 100, link);
        if matches!(kind, b'3' | b'4') {
            main.number(329, 8, u64::from(device.0)).number(337, 8, u64::from(device.1));
        }
        head.extend_from_slice(&main.seal().0);
        let facts = Facts { name: path.to_vec(), kind, meta, link: link.to_vec(), device };
        self.parts.push(Part { head, content, facts: Some(facts) });
        self
    }

    /// A PAX extended header of these records, for the next entry.
    #[must_use]
    pub fn pax<K: AsRef<str>, V: AsRef<[u8]>>(self, records: &[(K, V)]) -> Self {
        self.pax_of(b'x', records)
    }

    /// A PAX global header of these records, for every entry that follows.
    #[must_use]
    pub fn pax_global<K: AsRef<str>, V: AsRef<[u8]>>(self, records: &[(K, V)]) -> Self {
        self.pax_of(b'g', records)
    }

    fn pax_of<K: AsRef<str>, V: AsRef<[u8]>>(self, kind: u8, records: &[(K, V)]) -> Self {
        let records: Vec<(String, Vec<u8>)> = records
            .iter()
            .map(|(key, value)| (key.as_ref().to_owned(), value.as_ref().to_vec()))
            .collect();
        self.raw(header::pax(kind, b"entry", &records))
    }

    /// A GNU long name for the next entry, whatever its own name says.
    #[must_use]
    pub fn gnu_long_name(self, name: impl AsRef<[u8]>) -> Self {
        self.raw(header::gnu_long(b'L', name.as_ref()))
    }

    /// A GNU long link target for the next entry.
    #[must_use]
    pub fn gnu_long_link(self, target: impl AsRef<[u8]>) -> Self {
        self.raw(header::gnu_long(b'K', target.as_ref()))
    }

    /// Bytes put into the stream as they are: whole blocks, or not, as the test wants.
    #[must_use]
    pub fn raw(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.parts.push(Part { head: bytes.into(), content: Vec::new(), facts: None });
        self
    }

    /// Changes the last header block written, and computes its checksum anew.
    #[must_use]
    pub fn edit_header(self, edit: impl FnOnce(&mut Header)) -> Self {
        self.edit_header_unsealed(|header| {
            edit(header);
            header.seal();
        })
    }

    /// Changes the last header block written and leaves its checksum alone.
    #[must_use]
    pub fn edit_header_unsealed(mut self, edit: impl FnOnce(&mut Header)) -> Self {
        if let Some(block) = self.parts.last_mut().and_then(|part| part.head.last_chunk_mut()) {
            let mut header = Header(*block);
            edit(&mut header);
            *block = header.0;
        }
        self
    }

    /// What ends the archive, instead of two blocks of zeros.
    #[must_use]
    pub fn trailer(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.trailer = bytes.into();
        self
    }

    /// Adds all entries of `other` after these.
    #[must_use]
    pub fn append(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }

    /// The number of entries and raw pieces.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether the layer has no entries.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The layer as an uncompressed tar archive.
    pub fn tar(&self) -> Vec<u8> {
        let size: usize =
            self.parts.iter().map(|part| part.head.len() + part.content.len() + 511).sum();
        let mut tar = Vec::with_capacity(size + self.trailer.len());
        for part in &self.parts {
            tar.extend_from_slice(&part.head);
            part.padded().for_each(|bytes| tar.extend_from_slice(bytes));
        }
        tar.extend_from_slice(&self.trailer);
        tar
    }

    /// The digest of the uncompressed tar archive.
    pub fn diff_id(&self) -> Digest {
        Digest::sha256(&self.tar())
    }
}

/// Where a long name can be cut so that both halves fit the `ustar` fields.
fn prefix_split(path: &[u8]) -> Option<usize> {
    (0..path.len().min(156))
        .rev()
        .find(|&at| path[at] == b'/' && at > 0 && path.len() - at - 1 <= 100 && at + 1 < path.len())
}
