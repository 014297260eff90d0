//! What the user wants kept, and what may go.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::history::History;
use crate::inventory::Image;

/// What an image's age is counted from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgeBy {
    /// The later of when it was first seen and when something last needed it.
    #[default]
    Unused,
    /// When it came to the node, by the runtime's record.
    Pulled,
    /// When it was built, by its own word.
    Created,
}

impl AgeBy {
    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Pulled => "pulled",
            Self::Created => "created",
        }
    }

    /// The age of `image` by this; `None` where it is unknown, which is young.
    pub fn age(self, image: &Image, history: &History) -> Option<Duration> {
        match self {
            Self::Unused => history.unused(&image.id),
            Self::Pulled => history.pulled(image),
            Self::Created => history.created(image),
        }
    }
}

/// What bounds one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Removes so many images at most.
    pub max_images: Option<usize>,
    /// Gives back so many bytes at most.
    pub max_bytes: Option<u64>,
    /// Stops once so much of the image file system is free, in percent.
    pub until_free: Option<u8>,
}

/// What may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The age from which on an image may go.
    pub older_than: Duration,
    /// What that age is counted from.
    pub age_by: AgeBy,
    /// How long an image has to be on the node at least, whatever its age.
    pub min_age: Duration,
    /// How many images of each repository stay, the newest.
    pub keep_newest: usize,
    /// Whether images may go that cannot be pulled again.
    pub allow_unpullable: bool,
    /// What bounds the run.
    pub bounds: Bounds,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            older_than: Duration::from_hours(7 * 24),
            age_by: AgeBy::Unused,
            min_age: Duration::from_hours(1),
            keep_newest: 0,
            allow_unpullable: false,
            bounds: Bounds::default(),
        }
    }
}

impl Policy {
    /// The age from which on this image may go: one that was removed wrongly waits longer.
    pub fn limit(&self, image: &Image, history: &History) -> Duration {
        self.older_than.saturating_mul(history.patience(image))
    }
}
