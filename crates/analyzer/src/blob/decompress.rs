//! Decompression by what the bytes are, not by what a media type says of them, within a bound.
//!
//! Layers of one gzip member are the rule, but eStargz, bgzip and pigz write many, and
//! zstd:chunked writes many frames with skippable ones between: a decoder that stops at the first
//! would lose files without an error.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, Result};
use crate::limits::{EXPANSION_FLOOR, EXPANSION_MAX};

/// How the bytes of a blob are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, of any number of members.
    Gzip,
    /// zstd, of any number of frames.
    Zstd,
}

impl Compression {
    /// Tells by the first bytes; an error for formats that are known and not used for layers.
    pub fn detect(what: &str, head: &[u8]) -> Result<Self> {
        Ok(match head {
            [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                if head[0] == 0x1f {
                    Self::Gzip
                } else {
                    Self::Zstd
                }
            }
            // A skippable frame may come first.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
                return Err(Error::corrupt(what, unsupported("xz")));
            }
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => {
                return Err(Error::corrupt(what, unsupported("bzip2")));
            }
            _ => Self::None,
        })
    }
}

fn unsupported(format: &str) -> String {
    format!("it is compressed with {format}; images use gzip or zstd: decompress it first")
}

/// Who notices that a compressed stream is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// The decoder, by the checksums that frames carry.
    Checksums,
    /// The caller, who compares the digest of the stored bytes: zstd's own checksums tell less, and
    /// take a tenth of the decoder's time. gzip's are always looked at.
    Digest,
}

/// How far a compressed stream may expand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expansion {
    /// How many times the compressed size, past a floor of 1 GiB; 0 for no bound.
    pub ratio: u64,
}

impl Default for Expansion {
    fn default() -> Self {
        Self { ratio: EXPANSION_MAX }
    }
}

const BUFFER: usize = 128 << 10;

/// Reads the decompressed bytes of a stream, whatever its compression.
pub struct Decompressed<R: Read> {
    decoder: Decoder<R>,
    compression: Compression,
    expansion: Expansion,
    what: String,
    produced: u64,
}

enum Decoder<R: Read> {
    Plain(BufReader<Counted<R>>),
    Gzip(Box<MultiGzDecoder<BufReader<Counted<R>>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<Counted<R>>>>),
}

/// Counts the compressed bytes, for the ratio.
struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

fn zstd_decoder<R: BufRead>(
    reader: R,
    integrity: Integrity,
) -> io::Result<zstd::stream::read::Decoder<'static, R>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
    let ignore = integrity == Integrity::Digest;
    decoder.set_parameter(zstd::zstd_safe::DParameter::ForceIgnoreChecksum(ignore))?;
    Ok(decoder)
}

impl<R: Read> Decompressed<R> {
    /// Looks at the first bytes of `inner` and decompresses accordingly. `what` names it.
    pub fn new(inner: R, what: &str, expansion: Expansion) -> Result<Self> {
        Self::with(inner, what, expansion, Integrity::Checksums)
    }

    /// The same, with a say in who notices damage.
    pub fn with(inner: R, what: &str, expansion: Expansion, integrity: Integrity) -> Result<Self> {
        let mut reader = BufReader::with_capacity(BUFFER, Counted { inner, bytes: 0 });
        let head = reader.fill_buf().map_err(|error| Error::reading(what, error))?;
        let compression = Compression::detect(what, head)?;
        let decoder = match compression {
            Compression::None => Decoder::Plain(reader),
            Compression::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(reader))),
            Compression::Zstd => Decoder::Zstd(Box::new(
                zstd_decoder(reader, integrity).map_err(|error| Error::reading(what, error))?,
            )),
        };
        Ok(Self { decoder, compression, expansion, what: what.to_owned(), produced: 0 })
    }

    /// What the first bytes said.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// The reader of the compressed bytes. A decoder that met the end has read all of them.
    pub fn into_inner(self) -> R {
        match self.decoder {
            Decoder::Plain(reader) => reader.into_inner().inner,
            Decoder::Gzip(decoder) => decoder.into_inner().into_inner().inner,
            Decoder::Zstd(decoder) => decoder.finish().into_inner().inner,
        }
    }
}

impl<R: Read> Read for Decompressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (read, consumed) = match &mut self.decoder {
            Decoder::Plain(reader) => return reader.read(buffer),
            Decoder::Gzip(decoder) => (decoder.read(buffer)?, decoder.get_ref().get_ref().bytes),
            Decoder::Zstd(decoder) => (decoder.read(buffer)?, decoder.get_ref().get_ref().bytes),
        };
        self.produced += read as u64;
        let ratio = self.expansion.ratio;
        if ratio > 0
            && self.produced > EXPANSION_FLOOR
            && self.produced > consumed.saturating_mul(ratio)
        {
            return Err(io::Error::other(Error::Limit {
                what: self.what.clone(),
                limit: format!(
                    "an expansion of {} compressed bytes to more than {}",
                    consumed,
                    jettison_oci::Bytes(self.produced)
                ),
                max: format!("{ratio} times"),
                remedy: "--max-expansion",
            }));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_wrong_checksum_is_noticed_unless_the_caller_does() {
        let content = vec![b'x'; 300_000];
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(&content).unwrap();
        let mut frame = encoder.finish().unwrap();
        let read = |frame: &[u8], integrity| {
            let mut bytes = Vec::new();
            Decompressed::with(frame, "a blob", Expansion::default(), integrity)
                .unwrap()
                .read_to_end(&mut bytes)
                .map(|_| bytes)
        };
        for integrity in [Integrity::Checksums, Integrity::Digest] {
            assert_eq!(read(&frame, integrity).unwrap(), content);
            // Cut off, it is no frame, whoever looks at its digest.
            assert!(read(&frame[..frame.len() - 1], integrity).is_err());
        }
        *frame.last_mut().unwrap() ^= 1;
        assert!(read(&frame, Integrity::Checksums).is_err());
        assert_eq!(read(&frame, Integrity::Digest).unwrap(), content);
    }
}
