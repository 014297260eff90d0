//! What a tar is read from: a stream, whose contents pass by, or a region, whose contents are
//! skipped without being read.

use std::io::{self, Read};

use crate::blob::region::Region;

/// Bytes of an uncompressed tar, in order, with a cheap way past those that nobody needs.
pub(crate) trait Input {
    /// The next bytes, at least one unless the input has ended.
    fn fill(&mut self) -> io::Result<&[u8]>;
    /// The same, and `count` of them where that takes no seeking, at most [`FILL_MAX`].
    fn fill_to(&mut self, count: usize) -> io::Result<&[u8]> {
        let _ = count;
        self.fill()
    }
    /// Marks `count` of the bytes that `fill` gave as read.
    fn consume(&mut self, count: usize);
    /// Goes past `count` bytes; returns how many there were.
    fn skip(&mut self, count: u64) -> io::Result<u64>;
    /// Bytes read or skipped so far.
    fn position(&self) -> u64;

    /// Fills `buffer`; returns how many bytes there were.
    fn read_full(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            let available = self.fill()?;
            if available.is_empty() {
                break;
            }
            let count = available.len().min(buffer.len() - done);
            buffer[done..done + count].copy_from_slice(&available[..count]);
            self.consume(count);
            done += count;
        }
        Ok(done)
    }
}

/// The most bytes that [`Input::fill_to`] gives together.
pub(crate) const FILL_MAX: usize = 64 << 10;
const STREAM_BUFFER: usize = 2 * FILL_MAX;

/// A tar that passes by once.
pub(crate) struct Stream<R> {
    inner: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    position: u64,
}

impl<R: Read> Stream<R> {
    pub(crate) fn new(inner: R) -> Self {
        let buffer = vec![0; STREAM_BUFFER].into_boxed_slice();
        Self { inner, buffer, start: 0, end: 0, position: 0 }
    }
}

impl<R: Read> Stream<R> {
    /// Reads behind what the buffer has; false at the end.
    fn read_more(&mut self) -> io::Result<bool> {
        loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => {
                    let read = result?;
                    self.end += read;
                    return Ok(read > 0);
                }
            }
        }
    }
}

impl<R: Read> Input for Stream<R> {
    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.read_more()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn fill_to(&mut self, count: usize) -> io::Result<&[u8]> {
        let count = count.min(FILL_MAX);
        if self.buffer.len() - self.start < count || self.start == self.end {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        while self.end - self.start < count && self.read_more()? {}
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        self.position += count as u64;
    }

    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let available = self.fill()?.len();
            if available == 0 {
                break;
            }
            let step = available.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.consume(step);
            left -= step as u64;
        }
        Ok(count - left)
    }

    fn position(&self) -> u64 {
        self.position
    }
}

/// The first window after a jump: a header and the small files behind it.
const WINDOW_MIN: usize = 4 << 10;
/// The window of a run of small files.
const WINDOW_MAX: usize = 64 << 10;

/// A tar in a region of a file.
pub(crate) struct Seek {
    region: Region,
    buffer: Box<[u8]>,
    /// Offset in the region of the buffer's first byte.
    base: u64,
    start: usize,
    end: usize,
    window: usize,
}

impl Seek {
    pub(crate) fn new(region: Region) -> Self {
        let buffer = vec![0; WINDOW_MAX].into_boxed_slice();
        Self { region, buffer, base: 0, start: 0, end: 0, window: WINDOW_MIN }
    }
}

impl Input for Seek {
    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.base += self.end as u64;
            let window = self.window;
            self.start = 0;
            self.end = self.region.read_at(&mut self.buffer[..window], self.base)?;
            self.window = (window * 2).min(WINDOW_MAX);
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }

    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let buffered = (self.end - self.start) as u64;
        if let Ok(step) = usize::try_from(count)
            && count <= buffered
        {
            self.start += step;
            return Ok(count);
        }
        let here = self.position();
        let step = count.min(self.region.len().saturating_sub(here));
        self.base = here + step;
        self.start = 0;
        self.end = 0;
        self.window = WINDOW_MIN;
        Ok(step)
    }

    fn position(&self) -> u64 {
        self.base + self.start as u64
    }
}
