//! Carries out a plan: the one place from which anything is removed.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::history::History;
use crate::inventory::Image;
use crate::outside::{Outlook, used_after};
use crate::plan::{Plan, Row};
use crate::policy::Policy;
use crate::reclaim::Storage;
use crate::reference::keep::KeepRules;
use crate::reference::{Outside, References};
use crate::runtime::{Removal, Runtime};

/// What became of an image that was to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is gone, by this run.
    Removed,
    /// It was gone already.
    Absent,
    /// It stays, because something changed since the plan was made.
    Skipped(String),
    /// Its removal failed.
    Failed(String),
    /// It was not tried any more.
    NotTried(String),
}

impl Outcome {
    /// The word of the contract.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Absent => "absent",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
            Self::NotTried(_) => "not-tried",
        }
    }

    /// Why, where there is something to say.
    pub fn because(&self) -> Option<&str> {
        match self {
            Self::Removed | Self::Absent => None,
            Self::Skipped(because) | Self::Failed(because) | Self::NotTried(because) => {
                Some(because)
            }
        }
    }
}

/// How bytes that were given back were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// What is no longer in the runtime's store.
    Store(u64),
    /// What the file system has more of, which others use as well.
    Disk(u64),
}

impl Measured {
    /// The bytes.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Store(bytes) | Self::Disk(bytes) => bytes,
        }
    }
}

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Executed {
    /// One for each removal of the plan, in its order.
    pub outcomes: Vec<Outcome>,
    /// The bytes given back; `None` where they cannot be measured.
    pub measured: Option<Measured>,
    /// Why the run ended before its end.
    pub stopped: Option<Stopped>,
}

/// Why a run ended before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It was asked to.
    Asked(String),
    /// The node could no longer be seen.
    View(String),
}

impl Executed {
    /// How many images are gone by this run.
    pub fn removed(&self) -> usize {
        self.outcomes.iter().filter(|outcome| **outcome == Outcome::Removed).count()
    }

    /// Whether the run ended because the node could no longer be seen.
    pub fn has_lost_sight(&self) -> bool {
        matches!(self.stopped, Some(Stopped::View(_)))
    }

    /// Whether a removal failed.
    pub fn has_failed(&self) -> bool {
        self.outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed(_)))
    }
}

/// What a plan is carried out with.
pub struct Means<'a> {
    /// Where the images are.
    pub runtime: &'a dyn Runtime,
    /// Who else may need them.
    pub outlook: &'a dyn Outlook,
    /// What was read of those when the plan was made.
    pub outside: &'a Outside,
    /// The keep rules.
    pub keep: &'a KeepRules,
    /// The policy of the plan.
    pub policy: &'a Policy,
    /// What the images were made of when the plan was made.
    pub storage: &'a Storage,
    /// Set where the run is asked to end.
    pub stop: &'a AtomicBool,
    /// Whether the run has had its time.
    pub is_over: &'a dyn Fn() -> bool,
    /// Writes the history: before each removal and after it.
    pub save: &'a dyn Fn(&History) -> crate::Result<()>,
    /// Says what is odd.
    pub warn: &'a dyn Fn(&str),
}

/// Removes what `plan` removes, oldest first. Who needs an image is read again right before its
/// removal; one failure does not end the run, a view that fails does. `told` hears of each image.
pub fn execute(
    plan: &Plan,
    history: &mut History,
    means: &Means<'_>,
    told: &mut dyn FnMut(&Row, &Outcome),
) -> Executed {
    let before = means.runtime.capacity();
    let mut executed = Executed::default();
    for row in plan.removals() {
        let outcome = match (&executed.stopped, why_end(means)) {
            (None, None) => attempt(&row.image, history, means),
            (Some(Stopped::Asked(because) | Stopped::View(because)), _) => {
                Ok(Outcome::NotTried(because.clone()))
            }
            (None, Some(because)) => {
                executed.stopped = Some(Stopped::Asked(because.clone()));
                Ok(Outcome::NotTried(because))
            }
        };
        let outcome = outcome.unwrap_or_else(|because| {
            executed.stopped = Some(Stopped::View(because.clone()));
            Outcome::NotTried(because)
        });
        told(row, &outcome);
        executed.outcomes.push(outcome);
    }
    executed.measured = measure(plan, before, means);
    executed
}

/// Why no more is to be removed.
fn why_end(means: &Means<'_>) -> Option<String> {
    if means.stop.load(Ordering::SeqCst) {
        return Some("the run was asked to end".to_owned());
    }
    if (means.is_over)() {
        return Some("the run had its time (--timeout)".to_owned());
    }
    let enough = means.policy.bounds.until_free.zip(means.runtime.capacity());
    let is_enough = enough.is_some_and(|(percent, capacity)| capacity.missing(percent) == 0);
    is_enough.then(|| "enough of the file system is free (--until-free)".to_owned())
}

/// Removes one image, if nothing needs it now. The error is a view that failed.
fn attempt(image: &Image, history: &mut History, means: &Means<'_>) -> Result<Outcome, String> {
    let failed = |error: crate::Error| format!("the node can no longer be seen: {error}");
    let used = means.runtime.used().map_err(failed)?;
    let outside = means.outlook.again(means.outside, &used).map_err(failed)?;
    let used = used_after(&outside, used, means.runtime).map_err(failed)?;
    let Some(now) = means.runtime.image(&image.id).map_err(failed)? else {
        return Ok(Outcome::Absent);
    };
    if (&now.tags, &now.digests) != (&image.tags, &image.digests) {
        return Ok(Outcome::Skipped("its names changed since it was looked at".to_owned()));
    }
    if now.pinned {
        return Ok(Outcome::Skipped("it is pinned now".to_owned()));
    }
    let one = std::slice::from_ref(image);
    let references = References::gather(one, &used, &outside, means.keep).map_err(failed)?;
    if let Some(holder) = references.of(&image.id).first() {
        return Ok(Outcome::Skipped(format!("it is needed now: {}", holder.sentence())));
    }
    history.begin_removal(image);
    (means.save)(history).map_err(|error| error.to_string())?;
    let outcome = match means.runtime.remove(image) {
        Removal::Gone => {
            history.forget(image);
            Outcome::Removed
        }
        Removal::Refused(because) => {
            history.end_removal(image);
            Outcome::Skipped(format!("the runtime keeps it: {because}"))
        }
        // It may have failed half way.
        Removal::Failed(because) => Outcome::Failed(because),
    };
    match (means.save)(history) {
        Ok(()) => Ok(outcome),
        // What is gone is gone: only the next one is not begun.
        Err(error) if outcome == Outcome::Removed => {
            means.stop.store(true, Ordering::SeqCst);
            (means.warn)(&format!("what was removed is not remembered: {error}"));
            Ok(outcome)
        }
        Err(error) => Err(error.to_string()),
    }
}

/// What was given back: what is no longer in the store where the store can be looked into, else
/// what the disk has more of.
fn measure(
    plan: &Plan,
    before: Option<crate::inventory::Capacity>,
    means: &Means<'_>,
) -> Option<Measured> {
    let is_exact = matches!(plan.predicted(), crate::reclaim::Reclaimable::Exact(_));
    if is_exact && let Ok(storage) = means.runtime.storage() {
        return Some(Measured::Store(means.storage.gone_in(&storage)));
    }
    let (before, after) = (before?, means.runtime.capacity()?);
    Some(Measured::Disk(after.free.saturating_sub(before.free)))
}
