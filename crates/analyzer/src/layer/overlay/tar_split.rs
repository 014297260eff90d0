//! [tar-split]: what Docker and containers/storage keep of a layer's tar once its files are
//! unpacked. JSON lines, each either the bytes of a stretch of the tar (headers, padding, end
//! marker) or the name of a file whose content goes there; together they give the tar back.
//!
//! [tar-split]: https://github.com/vbatts/tar-split

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::bufread::GzDecoder;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::layer::index::Span;
use crate::layer::input::Input;
use crate::limits::{NAMES_MAX, TAR_SPLIT_LINE_MAX};

/// A line's `type`: the content of a file goes here, if its size is not 0.
const FILE: u32 = 1;
/// A line's `type`: these bytes go here.
const SEGMENT: u32 = 2;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: u32,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    /// Base64 of a name that is not UTF-8.
    #[serde(borrow, default)]
    name_raw: Cow<'a, str>,
    #[serde(default)]
    size: u64,
    /// Base64: a segment's bytes, or the checksum of a file.
    #[serde(borrow, default)]
    payload: Option<&'a str>,
}

/// The next stretch of the tar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// The bytes in [`TarSplit::segment`].
    Segment,
    /// So many bytes of the file in [`TarSplit::name`]; at least one.
    Content(u64),
}

/// The stretches of a tar, in order.
pub(crate) struct TarSplit<R> {
    lines: R,
    what: String,
    number: u64,
    line: Vec<u8>,
    pub(crate) segment: Vec<u8>,
    pub(crate) name: Vec<u8>,
}

/// Opens a tar-split as engines store it.
pub(crate) fn open(path: &Path) -> Result<TarSplit<impl BufRead + use<>>> {
    let file = BufReader::with_capacity(64 << 10, fs_err::File::open(path)?);
    let lines = BufReader::with_capacity(64 << 10, GzDecoder::new(file));
    Ok(TarSplit::new(lines, format!("the tar-split {}", path.display())))
}

impl<R: BufRead> TarSplit<R> {
    /// Reads uncompressed lines; `what` names them in errors.
    pub(crate) fn new(lines: R, what: String) -> Self {
        let (line, segment, name) = (Vec::new(), Vec::new(), Vec::new());
        Self { lines, what, number: 0, line, segment, name }
    }

    /// The next stretch, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>> {
        while self.read_line()? {
            let line: Line<'_> = serde_json::from_slice(&self.line)
                .map_err(|error| malformed(&self.what, self.number, error))?;
            match line.kind {
                SEGMENT => {
                    self.segment.clear();
                    let payload = line.payload.unwrap_or_default();
                    STANDARD
                        .decode_vec(payload, &mut self.segment)
                        .map_err(|error| malformed(&self.what, self.number, error))?;
                    if !self.segment.is_empty() {
                        return Ok(Some(Piece::Segment));
                    }
                }
                FILE if line.size > 0 => {
                    self.name.clear();
                    if line.name_raw.is_empty() {
                        self.name.extend_from_slice(line.name.as_bytes());
                    } else {
                        STANDARD
                            .decode_vec(line.name_raw.as_bytes(), &mut self.name)
                            .map_err(|error| malformed(&self.what, self.number, error))?;
                    }
                    return Ok(Some(Piece::Content(line.size)));
                }
                FILE => {}
                kind => {
                    let because = format!("{kind} is no type of entry");
                    return Err(malformed(&self.what, self.number, because));
                }
            }
        }
        Ok(None)
    }

    fn read_line(&mut self) -> Result<bool> {
        self.line.clear();
        let read = (&mut self.lines)
            .take(TAR_SPLIT_LINE_MAX)
            .read_until(b'\n', &mut self.line)
            .map_err(|error| Error::reading(&self.what, error))?;
        if read as u64 == TAR_SPLIT_LINE_MAX && self.line.last() != Some(&b'\n') {
            return Err(Error::size_limit(&self.what, "a line", read as u64, TAR_SPLIT_LINE_MAX));
        }
        self.number += 1;
        Ok(read > 0)
    }
}

fn malformed(what: &str, line: u64, because: impl std::fmt::Display) -> Error {
    Error::malformed(format!("line {line} of {what}"), because)
}

/// Where the contents of files stand in the tar, in its order.
#[derive(Debug, Default)]
pub(crate) struct ContentPlaces {
    places: Vec<(u64, u64, Span)>,
    names: Vec<u8>,
}

impl ContentPlaces {
    /// Offset in the tar, bytes, and the name as the tar has it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64, &[u8])> {
        self.places.iter().map(|(offset, size, name)| (*offset, *size, name.of(&self.names)))
    }
}

/// A tar without the contents of its files, for the tar parser: they can be skipped, not read.
pub(crate) struct Headers<'a, R> {
    split: TarSplit<R>,
    contents: &'a mut ContentPlaces,
    /// Bytes of the segment that were read.
    start: usize,
    /// Bytes of content that come next.
    content: u64,
    position: u64,
    ended: bool,
}

impl<'a, R: BufRead> Headers<'a, R> {
    /// Notes in `contents` what is skipped.
    pub(crate) fn new(split: TarSplit<R>, contents: &'a mut ContentPlaces) -> Self {
        Self { split, contents, start: 0, content: 0, position: 0, ended: false }
    }

    /// Goes to the next stretch once the present one is over.
    fn advance(&mut self) -> io::Result<()> {
        if self.start < self.split.segment.len() || self.content > 0 || self.ended {
            return Ok(());
        }
        self.start = 0;
        self.split.segment.clear();
        match self.split.next().map_err(io::Error::other)? {
            None => self.ended = true,
            Some(Piece::Segment) => {}
            Some(Piece::Content(size)) => {
                self.content = size;
                let start = self.contents.names.len();
                self.contents.names.extend_from_slice(&self.split.name);
                let end = self.contents.names.len();
                let (Ok(from), Ok(len)) = (u32::try_from(start), u32::try_from(end - start)) else {
                    let (got, max) = (end as u64, NAMES_MAX as u64);
                    let what = &self.split.what;
                    return Err(io::Error::other(Error::size_limit(what, "names", got, max)));
                };
                let name = Span { start: from, len };
                self.contents.places.push((self.position, size, name));
            }
        }
        Ok(())
    }
}

impl<R: BufRead> Input for Headers<'_, R> {
    fn fill(&mut self) -> io::Result<&[u8]> {
        self.advance()?;
        if self.content > 0 {
            return Err(io::Error::other(Error::corrupt(
                &self.split.what,
                format!("content stands at byte {} of its tar, not a header", self.position),
            )));
        }
        Ok(&self.split.segment[self.start..])
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        self.position += count as u64;
    }

    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            self.advance()?;
            let available = match self.content {
                0 => (self.split.segment.len() - self.start) as u64,
                content => content,
            };
            let step = available.min(left);
            if step == 0 {
                break;
            }
            if self.content > 0 {
                self.content -= step;
            } else {
                // At most the length of the segment.
                self.start += usize::try_from(step).unwrap_or(usize::MAX);
            }
            self.position = self.position.saturating_add(step);
            left -= step;
        }
        Ok(count - left)
    }

    fn position(&self) -> u64 {
        self.position
    }
}
