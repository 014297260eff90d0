//! One tar header block, and the extension headers that go before it.

use super::EPOCH;

/// The size of a tar block.
pub const BLOCK: usize = 512;

/// What a tar header says of an entry besides its name and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Permission bits, with set-user-ID and the like.
    pub mode: u32,
    /// Owning user.
    pub uid: u64,
    /// Owning group.
    pub gid: u64,
    /// Modification time in seconds.
    pub mtime: u64,
    /// Extended attributes, written as `SCHILY.xattr.` PAX records.
    pub xattrs: Vec<(String, Vec<u8>)>,
}

impl Meta {
    /// `mode`, owned by root, of the fixed time, without extended attributes.
    pub const fn mode(mode: u32) -> Self {
        Self { mode, uid: 0, gid: 0, mtime: EPOCH, xattrs: Vec::new() }
    }

    /// The same with another owner.
    #[must_use]
    pub fn owner(mut self, uid: u64, gid: u64) -> Self {
        (self.uid, self.gid) = (uid, gid);
        self
    }

    /// The same with another modification time.
    #[must_use]
    pub fn mtime(mut self, seconds: u64) -> Self {
        self.mtime = seconds;
        self
    }

    /// The same with one more extended attribute.
    #[must_use]
    pub fn xattr(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.xattrs.push((name.to_owned(), value.into()));
        self
    }
}

impl Default for Meta {
    fn default() -> Self {
        Self::mode(0o644)
    }
}

/// A tar header block under construction.
#[derive(Clone, Debug)]
pub struct Header(pub [u8; BLOCK]);

impl Header {
    /// A POSIX (`ustar`) header of entry type `kind`.
    pub fn posix(kind: u8) -> Self {
        Self::with_magic(kind, *b"ustar\x0000")
    }

    /// An old GNU header of entry type `kind`.
    pub fn gnu(kind: u8) -> Self {
        Self::with_magic(kind, *b"ustar  \0")
    }

    fn with_magic(kind: u8, magic: [u8; 8]) -> Self {
        let mut block = [0; BLOCK];
        block[156] = kind;
        block[257..265].copy_from_slice(&magic);
        Self(block)
    }

    /// Puts `bytes` at `at`, cut to `width`.
    pub fn put(&mut self, at: usize, width: usize, bytes: &[u8]) -> &mut Self {
        let length = bytes.len().min(width);
        self.0[at..at + length].copy_from_slice(&bytes[..length]);
        self
    }

    /// A numeric field: octal, or base-256 (GNU) where octal has too few digits.
    pub fn number(&mut self, at: usize, width: usize, value: u64) -> &mut Self {
        let digits = format!("{value:0width$o}", width = width - 1);
        if digits.len() < width {
            self.put(at, width, digits.as_bytes())
        } else {
            let mut field = vec![0; width];
            let start = width - 8;
            field[start..].copy_from_slice(&value.to_be_bytes());
            field[0] |= 0x80;
            self.put(at, width, &field)
        }
    }

    /// The name field.
    pub fn name(&mut self, name: &[u8]) -> &mut Self {
        self.put(0, 100, name)
    }

    /// The size field.
    pub fn size(&mut self, size: u64) -> &mut Self {
        self.number(124, 12, size)
    }

    /// Mode, owner and time.
    pub fn meta(&mut self, meta: &Meta) -> &mut Self {
        self.number(100, 8, u64::from(meta.mode))
            .number(108, 8, meta.uid)
            .number(116, 8, meta.gid)
            .number(136, 12, meta.mtime)
    }

    /// Computes the checksum; to be called last.
    pub fn seal(&mut self) -> &mut Self {
        self.0[148..156].fill(b' ');
        let sum: u64 = self.0.iter().map(|&byte| u64::from(byte)).sum();
        let text = format!("{sum:06o}\0 ");
        self.put(148, 8, text.as_bytes())
    }
}

/// Zeros up to the next block boundary after `length` bytes.
pub(super) fn padding(length: usize) -> usize {
    length.next_multiple_of(BLOCK) - length
}

/// A PAX extended header: type `x` for the next entry, `g` for all that follow.
pub(super) fn pax(kind: u8, name: &[u8], records: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, value) in records {
        body.extend_from_slice(&record(key, value));
    }
    let base = name.strip_suffix(b"/").unwrap_or(name);
    let base = base.rsplit(|&byte| byte == b'/').next().unwrap_or(base);
    let title = [b"PaxHeaders.0/".as_slice(), base].concat();
    extension(Header::posix(kind), &title, body)
}

/// A GNU long name (`L`) or long link target (`K`) for the next entry.
pub(super) fn gnu_long(kind: u8, value: &[u8]) -> Vec<u8> {
    extension(Header::gnu(kind), b"././@LongLink", [value, b"\0"].concat())
}

fn extension(mut header: Header, name: &[u8], mut body: Vec<u8>) -> Vec<u8> {
    header.name(name).meta(&Meta::mode(0).mtime(0)).size(body.len() as u64).seal();
    body.resize(body.len().next_multiple_of(BLOCK), 0);
    [header.0.as_slice(), &body].concat()
}

/// `"<length> <key>=<value>\n"`, where the length counts its own digits.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_lengths_count_their_own_digits() {
        assert_eq!(record("path", b"a"), b"9 path=a\n");
        for length in 80..120 {
            let record = record("path", &vec![b'x'; length]);
            assert!(record.starts_with(format!("{} ", record.len()).as_bytes()));
        }
    }

    #[test]
    fn numbers_too_long_for_octal_become_base_256() {
        let mut header = Header::posix(b'0');
        header.number(108, 8, 0o7_777_777).number(116, 8, 0o10_000_000);
        assert_eq!(&header.0[108..116], b"7777777\0");
        assert_eq!(&header.0[116..124], &[0x80, 0, 0, 0, 0, 0x20, 0, 0]);
    }
}
