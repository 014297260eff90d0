//! What Prometheus is told of a node.

mod serve;

pub use serve::Server;

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::execute::{Executed, Measured, Outcome};
use crate::prune::Look;

/// The names of all metrics, as Prometheus knows them.
pub const NAMES: [&str; 13] = [
    "jettison_prune_candidates",
    "jettison_prune_kept",
    "jettison_prune_removed_total",
    "jettison_prune_failed_total",
    "jettison_prune_predicted_bytes_total",
    "jettison_prune_reclaimed_bytes_total",
    "jettison_prune_last_success_timestamp_seconds",
    "jettison_prune_last_look_timestamp_seconds",
    "jettison_prune_history_age_seconds",
    "jettison_prune_threshold_unmet",
    "jettison_prune_image_filesystem_used_ratio",
    "jettison_prune_regretted_total",
    "jettison_prune_refused_total",
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kept {
    reason: String,
}

/// All metrics of a node.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    candidates: Gauge,
    kept: Mutex<Family<Kept, Gauge>>,
    removed: Counter,
    failed: Counter,
    predicted_bytes: Counter,
    reclaimed_bytes: Counter,
    last_success: Gauge,
    last_look: Gauge,
    history_age: Gauge,
    threshold_unmet: Gauge,
    used_ratio: Gauge<f64, AtomicU64>,
    regretted: Counter,
    refused: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("jettison_prune"),
            candidates: Gauge::default(),
            kept: Mutex::default(),
            removed: Counter::default(),
            failed: Counter::default(),
            predicted_bytes: Counter::default(),
            reclaimed_bytes: Counter::default(),
            last_success: Gauge::default(),
            last_look: Gauge::default(),
            history_age: Gauge::default(),
            threshold_unmet: Gauge::default(),
            used_ratio: Gauge::default(),
            regretted: Counter::default(),
            refused: Counter::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let mut gauge = |name: &str, help: &str, metric: &Gauge| {
            registry.register(name, help, metric.clone());
        };
        gauge("candidates", "Images that the last look would remove", &self.candidates);
        gauge(
            "last_success_timestamp_seconds",
            "When a run last came to its end without a failure",
            &self.last_success,
        );
        gauge("last_look_timestamp_seconds", "When the node was last looked at", &self.last_look);
        gauge("history_age_seconds", "How much time the history has measured", &self.history_age);
        gauge(
            "threshold_unmet",
            "1 where the low threshold could not be reached by what may go",
            &self.threshold_unmet,
        );
        let mut counter = |name: &str, help: &str, metric: &Counter| {
            registry.register(name, help, metric.clone());
        };
        counter("removed", "Images removed", &self.removed);
        counter("failed", "Images whose removal failed", &self.failed);
        counter(
            "predicted_bytes",
            "Bytes that the removals were predicted to give back",
            &self.predicted_bytes,
        );
        counter(
            "reclaimed_bytes",
            "Bytes that the store was measured to have given back",
            &self.reclaimed_bytes,
        );
        counter(
            "regretted",
            "Images that were back within a day of their removal",
            &self.regretted,
        );
        counter("refused", "Looks that were refused for safety, or failed", &self.refused);
        registry.register(
            "image_filesystem_used_ratio",
            "The share of the image file system that is used, 0 to 1",
            self.used_ratio.clone(),
        );
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        registry.register("kept", "Images that the last look keeps, by reason", kept);
    }

    /// Takes in a look.
    pub fn looked(&self, look: &Look) {
        self.candidates.set(number(look.plan.removals().count()));
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clear();
        for (reason, count) in look.plan.kept_by_reason() {
            kept.get_or_create(&Kept { reason: reason.code().to_owned() }).set(number(count));
        }
        self.last_look.set(look.history.last.at.as_second());
        self.history_age.set(i64::try_from(look.history.last.counted).unwrap_or(i64::MAX));
        self.regretted.inc_by(look.seen.regretted.len() as u64);
        if let Some(capacity) = look.inventory.capacity {
            #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
            let ratio = 1.0 - capacity.free as f64 / capacity.total.max(1) as f64;
            self.used_ratio.set(ratio);
        }
    }

    /// Takes in a run. `predicted` is of the images that went.
    pub fn ran(&self, executed: &Executed, predicted: u64, at: jiff::Timestamp) {
        self.removed.inc_by(executed.removed() as u64);
        let failed = |outcome: &&Outcome| matches!(outcome, Outcome::Failed(_));
        self.failed.inc_by(executed.outcomes.iter().filter(failed).count() as u64);
        self.predicted_bytes.inc_by(predicted);
        if let Some(Measured::Store(bytes)) = executed.measured {
            self.reclaimed_bytes.inc_by(bytes);
        }
        if !executed.has_failed() && !executed.has_lost_sight() {
            self.last_success.set(at.as_second());
        }
    }

    /// Takes in a look that was refused.
    pub fn was_refused(&self) {
        self.refused.inc();
    }

    /// Says whether what may go is too little for the low threshold.
    pub fn threshold(&self, is_unmet: bool) {
        self.threshold_unmet.set(i64::from(is_unmet));
    }

    /// The text that Prometheus reads.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // A String takes whatever is written to it.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_from_the_start() {
        let metrics = Metrics::default();
        let kept = Kept { reason: "container".to_owned() };
        metrics.kept.lock().unwrap().get_or_create(&kept).set(3);
        metrics.threshold(true);
        let text = metrics.render();
        for name in NAMES {
            let is_there = text
                .lines()
                .any(|line| line.split([' ', '{']).next().is_some_and(|first| first == name));
            assert!(is_there, "{name} is not in\n{text}");
        }
        assert!(text.contains("jettison_prune_kept{reason=\"container\"} 3"), "{text}");
        assert!(text.contains("jettison_prune_threshold_unmet 1"));
        assert!(text.ends_with("# EOF\n"));
    }
}
