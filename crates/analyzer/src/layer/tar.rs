//! Tar headers, read as the runtimes read them: Docker, containerd and containers/storage all use
//! Go's `archive/tar`, so where formats disagree (PAX over GNU, global headers, sparse maps) its
//! choice is ours. Fields of the 512-byte header are decoded by the `tar` crate; the order of
//! extension headers, the limits and the way past contents are here.

use std::ops::Range;

use tar::{EntryType, Header};

mod field;
mod pax;
mod sparse;

use crate::error::{Error, Result};
use crate::layer::index::SparseMap;
use crate::layer::input::{FILL_MAX, Input};
use crate::limits::{EXTENSION_MAX, EXTENSIONS_PENDING_MAX, GLOBALS_MAX, WARNINGS_MAX};

pub(crate) use field::checksum_fits;
use field::numeric;
use pax::Pax;

/// Bytes of a tar block.
pub(crate) const BLOCK: usize = 512;
/// What of a content is hashed together.
const PIECE: usize = FILL_MAX / 2;

/// One entry, extension headers applied. Reused from entry to entry, so that a million of them
/// cost no allocation each.
#[derive(Debug, Default)]
pub(crate) struct Member {
    pub(crate) type_flag: u8,
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    /// Bytes that stand in the tar.
    pub(crate) stored: u64,
    /// Bytes of the file: more than `stored` where it has holes.
    pub(crate) size: u64,
    pub(crate) sparse: Option<SparseMap>,
    /// Offset of the content in the tar.
    pub(crate) offset: u64,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mtime: (i64, u32),
    pub(crate) device: (u32, u32),
    pub(crate) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Reads a tar entry by entry.
pub(crate) struct TarReader<I> {
    input: I,
    what: String,
    /// Content bytes of the present entry that nobody has read yet, and their padding.
    content: u64,
    padding: u64,
    entries: u64,
    globals: u32,
    pub(crate) warnings: Vec<String>,
}

/// What extension headers said of the next entry.
#[derive(Default)]
struct Extensions {
    pax: Vec<u8>,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    count: u32,
}

impl<I: Input> TarReader<I> {
    /// `what` names the tar in errors.
    pub(crate) fn new(input: I, what: impl Into<String>) -> Self {
        Self {
            input,
            what: what.into(),
            content: 0,
            padding: 0,
            entries: 0,
            globals: 0,
            warnings: Vec::new(),
        }
    }

    /// The next entry into `member`; false at the end of the archive.
    pub(crate) fn next(&mut self, member: &mut Member) -> Result<bool> {
        let mut extensions = Extensions::default();
        loop {
            self.skip_content()?;
            let Some(header) = self.header()? else {
                // Go ends here as well, and the extension applies to nothing.
                if extensions.count > 0 {
                    self.warn("it ends after an extension header");
                }
                return Ok(false);
            };
            let size = self.size(&header)?;
            match header.entry_type() {
                EntryType::XHeader => {
                    extensions.pax = self.extension(&mut extensions.count, size)?;
                }
                EntryType::GNULongName => {
                    extensions.name = Some(until_nul(self.extension(&mut extensions.count, size)?));
                }
                EntryType::GNULongLink => {
                    extensions.link = Some(until_nul(self.extension(&mut extensions.count, size)?));
                }
                // Go hands global headers to its caller, and the runtimes drop them: what stood
                // before one applies to nothing.
                EntryType::XGlobalHeader => {
                    extensions = Extensions::default();
                    self.globals += 1;
                    if self.globals > GLOBALS_MAX {
                        return Err(self.corrupt(format!("more than {GLOBALS_MAX} global headers")));
                    }
                    self.extension_content(size)?;
                }
                _ => {
                    self.entries += 1;
                    self.fill_member(member, &header, size, extensions)?;
                    return Ok(true);
                }
            }
        }
    }

    /// Hands the content that stands in the tar to `each`, piece by piece. All pieces but the last
    /// are multiples of [`PIECE`] where the input can give that much, which suits a tree of hashes.
    pub(crate) fn content(&mut self, mut each: impl FnMut(&[u8])) -> Result<()> {
        while self.content > 0 {
            let left = usize::try_from(self.content).unwrap_or(usize::MAX);
            let available =
                self.input.fill_to(left.min(PIECE)).map_err(|e| Error::reading(&self.what, e))?;
            if available.is_empty() {
                return Err(self.truncated());
            }
            let count = match available.len() {
                enough if enough >= left => left,
                few if few < PIECE => few,
                more => more - more % PIECE,
            };
            each(&available[..count]);
            self.input.consume(count);
            self.content -= count as u64;
        }
        Ok(())
    }

    /// The next content bytes that stand in the tar; 0 at the end of the content.
    pub(crate) fn read_content(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.content == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let available = self.input.fill().map_err(|e| Error::reading(&self.what, e))?;
        let count = available
            .len()
            .min(buffer.len())
            .min(usize::try_from(self.content).unwrap_or(usize::MAX));
        if count == 0 {
            return Err(self.truncated());
        }
        buffer[..count].copy_from_slice(&available[..count]);
        self.input.consume(count);
        self.content -= count as u64;
        Ok(count)
    }

    /// Reads what stands behind the end marker, so that a stream's digest covers it; returns the
    /// bytes of the whole tar. Call it once `next` has returned false.
    pub(crate) fn finish(&mut self) -> Result<u64> {
        self.input.skip(u64::MAX).map_err(|e| Error::reading(&self.what, e))?;
        Ok(self.input.position())
    }

    fn skip_content(&mut self) -> Result<()> {
        let left = self.content + self.padding;
        let skipped = self.input.skip(left).map_err(|e| Error::reading(&self.what, e))?;
        // Go, too, forgives padding that is missing at the very end.
        if skipped < self.content {
            return Err(self.truncated());
        }
        self.content = 0;
        self.padding = 0;
        Ok(())
    }

    /// The next header block, or `None` at the end marker or where the input ends at a block.
    fn header(&mut self) -> Result<Option<Header>> {
        let mut header = Header::new_old();
        if !self.block(header.as_mut_bytes())? {
            return Ok(None);
        }
        if header.as_bytes().iter().all(|b| *b == 0) {
            let mut second = [0; BLOCK];
            if self.block(&mut second)? && second.iter().any(|b| *b != 0) {
                return Err(self.corrupt(
                    "a single zero block stands between entries: readers disagree on what follows",
                ));
            }
            return Ok(None);
        }
        if !checksum_fits(header.as_bytes()) {
            return Err(self.corrupt(format!(
                "what should be the header of entry {} at byte {} has a wrong checksum",
                self.entries,
                self.input.position() - BLOCK as u64
            )));
        }
        Ok(Some(header))
    }

    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool> {
        let read = self.input.read_full(block).map_err(|e| Error::reading(&self.what, e))?;
        match read {
            0 => Ok(false),
            BLOCK => Ok(true),
            _ => Err(self.truncated()),
        }
    }

    /// The content of an extension header that applies to the next entry.
    fn extension(&mut self, count: &mut u32, size: u64) -> Result<Vec<u8>> {
        *count += 1;
        if *count > EXTENSIONS_PENDING_MAX {
            return Err(self.corrupt(format!(
                "more than {EXTENSIONS_PENDING_MAX} extension headers stand before one entry"
            )));
        }
        self.extension_content(size)
    }

    fn extension_content(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > EXTENSION_MAX {
            return Err(Error::size_limit(&self.what, "an extension header", size, EXTENSION_MAX));
        }
        self.content = size;
        self.padding = padding(size);
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        self.content(|piece| bytes.extend_from_slice(piece))?;
        Ok(bytes)
    }

    fn fill_member(
        &mut self,
        member: &mut Member,
        header: &Header,
        header_size: u64,
        extensions: Extensions,
    ) -> Result<()> {
        member.type_flag = header.as_bytes()[156];
        member.name.clear();
        member.name.extend_from_slice(&header.path_bytes());
        member.link.clear();
        if let Some(link) = header.link_name_bytes() {
            member.link.extend_from_slice(&link);
        }
        let mode = self.number(header, field::MODE, "mode")? & 0o7777;
        member.mode = u32::try_from(mode).unwrap_or_default();
        let uid = self.number(header, field::UID, "owner")?;
        let gid = self.number(header, field::GID, "group")?;
        member.mtime = (self.number(header, field::MTIME, "time")?, 0);
        let device = |result: std::io::Result<Option<u32>>| result.ok().flatten().unwrap_or(0);
        member.device = (device(header.device_major()), device(header.device_minor()));
        member.xattrs.clear();
        member.sparse = None;
        member.size = header_size;

        let mut pax = Pax::default();
        pax.apply(&extensions.pax, member).map_err(|because| self.corrupt(because))?;
        // Go lets the GNU names win over PAX; other readers do the reverse.
        if let Some(name) = extensions.name {
            member.name = name;
        }
        if let Some(link) = extensions.link {
            member.link = link;
        }
        member.uid = self.id(member, pax.uid.unwrap_or(uid), "owner");
        member.gid = self.id(member, pax.gid.unwrap_or(gid), "group");
        if is_header_only(member.type_flag) {
            if member.size > 0 {
                let size = member.size;
                self.warn_entry(
                    member,
                    &format!("claims {size} bytes of content and can have none"),
                );
            }
            member.size = 0;
        }
        member.stored = member.size;
        member.offset = self.input.position();
        if member.type_flag == b'S' {
            self.gnu_sparse(member, header)?;
        }
        self.content = member.stored;
        self.padding = padding(member.stored);
        if member.stored > i64::MAX.unsigned_abs() {
            return Err(self.corrupt(format!("an entry claims {} bytes", member.stored)));
        }
        if pax.is_sparse() {
            self.pax_sparse(member, &pax)?;
        }
        Ok(())
    }

    pub(crate) fn warn_entry(&mut self, member: &Member, warning: &str) {
        let name = jettison_oci::escape::path(&member.name);
        self.warn(&format!("entry \"{name}\" {warning}"));
    }

    fn warn(&mut self, warning: &str) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(format!("{}: {warning}", self.what));
        }
    }

    /// An owner or group as the file gets it.
    fn id(&mut self, member: &Member, stated: i64, name: &str) -> u32 {
        let id = field::id(stated);
        if i64::from(id) != stated {
            self.warn_entry(member, &format!("has the {name} {stated}, which is taken for {id}"));
        }
        id
    }

    fn number(&self, header: &Header, at: Range<usize>, name: &str) -> Result<i64> {
        numeric(&header.as_bytes()[at]).ok_or_else(|| {
            self.corrupt(format!("the {name} of entry {} is not a number", self.entries))
        })
    }

    fn size(&self, header: &Header) -> Result<u64> {
        let size = self.number(header, field::SIZE, "size")?;
        u64::try_from(size).or_else(|_| {
            if is_header_only(header.as_bytes()[156]) {
                return Ok(0);
            }
            Err(self.corrupt(format!("the size of entry {} is negative", self.entries)))
        })
    }

    fn corrupt(&self, because: impl Into<String>) -> Error {
        Error::corrupt(&self.what, because)
    }

    fn truncated(&self) -> Error {
        self.corrupt(format!(
            "it is truncated: it ends at byte {} inside entry {}",
            self.input.position(),
            self.entries.saturating_sub(1)
        ))
    }
}

/// Types that have no content, whatever their size field says (Go's `isHeaderOnlyType`).
fn is_header_only(type_flag: u8) -> bool {
    matches!(type_flag, b'1' | b'2' | b'3' | b'4' | b'5' | b'6')
}

fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(nul) = bytes.iter().position(|b| *b == 0) {
        bytes.truncate(nul);
    }
    bytes
}

#[cfg(test)]
mod tests;
