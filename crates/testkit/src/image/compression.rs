//! From a layer's entries to the bytes of its blob.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::layer::LayerBuilder;
use super::{chunked, stargz};

/// How a layer's blob is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// The tar archive itself.
    Plain,
    /// One gzip member.
    Gzip {
        /// 0 to 9.
        level: u32,
    },
    /// Several gzip members, as pigz and bgzip write them.
    MultiMemberGzip {
        /// How many.
        members: usize,
    },
    /// One zstd frame.
    Zstd {
        /// 1 to 22.
        level: i32,
    },
    /// Several zstd frames, with a skippable frame before each.
    ZstdFrames {
        /// How many.
        frames: usize,
    },
    /// eStargz: a gzip member for each file's content, a table of contents as the last entry, and
    /// a footer. Adds `.no.prefetch.landmark` as the format's own writer does.
    EStargz {
        /// Whether the archive's end blocks come before the table of contents too, as they do when
        /// an existing archive is converted without loss.
        end_before_toc: bool,
    },
    /// zstd:chunked: a frame for each file's content, a manifest and a footer in skippable frames.
    ZstdChunked,
}

impl Default for Compression {
    fn default() -> Self {
        Self::Gzip { level: 6 }
    }
}

/// What became of a layer.
pub(super) struct Encoded {
    /// The uncompressed stream, which the diff ID covers.
    pub(super) tar: Vec<u8>,
    /// The blob; `None` where it is the tar itself.
    pub(super) blob: Option<Vec<u8>>,
    /// What the writer puts on the layer's descriptor.
    pub(super) annotations: BTreeMap<String, String>,
}

/// What the layer's media type ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Plain,
    Gzip,
    Zstd,
}

impl Compression {
    pub(super) fn codec(self) -> Codec {
        match self {
            Self::Plain => Codec::Plain,
            Self::Gzip { .. } | Self::MultiMemberGzip { .. } | Self::EStargz { .. } => Codec::Gzip,
            Self::Zstd { .. } | Self::ZstdFrames { .. } | Self::ZstdChunked => Codec::Zstd,
        }
    }

    pub(super) fn encode(self, layer: &LayerBuilder) -> Encoded {
        let plain = |tar, blob| Encoded { tar, blob, annotations: BTreeMap::new() };
        match self {
            Self::Plain => plain(layer.tar(), None),
            Self::Gzip { level } => {
                let tar = layer.tar();
                let blob = gzip(&tar, level);
                plain(tar, Some(blob))
            }
            Self::MultiMemberGzip { members } => {
                let tar = layer.tar();
                let blob = pieces(&tar, members).flat_map(|piece| gzip(piece, 6)).collect();
                plain(tar, Some(blob))
            }
            Self::Zstd { level } => {
                let tar = layer.tar();
                let blob = zstd(&tar, level);
                plain(tar, Some(blob))
            }
            Self::ZstdFrames { frames } => {
                let tar = layer.tar();
                let mut blob = Vec::new();
                for piece in pieces(&tar, frames) {
                    blob.extend(skippable(0, b"skipped by every reader"));
                    blob.extend(zstd(piece, 3));
                }
                plain(tar, Some(blob))
            }
            Self::EStargz { end_before_toc } => stargz::encode(layer, end_before_toc),
            Self::ZstdChunked => chunked::encode(layer),
        }
    }
}

fn pieces(bytes: &[u8], count: usize) -> impl Iterator<Item = &[u8]> {
    bytes.chunks(bytes.len().div_ceil(count.max(1)).max(1))
}

/// One gzip member of `bytes`, without a time or a name.
///
/// # Panics
/// Never: writing to memory does not fail.
pub fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder =
        flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level.min(9)));
    encoder.write_all(bytes).expect("memory takes all bytes");
    encoder.finish().expect("memory takes all bytes")
}

/// One zstd frame of `bytes`.
///
/// # Panics
/// When `level` is not one that zstd has.
pub fn zstd(bytes: &[u8], level: i32) -> Vec<u8> {
    ::zstd::encode_all(bytes, level).expect("a valid level, and memory takes all bytes")
}

/// A skippable zstd frame: `number` is the low half-byte of its magic.
pub(super) fn skippable(number: u32, content: &[u8]) -> Vec<u8> {
    let magic = 0x184D_2A50 | (number & 0xF);
    let length = u32::try_from(content.len()).expect("frames of less than 4 GiB");
    [magic.to_le_bytes().as_slice(), &length.to_le_bytes(), content].concat()
}
