//! What was looked at of the contents: kept with the account, since whoever asks next may be another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::content::Content;

/// A row for each payload, made when the first is asked for.
#[derive(Default)]
pub(crate) struct Looked(OnceLock<Box<[Look]>>);

impl Looked {
    /// The rows of so many payloads.
    pub(crate) fn rows(&self, payloads: usize) -> &[Look] {
        self.0.get_or_init(|| (0..payloads).map(|_| Look::default()).collect())
    }
}

/// One payload's row.
#[derive(Default)]
pub(crate) struct Look {
    /// What its content says. An error is told to who asks, not kept.
    pub(crate) found: OnceLock<Result<Option<Arc<Content>>, Failed>>,
    is_begun: AtomicBool,
}

/// The content could not be read.
pub(crate) struct Failed;

impl Look {
    /// Whether nobody looks at it yet, nor has: then whoever asks this does.
    pub(crate) fn begins(&self) -> bool {
        !self.is_begun.swap(true, Ordering::Relaxed)
    }
}
