//! The directory at the end of a zip (APPNOTE.TXT 4.3.12, 4.3.14 to 4.3.16), and the contents that
//! it leads to.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::DeflateDecoder;

use crate::content::sparse::Sparse;
use crate::limits::ARCHIVE_ENTRIES_MAX;

/// The bytes of a file that are at hand.
pub(super) trait Kept {
    /// Bytes of the whole file.
    fn size(&self) -> u64;
    /// `length` bytes at `offset`; `None` where one of them is not kept.
    fn bytes(&self, offset: u64, length: u64) -> Option<&[u8]>;
}

impl Kept for Sparse {
    fn size(&self) -> u64 {
        object::ReadRef::len(self).unwrap_or(0)
    }

    fn bytes(&self, offset: u64, length: u64) -> Option<&[u8]> {
        self.up_to(offset, length).filter(|bytes| bytes.len() as u64 == length)
    }
}

impl Kept for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn bytes(&self, offset: u64, length: u64) -> Option<&[u8]> {
        let (start, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
        self.get(start..start.checked_add(length)?)
    }
}

const ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
/// The end record without its comment, which may have 64 KiB.
const END_SIZE: usize = 22;
const COMMENT_MAX: u64 = 0xffff;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// The directory of an archive.
pub(super) struct Directory<'a> {
    kept: &'a dyn Kept,
    rows: &'a [u8],
    /// What stands before the archive, a script that starts it.
    before: u64,
    /// It has more entries than are looked at.
    pub(super) is_partial: bool,
}

/// One entry.
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    /// Bytes of its content.
    pub(super) size: u64,
    packed: u64,
    offset: u64,
    method: u16,
    is_encrypted: bool,
}

impl<'a> Directory<'a> {
    pub(super) fn find(kept: &'a dyn Kept) -> Option<Self> {
        let size = kept.size();
        let length = size.min(COMMENT_MAX + END_SIZE as u64);
        let tail = kept.bytes(size - length, length)?;
        // One whose comment ends where the file does: an archive inside may have one as well.
        let at = memchr::memmem::rfind_iter(tail, END).find(|at| {
            let comment = u16_at(&tail[*at..], 20).map(usize::from);
            comment.is_some_and(|comment| at + END_SIZE + comment == tail.len())
        })?;
        let end = size - length + at as u64;
        let record = &tail[at..];
        let mut rows = (u64::from(u32_at(record, 12)?), u64::from(u32_at(record, 16)?));
        let mut rows_end = end;
        if let Some((offset, of_64)) = end_64(kept, end) {
            rows = of_64;
            rows_end = offset;
        }
        let (rows_size, offset) = rows;
        // With something before the archive, its offsets are that much too small.
        let start = if rows_size == 0 || kept.bytes(offset, 4) == Some(ENTRY) {
            offset
        } else {
            rows_end.checked_sub(rows_size)?
        };
        let before = start.checked_sub(offset)?;
        let rows = kept.bytes(start, rows_size)?;
        let is_partial = rows.len() / 46 > ARCHIVE_ENTRIES_MAX;
        Some(Self { kept, rows, before, is_partial })
    }

    /// The entries as far as they can be read.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let mut rest = self.rows;
        std::iter::from_fn(move || {
            let (entry, length) = entry(rest)?;
            rest = &rest[length..];
            Some(entry)
        })
        .take(ARCHIVE_ENTRIES_MAX)
    }

    /// The first bytes of a content, at most `most`; `left` is what may still be read.
    pub(super) fn front(
        &self,
        entry: &Entry<'_>,
        most: u64,
        left: &mut u64,
    ) -> Option<Cow<'a, [u8]>> {
        let local = self.before.checked_add(entry.offset)?;
        let header = self.kept.bytes(local, 30).filter(|header| header.starts_with(LOCAL))?;
        let skip = 30 + u64::from(u16_at(header, 26)?) + u64::from(u16_at(header, 28)?);
        let start = local.checked_add(skip)?;
        let most = most.min(*left);
        let front = match entry.method {
            _ if entry.is_encrypted => return None,
            STORED => Cow::Borrowed(self.kept.bytes(start, entry.size.min(most))?),
            DEFLATED => {
                let packed = self.kept.bytes(start, entry.packed)?;
                let mut text = Vec::new();
                DeflateDecoder::new(packed).take(most).read_to_end(&mut text).ok()?;
                Cow::Owned(text)
            }
            _ => return None,
        };
        *left -= front.len() as u64;
        Some(front)
    }
}

/// The offset of the record for large archives, and the directory's size and offset in it.
fn end_64(kept: &dyn Kept, end: u64) -> Option<(u64, (u64, u64))> {
    let locator = kept.bytes(end.checked_sub(20)?, 20).filter(|l| l.starts_with(LOCATOR_64))?;
    let offset = u64_at(locator, 8)?;
    let record = kept.bytes(offset, 56).filter(|record| record.starts_with(END_64))?;
    Some((offset, (u64_at(record, 40)?, u64_at(record, 48)?)))
}

/// The first entry of `rows`, and its length.
fn entry(rows: &[u8]) -> Option<(Entry<'_>, usize)> {
    if !rows.starts_with(ENTRY) {
        return None;
    }
    let length = |at| u16_at(rows, at).map(usize::from);
    let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
    let mut extras = rows.get(46 + name..46 + name + extra)?;
    let mut fields = [24, 20, 42].map(|at| u32_at(rows, at).map_or(0, u64::from));
    while let (Some(id), Some(size)) = (u16_at(extras, 0), u16_at(extras, 2)) {
        let Some(value) = extras.get(4..4 + usize::from(size)) else { break };
        if id == 1 {
            // Only what does not fit above stands here, in this order.
            let mut numbers = value.chunks_exact(8).filter_map(|number| u64_at(number, 0));
            for field in &mut fields {
                if *field == u64::from(u32::MAX) {
                    *field = numbers.next().unwrap_or(*field);
                }
            }
        }
        extras = &extras[4 + usize::from(size)..];
    }
    let [size, packed, offset] = fields;
    let entry = Entry {
        name: &rows[46..46 + name],
        size,
        packed,
        offset,
        method: u16_at(rows, 10)?,
        is_encrypted: u16_at(rows, 8)? & 1 != 0,
    };
    let whole = 46 + name + extra + comment;
    (whole <= rows.len()).then_some((entry, whole))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
