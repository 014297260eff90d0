//! What a node's runtime says it has, as plain values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jettison_oci::Reference;
use jiff::Timestamp;
use serde::Serialize;

use crate::reclaim::Storage;

/// An image's ID as its runtime gives it: the digest of its configuration, or of its manifest where
/// the runtime files images under that. `sha256:` stands in front of 64 hex digits, also where the
/// runtime leaves it out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ImageId(String);

impl ImageId {
    /// The ID in the one form that IDs are compared in.
    pub fn new(id: &str) -> Self {
        let is_hex = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        Self(if is_hex { format!("sha256:{id}") } else { id.to_owned() })
    }

    /// The whole ID.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits after the algorithm.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or(self.0.as_str(), |(_, hex)| hex)
    }

    /// The first 12 digits, as runtimes show IDs to people.
    pub fn short(&self) -> &str {
        self.hex().get(..12).unwrap_or(self.hex())
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether an image can be had again after it was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pullable {
    /// It came from a registry.
    Yes,
    /// It did not, or nothing says so: why that is thought.
    No(String),
}

impl Pullable {
    /// What an image's names with a digest say of where it is from.
    pub(crate) fn by_digests(digests: &[String]) -> Self {
        if digests.is_empty() {
            return Self::No("no registry is known to have it (no repo digest)".to_owned());
        }
        let is_remote = |name: &String| {
            name.parse::<Reference>().is_ok_and(|name| name.registry() != "localhost")
        };
        if !digests.iter().any(is_remote) {
            return Self::No("its only registry is localhost".to_owned());
        }
        Self::Yes
    }
}

/// The names of an image as runtimes list them, sorted, without what stands for none.
pub(crate) fn names(listed: &[String]) -> Vec<String> {
    let mut names: Vec<String> =
        listed.iter().filter(|name| !name.contains("<none>")).cloned().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// An image of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its ID.
    pub id: ImageId,
    /// The names with a tag, as the runtime gives them, sorted.
    pub tags: Vec<String>,
    /// The names with a digest, as the runtime gives them, sorted.
    pub digests: Vec<String>,
    /// The bytes that the runtime says it takes. Never what removing it gives back.
    pub size: u64,
    /// Whether the runtime says that it must not be removed.
    pub pinned: bool,
    /// The labels of its configuration.
    pub labels: BTreeMap<String, String>,
    /// When it was built, by its own word.
    pub created: Option<Timestamp>,
    /// When it came to this node, where the runtime keeps a truthful record.
    pub pulled: Option<Timestamp>,
    /// Whether it can be had again.
    pub pullable: Pullable,
    /// The images that were built on it here, by name: while they are there, taking its names away
    /// gives nothing back.
    pub children: Vec<String>,
}

impl Image {
    /// One of which nothing is known but its ID, and that it came from a registry.
    pub fn new(id: ImageId) -> Self {
        Self {
            id,
            tags: Vec::new(),
            digests: Vec::new(),
            size: 0,
            pinned: false,
            labels: BTreeMap::new(),
            created: None,
            pulled: None,
            pullable: Pullable::Yes,
            children: Vec::new(),
        }
    }

    /// All its names, tags first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().chain(&self.digests).map(String::as_str)
    }

    /// What to call it: its first name, or its short ID.
    pub fn name(&self) -> &str {
        self.names().next().unwrap_or_else(|| self.id.short())
    }
}

/// The pod that a container or sandbox belongs to, by its labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodName {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The UID that the kubelet knows it by.
    pub uid: String,
}

/// The labels by which the kubelet marks what it makes.
pub(crate) mod label {
    pub(crate) const POD_NAME: &str = "io.kubernetes.pod.name";
    pub(crate) const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
    pub(crate) const POD_UID: &str = "io.kubernetes.pod.uid";
}

impl PodName {
    /// The pod that the kubelet's labels name; `None` where there are none.
    pub fn of_labels<'a>(mut get: impl FnMut(&str) -> Option<&'a str>) -> Option<Self> {
        Some(Self {
            uid: get(label::POD_UID)?.to_owned(),
            name: get(label::POD_NAME).unwrap_or_default().to_owned(),
            namespace: get(label::POD_NAMESPACE).unwrap_or_default().to_owned(),
        })
    }
}

/// A container, in whatever state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its ID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state, in the runtime's word: `running`, `created`, `exited`.
    pub state: String,
    /// Every text by which it names an image: as it was asked for, as it was resolved, and the
    /// images that it has mounted. Never empty texts.
    pub images: Vec<String>,
    /// The pod it is in.
    pub pod: Option<PodName>,
}

/// A pod's sandbox. Its image is in no list of containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// Its ID.
    pub id: String,
    /// The pod it is of.
    pub pod: PodName,
    /// The image it was made from, where the runtime says.
    pub image: Option<String>,
}

/// Who uses images at one moment. It is read again right before each removal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// The containers.
    pub containers: Vec<Container>,
    /// The sandboxes.
    pub sandboxes: Vec<Sandbox>,
    /// What the runtime's configuration makes sandboxes from.
    pub sandbox_images: Vec<String>,
}

impl Use {
    /// The UIDs of the pods that have something running here.
    pub fn pod_uids(&self) -> BTreeSet<String> {
        let containers = self.containers.iter().filter_map(|one| one.pod.as_ref());
        let sandboxes = self.sandboxes.iter().map(|one| &one.pod);
        let uids = containers.chain(sandboxes).map(|pod| pod.uid.clone());
        uids.filter(|uid| !uid.is_empty()).collect()
    }
}

/// A file system that holds images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Its bytes.
    pub total: u64,
    /// Those that are free to the runtime.
    pub free: u64,
}

impl Capacity {
    /// The share that is used, in percent, rounded up.
    pub fn used_percent(self) -> u8 {
        let used = u128::from(self.total.saturating_sub(self.free)) * 100;
        u8::try_from(used.div_ceil(u128::from(self.total.max(1)))).unwrap_or(100)
    }

    /// How many bytes are missing until `percent` of it is free.
    pub fn missing(self, percent: u8) -> u64 {
        let wanted = u128::from(self.total) * u128::from(percent) / 100;
        u64::try_from(wanted).unwrap_or(u64::MAX).saturating_sub(self.free)
    }
}

/// Everything of one node at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Every image, sorted by ID.
    pub images: Vec<Image>,
    /// Who uses them.
    pub used: Use,
    /// What they are made of.
    pub storage: Storage,
    /// The file system they are on, where it can be measured from here.
    pub capacity: Option<Capacity>,
    /// What was odd, for people.
    pub warnings: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_form() {
        let hex = "a".repeat(64);
        let full = format!("sha256:{hex}");
        assert_eq!(ImageId::new(&hex), ImageId::new(&full));
        assert_eq!(ImageId::new(&full).short(), "aaaaaaaaaaaa");
        assert_eq!(ImageId::new("odd").short(), "odd");
    }

    #[test]
    fn shares_of_a_file_system_are_exact() {
        let disk = Capacity { total: 1000, free: 195 };
        assert_eq!(disk.used_percent(), 81);
        assert_eq!(disk.missing(20), 5);
        assert_eq!(disk.missing(10), 0);
        assert_eq!(Capacity::default().used_percent(), 0);
    }
}
