//! For random nodes, the plan never removes what a simple oracle says is needed, kept or young.
//! The oracle looks at texts one by one and knows nothing of indexes, looks or ledgers.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::time::Duration;

use jettison_oci::{Digest, Reference};
use jettison_pruner::cluster::{Cluster, Mention, Pod, Template};
use jettison_pruner::history::History;
use jettison_pruner::inventory::{Container, Image, Inventory, Pullable};
use jettison_pruner::policy::{AgeBy, Bounds};
use jettison_pruner::reclaim::Reclaimable;
use jettison_pruner::reference::Outside;
use jettison_pruner::reference::keep::KeepRules;
use jettison_pruner::{ImageId, Moment, Plan, Policy, References};
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

const DAY: u64 = 86_400;
const REPOSITORIES: [&str; 5] =
    ["nginx", "docker.io/team/app", "registry.example:5000/a/b", "kept/x", "localhost/own"];

/// An image by what can be told of it.
#[derive(Clone, Debug)]
struct Made {
    tags: Vec<(usize, u8)>,
    has_digest: bool,
    /// The day it comes, and the day it was pulled by the runtime's word.
    comes: u64,
    pulled: Option<u64>,
    parts: Vec<u8>,
}

/// A text that names an image, by the image's number and a form.
#[derive(Clone, Debug)]
struct Named {
    image: usize,
    form: u8,
    /// Who names it, and from which day to which.
    by: u8,
    from: u64,
    until: u64,
}

#[derive(Clone, Debug)]
struct Scene {
    images: Vec<Made>,
    names: Vec<Named>,
    looks: Vec<u64>,
    older_than: u64,
    min_age: u64,
    age_by: u8,
    allow_unpullable: bool,
    max_images: Option<usize>,
}

fn scene() -> impl Strategy<Value = Scene> {
    let made = (
        vec((0..REPOSITORIES.len(), 0..3_u8), 0..3),
        any::<bool>(),
        0..20_u64,
        proptest::option::of(0..20_u64),
        vec(0..12_u8, 1..5),
    )
        .prop_map(|(tags, has_digest, comes, pulled, parts)| Made {
            tags,
            has_digest,
            comes,
            pulled: pulled.map(|day| day.min(comes)),
            parts,
        });
    let named = (any::<prop::sample::Index>(), 0..7_u8, 0..4_u8, 0..40_u64, 0..40_u64);
    (vec(made, 1..8), vec(named, 0..8), vec(0..40_u64, 1..7)).prop_flat_map(
        |(images, named, looks)| {
            let count = images.len();
            let rest =
                (0..15_u64, 0..3_u64, 0..3_u8, any::<bool>(), proptest::option::of(0..3_usize));
            rest.prop_map(move |(older_than, min_age, age_by, allow_unpullable, max_images)| {
                let mut looks = looks.clone();
                looks.sort_unstable();
                looks.dedup();
                let name =
                    |(index, form, by, a, b): &(prop::sample::Index, u8, u8, u64, u64)| Named {
                        image: index.index(count),
                        form: *form,
                        by: *by,
                        from: *a.min(b),
                        until: *a.max(b),
                    };
                Scene {
                    images: images.clone(),
                    names: named.iter().map(name).collect(),
                    looks,
                    older_than,
                    min_age,
                    age_by,
                    allow_unpullable,
                    max_images,
                }
            })
        },
    )
}

fn id(at: usize) -> ImageId {
    ImageId::new(Digest::sha256(format!("id {at}").as_bytes()).as_str())
}

fn digest(at: usize) -> Digest {
    Digest::sha256(format!("manifest {at}").as_bytes())
}

fn tag((repository, tag): (usize, u8), at: usize) -> String {
    // A tag is of one image of a node: the number of the image keeps tags apart.
    format!("{}:{tag}-{at}", REPOSITORIES[repository])
}

fn day(day: u64) -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
        + SignedDuration::try_from(Duration::from_secs(day * DAY)).unwrap()
}

fn moment(at: u64) -> Moment {
    Moment { wall: day(at), boot: Some("b".to_owned()), uptime: Duration::from_secs(at * DAY) }
}

impl Scene {
    fn image(&self, at: usize) -> Image {
        let made = &self.images[at];
        let mut tags: Vec<String> = made.tags.iter().map(|one| tag(*one, at)).collect();
        tags.sort();
        tags.dedup();
        let digests = made.has_digest.then(|| format!("registry.example/r{at}@{}", digest(at)));
        Image {
            tags,
            digests: digests.into_iter().collect(),
            size: 1000,
            created: made.pulled.map(day),
            pulled: made.pulled.map(day),
            pullable: if made.has_digest {
                Pullable::Yes
            } else {
                Pullable::No("no digest".to_owned())
            },
            ..Image::new(id(at))
        }
    }

    /// A text that names it, in one of the forms that it has.
    fn text(&self, named: &Named) -> Option<String> {
        let at = named.image;
        let image = self.image(at);
        match named.form {
            0 => image.tags.first().cloned(),
            1 => image.tags.last().map(|name| name.parse::<Reference>().unwrap().to_string()),
            2 => Some(image.id.as_str().to_owned()),
            3 => Some(image.id.hex().to_owned()),
            4 => Some(image.id.short().to_owned()),
            5 => image.digests.first().map(|name| format!("docker-pullable://{name}")),
            _ => image.digests.first().map(|_| format!("mirror.example/z:9@{}", digest(at))),
        }
    }

    fn inventory(&self, now: u64) -> Inventory {
        let mut inventory = Inventory::default();
        for (at, made) in self.images.iter().enumerate().filter(|(_, made)| made.comes <= now) {
            inventory.images.push(self.image(at));
            let storage = &mut inventory.storage;
            let parts = made.parts.iter().map(|part| storage.part(&part.to_string(), 10));
            let parts = parts.collect();
            inventory.storage.image(&id(at), parts);
        }
        for named in self.names.iter().filter(|named| named.by == 0 && named.is_there(now)) {
            let images = self.text(named).into_iter().collect();
            inventory.used.containers.push(Container {
                name: "c".to_owned(),
                images,
                ..Container::default()
            });
        }
        inventory
    }

    fn outside(&self, now: u64) -> Outside {
        let mut cluster = Cluster::default();
        for named in self.names.iter().filter(|named| named.is_there(now)) {
            let Some(image) = self.text(named) else { continue };
            let mentions = vec![Mention { image, field: "f".to_owned(), never_pulled: false }];
            let pod = || Pod { mentions: mentions.clone(), ..Pod::default() };
            match named.by {
                1 => cluster.pods.push(pod()),
                2 => cluster.unscheduled.push(pod()),
                3 => cluster.templates.push(Template { mentions, ..Template::default() }),
                _ => {}
            }
        }
        Outside { cluster: Some(cluster), static_pods: Vec::new() }
    }

    fn policy(&self) -> Policy {
        Policy {
            older_than: Duration::from_secs(self.older_than * DAY),
            age_by: [AgeBy::Unused, AgeBy::Pulled, AgeBy::Created][usize::from(self.age_by)],
            min_age: Duration::from_secs(self.min_age * DAY),
            keep_newest: 0,
            allow_unpullable: self.allow_unpullable,
            bounds: Bounds { max_images: self.max_images, ..Bounds::default() },
        }
    }

    /// Whether something names the image on that day, by trying every name there is.
    fn is_named(&self, at: usize, now: u64) -> bool {
        self.names
            .iter()
            .any(|named| named.image == at && named.is_there(now) && self.text(named).is_some())
    }

    /// Why it must not go on the last day, in plain words.
    fn must_stay(&self, at: usize) -> Option<&'static str> {
        let now = *self.looks.last()?;
        let made = &self.images[at];
        if self.is_named(at, now) {
            return Some("needed");
        }
        let kept = made.tags.iter().any(|(repository, _)| REPOSITORIES[*repository] == "kept/x");
        if kept {
            return Some("kept");
        }
        if !made.has_digest && !self.allow_unpullable {
            return Some("unpullable");
        }
        let seen: Vec<u64> =
            self.looks.iter().copied().filter(|look| *look >= made.comes).collect();
        let first = *seen.first()?;
        let here = made.pulled.map_or(now - first, |pulled| now - pulled.min(first));
        if here < self.min_age {
            return Some("too short on the node");
        }
        let age = match self.age_by {
            0 => {
                // The first look since the last need.
                let last_needed = seen.iter().rposition(|look| self.is_named(at, *look));
                let idle = last_needed.map_or(first, |look| seen[look + 1]);
                if idle == now {
                    return Some("no earlier look");
                }
                now - idle
            }
            _ => match made.pulled {
                Some(pulled) => now - pulled,
                None => return Some("of unknown age"),
            },
        };
        (age < self.older_than).then_some("young")
    }
}

impl Named {
    fn is_there(&self, now: u64) -> bool {
        (self.from..=self.until).contains(&now)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_plan_never_removes_what_the_oracle_keeps(scene in scene()) {
        let keep = KeepRules::new(&["kept/*".to_owned()], false).unwrap();
        let mut history = History::begin("n", "e", &moment(scene.looks[0]));
        let policy = scene.policy();
        let mut last = None;
        for look in &scene.looks {
            let inventory = scene.inventory(*look);
            let outside = scene.outside(*look);
            let references =
                References::gather(&inventory.images, &inventory.used, &outside, &keep).unwrap();
            history.observe(&moment(*look), &inventory.images, &references);
            last = Some((Plan::make(&inventory, &references, &history, &policy), inventory));
        }
        let (plan, inventory) = last.unwrap();
        prop_assert_eq!(plan.rows.len(), inventory.images.len());
        let mut removed = Vec::new();
        for row in plan.removals() {
            let at = (0..scene.images.len()).find(|at| id(*at) == row.image.id).unwrap();
            prop_assert_eq!(scene.must_stay(at), None, "image {} goes: {:?}", at, row);
            removed.push(at);
        }
        // And it is no pruner that keeps everything.
        let free = inventory.images.iter().filter(|image| {
            let at = (0..scene.images.len()).find(|at| id(*at) == image.id).unwrap();
            scene.must_stay(at).is_none()
        });
        let expected = free.count().min(scene.max_images.unwrap_or(usize::MAX));
        prop_assert_eq!(removed.len(), expected);
        // Bytes: what only removed images have, each part once.
        let parts = |keep: bool| -> std::collections::BTreeSet<u8> {
            inventory
                .images
                .iter()
                .map(|image| (0..scene.images.len()).find(|at| id(*at) == image.id).unwrap())
                .filter(|at| removed.contains(at) != keep)
                .flat_map(|at| scene.images[at].parts.clone())
                .collect()
        };
        let freed = parts(false).difference(&parts(true)).count() as u64 * 10;
        prop_assert_eq!(plan.predicted(), Reclaimable::Exact(freed));
    }
}
