//! Reads an archive that passes by once. The document that says which member is a layer may come
//! last, so every member that looks like a layer is scanned as it goes by; nothing is written to
//! disk, and what is kept in memory has a bound.

use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use jettison_oci::Algorithm;

use crate::blob::decompress::{Compression, Decompressed};
use crate::blob::digester::Metered;
use crate::error::{Error, Result};
use crate::layer::input::{Input, Stream};
use crate::layer::scan::{ContentMode, scan};
use crate::layer::tar::{BLOCK, Member as Header, TarReader, checksum_fits};
use crate::limits::{DOCUMENT_MAX, STREAM_DOCUMENTS_MAX};
use crate::progress::Reported;
use crate::source::archive::members::{Member, Members};
use crate::source::archive::shown;
use crate::source::{OpenOptions, Scanned};

pub(super) fn read(reader: impl Read, what: &str, options: &OpenOptions) -> Result<Members> {
    let unpacked = Decompressed::new(reader, what, options.expansion)?;
    let mut tar = TarReader::new(Stream::new(unpacked), what);
    let mut members = Members::new(what);
    let mut header = Header::default();
    let (mut kept, mut scanned) = (0, 0);
    while tar.next(&mut header).map_err(|error| members.first_header(error))? {
        members.add(&header, |name| {
            let layer_name = format!("layer {} in {what}", shown(name));
            let place = Place { name, layer: scanned, stored: header.stored };
            let member = member(&place, &layer_name, &mut tar, options)?;
            scanned += usize::from(matches!(member, Member::Scanned(_)));
            let Member::Document(bytes) = &member else { return Ok(member) };
            let size = bytes.len() as u64;
            if kept + size <= STREAM_DOCUMENTS_MAX {
                kept += size;
                return Ok(member);
            }
            if !is_named_as_document(name) {
                return Ok(Member::Skipped);
            }
            let all = kept + size;
            Err(Error::size_limit(what, "JSON documents", all, STREAM_DOCUMENTS_MAX))
        })?;
    }
    // A pipe must be read to its end, or its writer is told that nobody wanted the rest.
    tar.finish()?;
    Ok(members)
}

/// Where a member stands in its archive.
struct Place<'a> {
    name: &'a [u8],
    /// Layers scanned before it.
    layer: usize,
    /// Its bytes.
    stored: u64,
}

fn member<I: Input>(
    place: &Place<'_>,
    what: &str,
    tar: &mut TarReader<I>,
    options: &OpenOptions,
) -> Result<Member> {
    let progress = &*options.progress.0;
    let content = Reported { inner: Content { tar }, layer: place.layer, progress };
    // Only what stands under a digest is named by one; legacy layers are named by their diff_ids.
    let named = options.verify || place.name.starts_with(b"blobs/");
    let mut content = Metered::new(content, named.then_some(Algorithm::Sha256));
    let mut head = vec![0; BLOCK];
    let read = read_up_to(&mut content, &mut head)?;
    head.truncate(read);
    if read == 0 {
        return Ok(Member::Document(Vec::new()));
    }
    match Compression::detect(what, &head) {
        Ok(Compression::None) if !is_tar(&head) => {
            if place.stored > DOCUMENT_MAX || !is_document(place.name, &head) {
                return Ok(Member::Skipped);
            }
            content.read_to_end(&mut head).map_err(|error| Error::reading(what, error))?;
            return Ok(Member::Document(head));
        }
        Ok(_) => {}
        Err(error) => return Ok(failed(error)),
    }
    progress.begin(place.layer, None, Some(place.stored));
    let result = layer(&head, content, what, options);
    progress.end(place.layer);
    match result {
        Ok(scanned) => Ok(Member::Scanned(Arc::new(scanned))),
        // The stream itself is at its end: nothing behind this member will come.
        Err(error @ (Error::Remote { .. } | Error::Io(_) | Error::Interrupted)) => Err(error),
        Err(error) => Ok(failed(error)),
    }
}

fn failed(error: Error) -> Member {
    Member::Failed(Mutex::new(Some(error)))
}

fn layer(
    head: &[u8],
    rest: Metered<impl Read>,
    what: &str,
    options: &OpenOptions,
) -> Result<Scanned> {
    let whole = Replayed { head, rest };
    let mut unpacked = Decompressed::new(whole, what, options.expansion)?;
    let compression = unpacked.compression();
    let compressed = compression != Compression::None;
    // The tar of a blob that is not compressed has the blob's own digest.
    let algorithm = (compressed && options.verify).then_some(Algorithm::Sha256);
    let mut tar = Metered::new(&mut unpacked, algorithm);
    let contents = if options.gather { ContentMode::Gather } else { ContentMode::Hash };
    let index = scan(Stream::new(&mut tar), what, contents)?;
    let (_, diff_id) = tar.finish();
    let (stored, digest) = unpacked.into_inner().rest.finish();
    Ok(Scanned { index: Arc::new(index), stored, compression, digest, diff_id })
}

fn is_tar(head: &[u8]) -> bool {
    <&[u8; BLOCK]>::try_from(head)
        .is_ok_and(|block| block.iter().all(|b| *b == 0) || checksum_fits(block))
}

/// Whether a member can be a document, by its first byte. `manifest.json` may name any member as
/// a config, and that may stand at the end.
fn is_document(name: &[u8], head: &[u8]) -> bool {
    match head.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => true,
        Some(b'[') => is_named_as_document(name),
        _ => false,
    }
}

/// Whether builders give documents such names. In a root filesystem that was taken for an image,
/// few files have them.
fn is_named_as_document(name: &[u8]) -> bool {
    name.ends_with(b".json")
        || name.starts_with(b"blobs/")
        || name.starts_with(b"sha256:")
        || name == b"oci-layout"
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match reader.read(&mut buffer[done..]) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::reading("the archive", error)),
        }
    }
    Ok(done)
}

/// The content of the archive's present member.
struct Content<'a, I> {
    tar: &'a mut TarReader<I>,
}

impl<I: Input> Read for Content<'_, I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tar.read_content(buffer).map_err(io::Error::other)
    }
}

/// A reader whose first bytes were looked at.
struct Replayed<'a, R> {
    head: &'a [u8],
    rest: R,
}

impl<R: Read> Read for Replayed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.head.is_empty() {
            return self.rest.read(buffer);
        }
        let count = buffer.len().min(self.head.len());
        buffer[..count].copy_from_slice(&self.head[..count]);
        self.head = &self.head[count..];
        Ok(count)
    }
}
