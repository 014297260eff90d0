//! How long work is shown: the caller brings the display, this crate only reports to it.

/// Told of the layers as they are read, from several threads at once.
pub trait Progress: Send + Sync {
    /// Layer `layer` of `layers` starts; `bytes` as they are stored, where that is known.
    fn begin(&self, layer: usize, layers: usize, bytes: Option<u64>);
    /// `bytes` more of the layer have been read.
    fn advance(&self, layer: usize, bytes: u64);
    /// The layer is done.
    fn end(&self, layer: usize);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: usize, _: usize, _: Option<u64>) {}
    fn advance(&self, _: usize, _: u64) {}
    fn end(&self, _: usize) {}
}
