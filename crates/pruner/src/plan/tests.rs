use super::*;
use crate::inventory::{Capacity, Container, Use};
use crate::moment::Moment;
use crate::policy::Bounds;
use crate::reference::Outside;
use crate::reference::keep::KeepRules;

const DAY: u64 = 86_400;

fn at(days: u64) -> Moment {
    let wall = Timestamp::from_second(1_790_000_000 + i64::try_from(days * DAY).unwrap()).unwrap();
    Moment { wall, boot: Some("b".to_owned()), uptime: Duration::from_secs(days * DAY) }
}

fn image(name: &str) -> Image {
    Image {
        tags: vec![format!("{name}:1")],
        size: 100,
        ..Image::new(ImageId::new(jettison_oci::Digest::sha256(name.as_bytes()).as_str()))
    }
}

/// A node that was looked at on the days `looks`, with nothing in use but `used`.
struct Node {
    inventory: Inventory,
    history: History,
    policy: Policy,
    keep: KeepRules,
}

impl Node {
    fn new(names: &[&str]) -> Self {
        let images = names.iter().map(|name| image(name)).collect();
        Self {
            inventory: Inventory { images, ..Inventory::default() },
            history: History::begin("n", "e", &at(0)),
            policy: Policy::default(),
            keep: KeepRules::default(),
        }
    }

    fn using(mut self, names: &[&str]) -> Self {
        let images = names.iter().map(|name| (*name).to_owned()).collect();
        let container = Container { name: "c".to_owned(), images, ..Container::default() };
        self.inventory.used = Use { containers: vec![container], ..Use::default() };
        self
    }

    fn references(&self) -> References {
        let Inventory { images, used, .. } = &self.inventory;
        References::gather(images, used, &Outside::default(), &self.keep).unwrap()
    }

    fn look(&mut self, day: u64) -> Plan {
        let references = self.references();
        self.history.observe(&at(day), &self.inventory.images, &references);
        Plan::make(&self.inventory, &references, &self.history, &self.policy)
    }
}

fn reason(plan: &Plan, name: &str) -> &'static str {
    let row = plan.rows.iter().find(|row| row.image.name().starts_with(name)).unwrap();
    row.reason.code()
}

fn removed(plan: &Plan) -> Vec<&str> {
    plan.removals().map(|row| row.image.name().trim_end_matches(":1")).collect()
}

#[test]
fn the_first_look_removes_nothing_and_says_when() {
    for older_than in [0, 7 * DAY] {
        let mut node = Node::new(&["app", "old"]);
        node.policy.older_than = Duration::from_secs(older_than);
        node.policy.min_age = Duration::ZERO;
        let plan = node.look(0);
        assert!(removed(&plan).is_empty());
        assert_eq!(reason(&plan, "app"), "first-look");
        assert_eq!(plan.rows[0].waits, Some(Duration::from_secs(older_than)));
    }
}

#[test]
fn what_was_idle_for_long_enough_goes() {
    let mut node = Node::new(&["app", "used"]).using(&["used:1"]);
    node.look(0);
    let plan = node.look(6);
    assert_eq!((reason(&plan, "app"), reason(&plan, "used")), ("young", "container"));
    assert_eq!(plan.rows[0].waits, Some(Duration::from_secs(DAY)));
    let plan = node.look(7);
    assert_eq!(removed(&plan), ["app"]);
    let used = plan.kept().next().unwrap();
    assert_eq!(used.holders[0].sentence(), "container c ()");
    // No longer used, but nobody knows since when.
    node.inventory.used = Use::default();
    let plan = node.look(20);
    assert_eq!((removed(&plan), reason(&plan, "used")), (vec!["app"], "first-look"));
    assert_eq!(reason(&node.look(26), "used"), "young");
    assert_eq!(removed(&node.look(27)), ["app", "used"]);
}

#[test]
fn rules_keep_whatever_the_age() {
    let mut node = Node::new(&["kept", "label", "pin", "local", "unpulled", "old"]);
    node.keep = KeepRules::new(&["kept".to_owned()], true).unwrap();
    let images = &mut node.inventory.images;
    images[1].labels.insert("jettison.io/keep".to_owned(), "true".to_owned());
    images[2].labels.insert("io.cri-containerd.pinned".to_owned(), "pinned".to_owned());
    images[3].pullable = Pullable::No("no repo digest".to_owned());
    let id = images[4].id.as_str().to_owned();
    node.look(0);
    node.history.images.get_mut(&id).unwrap().never_pulled = true;
    let plan = node.look(30);
    for (name, code) in [
        ("kept", "keep-rule"),
        ("label", "keep-label"),
        ("pin", "pinned"),
        ("local", "unpullable"),
        ("unpulled", "unpullable"),
        ("old", "old"),
    ] {
        assert_eq!(reason(&plan, name), code);
    }
    node.policy.allow_unpullable = true;
    assert_eq!(removed(&node.look(31)).len(), 3);
}

#[test]
fn an_image_is_decided_on_once_over_all_its_names() {
    let mut node = Node::new(&["trash"]).using(&["kept/x:9"]);
    node.inventory.images[0].tags.push("kept/x:9".to_owned());
    node.look(0);
    assert_eq!(reason(&node.look(30), "trash"), "container");
}

#[test]
fn the_newest_of_each_repository_stay() {
    let mut node = Node::new(&["a", "b", "c"]);
    for (at, image) in node.inventory.images.iter_mut().enumerate() {
        image.tags = vec![format!("team/app:{at}")];
        image.created =
            Some(Timestamp::from_second(1_700_000_000 + i64::try_from(at).unwrap()).unwrap());
    }
    node.policy.keep_newest = 2;
    node.look(0);
    let plan = node.look(30);
    assert_eq!(removed(&plan), ["team/app:0"]);
    assert_eq!(reason(&plan, "team/app:2"), "keep-newest");
}

#[test]
fn ages_by_the_runtime_s_and_the_image_s_word() {
    for by in [AgeBy::Pulled, AgeBy::Created] {
        let mut node = Node::new(&["known", "unknown"]);
        node.policy.age_by = by;
        let time = Some(at(0).wall - jiff::SignedDuration::from_hours(24 * 30));
        let known = &mut node.inventory.images[0];
        if by == AgeBy::Pulled {
            known.pulled = time;
        } else {
            known.created = time;
        }
        let plan = node.look(0);
        // A pull that is known says how long the image is here; a build does not.
        let code = if by == AgeBy::Pulled { "old" } else { "min-age" };
        assert_eq!((reason(&plan, "known"), reason(&plan, "unknown")), (code, "unknown-age"));
        assert_eq!(removed(&node.look(1)), ["known"]);
    }
}

#[test]
fn an_image_that_was_removed_wrongly_waits_longer() {
    let mut node = Node::new(&["app"]);
    node.history.doublings.insert("docker.io/library/app".to_owned(), 1);
    node.look(0);
    assert_eq!(reason(&node.look(13), "app"), "young");
    assert_eq!(removed(&node.look(14)), ["app"]);
}

#[test]
fn bounds_hold_in_the_order_of_age() {
    let mut node = Node::new(&["young", "middle"]);
    node.look(0);
    node.inventory.images.push(image("late"));
    node.look(1);
    let storage = &mut node.inventory.storage;
    let parts = [("y", 10), ("m", 30), ("l", 10)].map(|(name, bytes)| storage.part(name, bytes));
    for (image, part) in node.inventory.images.iter().zip(parts) {
        node.inventory.storage.image(&image.id, vec![part]);
    }
    let mut with = |bounds: Bounds| {
        node.policy.bounds = bounds;
        node.look(40)
    };
    let all = with(Bounds::default());
    assert_eq!(all.predicted(), Reclaimable::Exact(50));
    assert_eq!(removed(&all).last(), Some(&"late"));
    let two = with(Bounds { max_images: Some(2), ..Bounds::default() });
    assert_eq!((removed(&two).len(), reason(&two, "late")), (2, "max-images"));
    // One that is too large does not stop those behind it.
    let bytes = with(Bounds { max_bytes: Some(25), ..Bounds::default() });
    assert_eq!(reason(&bytes, "middle"), "max-bytes");
    assert_eq!(bytes.predicted(), Reclaimable::Exact(20));
    // A file system that is not known does not bound; one that is free enough stops at once.
    let free = Bounds { until_free: Some(20), ..Bounds::default() };
    assert_eq!(removed(&with(free.clone())).len(), 3);
    node.inventory.capacity = Some(Capacity { total: 1000, free: 199 });
    node.policy.bounds = free.clone();
    let plan = node.look(41);
    assert_eq!(removed(&plan).len(), 1);
    assert_eq!(plan.kept_by_reason()[&Reason::EnoughFree], 2);
    node.inventory.capacity = Some(Capacity { total: 1000, free: 200 });
    assert!(removed(&node.look(42)).is_empty());
}

#[test]
fn a_text_that_cannot_be_understood_stops_everything() {
    let node = Node::new(&["app"]).using(&["Not An Image"]);
    let Inventory { images, used, .. } = &node.inventory;
    let gathered = References::gather(images, used, &Outside::default(), &node.keep);
    let error = gathered.unwrap_err();
    assert!(error.is_refusal());
    assert!(error.to_string().contains("container c"), "{error}");
}
