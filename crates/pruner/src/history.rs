//! When each image was first seen on the node, and when something last needed it.
//!
//! No runtime keeps that, so jettison does, by looking. What happened between two looks nobody
//! knows: an image that was referenced at one look and not at the next counts as needed until the
//! second.

pub mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jettison_oci::Reference;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::inventory::{Image, ImageId};
use crate::moment::{Moment, plausible};
use crate::reference::References;

/// How long after its removal an image that is seen again was removed wrongly.
const REGRET: Duration = Duration::from_hours(24);
/// How many times an image's age limit doubles at most.
const DOUBLINGS_MAX: u32 = 6;

/// What was seen on one node, of one runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// The names by which the machine is known whose history it is: a pod may know it by another one
    /// than those who are logged in there.
    pub nodes: BTreeSet<String>,
    /// The runtime's endpoint.
    pub endpoint: String,
    /// When it begins.
    pub since: Timestamp,
    /// The last look.
    pub last: Look,
    /// The images that were there at the last look.
    pub images: BTreeMap<String, Record>,
    /// The images that jettison removed in the last day.
    #[serde(default)]
    pub removed: Vec<Removed>,
    /// Images whose removal was begun and not finished: the digests they could be pulled by.
    #[serde(default)]
    pub begun: BTreeMap<String, Vec<String>>,
    /// Repositories whose images were removed wrongly, and how many times their age limit doubles.
    #[serde(default)]
    pub doublings: BTreeMap<String, u32>,
    /// When a scheduled run last came to its end.
    #[serde(default)]
    pub last_run: Option<Timestamp>,
    /// How many images were removed wrongly since the history began.
    #[serde(default)]
    pub regretted: u64,
}

/// One look at the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Look {
    /// How many there were, this one included.
    pub number: u64,
    /// The clock on the wall.
    pub at: Timestamp,
    /// The boot.
    pub boot: Option<String>,
    /// Seconds since the boot.
    pub uptime: u64,
    /// Seconds that surely passed since the history began.
    pub counted: u64,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// When it was first seen, by the clock on the wall.
    pub first_seen: Timestamp,
    /// The same in seconds since the history began.
    pub first_counted: u64,
    /// The number of that look.
    pub first_look: u64,
    /// When something last needed it; `None` where nothing ever did.
    pub last_referenced: Option<Timestamp>,
    /// The first look since then that found nothing that needs it; `None` while something does.
    pub idle: Option<Idle>,
    /// Whether the clock was set just before it was first seen, so that no time before is known.
    #[serde(default)]
    pub doubtful: bool,
    /// Whether a pod or template wanted it that may not pull it.
    #[serde(default)]
    pub never_pulled: bool,
}

/// Since when nothing needs an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Idle {
    /// In seconds since the history began.
    pub counted: u64,
    /// The number of that look.
    pub look: u64,
}

/// An image that jettison removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Removed {
    /// Its ID.
    pub id: String,
    /// Its names, normalised.
    pub names: Vec<String>,
    /// When, in seconds since the history began.
    pub counted: u64,
}

/// What a look found that is worth telling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether the clock on the wall was set since the last look.
    pub stepped: bool,
    /// Names of images that jettison removed within a day, and that are back.
    pub regretted: Vec<String>,
}

impl History {
    /// One that begins now and knows nothing yet.
    pub fn begin(node: &str, endpoint: &str, now: &Moment) -> Self {
        Self {
            nodes: BTreeSet::from([node.to_owned()]),
            endpoint: endpoint.to_owned(),
            since: now.wall,
            last: Look {
                number: 0,
                at: now.wall,
                boot: now.boot.clone(),
                uptime: now.uptime.as_secs(),
                counted: 0,
            },
            images: BTreeMap::new(),
            removed: Vec::new(),
            begun: BTreeMap::new(),
            doublings: BTreeMap::new(),
            last_run: None,
            regretted: 0,
        }
    }

    /// Whether it is the history of this machine: one that it knows by name, or that has been up
    /// since the last look. One that was copied with a disk is not.
    pub fn is_of(&self, node: &str, boot: Option<&str>) -> bool {
        self.nodes.contains(node) || (boot.is_some() && boot == self.last.boot.as_deref())
    }

    /// Takes in what is there now and who needs it.
    pub fn observe(&mut self, now: &Moment, images: &[Image], references: &References) -> Seen {
        let earlier = Moment {
            wall: self.last.at,
            boot: self.last.boot.clone(),
            uptime: Duration::from_secs(self.last.uptime),
        };
        let passed = now.since(&earlier);
        self.last = Look {
            number: self.last.number + 1,
            at: now.wall,
            boot: now.boot.clone(),
            uptime: now.uptime.as_secs(),
            counted: self.last.counted + passed.time.as_secs(),
        };
        let regretted = self.regret(images);
        let Look { number, counted, .. } = self.last;
        let mut records = BTreeMap::new();
        for image in images {
            let id = image.id.as_str();
            let mut record = self.images.remove(id).unwrap_or(Record {
                first_seen: now.wall,
                first_counted: counted,
                first_look: number,
                last_referenced: None,
                idle: None,
                doubtful: passed.stepped,
                never_pulled: false,
            });
            if references.is_used(&image.id) {
                record.last_referenced = Some(now.wall);
                record.idle = None;
            } else if record.idle.is_none() {
                record.idle = Some(Idle { counted, look: number });
            }
            record.never_pulled |= references.never_pulled.contains(&image.id);
            records.insert(id.to_owned(), record);
        }
        self.begun.retain(|id, _| records.contains_key(id));
        self.images = records;
        Seen { stepped: passed.stepped, regretted }
    }

    /// Finds removed images that are back, and doubles their age limit.
    fn regret(&mut self, images: &[Image]) -> Vec<String> {
        let counted = self.last.counted;
        let old = std::mem::take(&mut self.removed);
        let mut regretted = Vec::new();
        for removed in old {
            if counted.saturating_sub(removed.counted) > REGRET.as_secs() {
                continue;
            }
            let back = images.iter().find(|image| {
                image.id.as_str() == removed.id
                    || names_of(image).iter().any(|name| removed.names.contains(name))
            });
            let Some(image) = back else {
                self.removed.push(removed);
                continue;
            };
            for key in limit_keys(image) {
                let doublings = self.doublings.entry(key).or_default();
                *doublings = (*doublings + 1).min(DOUBLINGS_MAX);
            }
            self.regretted += 1;
            regretted.push(image.name().to_owned());
        }
        regretted
    }

    /// Remembers that its removal begins: what an end in the midst of it leaves without a name can
    /// still be told to have come from a registry.
    pub fn begin_removal(&mut self, image: &Image) {
        self.begun.insert(image.id.as_str().to_owned(), image.digests.clone());
    }

    /// Remembers that its removal came to an end, and that it is still there.
    pub fn end_removal(&mut self, image: &Image) {
        self.begun.remove(image.id.as_str());
    }

    /// Whether its removal was begun by a run that did not come to its end.
    pub fn is_begun(&self, id: &ImageId) -> bool {
        self.begun.contains_key(id.as_str())
    }

    /// Remembers that jettison removed it.
    pub fn forget(&mut self, image: &Image) {
        self.end_removal(image);
        self.images.remove(image.id.as_str());
        self.removed.push(Removed {
            id: image.id.as_str().to_owned(),
            names: names_of(image),
            counted: self.last.counted,
        });
    }

    /// What is known of an image.
    pub fn record(&self, id: &ImageId) -> Option<&Record> {
        self.images.get(id.as_str())
    }

    /// How many times longer than others this image has to be unused.
    pub fn patience(&self, image: &Image) -> u32 {
        let doublings = limit_keys(image).iter().filter_map(|key| self.doublings.get(key)).max();
        1 << doublings.copied().unwrap_or_default().min(DOUBLINGS_MAX)
    }

    /// How long it has surely been on the node.
    pub fn present(&self, image: &Image) -> Duration {
        let Some(record) = self.record(&image.id) else { return Duration::ZERO };
        let seen = self.passed_since(record.first_counted);
        self.age_of(image.pulled, record).map_or(seen, |age| age.max(seen))
    }

    /// How long nothing has needed it: since the later of the first look at it and the first look
    /// that found it unneeded again. `None` where something needs it, or where no earlier look
    /// agrees.
    pub fn unused(&self, id: &ImageId) -> Option<Duration> {
        let record = self.record(id)?;
        let idle = record.idle.filter(|idle| idle.look < self.last.number)?;
        Some(self.passed_since(idle.counted.max(record.first_counted)))
    }

    /// How long ago it came here, by the runtime's word.
    pub fn pulled(&self, image: &Image) -> Option<Duration> {
        self.age_of(image.pulled, self.record(&image.id)?)
    }

    /// How long ago it was built, by its own word.
    pub fn created(&self, image: &Image) -> Option<Duration> {
        self.age_of(image.created, self.record(&image.id)?)
    }

    /// The age of something that happened at `time`. What the clock showed when the image was first
    /// seen is believed, and from then on only time that surely passed counts.
    fn age_of(&self, time: Option<Timestamp>, record: &Record) -> Option<Duration> {
        let time = plausible(time?, self.last.at)?;
        let here = self.passed_since(record.first_counted);
        if record.doubtful {
            return Some(here);
        }
        let age = self.last.at.duration_since(time);
        let before = record.first_seen.duration_since(time);
        let most = here + Duration::try_from(before).unwrap_or_default();
        Some(Duration::try_from(age).unwrap_or_default().min(most))
    }

    fn passed_since(&self, counted: u64) -> Duration {
        Duration::from_secs(self.last.counted.saturating_sub(counted))
    }
}

/// An image's names with a tag, normalised.
fn names_of(image: &Image) -> Vec<String> {
    let names: BTreeSet<String> = image
        .tags
        .iter()
        .filter_map(|name| name.parse::<Reference>().ok())
        .map(|reference| reference.to_string())
        .collect();
    names.into_iter().collect()
}

/// What age limits are kept by: the repositories of an image, or its ID where it has none.
fn limit_keys(image: &Image) -> BTreeSet<String> {
    let names = image.names().filter_map(|name| name.parse::<Reference>().ok());
    let mut keys: BTreeSet<String> = names.map(|name| name.name()).collect();
    if keys.is_empty() {
        keys.insert(image.id.as_str().to_owned());
    }
    keys
}

#[cfg(test)]
mod tests;
