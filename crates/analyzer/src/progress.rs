//! How long work is shown: the caller brings the display, this crate only reports to it.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

/// Told of the layers as they are read, from several threads at once.
pub trait Progress: Send + Sync {
    /// Layer `layer` of `layers` starts; `bytes` as they are stored. A source that passes by once
    /// knows neither how many layers are to come nor, some of them, how large this one is.
    fn begin(&self, layer: usize, layers: Option<usize>, bytes: Option<u64>);
    /// `bytes` more of the layer have been read.
    fn advance(&self, layer: usize, bytes: u64);
    /// The layer is done.
    fn end(&self, layer: usize);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: usize, _: Option<usize>, _: Option<u64>) {}
    fn advance(&self, _: usize, _: u64) {}
    fn end(&self, _: usize) {}
}

/// A display that several readers report to.
#[derive(Clone)]
pub struct Shared(pub Arc<dyn Progress>);

impl Default for Shared {
    fn default() -> Self {
        Self(Arc::new(Silent))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

/// A reader whose bytes are reported as those of a layer.
pub(crate) struct Reported<'a, R> {
    pub(crate) inner: R,
    pub(crate) layer: usize,
    pub(crate) progress: &'a dyn Progress,
}

impl<R: Read> Read for Reported<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.advance(self.layer, read as u64);
        Ok(read)
    }
}
