//! What layers would take as zstd: measured by compressing them, not estimated.

use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::blob::decompress::{Decompressed, Expansion};
use crate::error::{Error, Result};
use crate::layer::read::name;
use crate::source::{Image, LayerData};

/// The level that is measured: a fifth of the time of the next one that saves as much again, and
/// read back as fast as any.
pub const LEVEL: i32 = 9;

/// Bytes of each layer as zstd of [`LEVEL`]; `None` for a layer that does not stand in a file of
/// this machine, and cannot be read again.
pub fn measure(
    image: &Image,
    jobs: NonZeroUsize,
    expansion: Expansion,
) -> Result<Vec<Option<u64>>> {
    let sizes: Vec<Mutex<Option<Result<u64>>>> =
        image.layers.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(layer) = image.layers.get(at) else { return };
            if let LayerData::Region(region) = &layer.data {
                let size = compressed(&name(image, at), region.reader(), expansion);
                *sizes[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(size);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.get().min(image.layers.len()) {
            scope.spawn(work);
        }
    });
    let sizes =
        sizes.into_iter().map(|size| size.into_inner().unwrap_or_else(PoisonError::into_inner));
    sizes.map(Option::transpose).collect()
}

fn compressed(what: &str, stored: impl Read, expansion: Expansion) -> Result<u64> {
    let reading = |error| Error::reading(what, error);
    let mut layer = Decompressed::new(stored, what, expansion)?;
    let mut encoder = zstd::Encoder::new(Counted(0), LEVEL).map_err(reading)?;
    io::copy(&mut layer, &mut encoder).map_err(reading)?;
    Ok(encoder.finish().map_err(reading)?.0)
}

/// Counts what is written.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_measured_by_what_they_hold() {
        let text = b"the same again and again; ".repeat(1000);
        let size = compressed("a test", &text[..], Expansion::default()).unwrap();
        assert!(size > 20 && size < text.len() as u64 / 100, "{size}");
        // As stored with another level, it holds the same.
        let again = zstd::encode_all(&text[..], 1).unwrap();
        let other = compressed("a test", &again[..], Expansion::default()).unwrap();
        assert!(other.abs_diff(size) < 50, "{size} {other}");
        assert!(compressed("a test", &again[..9], Expansion::default()).is_err());
    }
}
