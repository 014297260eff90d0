//! A stretch of a file that many threads may read at once, each at its own place.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err::os::unix::fs::OpenOptionsExt as _;
use rustix::fs::OFlags;

use crate::error::{Error, Result};

/// Bytes that are read at any place.
pub trait ReadAt {
    /// Reads at `offset` into `buffer`, as much as there is, up to its length.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for &[u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..));
        let rest = rest.unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
}

/// Reads at `offset` of a file into all of `buffer`. The error that the file ends before is of the
/// kind [`io::ErrorKind::UnexpectedEof`], and bears no text.
pub(crate) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match file.read_at(buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// `len` bytes of a file from `start`.
#[derive(Clone, Debug)]
pub struct Region {
    file: Arc<fs_err::File>,
    start: u64,
    len: u64,
}

impl Region {
    /// The whole of the regular file at `path`.
    pub fn open(path: &Path) -> Result<Self> {
        // A FIFO would be waited for until somebody writes to it.
        let mut options = fs_err::OpenOptions::new();
        options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let file = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::NoSuchFile(path.to_owned()),
            _ => Error::Io(error),
        })?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(Error::NotAnImage {
                what: path.display().to_string(),
                expected: "a file",
                because: "a regular file was expected here".to_owned(),
            });
        }
        Ok(Self { start: 0, len: metadata.len(), file: Arc::new(file) })
    }

    /// Bytes in the region.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the region has no byte.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The file's path.
    pub fn path(&self) -> PathBuf {
        self.file.path().to_owned()
    }

    /// `len` bytes from `start` of this region; `None` where they are not all inside.
    #[must_use]
    pub fn part(&self, start: u64, len: u64) -> Option<Self> {
        let end = start.checked_add(len)?;
        (end <= self.len).then(|| Self { file: self.file.clone(), start: self.start + start, len })
    }

    /// Reads at `offset` into `buffer`, as much as there is, up to its length.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.len.saturating_sub(offset);
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = read_exact_at(self.file.file(), &mut buffer[..want], self.start + offset);
        read.map(|()| want).map_err(|error| {
            let path = self.path();
            let because = match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    format!("{} became shorter while it was read", path.display())
                }
                _ => format!("{}: {error}", path.display()),
            };
            io::Error::new(error.kind(), because)
        })
    }

    /// All bytes, if they are at most `max`; `what` names them in the error.
    pub fn read_all(&self, what: &str, max: u64) -> Result<Vec<u8>> {
        if self.len > max {
            return Err(Error::size_limit(what, "a document", self.len, max));
        }
        let mut bytes = vec![0; usize::try_from(self.len).unwrap_or(0)];
        self.read_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// A reader of the whole region, from its start.
    pub fn reader(&self) -> RegionReader {
        RegionReader { region: self.clone(), position: 0 }
    }
}

impl ReadAt for Region {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.read_at(buffer, offset)
    }
}

/// Reads a [`Region`] from start to end.
#[derive(Debug)]
pub struct RegionReader {
    region: Region,
    position: u64,
}

impl Read for RegionReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.region.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn a_fifo_is_no_region_and_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fifo");
        let mode = Mode::RUSR | Mode::WUSR;
        mknodat(CWD, &path, FileType::Fifo, mode, 0).unwrap();
        let error = Region::open(&path).unwrap_err().to_string();
        assert!(error.contains("fifo is not a file"), "{error}");
    }
}
