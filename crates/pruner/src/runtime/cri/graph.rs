//! What containerd holds, and what holds what: the graph by which its own collector decides what
//! goes with a record. Pure.
//!
//! Records of images lead to blobs, blobs by their labels to other blobs and to snapshots, those to
//! their parents. Containers, leases and marked roots hold as well.

use std::collections::{HashMap, HashSet};

use jettison_oci::count::counted;
use jiff::Timestamp;

use crate::inventory::Image;
use crate::reclaim::Storage;

/// The beginning of labels that lead to other blobs.
const CONTENT: &str = "containerd.io/gc.ref.content";
/// The beginning of labels that lead to snapshots; the snapshotter follows.
const SNAPSHOT: &str = "containerd.io/gc.ref.snapshot.";
/// The label of what nothing collects.
const ROOT: &str = "containerd.io/gc.root";

/// A record of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) target: String,
    pub(super) created: Option<Timestamp>,
    pub(super) is_pinned: bool,
}

/// A blob of the content store.
#[derive(Clone, Debug, Default)]
pub(super) struct Blob {
    pub(super) digest: String,
    pub(super) bytes: u64,
    pub(super) labels: HashMap<String, String>,
}

impl Blob {
    /// The snapshotters that its labels name.
    pub(super) fn snapshotters(&self) -> impl Iterator<Item = String> {
        let keys = self.labels.keys().filter_map(|key| key.strip_prefix(SNAPSHOT));
        // A label may have more behind the snapshotter's name.
        keys.map(|rest| rest.split(['.', '/']).next().unwrap_or(rest).to_owned())
    }

    /// The nodes that its labels lead to.
    fn leads_to(&self) -> impl Iterator<Item = String> {
        self.labels.iter().filter_map(|(key, value)| {
            if key.starts_with(CONTENT) {
                return Some(blob(value));
            }
            let rest = key.strip_prefix(SNAPSHOT)?;
            Some(snapshot(rest.split(['.', '/']).next().unwrap_or(rest), value))
        })
    }
}

/// A snapshot.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    pub(super) snapshotter: String,
    pub(super) name: String,
    pub(super) parent: String,
    pub(super) bytes: u64,
    pub(super) is_root: bool,
}

fn blob(digest: &str) -> String {
    format!("blob {digest}")
}

fn snapshot(snapshotter: &str, name: &str) -> String {
    format!("snapshot {snapshotter} {name}")
}

/// A blob or a snapshot.
#[derive(Clone, Debug)]
struct Node {
    bytes: u64,
    leads_to: Vec<String>,
}

/// The graph.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    records: Vec<Record>,
    nodes: HashMap<String, Node>,
    /// What is held by other things than records, with all that it leads to.
    held: Vec<String>,
    /// What is held without what it leads to.
    held_alone: Vec<String>,
}

impl Graph {
    pub(super) fn new(records: Vec<Record>, blobs: Vec<Blob>, snapshots: Vec<Snapshot>) -> Self {
        let mut graph = Self { records, ..Self::default() };
        for one in blobs {
            let name = blob(&one.digest);
            if one.labels.contains_key(ROOT) {
                graph.held.push(name.clone());
            }
            let leads_to = one.leads_to().collect();
            graph.nodes.insert(name, Node { bytes: one.bytes, leads_to });
        }
        for one in snapshots {
            let name = snapshot(&one.snapshotter, &one.name);
            if one.is_root {
                graph.held.push(name.clone());
            }
            let parent = Some(&one.parent).filter(|parent| !parent.is_empty());
            let leads_to =
                parent.map(|parent| snapshot(&one.snapshotter, parent)).into_iter().collect();
            graph.nodes.insert(name, Node { bytes: one.bytes, leads_to });
        }
        graph
    }

    /// A container's snapshot.
    pub(super) fn hold_snapshot(&mut self, snapshotter: &str, key: &str) {
        self.held.push(snapshot(snapshotter, key));
    }

    /// A blob that another namespace has: it stays on the disk when this one's record goes.
    pub(super) fn hold_foreign(&mut self, one: &Blob) {
        let name = blob(&one.digest);
        let node = || Node { bytes: one.bytes, leads_to: Vec::new() };
        self.nodes.entry(name.clone()).or_insert_with(node);
        self.held_alone.push(name);
    }

    /// What a lease keeps.
    pub(super) fn hold_resource(&mut self, kind: &str, id: &str) {
        match kind.strip_prefix("snapshots/") {
            Some(snapshotter) => self.hold_snapshot(snapshotter, id),
            None if kind == "content" => self.held.push(blob(id)),
            None => {}
        }
    }

    /// The records of an image: its names, and its ID.
    fn records_of<'a>(&'a self, image: &'a Image) -> impl Iterator<Item = &'a Record> {
        self.records.iter().filter(|record| {
            record.name == image.id.as_str() || image.names().any(|name| name == record.name)
        })
    }

    /// When the youngest of an image's records was made. A record stays as it is when its name is
    /// pulled again.
    pub(super) fn pulled(&self, image: &Image) -> Option<Timestamp> {
        let times: Option<Vec<Timestamp>> =
            self.records_of(image).map(|record| record.created).collect();
        times?.into_iter().max()
    }

    /// Whether one of an image's records is pinned, whatever the interface says.
    pub(super) fn is_pinned(&self, image: &Image) -> bool {
        self.records_of(image).any(|record| record.is_pinned)
    }

    /// Everything that can be reached from these.
    fn reach(&self, from: impl IntoIterator<Item = String>) -> HashSet<&str> {
        let mut reached = HashSet::new();
        let mut next: Vec<&str> = from
            .into_iter()
            .filter_map(|name| self.nodes.get_key_value(&name))
            .map(|(name, _)| name.as_str())
            .collect();
        while let Some(name) = next.pop() {
            if reached.insert(name) {
                let leads_to = &self.nodes[name].leads_to;
                let known = leads_to.iter().filter_map(|name| self.nodes.get_key_value(name));
                next.extend(known.map(|(name, _)| name.as_str()));
            }
        }
        reached
    }

    /// What the images are made of. Records that are of none of them hold what they lead to. What
    /// nothing leads to is waiting for the collector, whatever the pruner does.
    pub(super) fn storage(&self, images: &[Image]) -> Storage {
        let mut storage = Storage::default();
        let mut theirs = HashSet::new();
        for image in images {
            let records: Vec<&Record> = self.records_of(image).collect();
            theirs.extend(records.iter().map(|record| record.name.as_str()));
            let targets = records.iter().map(|record| blob(&record.target));
            let parts = self.reach(targets);
            let parts = parts.iter().map(|name| storage.part(name, self.nodes[*name].bytes));
            let parts = parts.collect();
            storage.image(&image.id, parts);
        }
        let others = self.records.iter().filter(|record| !theirs.contains(record.name.as_str()));
        let others = others.map(|record| blob(&record.target));
        let held: Vec<String> = self.held.iter().cloned().chain(others).collect();
        let alone = self.held_alone.iter().map(String::as_str);
        for name in self.reach(held).into_iter().chain(alone) {
            storage.part(name, self.nodes[name].bytes);
            storage.hold(name);
        }
        storage
    }
}

/// What is odd in a store, for people.
pub(super) fn warnings(images: &[Image]) -> Vec<String> {
    let nameless = images.iter().filter(|image| image.names().next().is_none()).count();
    if nameless == 0 {
        return Vec::new();
    }
    vec![format!(
        "{} without a name, which interrupted removals leave behind and which hold what they \
         are made of: --allow-unpullable lets them go by age",
        counted(nameless, "record")
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::ImageId;
    use crate::reclaim::Ledger;

    fn labelled(digest: &str, bytes: u64, labels: &[(&str, &str)]) -> Blob {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Blob { digest: digest.to_owned(), bytes, labels: labels.collect() }
    }

    fn snapshot_of(name: &str, parent: &str, bytes: u64) -> Snapshot {
        Snapshot {
            snapshotter: "overlayfs".to_owned(),
            name: name.to_owned(),
            parent: parent.to_owned(),
            bytes,
            is_root: false,
        }
    }

    fn record(name: &str, target: &str) -> Record {
        Record { name: name.to_owned(), target: target.to_owned(), ..Record::default() }
    }

    fn image(name: &str, id: &str) -> Image {
        Image { tags: vec![name.to_owned()], ..Image::new(ImageId::new(id)) }
    }

    /// Two images with a layer in common, each with its configuration, and a container of one.
    fn node() -> (Graph, [Image; 2]) {
        let config = |name: &str, top: &str| {
            labelled(name, 1, &[("containerd.io/gc.ref.snapshot.overlayfs", top)])
        };
        let manifest = |name: &str, config: &str, own: &str| {
            labelled(
                name,
                2,
                &[
                    ("containerd.io/gc.ref.content.config", config),
                    ("containerd.io/gc.ref.content.l.0", "layer:base"),
                    ("containerd.io/gc.ref.content.l.1", own),
                ],
            )
        };
        let blobs = vec![
            manifest("m:one", "c:one", "layer:one"),
            manifest("m:two", "c:two", "layer:two"),
            config("c:one", "s:one"),
            config("c:two", "s:two"),
            labelled("layer:base", 1000, &[]),
            labelled("layer:one", 100, &[]),
            labelled("layer:two", 200, &[]),
        ];
        let snapshots = vec![
            snapshot_of("s:base", "", 3000),
            snapshot_of("s:one", "s:base", 300),
            snapshot_of("s:two", "s:base", 600),
            snapshot_of("running", "s:two", 7),
        ];
        let records =
            vec![record("one:1", "m:one"), record("id:one", "m:one"), record("two:1", "m:two")];
        (
            Graph::new(records, blobs, snapshots),
            [image("one:1", "id:one"), image("two:1", "id:two")],
        )
    }

    fn price(graph: &Graph, images: &[Image], at: usize) -> u64 {
        let storage = graph.storage(images);
        let mut ledger = Ledger::new(&storage);
        ledger.remove(&images[at].id, 0).bytes()
    }

    #[test]
    fn both_copies_count_and_what_is_shared_does_not() {
        let (graph, images) = node();
        // Manifest, configuration, own layer packed and unpacked.
        assert_eq!(price(&graph, &images, 0), 2 + 1 + 100 + 300);
        // The image of no record holds nothing and gives nothing back.
        assert_eq!(price(&graph, &[images[0].clone(), image("none", "x")], 1), 0);
        let storage = graph.storage(&images);
        // The container's own snapshot is held by nothing here: it waits for the collector.
        assert_eq!(storage.total(), 2 + 2 + 1 + 1 + 1300 + 3900);
    }

    #[test]
    fn containers_leases_and_other_namespaces_hold() {
        let (mut graph, images) = node();
        graph.hold_snapshot("overlayfs", "running");
        // Its blobs go, its snapshots stay.
        assert_eq!(price(&graph, &images, 1), 2 + 1 + 200);
        graph.hold_foreign(&labelled("layer:two", 200, &[]));
        graph.hold_resource("content", "c:two");
        assert_eq!(price(&graph, &images, 1), 2);
        // One that only the other namespace has is there before and after.
        graph.hold_foreign(&labelled("layer:foreign", 5, &[]));
        assert_eq!(graph.storage(&images).gone_in(&graph.storage(&images)), 0);
        graph.hold_resource("snapshots/overlayfs", "s:one");
        assert_eq!(price(&graph, &images, 0), 2 + 1 + 100);
    }

    #[test]
    fn a_record_that_is_of_no_image_holds() {
        let (mut graph, images) = node();
        graph.records.push(record("import-2026@x", "m:one"));
        assert_eq!(price(&graph, &images, 0), 0);
    }

    #[test]
    fn the_youngest_record_tells_when_an_image_came() {
        let (mut graph, images) = node();
        let time = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        graph.records[0].created = time("2026-01-01T00:00:00Z");
        assert_eq!(graph.pulled(&images[0]), None);
        graph.records[1].created = time("2026-02-01T00:00:00Z");
        assert_eq!(graph.pulled(&images[0]), time("2026-02-01T00:00:00Z"));
        assert!(!graph.is_pinned(&images[0]));
        graph.records[1].is_pinned = true;
        assert!(graph.is_pinned(&images[0]));
    }

    #[test]
    fn a_graph_that_leads_in_circles_ends() {
        let loops = ("containerd.io/gc.ref.content.x", "a");
        let graph =
            Graph::new(vec![record("n", "a")], vec![labelled("a", 5, &[loops])], Vec::new());
        assert_eq!(price(&graph, &[image("n", "i")], 0), 5);
    }
}
