//! What is asked of images, and what has to be known of one to judge it.

use std::collections::BTreeSet;

use crate::gate::budget::{Budget, Selection, Subject};
use crate::gate::deny::Deny;
use crate::gate::measure::Metric;

/// What was asked of images.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Budgets.
    pub budgets: Vec<Budget>,
    /// Denials.
    pub denials: Vec<Deny>,
    /// Whether an image that nothing is known of before fails.
    pub require_baseline: bool,
}

/// What of an image has to be known to judge it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Whether rules are asked.
    pub findings: bool,
    /// Whether files that nothing uses are counted.
    pub unused: bool,
    /// Directories that a budget names, without a slash at either end.
    pub directories: Vec<String>,
}

impl Asked {
    /// What is asked of one image on a platform; `names` are all forms of its name.
    #[must_use]
    pub fn of(&self, names: &[String], platform: &str) -> Self {
        let fits = |of: &Selection| of.fits(names, platform);
        Self {
            budgets: self.budgets.iter().filter(|one| fits(&one.of)).cloned().collect(),
            denials: self.denials.iter().filter(|one| fits(&one.of)).cloned().collect(),
            require_baseline: self.require_baseline,
        }
    }

    /// What has to be known.
    pub fn wanted(&self) -> Wanted {
        let mut directories = BTreeSet::new();
        let mut unused = false;
        for budget in &self.budgets {
            match &budget.subject {
                Subject::Metric(metric) => unused |= metric.measure.is_of_use(),
                Subject::Directory(path) => {
                    directories.insert(path.clone());
                }
                _ => {}
            }
        }
        Wanted {
            findings: self.denials.iter().any(Deny::needs_findings),
            unused,
            directories: directories.into_iter().collect(),
        }
    }

    /// By how much a metric may differ without having moved.
    pub fn tolerance(&self, metric: Metric) -> u64 {
        let own = self.budgets.iter().filter_map(|budget| match budget.subject {
            Subject::Metric(of) if of == metric => budget.limits.tolerance,
            _ => None,
        });
        own.max().unwrap_or(metric.measure.tolerance())
    }
}
