//! A bar a layer on standard error, while it is read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jettison_analyzer::progress::Progress;

/// Shows the layers that are being read.
pub(crate) struct Bars {
    all: MultiProgress,
    bars: Mutex<HashMap<usize, ProgressBar>>,
}

impl Bars {
    /// Bars on standard error, or none at all.
    pub(crate) fn new(shown: bool) -> Self {
        let target = if shown {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        Self { all: MultiProgress::with_draw_target(target), bars: Mutex::default() }
    }

    fn with(&self, layer: usize, act: impl FnOnce(&ProgressBar)) {
        let bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = bars.get(&layer) {
            act(bar);
        }
    }

    /// Takes what is still shown away.
    pub(crate) fn clear(&self) {
        let _ = self.all.clear();
    }
}

impl Progress for Bars {
    fn begin(&self, layer: usize, layers: Option<usize>, bytes: Option<u64>) {
        if self.all.is_hidden() {
            return;
        }
        let bar = match bytes {
            Some(bytes) => ProgressBar::new(bytes),
            None => ProgressBar::no_length(),
        };
        let template = match bytes {
            Some(_) => "{prefix} [{bar:30}] {binary_bytes:>11} of {binary_total_bytes}",
            None => "{prefix} {spinner} {binary_bytes:>11}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("█▌ "));
        }
        let of = layers.map_or_else(String::new, |layers| format!(" of {layers}"));
        bar.set_prefix(format!("layer {:>3}{of}", layer + 1));
        let bar = self.all.add(bar);
        bar.enable_steady_tick(Duration::from_millis(200));
        self.bars.lock().unwrap_or_else(PoisonError::into_inner).insert(layer, bar);
    }

    fn advance(&self, layer: usize, bytes: u64) {
        if !self.all.is_hidden() {
            self.with(layer, |bar| bar.inc(bytes));
        }
    }

    fn end(&self, layer: usize) {
        self.with(layer, ProgressBar::finish_and_clear);
    }
}
