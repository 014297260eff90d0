//! Sparse files, in the three shapes that tar archives hold.

use super::header::{self, BLOCK, Header, Meta};
use super::layer::{LayerBuilder, Part};

/// How a sparse file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SparseFormat {
    /// Old GNU: type `S`, the map in the header and in extension blocks after it.
    Gnu,
    /// PAX 0.1: the map in a `GNU.sparse.map` record.
    Pax01,
    /// PAX 1.0: the map as text at the start of the content.
    Pax10,
}

impl LayerBuilder {
    /// A file of `size` bytes that is zeros except for `segments` (offset and bytes, in order).
    /// Real writers only store whole blocks, the last segment apart; readers differ on others.
    #[must_use]
    pub fn sparse(
        mut self,
        path: impl AsRef<[u8]>,
        format: SparseFormat,
        size: u64,
        segments: &[(u64, &[u8])],
    ) -> Self {
        let path = path.as_ref();
        let mut map: Vec<(u64, u64)> =
            segments.iter().map(|(offset, data)| (*offset, data.len() as u64)).collect();
        // GNU tar ends the map at the file's size, so that a trailing hole is seen.
        if map.last().is_none_or(|(offset, length)| offset + length < size) {
            map.push((size, 0));
        }
        let data: Vec<u8> = segments.iter().flat_map(|(_, data)| data.iter().copied()).collect();
        let (head, content) = match format {
            SparseFormat::Gnu => (gnu(path, size, &map, data.len()), data),
            SparseFormat::Pax01 => {
                let text: Vec<String> =
                    map.iter().map(|(offset, length)| format!("{offset},{length}")).collect();
                let records = [
                    ("GNU.sparse.size".to_owned(), size.to_string().into_bytes()),
                    ("GNU.sparse.numblocks".to_owned(), map.len().to_string().into_bytes()),
                    ("GNU.sparse.map".to_owned(), text.join(",").into_bytes()),
                    ("GNU.sparse.name".to_owned(), path.to_vec()),
                ];
                (posix(path, &records, data.len()), data)
            }
            SparseFormat::Pax10 => {
                let mut content = format!("{}\n", map.len()).into_bytes();
                for (offset, length) in &map {
                    content.extend_from_slice(format!("{offset}\n{length}\n").as_bytes());
                }
                content.resize(content.len().next_multiple_of(BLOCK), 0);
                content.extend_from_slice(&data);
                let records = [
                    ("GNU.sparse.major".to_owned(), b"1".to_vec()),
                    ("GNU.sparse.minor".to_owned(), b"0".to_vec()),
                    ("GNU.sparse.name".to_owned(), path.to_vec()),
                    ("GNU.sparse.realsize".to_owned(), size.to_string().into_bytes()),
                ];
                (posix(path, &records, content.len()), content)
            }
        };
        // No facts: no eStargz or zstd:chunked writer keeps a file sparse.
        self.parts.push(Part { head, content, facts: None });
        self
    }
}

fn posix(path: &[u8], records: &[(String, Vec<u8>)], stored: usize) -> Vec<u8> {
    let mut head = header::pax(b'x', path, records);
    let base = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let mut main = Header::posix(b'0');
    main.name(&[b"GNUSparseFile.0/", base].concat()).meta(&Meta::default()).size(stored as u64);
    head.extend_from_slice(&main.seal().0);
    head
}

fn gnu(path: &[u8], size: u64, map: &[(u64, u64)], stored: usize) -> Vec<u8> {
    let mut head = Vec::new();
    if path.len() > 100 {
        head.extend(header::gnu_long(b'L', path));
    }
    let mut main = Header::gnu(b'S');
    main.name(path).meta(&Meta::default()).size(stored as u64).number(483, 12, size);
    let (first, rest) = map.split_at(map.len().min(4));
    put_map(&mut main, 386, first);
    main.0[482] = u8::from(!rest.is_empty());
    head.extend_from_slice(&main.seal().0);
    let mut rest = rest.chunks(21).peekable();
    while let Some(chunk) = rest.next() {
        let mut block = Header([0; BLOCK]);
        put_map(&mut block, 0, chunk);
        block.0[504] = u8::from(rest.peek().is_some());
        head.extend_from_slice(&block.0);
    }
    head
}

fn put_map(block: &mut Header, at: usize, map: &[(u64, u64)]) {
    for (index, (offset, length)) in map.iter().enumerate() {
        block.number(at + index * 24, 12, *offset).number(at + index * 24 + 12, 12, *length);
    }
}
