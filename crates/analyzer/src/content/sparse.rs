//! The kept parts of a file, read as if they were the file.

use std::io;
use std::ops::Range;

use object::ReadRef;

use crate::blob::ReadAt;

/// Parts of a file, ascending and apart.
#[derive(Debug)]
pub(super) struct Sparse {
    parts: Vec<(u64, u64, Vec<u8>)>,
    size: u64,
    /// Something that was wanted is not kept.
    pub(super) is_partial: bool,
}

impl Sparse {
    pub(super) fn new(ranges: Vec<(u64, u64)>, size: u64, is_partial: bool) -> Self {
        let parts = ranges.into_iter().map(|(start, end)| (start, end, Vec::new())).collect();
        Self { parts, size, is_partial }
    }

    /// The parts of a file that is at hand.
    pub(super) fn read(file: &dyn ReadAt, ranges: Vec<(u64, u64)>, size: u64) -> io::Result<Self> {
        let mut sparse = Self::new(ranges, size, false);
        sparse.fill(file)?;
        Ok(sparse)
    }

    /// Other parts of the same file, of which what is not here is read.
    pub(super) fn widened(&self, ranges: Vec<(u64, u64)>, file: &dyn ReadAt) -> io::Result<Self> {
        let mut wider = Self::new(ranges, self.size, self.is_partial);
        for (start, end, kept) in &mut wider.parts {
            kept.extend_from_slice(self.up_to(*start, *end - *start).unwrap_or_default());
        }
        wider.fill(file)?;
        Ok(wider)
    }

    /// Takes all that is wanted and not there yet from the file itself.
    pub(super) fn fill(&mut self, file: &dyn ReadAt) -> io::Result<()> {
        for (start, end, kept) in &mut self.parts {
            let had = kept.len();
            let length = (*end).min(self.size).saturating_sub(*start);
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length <= had {
                continue;
            }
            kept.resize(length, 0);
            let read = file.read_at(&mut kept[had..], *start + had as u64)?;
            kept.truncate(had + read);
        }
        Ok(())
    }

    /// Bytes of the file.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Where the parts start and end.
    pub(super) fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        self.parts.iter().map(|(start, end, _)| (*start, *end))
    }

    /// What of a range is wanted.
    pub(super) fn within(&self, (start, end): (u64, u64)) -> impl Iterator<Item = (u64, u64)> {
        let common = move |(from, to): (u64, u64)| (from.max(start), to.min(end));
        self.ranges().map(common).filter(|(from, to)| from < to)
    }

    /// Takes what is wanted of `bytes`, which stand at `position`. Pieces come in order.
    pub(super) fn piece(&mut self, position: u64, bytes: &[u8]) {
        let end = position + bytes.len() as u64;
        for (from, to, kept) in &mut self.parts {
            if *from < end && position < *to {
                let inside =
                    |offset: u64| usize::try_from(offset - position).unwrap_or(bytes.len());
                kept.extend_from_slice(
                    &bytes[inside((*from).max(position))..inside((*to).min(end))],
                );
            }
        }
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.parts.iter().map(|(start, _, bytes)| (*start, &bytes[..]))
    }

    pub(super) fn byte(&self, offset: u64) -> Option<u8> {
        self.up_to(offset, 1)?.first().copied()
    }

    /// At most `length` bytes at `offset`: as many as are kept.
    pub(super) fn up_to(&self, offset: u64, length: u64) -> Option<&[u8]> {
        self.parts().find_map(|(start, bytes)| {
            let from = usize::try_from(offset.checked_sub(start)?).ok()?;
            let rest = bytes.get(from..).filter(|rest| !rest.is_empty())?;
            Some(&rest[..rest.len().min(usize::try_from(length).unwrap_or(usize::MAX))])
        })
    }
}

impl<'a> ReadRef<'a> for &'a Sparse {
    fn len(self) -> Result<u64, ()> {
        Ok(self.size)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        if size == 0 {
            return Ok(&[]);
        }
        self.up_to(offset, size).filter(|bytes| bytes.len() as u64 == size).ok_or(())
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        let bytes = self.up_to(range.start, range.end.saturating_sub(range.start)).ok_or(())?;
        memchr::memchr(delimiter, bytes).map(|end| &bytes[..end]).ok_or(())
    }
}
