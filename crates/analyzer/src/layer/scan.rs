//! From the bytes of a layer to its index.

use std::sync::Arc;

use crate::content::Collector;
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::layer::content_hash::{self, ContentHash, Hasher};
use crate::layer::index::{LayerIndex, NewEntry, Span, SparseMap, position};
use crate::layer::input::Input;
use crate::layer::tar::{BLOCK, Member, TarReader};
use crate::limits::{HOLES_HASHED_MAX, HOLES_RATIO_MAX, INDEX_FLOOR, INDEX_PER_ENTRY};

/// Whether the content of files is read while the headers go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentMode {
    /// Every file is hashed: the content passes by once, and cannot be asked for later.
    Hash,
    /// The same, and what each content says is gathered.
    Gather,
    /// Contents are skipped; those that matter are hashed later, at their offset.
    Skip,
}

/// Reads a whole layer. `what` names it in errors.
pub(crate) fn scan(input: impl Input, what: &str, contents: ContentMode) -> Result<LayerIndex> {
    let mut tar = TarReader::new(input, what);
    let mut index = LayerIndex::default();
    let mut member = Member::default();
    let (mut kept, mut gathered) = (0, Vec::new());
    while tar.next(&mut member)? {
        let Some(kind) = kind(&member) else {
            // Docker and containerd refuse such an entry; POSIX says to take it for a file.
            let flag = member.type_flag.escape_ascii().to_string();
            tar.warn_entry(&member, &format!("has the unknown type '{flag}' and is left out"));
            continue;
        };
        kept += beside_record(&member);
        let most = INDEX_FLOOR + INDEX_PER_ENTRY * (index.len() + 1);
        if kept > most {
            let what = format!("{what}: after entry {}", index.len());
            return Err(Error::size_limit(
                what,
                "names, attributes and sparse maps",
                kept as u64,
                most as u64,
            ));
        }
        let is_file = kind == Kind::File;
        let mut collector = (is_file && contents == ContentMode::Gather && member.sparse.is_none())
            .then(|| collector(&member));
        let hash = if is_file && member.size > 0 && contents != ContentMode::Skip {
            Some(hash_content(&mut tar, &member, collector.as_mut())?)
        } else {
            None
        };
        if let Some(content) = collector.and_then(Collector::finish) {
            gathered.push((position(index.len()), Arc::new(content)));
        }
        let xattrs = member.xattrs.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        index.push(
            what,
            NewEntry {
                kind,
                name: &member.name,
                link: match kind {
                    Kind::Symlink | Kind::HardLink => &member.link,
                    _ => &[],
                },
                size: if is_file { member.size } else { 0 },
                offset: member.offset,
                mode: member.mode,
                uid: member.uid,
                gid: member.gid,
                mtime: member.mtime,
                device: match kind {
                    Kind::CharDevice | Kind::BlockDevice => member.device,
                    _ => (0, 0),
                },
                xattrs,
                sparse: member.sparse.take(),
                hash,
            },
        )?;
    }
    index.tar_size = tar.finish()?;
    index.contents = (contents == ContentMode::Gather).then_some(gathered);
    for warning in tar.warnings {
        index.warn(warning);
    }
    Ok(index)
}

/// Bytes that the index keeps of an entry beside its record.
fn beside_record(member: &Member) -> usize {
    let attribute =
        |(name, value): &(Vec<u8>, Vec<u8>)| name.len() + value.len() + size_of::<(Span, Span)>();
    let runs = member.sparse.as_ref().map_or(0, |map| size_of_val(&map.runs[..]));
    let attributes: usize = member.xattrs.iter().map(attribute).sum();
    member.name.len() + member.link.len() + attributes + runs
}

/// Looks at a file as it goes by. A name that is no path is refused when it is pushed.
fn collector(member: &Member) -> Collector {
    let mut path = Vec::new();
    let _ = crate::entry::clean_into(&member.name, &mut path);
    Collector::new(&path, member.size)
}

fn hash_content<I: Input>(
    tar: &mut TarReader<I>,
    member: &Member,
    mut collector: Option<&mut Collector>,
) -> Result<ContentHash> {
    // Most files come in one piece, and need no state.
    let mut whole = None;
    let mut hasher = None;
    let new = || ContentHasher::new(member.size, member.sparse.as_ref());
    tar.content(|piece| {
        if let Some(collector) = &mut collector {
            collector.piece(piece);
        }
        if member.sparse.is_none() && piece.len() as u64 == member.size {
            whole = Some(content_hash::of(piece));
        } else {
            hasher.get_or_insert_with(new).update(piece);
        }
    })?;
    Ok(whole.unwrap_or_else(|| hasher.unwrap_or_else(new).finish()))
}

fn kind(member: &Member) -> Option<Kind> {
    Some(match member.type_flag {
        // Tars from before POSIX mark a directory by its slash alone.
        b'0' | 0 | b'7' if member.name.ends_with(b"/") && member.size == 0 => Kind::Directory,
        b'0' | 0 | b'7' | b'S' => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::CharDevice,
        b'4' => Kind::BlockDevice,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        _ => return None,
    })
}

/// Hashes a file as its reader would see it, holes as zeros, from the data that a tar stores.
pub(crate) struct ContentHasher<'a> {
    hasher: Hasher,
    runs: &'a [(u64, u64)],
    /// Offset in the file up to which it has been hashed.
    position: u64,
    /// Bytes of the present run that are still to come.
    run: u64,
    size: u64,
    /// The map stands for the holes, which are too large to hash.
    by_map: bool,
}

impl<'a> ContentHasher<'a> {
    pub(crate) fn new(size: u64, sparse: Option<&'a SparseMap>) -> Self {
        let mut hasher = Hasher::new();
        let (runs, by_map) = match sparse {
            None => (&[][..], false),
            Some(map) => {
                let data: u64 = map.runs.iter().map(|(_, len)| len).sum();
                let most = data.saturating_add(BLOCK as u64).saturating_mul(HOLES_RATIO_MAX);
                (&map.runs[..], size - data > most.min(HOLES_HASHED_MAX))
            }
        };
        if by_map {
            hasher.update(b"jettison sparse map");
            hasher.update(&size.to_le_bytes());
            for (offset, len) in runs {
                hasher.update(&offset.to_le_bytes());
                hasher.update(&len.to_le_bytes());
            }
        }
        let run = if sparse.is_none() { u64::MAX } else { 0 };
        Self { hasher, runs, position: 0, run, size, by_map }
    }

    pub(crate) fn update(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            while self.run == 0 {
                let Some(((offset, len), rest)) = self.runs.split_first() else { return };
                self.zeros(offset - self.position);
                self.position = *offset;
                self.run = *len;
                self.runs = rest;
            }
            let count = data.len().min(usize::try_from(self.run).unwrap_or(usize::MAX));
            self.hasher.update(&data[..count]);
            self.position += count as u64;
            self.run -= count as u64;
            data = &data[count..];
        }
    }

    pub(crate) fn finish(mut self) -> ContentHash {
        self.zeros(self.size - self.position);
        self.hasher.finish()
    }

    fn zeros(&mut self, mut count: u64) {
        static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
        if self.by_map {
            return;
        }
        while count > 0 {
            let step = usize::try_from(count).unwrap_or(usize::MAX).min(ZEROS.len());
            self.hasher.update(&ZEROS[..step]);
            count -= step as u64;
        }
    }
}

/// Bytes read at a time when single files are hashed.
const PIECE: usize = 256 << 10;

/// A buffer for [`hash_at`], kept from file to file: most files fit it whole.
#[derive(Debug, Default)]
pub(crate) struct Scratch(Vec<u8>);

/// Hashes one file of a layer that stands uncompressed in `region`.
pub(crate) fn hash_at(
    region: &crate::blob::region::Region,
    what: &dyn Fn() -> String,
    size: u64,
    offset: u64,
    sparse: Option<&SparseMap>,
    scratch: &mut Scratch,
) -> Result<ContentHash> {
    let stored = sparse.map_or(size, |map| map.runs.iter().map(|(_, len)| len).sum());
    let content = region
        .part(offset, stored)
        .ok_or_else(|| Error::corrupt(what(), "it is truncated inside a file's content"))?;
    let buffer = &mut scratch.0;
    buffer.resize(PIECE, 0);
    if sparse.is_none()
        && let Ok(whole) = usize::try_from(size)
        && whole <= PIECE
    {
        content.read_at(&mut buffer[..whole], 0)?;
        return Ok(content_hash::of(&buffer[..whole]));
    }
    let mut hasher = ContentHasher::new(size, sparse);
    let mut position = 0;
    while position < stored {
        let read = content.read_at(buffer, position)?;
        hasher.update(&buffer[..read]);
        position += read as u64;
    }
    Ok(hasher.finish())
}
