//! Contents of single files, read after their layers were indexed: neighbours with one system
//! call, each byte once, into buffers that one thread keeps.

use crate::blob::ReadAt;
use crate::error::{Error, Result};
use crate::layer::content_hash::{self, ContentHash};
use crate::layer::read::{ReadLayer, name};
use crate::layer::scan::Scratch;
use crate::source::Image;

/// An entry: its layer, and its position there.
pub(crate) type Place = (usize, usize);

/// The most bytes of a file that [`Reader::starts`] gives.
pub(crate) const START_MAX: u64 = 64 << 10;
/// Bytes that are read at once for neighbours.
const WINDOW: usize = 128 << 10;
/// Bytes between two files that are read along rather than asking the kernel twice: what a header
/// or two take.
const GAP: u64 = 4 << 10;
/// How much of two files is compared before more is read: different ones mostly differ early.
const FIRST: usize = 8 << 10;

/// Reads files of an image's layers, for one thread.
pub(crate) struct Reader<'a> {
    image: &'a Image,
    layers: &'a [ReadLayer],
    left: Vec<u8>,
    right: Vec<u8>,
    scratch: Scratch,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(image: &'a Image, layers: &'a [ReadLayer]) -> Self {
        let buffer = || vec![0; WINDOW];
        Self { image, layers, left: buffer(), right: buffer(), scratch: Scratch::default() }
    }

    /// Hands the first bytes of each place to `each`, by its position in `places`: `most` of them,
    /// at most [`START_MAX`], or all where there are fewer. Every place is one that can be opened.
    pub(crate) fn starts(
        &mut self,
        places: &[Place],
        most: u64,
        mut each: impl FnMut(usize, &[u8]),
    ) -> Result<()> {
        let layers = self.layers;
        let extent = |(layer, position): Place| {
            let entry = layers[layer].index.entry(position);
            let start = entry.content().0;
            (start, start.saturating_add(entry.size().min(most).min(START_MAX)))
        };
        let mut at = 0;
        while let Some(place) = places.get(at) {
            let (start, mut end) = extent(*place);
            let Some(region) = layers[place.0].region() else {
                let file = self.open(*place)?;
                let wanted = usize::try_from(end - start).unwrap_or(0);
                let read = file
                    .read_at(&mut self.left[..wanted], 0)
                    .map_err(|error| Error::reading(&name(self.image, place.0), error))?;
                each(at, &self.left[..read]);
                at += 1;
                continue;
            };
            let mut next = at + 1;
            while let Some(other) = places.get(next).filter(|other| other.0 == place.0) {
                let (from, to) = extent(*other);
                if from < end || from - end > GAP || to - start > WINDOW as u64 {
                    break;
                }
                end = to;
                next += 1;
            }
            let part = region.part(start, end - start).ok_or_else(|| self.truncated(place.0))?;
            let read = part.read_at(&mut self.left, 0)?;
            for (number, place) in (at..next).zip(&places[at..next]) {
                let (from, to) = extent(*place);
                let inside = |offset: u64| usize::try_from(offset - start).unwrap_or(read);
                each(number, &self.left[inside(from)..inside(to)]);
            }
            at = next;
        }
        Ok(())
    }

    /// The hash of each place, into `hashes`.
    pub(crate) fn hash_all(&mut self, places: &[Place], hashes: &mut [ContentHash]) -> Result<()> {
        let layers = self.layers;
        let small = |place: &Place| {
            layers[place.0].can_open(place.1)
                && layers[place.0].index.entry(place.1).size() <= START_MAX
        };
        let mut at = 0;
        for run in places.chunk_by(|a, b| small(a) && small(b)) {
            let into = &mut hashes[at..at + run.len()];
            if small(&run[0]) {
                self.starts(run, START_MAX, |number, bytes| {
                    into[number] = content_hash::of(bytes);
                })?;
            } else {
                for (place, hash) in run.iter().zip(into) {
                    *hash = self.hash(*place)?;
                }
            }
            at += run.len();
        }
        Ok(())
    }

    /// Whether two files of the same size have the same content.
    pub(crate) fn are_equal(&mut self, a: Place, b: Place) -> Result<bool> {
        let openable = |(layer, position): Place| self.layers[layer].can_open(position);
        if !openable(a) || !openable(b) {
            return Ok(self.hash(a)? == self.hash(b)?);
        }
        let (one, other) = (self.open(a)?, self.open(b)?);
        let image = self.image;
        let reading = |layer, error| Error::reading(&name(image, layer), error);
        let (mut step, mut offset) = (FIRST, 0);
        loop {
            let (left, right) = (&mut self.left[..step], &mut self.right[..step]);
            let read = one.read_at(left, offset).map_err(|error| reading(a.0, error))?;
            if other.read_at(right, offset).map_err(|error| reading(b.0, error))? != read
                || left[..read] != right[..read]
            {
                return Ok(false);
            }
            if read < step {
                return Ok(true);
            }
            offset += read as u64;
            step = WINDOW;
        }
    }

    fn hash(&mut self, (layer, position): Place) -> Result<ContentHash> {
        let image = self.image;
        self.layers[layer].hash_with(&|| name(image, layer), position, &mut self.scratch)
    }

    fn open(&self, (layer, position): Place) -> Result<Box<dyn ReadAt + 'a>> {
        self.layers[layer].open(position)?.ok_or_else(|| self.truncated(layer))
    }

    fn truncated(&self, layer: usize) -> Error {
        Error::corrupt(name(self.image, layer), "it is truncated inside a file's content")
    }
}
