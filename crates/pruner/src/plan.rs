//! What goes and what stays, and why: a value that is made of values, and that nothing has acted on
//! yet.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jettison_oci::Reference;
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::history::History;
use crate::inventory::{Image, ImageId, Inventory, Pullable};
use crate::policy::{AgeBy, Policy};
use crate::reclaim::{Ledger, Reclaimable};
use crate::reference::References;
use crate::reference::holder::{Holder, Kind};

/// What becomes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It goes.
    Remove,
    /// It stays.
    Keep,
}

/// Why. Its words are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Nothing needs it, and it is old enough: it goes.
    Old,
    /// Something holds it.
    Held(Kind),
    /// It is one of the newest of its repository.
    KeepNewest,
    /// It could not be had again.
    Unpullable,
    /// It has not been on the node for long enough.
    MinAge,
    /// No earlier look found it unneeded.
    FirstLook,
    /// Its age is unknown.
    UnknownAge,
    /// It is younger than the limit.
    Young,
    /// The run removes no more images.
    MaxImages,
    /// The run gives back no more bytes.
    MaxBytes,
    /// Enough of the file system is free.
    EnoughFree,
}

impl Reason {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let held = Kind::ALL.into_iter().map(Self::Held);
        let own = [
            Self::KeepNewest,
            Self::Unpullable,
            Self::MinAge,
            Self::FirstLook,
            Self::UnknownAge,
            Self::Young,
            Self::MaxImages,
            Self::MaxBytes,
            Self::EnoughFree,
        ];
        [Self::Old].into_iter().chain(held).chain(own)
    }

    /// The word of the contract.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::Held(kind) => kind.code(),
            Self::KeepNewest => "keep-newest",
            Self::Unpullable => "unpullable",
            Self::MinAge => "min-age",
            Self::FirstLook => "first-look",
            Self::UnknownAge => "unknown-age",
            Self::Young => "young",
            Self::MaxImages => "max-images",
            Self::MaxBytes => "max-bytes",
            Self::EnoughFree => "enough-free",
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl JsonSchema for Reason {
    fn schema_name() -> Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<&str> = Self::all().map(Self::code).collect();
        schemars::json_schema!({ "type": "string", "enum": codes, "description": "Why." })
    }
}

/// One image of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The image.
    pub image: Image,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// Who holds it, the strongest first.
    pub holders: Vec<Holder>,
    /// Its age by the policy; `None` where it is unknown, or something needs it.
    pub age: Option<Duration>,
    /// The age from which on it may go.
    pub limit: Duration,
    /// How long until it may go, if nothing changes; `None` where time alone will not do.
    pub waits: Option<Duration>,
    /// When it was first seen.
    pub first_seen: Option<Timestamp>,
    /// When something last needed it.
    pub last_referenced: Option<Timestamp>,
    /// What its removal gives back: at its place in the order, or after the whole plan.
    pub reclaimable: Reclaimable,
}

/// What goes, in order, and what stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Every image of the node: what goes first, in its order, oldest first; then what stays, by
    /// name.
    pub rows: Vec<Row>,
}

impl Plan {
    /// Decides over every image of the node.
    pub fn make(
        inventory: &Inventory,
        references: &References,
        history: &History,
        policy: &Policy,
    ) -> Self {
        let newest = newest(&inventory.images, policy.keep_newest);
        let mut candidates = Vec::new();
        let mut kept = Vec::new();
        for image in &inventory.images {
            let row = row(image, references, history, policy, &newest);
            if row.verdict == Verdict::Remove { candidates.push(row) } else { kept.push(row) }
        }
        candidates.sort_by(|a, b| b.age.cmp(&a.age).then_with(|| a.image.id.cmp(&b.image.id)));
        let mut ledger = Ledger::new(&inventory.storage);
        let (mut rows, bounded) = bound(candidates, &mut ledger, inventory, policy);
        kept.extend(bounded);
        kept.sort_by(|a, b| {
            a.image.name().cmp(b.image.name()).then_with(|| a.image.id.cmp(&b.image.id))
        });
        for row in &mut kept {
            row.reclaimable = ledger.price(&row.image.id, row.image.size);
        }
        rows.extend(kept);
        Self { rows }
    }

    /// What goes, in its order.
    pub fn removals(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().take_while(|row| row.verdict == Verdict::Remove)
    }

    /// What stays.
    pub fn kept(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().skip_while(|row| row.verdict == Verdict::Remove)
    }

    /// What all removals give back together, and whether that is exact.
    pub fn predicted(&self) -> Reclaimable {
        let bytes = self.removals().map(|row| row.reclaimable.bytes()).sum();
        let is_exact = self.removals().all(|row| matches!(row.reclaimable, Reclaimable::Exact(_)));
        if is_exact { Reclaimable::Exact(bytes) } else { Reclaimable::AtMost(bytes) }
    }

    /// How many images stay for each reason.
    pub fn kept_by_reason(&self) -> BTreeMap<Reason, usize> {
        let mut counts = BTreeMap::new();
        for row in self.kept() {
            *counts.entry(row.reason).or_default() += 1;
        }
        counts
    }
}

fn row(
    image: &Image,
    references: &References,
    history: &History,
    policy: &Policy,
    newest: &BTreeSet<ImageId>,
) -> Row {
    let holders = references.of(&image.id).to_vec();
    let record = history.record(&image.id);
    let limit = policy.limit(image, history);
    let is_used = references.is_used(&image.id);
    let age = policy.age_by.age(image, history).filter(|_| !is_used);
    let never_pulled = record.is_some_and(|record| record.never_pulled);
    let is_leftover = history.is_begun(&image.id) && image.names().next().is_none();
    let is_unpullable = !is_leftover && (matches!(image.pullable, Pullable::No(_)) || never_pulled);
    let present = history.present(image);
    let is_first_look = policy.age_by == AgeBy::Unused && age.is_none();

    let reason = if let Some(holder) = holders.first() {
        Reason::Held(holder.kind)
    } else if newest.contains(&image.id) {
        Reason::KeepNewest
    } else if is_unpullable && !policy.allow_unpullable {
        Reason::Unpullable
    } else if is_first_look {
        Reason::FirstLook
    } else if age.is_none() {
        Reason::UnknownAge
    } else if age < Some(limit) {
        Reason::Young
    } else if present < policy.min_age {
        Reason::MinAge
    } else {
        Reason::Old
    };
    let waits = match reason {
        Reason::Old => Some(Duration::ZERO),
        Reason::FirstLook | Reason::Young | Reason::MinAge => {
            let young = limit.saturating_sub(age.unwrap_or_default());
            Some(young.max(policy.min_age.saturating_sub(present)))
        }
        _ => None,
    };
    Row {
        verdict: if reason == Reason::Old { Verdict::Remove } else { Verdict::Keep },
        reason,
        holders,
        age,
        limit,
        waits,
        first_seen: record.map(|record| record.first_seen),
        last_referenced: record.and_then(|record| record.last_referenced),
        reclaimable: Reclaimable::AtMost(image.size),
        image: image.clone(),
    }
}

/// The newest images of each repository: by the time they were built, and where that is the same or
/// unknown by ID. An image of several repositories counts in each.
fn newest(images: &[Image], count: usize) -> BTreeSet<ImageId> {
    let mut repositories: BTreeMap<String, Vec<&Image>> = BTreeMap::new();
    for image in images {
        let names = image.names().filter_map(|name| name.parse::<Reference>().ok());
        let names: BTreeSet<String> = names.map(|name| name.name()).collect();
        for name in names {
            repositories.entry(name).or_default().push(image);
        }
    }
    let mut newest = BTreeSet::new();
    for images in repositories.values_mut() {
        // An unknown time is as new as can be.
        images.sort_by_key(|image| {
            let created = image.created.unwrap_or(Timestamp::MAX);
            std::cmp::Reverse((created, &image.id))
        });
        newest.extend(images.iter().take(count).map(|image| image.id.clone()));
    }
    newest
}

/// Prices the candidates in their order, and keeps those that are past a bound.
fn bound(
    candidates: Vec<Row>,
    ledger: &mut Ledger<'_>,
    inventory: &Inventory,
    policy: &Policy,
) -> (Vec<Row>, Vec<Row>) {
    let bounds = &policy.bounds;
    let missing = bounds.until_free.zip(inventory.capacity);
    let missing = missing.map(|(percent, capacity)| capacity.missing(percent));
    let (mut rows, mut kept) = (Vec::new(), Vec::new());
    let mut freed = 0_u64;
    for mut row in candidates {
        let price = ledger.price(&row.image.id, row.image.size);
        let past = if missing.is_some_and(|missing| freed >= missing) {
            Some(Reason::EnoughFree)
        } else if bounds.max_images.is_some_and(|max| rows.len() >= max) {
            Some(Reason::MaxImages)
        } else if bounds.max_bytes.is_some_and(|max| freed.saturating_add(price.bytes()) > max) {
            Some(Reason::MaxBytes)
        } else {
            None
        };
        if let Some(reason) = past {
            row.verdict = Verdict::Keep;
            row.reason = reason;
            kept.push(row);
        } else {
            row.reclaimable = ledger.remove(&row.image.id, row.image.size);
            freed = freed.saturating_add(row.reclaimable.bytes());
            rows.push(row);
        }
    }
    (rows, kept)
}

#[cfg(test)]
mod tests;
