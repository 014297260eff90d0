//! Tar headers, read as the runtimes read them: Docker, containerd and containers/storage all use
//! Go's `archive/tar`, so where formats disagree (PAX over GNU, global headers, sparse maps) its
//! choice is ours. Fields of the 512-byte header are decoded by the `tar` crate; the order of
//! extension headers, the limits and the way past contents are here.

use std::ops::Range;

use tar::{EntryType, Header};

use crate::error::{Error, Result};
use crate::layer::index::SparseMap;
use crate::layer::input::Input;
use crate::limits::{EXTENSION_MAX, EXTENSIONS_PENDING_MAX, SPARSE_RUNS_MAX};

/// Fields of a header that hold numbers.
const MODE: Range<usize> = 100..108;
const UID: Range<usize> = 108..116;
const GID: Range<usize> = 116..124;
const SIZE: Range<usize> = 124..136;
const MTIME: Range<usize> = 136..148;

/// Bytes of a tar block.
pub(crate) const BLOCK: usize = 512;

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
        Self { input, what: what.into(), content: 0, padding: 0, entries: 0, warnings: Vec::new() }
    }

    /// The next entry into `member`; false at the end of the archive.
    pub(crate) fn next(&mut self, member: &mut Member) -> Result<bool> {
        let mut extensions = Extensions::default();
        loop {
            self.skip_content()?;
            let Some(header) = self.header()? else {
                if extensions.count > 0 {
                    return Err(self.corrupt("it ends after an extension header"));
                }
                return Ok(false);
            };
            let size = self.number(&header, SIZE, "size")?;
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
                // Go hands global headers to its caller, and the runtimes drop them.
                EntryType::XGlobalHeader => {
                    self.extension(&mut extensions.count, size)?;
                }
                _ => {
                    self.entries += 1;
                    self.fill_member(member, &header, size, extensions)?;
                    return Ok(true);
                }
            }
        }
    }

    /// Hands the content that stands in the tar to `each`, piece by piece.
    pub(crate) fn content(&mut self, mut each: impl FnMut(&[u8])) -> Result<()> {
        while self.content > 0 {
            let available = self.input.fill().map_err(|e| Error::reading(&self.what, e))?;
            if available.is_empty() {
                return Err(self.truncated());
            }
            let count = available.len().min(usize::try_from(self.content).unwrap_or(usize::MAX));
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

    /// The content of an extension header.
    fn extension(&mut self, count: &mut u32, size: u64) -> Result<Vec<u8>> {
        *count += 1;
        if *count > EXTENSIONS_PENDING_MAX {
            return Err(self.corrupt(format!(
                "more than {EXTENSIONS_PENDING_MAX} extension headers stand before one entry"
            )));
        }
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
        let id = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        member.type_flag = header.as_bytes()[156];
        member.name.clear();
        member.name.extend_from_slice(&header.path_bytes());
        member.link.clear();
        if let Some(link) = header.link_name_bytes() {
            member.link.extend_from_slice(&link);
        }
        member.mode = u32::try_from(number(header.mode().map(u64::from), "mode")? & 0o7777)
            .unwrap_or_default();
        member.uid = id(number(header.uid(), "owner")?);
        member.gid = id(number(header.gid(), "group")?);
        let mtime = number(header.mtime(), "time")?;
        // GNU writes times before 1970 in two's complement.
        member.mtime = (mtime.cast_signed(), 0);
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
            self.pax_sparse(member, pax)?;
        }
        Ok(())
    }

    /// The old GNU format: four runs in the header, more in blocks behind it.
    fn gnu_sparse(&mut self, member: &mut Member, header: &Header) -> Result<()> {
        let Some(gnu) = header.as_gnu() else {
            return Err(self.corrupt("a sparse entry is not in the GNU format"));
        };
        let bad = "the map of a sparse entry is malformed";
        let real = gnu.real_size().map_err(|_| self.corrupt(bad))?;
        let mut runs = Vec::new();
        let mut add = |entries: &[tar::GnuSparseHeader]| {
            for entry in entries.iter().filter(|entry| !entry.is_empty()) {
                runs.push((entry.offset().ok()?, entry.length().ok()?));
            }
            (runs.len() <= SPARSE_RUNS_MAX).then_some(())
        };
        add(&gnu.sparse).ok_or_else(|| Error::corrupt(&self.what, bad))?;
        let mut extended = gnu.is_extended();
        while extended {
            let mut block = tar::GnuExtSparseHeader::new();
            if !self.block(block.as_mut_bytes())? {
                return Err(self.truncated());
            }
            add(&block.sparse).ok_or_else(|| Error::corrupt(&self.what, bad))?;
            extended = block.is_extended();
        }
        member.offset = self.input.position();
        self.set_sparse(member, runs, real)
    }

    /// The formats 0.0, 0.1 (map in PAX records) and 1.0 (map before the data).
    fn pax_sparse(&mut self, member: &mut Member, pax: Pax) -> Result<()> {
        let bad = "the map of a sparse entry is malformed";
        let mut numbers = pax.map;
        if pax.major == Some(1) {
            let mut map = Vec::new();
            let mut wanted = None;
            while wanted.is_none_or(|wanted| map.len() < wanted) {
                let mut block = [0; BLOCK];
                if self.content < BLOCK as u64 || !self.block(&mut block)? {
                    return Err(self.corrupt(bad));
                }
                self.content -= BLOCK as u64;
                numbers.extend_from_slice(&block);
                map = decimals(&numbers, b'\n', false).ok_or_else(|| self.corrupt(bad))?;
                if map.len() > 2 * SPARSE_RUNS_MAX + 1 {
                    return Err(self.corrupt(bad));
                }
                wanted = match map.first() {
                    Some(count) => Some(
                        usize::try_from(*count)
                            .ok()
                            .and_then(|count| count.checked_mul(2)?.checked_add(1))
                            .filter(|wanted| *wanted <= 2 * SPARSE_RUNS_MAX + 1)
                            .ok_or_else(|| self.corrupt(bad))?,
                    ),
                    None => None,
                };
            }
            map.truncate(wanted.unwrap_or(0));
            let runs = map[1..].chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
            let read = member.stored - self.content;
            member.offset += read;
            member.stored = self.content;
            return self.finish_pax_sparse(member, runs, &pax.name, pax.real_size);
        }
        let map = decimals(&numbers, b',', true).ok_or_else(|| self.corrupt(bad))?;
        if map.len() % 2 != 0 || map.len() > 2 * SPARSE_RUNS_MAX {
            return Err(self.corrupt(bad));
        }
        let runs = map.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        self.finish_pax_sparse(member, runs, &pax.name, pax.real_size)
    }

    fn finish_pax_sparse(
        &mut self,
        member: &mut Member,
        runs: Vec<(u64, u64)>,
        name: &[u8],
        size: Option<u64>,
    ) -> Result<()> {
        if !name.is_empty() {
            member.name = name.to_vec();
        }
        let Some(real) = size else {
            return Err(self.corrupt("a sparse entry does not say how large its file is"));
        };
        self.set_sparse(member, runs, real)
    }

    fn set_sparse(&self, member: &mut Member, runs: Vec<(u64, u64)>, real: u64) -> Result<()> {
        let mut end = 0;
        let mut data = 0_u64;
        for (offset, len) in &runs {
            let next = offset.checked_add(*len);
            match next {
                Some(next) if *offset >= end && next <= real => end = next,
                _ => return Err(self.corrupt("the map of a sparse entry overlaps or overruns")),
            }
            data += len;
        }
        if data != member.stored || real > i64::MAX.unsigned_abs() {
            return Err(self.corrupt(format!(
                "the map of a sparse entry has {data} bytes of data, the entry {}",
                member.stored
            )));
        }
        member.size = real;
        member.sparse = Some(SparseMap { runs });
        Ok(())
    }

    pub(crate) fn warn_entry(&mut self, member: &Member, warning: &str) {
        if self.warnings.len() < crate::limits::WARNINGS_MAX {
            let name = crate::report::escape::path(&member.name);
            self.warnings.push(format!("{}: entry \"{name}\" {warning}", self.what));
        }
    }

    fn number(&self, header: &Header, field: Range<usize>, name: &str) -> Result<u64> {
        let field = &header.as_bytes()[field];
        let number = if name == "time" {
            numeric(field)
        } else {
            numeric(field).filter(|number| *number >= 0)
        };
        number.map(i64::cast_unsigned).ok_or_else(|| {
            self.corrupt(format!("the {name} of entry {} is not a number", self.entries))
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

/// What PAX records say beyond what goes straight into the member.
#[derive(Default)]
struct Pax {
    major: Option<u64>,
    real_size: Option<u64>,
    name: Vec<u8>,
    map: Vec<u8>,
}

impl Pax {
    fn is_sparse(&self) -> bool {
        self.major == Some(1) || !self.map.is_empty()
    }

    fn apply(&mut self, records: &[u8], member: &mut Member) -> Result<(), String> {
        let mut rest = records;
        while !rest.is_empty() {
            let (key, value, next) = pax_record(rest).ok_or("its PAX records are malformed")?;
            rest = next;
            let number = || {
                std::str::from_utf8(value)
                    .ok()
                    .and_then(|v| v.parse::<u64>().ok())
                    .ok_or_else(|| format!("its PAX record {} is not a number", key.escape_ascii()))
            };
            // An empty value takes the record back: the header's own field holds.
            if value.is_empty() && !key.starts_with(b"SCHILY.xattr.") {
                continue;
            }
            match key {
                b"path" => member.name = value.to_vec(),
                b"linkpath" => member.link = value.to_vec(),
                b"size" => member.size = number()?,
                b"uid" => member.uid = u32::try_from(number()?).unwrap_or(u32::MAX),
                b"gid" => member.gid = u32::try_from(number()?).unwrap_or(u32::MAX),
                b"mtime" => {
                    member.mtime = pax_time(value).ok_or("its PAX time is malformed")?;
                }
                b"GNU.sparse.major" => self.major = Some(number()?),
                b"GNU.sparse.name" => self.name = value.to_vec(),
                b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.real_size = Some(number()?),
                b"GNU.sparse.map" => self.map = value.to_vec(),
                // Format 0.0 writes each number as a record of its own.
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                    if !self.map.is_empty() {
                        self.map.push(b',');
                    }
                    self.map.extend_from_slice(value);
                }
                key => {
                    if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                        member.xattrs.retain(|(known, _)| known != name);
                        member.xattrs.push((name.to_vec(), value.to_vec()));
                    }
                }
            }
        }
        Ok(())
    }
}

/// `"LEN KEY=VALUE\n"` at the front of `records`, and what follows it.
fn pax_record(records: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = records.iter().take(20).position(|b| *b == b' ')?;
    let len: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
    if len > records.len() || len < space + 3 || records[len - 1] != b'\n' {
        return None;
    }
    let record = &records[space + 1..len - 1];
    let equals = record.iter().position(|b| *b == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &records[len..]))
}

/// Decimal seconds with an optional fraction, as Go reads them.
fn pax_time(value: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(value).ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok()?;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos: u32 = digits.parse().ok()?;
    if text.starts_with('-') && nanos > 0 {
        return Some((seconds - 1, 1_000_000_000 - nanos));
    }
    Some((seconds, nanos))
}

/// Numbers that each end at `separator`; the last may lack it where `open` says so.
fn decimals(text: &[u8], separator: u8, open: bool) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    let mut rest = text;
    loop {
        let (number, next) = match rest.iter().position(|b| *b == separator) {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None if open && !rest.is_empty() => (rest, None),
            None => return Some(numbers),
        };
        // The padding behind a 1.0 map is zeros.
        if !open && number.first() == Some(&0) {
            return Some(numbers);
        }
        numbers.push(std::str::from_utf8(number).ok()?.parse().ok()?);
        match next {
            Some(next) => rest = next,
            None => return Some(numbers),
        }
    }
}

/// A number of a header as Go reads it: base 256 where the first bit is set, else octal digits
/// between spaces and NULs, none of which mean 0.
fn numeric(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        // Two's complement below the marker bit.
        let negative = first & 0x40 != 0;
        let fill = if negative { 0xff } else { 0 };
        let head = if negative { first | 0x80 } else { first & 0x7f };
        let mut bytes = [fill; 8];
        let all: Vec<u8> = std::iter::once(head).chain(rest.iter().copied()).collect();
        let (high, low) = all.split_at(all.len().saturating_sub(8));
        if high.iter().any(|b| *b != fill) {
            return None;
        }
        let start = bytes.len() - low.len();
        bytes[start..].copy_from_slice(low);
        let number = i64::from_be_bytes(bytes);
        return (negative == (number < 0)).then_some(number);
    }
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|b| matches!(b, 0 | b' ')).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if rest.iter().any(|b| !matches!(b, 0 | b' ')) && !digits.is_empty() {
        return None;
    }
    if digits.is_empty() {
        return rest.iter().all(|b| matches!(b, 0 | b' ')).then_some(0);
    }
    i64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
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

/// Whether the block is a tar header: its checksum holds, unsigned or, as old writers had it,
/// signed.
pub(crate) fn checksum_fits(block: &[u8; BLOCK]) -> bool {
    let field = &block[148..156];
    let digits: Vec<u8> = field
        .iter()
        .copied()
        .skip_while(|b| *b == b' ' || *b == 0)
        .take_while(u8::is_ascii_digit)
        .collect();
    let Ok(stated) = i64::from_str_radix(std::str::from_utf8(&digits).unwrap_or("x"), 8) else {
        return false;
    };
    let (mut unsigned, mut signed) = (0_i64, 0_i64);
    for (at, byte) in block.iter().enumerate() {
        let byte = if (148..156).contains(&at) { b' ' } else { *byte };
        unsigned += i64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    stated == unsigned || stated == signed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        for (field, number) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"        ", Some(0)),
            (b"\x80\0\0\0\0\x01\0\0", Some(65_536)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
            (b"000064x\0", None),
            (b"9000000\0", None),
            (b"64 7\0\0\0\0", None),
        ] {
            assert_eq!(numeric(field), number, "{}", field.escape_ascii());
        }
    }

    #[test]
    fn pax_records_are_strict() {
        assert_eq!(pax_record(b"9 path=a\nx"), Some((&b"path"[..], &b"a"[..], &b"x"[..])));
        for bad in [&b"9 path=a"[..], b"99 path=a\n", b"x path=a\n", b"5 p=\n", b"", b"9 pathxa\n"]
        {
            let read = pax_record(bad);
            assert!(read.is_none() || bad == b"5 p=\n", "{}", bad.escape_ascii());
        }
        assert_eq!(pax_time(b"1.5"), Some((1, 500_000_000)));
        assert_eq!(pax_time(b"-1.25"), Some((-2, 750_000_000)));
        assert_eq!(pax_time(b"1.x"), None);
    }
}
