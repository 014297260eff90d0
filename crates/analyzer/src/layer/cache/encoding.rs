//! The bytes of a cache entry: numbers in little endian, tables one after the other, at the end a
//! BLAKE3 of all that stands before it.

use std::sync::Arc;

use jettison_oci::Digest;

use crate::entry::Kind;
use crate::layer::content_hash;
use crate::layer::index::{LayerIndex, NONE, Record, Span, SparseMap};

const MAGIC: &[u8] = b"jettison layer\n";
const HASH: usize = 32;

pub(super) fn encode(digest: &Digest, index: &LayerIndex, compressed: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(index.names.len() + index.records.len() * 112 + 1024);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&content_hash::identity());
    put_bytes(&mut out, digest.as_str().as_bytes());
    out.push(u8::from(compressed));
    put_u64(&mut out, index.tar_size);
    put_bytes(&mut out, &index.names);
    put_u64(&mut out, index.records.len() as u64);
    for record in &index.records {
        out.push(record.kind as u8);
        for field in [
            record.path.start,
            record.path.len,
            record.link.start,
            record.link.len,
            record.mtime_nanos,
            record.mode,
            record.uid,
            record.gid,
            record.device.0,
            record.device.1,
            record.xattrs,
            record.hash,
            record.sparse,
        ] {
            put_u32(&mut out, field);
        }
        put_u64(&mut out, record.size);
        put_u64(&mut out, record.offset);
        put_u64(&mut out, record.mtime.cast_unsigned());
    }
    put_u64(&mut out, index.xattrs.len() as u64);
    for list in &index.xattrs {
        put_u64(&mut out, list.len() as u64);
        for (name, value) in list {
            for field in [name.start, name.len, value.start, value.len] {
                put_u32(&mut out, field);
            }
        }
    }
    put_u64(&mut out, index.hashes.len() as u64);
    for hash in &index.hashes {
        out.extend_from_slice(hash);
    }
    put_u64(&mut out, index.sparse.len() as u64);
    for map in &index.sparse {
        put_u64(&mut out, map.runs.len() as u64);
        for (offset, len) in &map.runs {
            put_u64(&mut out, *offset);
            put_u64(&mut out, *len);
        }
    }
    put_u64(&mut out, index.warnings.len() as u64);
    for warning in &index.warnings {
        put_bytes(&mut out, warning.as_bytes());
    }
    match &index.contents {
        None => out.push(0),
        Some(contents) => {
            out.push(1);
            put_u64(&mut out, contents.len() as u64);
            for (position, content) in contents {
                put_u32(&mut out, *position);
                // Plain values always serialize.
                put_bytes(&mut out, &postcard::to_allocvec(&**content).unwrap_or_default());
            }
        }
    }
    let hash = blake3::hash(&out);
    out.extend_from_slice(hash.as_bytes());
    out
}

/// The index in `bytes`, if they are whole and were written for `digest`.
pub(super) fn decode(digest: &Digest, bytes: &[u8]) -> Option<(LayerIndex, bool)> {
    let (body, hash) = bytes.split_at_checked(bytes.len().checked_sub(HASH)?)?;
    if blake3::hash(body).as_bytes() != hash {
        return None;
    }
    let mut input = Input(body);
    if input.take(MAGIC.len())? != MAGIC {
        return None;
    }
    // Hashes under another key compare with nothing.
    if input.take(HASH)? != content_hash::identity() || input.bytes()? != digest.as_str().as_bytes()
    {
        return None;
    }
    let compressed = input.take(1)? == [1];
    let mut index = LayerIndex { tar_size: input.u64()?, ..LayerIndex::default() };
    index.names = input.bytes()?.to_vec();
    let names = index.names.len() as u64;
    let inside = |span: Span| u64::from(span.start) + u64::from(span.len) <= names;
    let count = input.count(77)?;
    index.records.reserve_exact(count);
    for _ in 0..count {
        let kind = Kind::from_u8(input.take(1)?[0])?;
        let mut fields = [0; 13];
        for field in &mut fields {
            *field = input.u32()?;
        }
        let record = Record {
            kind,
            path: Span { start: fields[0], len: fields[1] },
            link: Span { start: fields[2], len: fields[3] },
            mtime_nanos: fields[4],
            mode: fields[5],
            uid: fields[6],
            gid: fields[7],
            device: (fields[8], fields[9]),
            xattrs: fields[10],
            hash: fields[11],
            sparse: fields[12],
            size: input.u64()?,
            offset: input.u64()?,
            mtime: input.u64()?.cast_signed(),
        };
        if !inside(record.path) || !inside(record.link) {
            return None;
        }
        index.records.push(record);
    }
    for _ in 0..input.count(8)? {
        let mut list = Vec::new();
        for _ in 0..input.count(16)? {
            let mut fields = [0; 4];
            for field in &mut fields {
                *field = input.u32()?;
            }
            let pair = (
                Span { start: fields[0], len: fields[1] },
                Span { start: fields[2], len: fields[3] },
            );
            if !inside(pair.0) || !inside(pair.1) {
                return None;
            }
            list.push(pair);
        }
        index.xattrs.push(list);
    }
    for _ in 0..input.count(HASH)? {
        index.hashes.push(input.take(HASH)?.try_into().ok()?);
    }
    for _ in 0..input.count(8)? {
        let mut map = SparseMap::default();
        for _ in 0..input.count(16)? {
            map.runs.push((input.u64()?, input.u64()?));
        }
        index.sparse.push(map);
    }
    for _ in 0..input.count(8)? {
        index.warnings.push(String::from_utf8(input.bytes()?.to_vec()).ok()?);
    }
    if input.take(1)? == [1] {
        let mut contents = Vec::new();
        for _ in 0..input.count(12)? {
            let position = input.u32()?;
            contents.push((position, Arc::new(postcard::from_bytes(input.bytes()?).ok()?)));
        }
        if !contents.is_sorted_by_key(|(position, _)| *position) {
            return None;
        }
        index.contents = Some(contents);
    }
    let known = |at: u32, len: usize| at == NONE || (at as usize) < len;
    let fits = index.records.iter().all(|record| {
        known(record.xattrs, index.xattrs.len())
            && known(record.hash, index.hashes.len())
            && known(record.sparse, index.sparse.len())
    });
    (fits && input.0.is_empty()).then_some((index, compressed))
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// A count of things that take at least `each` bytes, so that no table is made larger than
    /// what is there to fill it.
    fn count(&mut self, each: usize) -> Option<usize> {
        let count = usize::try_from(self.u64()?).ok()?;
        (count.checked_mul(each)? <= self.0.len()).then_some(count)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = self.count(1)?;
        self.take(count)
    }
}

fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u64(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}
