//! The bytes that a removal gives back.
//!
//! Images share what they are made of, so neither the sum of their sizes nor that of what each has
//! to itself is what a disk gains: a part comes back with the last image that has it, and never
//! while a container or a lease holds it. So removals are priced in their order.

use std::collections::HashMap;

use serde::Serialize;

use crate::inventory::ImageId;

/// A part of a store: a blob, or an unpacked layer. An index into [`Storage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Part(u32);

/// What the images of a node are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    names: HashMap<String, Part>,
    /// Bytes, and whether something other than an image holds it, of each part.
    parts: Vec<(u64, bool)>,
    images: HashMap<ImageId, Vec<Part>>,
}

impl Storage {
    /// The part of this name, which takes `bytes` on the disk. The first to name it says how many.
    pub fn part(&mut self, name: &str, bytes: u64) -> Part {
        if let Some(part) = self.names.get(name) {
            return *part;
        }
        let part = Part(u32::try_from(self.parts.len()).unwrap_or(u32::MAX));
        self.parts.push((bytes, false));
        self.names.insert(name.to_owned(), part);
        part
    }

    /// Says that something other than an image holds the part of this name.
    pub fn hold(&mut self, name: &str) {
        if let Some(part) = self.names.get(name) {
            self.parts[part.0 as usize].1 = true;
        }
    }

    /// Says what an image is made of. One that is never told of has a bound only.
    pub fn image(&mut self, id: &ImageId, mut parts: Vec<Part>) {
        parts.sort_unstable();
        parts.dedup();
        self.images.insert(id.clone(), parts);
    }

    /// The bytes of everything that is there.
    pub fn total(&self) -> u64 {
        self.parts.iter().map(|(bytes, _)| bytes).sum()
    }

    /// The bytes of the parts that are here and not in `later`: what was given back between two
    /// looks.
    pub fn gone_in(&self, later: &Self) -> u64 {
        let gone = self.names.iter().filter(|(name, _)| !later.names.contains_key(*name));
        gone.map(|(_, part)| self.parts[part.0 as usize].0).sum()
    }
}

/// What a removal gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "bytes")]
pub enum Reclaimable {
    /// So many bytes.
    Exact(u64),
    /// Not more than so many: the runtime does not say what images share.
    AtMost(u64),
}

impl Reclaimable {
    /// The bytes, or their bound.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Exact(bytes) | Self::AtMost(bytes) => bytes,
        }
    }
}

/// Prices removals in their order.
#[derive(Debug)]
pub struct Ledger<'a> {
    storage: &'a Storage,
    /// How many images have each part.
    holders: Vec<u32>,
}

impl<'a> Ledger<'a> {
    /// A ledger in which nothing is removed yet.
    pub fn new(storage: &'a Storage) -> Self {
        let mut holders = vec![0; storage.parts.len()];
        for part in storage.images.values().flatten() {
            holders[part.0 as usize] += 1;
        }
        Self { storage, holders }
    }

    /// What removing this image gives back now; `size` bounds it where nothing else is known.
    pub fn price(&self, id: &ImageId, size: u64) -> Reclaimable {
        let Some(parts) = self.storage.images.get(id) else { return Reclaimable::AtMost(size) };
        let freed = parts.iter().filter(|part| self.holders[part.0 as usize] == 1);
        let freed = freed.map(|part| self.storage.parts[part.0 as usize]);
        Reclaimable::Exact(freed.filter(|(_, held)| !held).map(|(bytes, _)| bytes).sum())
    }

    /// Removes this image; gives what [`Self::price`] says of it.
    pub fn remove(&mut self, id: &ImageId, size: u64) -> Reclaimable {
        let price = self.price(id, size);
        for part in self.storage.images.get(id).into_iter().flatten() {
            let holders = &mut self.holders[part.0 as usize];
            *holders = holders.saturating_sub(1);
        }
        price
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ImageId {
        ImageId::new(name)
    }

    /// base = A, one = A + B, two = A + C, and a container runs two.
    fn node() -> Storage {
        let mut storage = Storage::default();
        let [a, b, c] =
            [("a", 40), ("b", 5), ("c", 3)].map(|(name, size)| storage.part(name, size));
        storage.image(&id("base"), vec![a]);
        storage.image(&id("one"), vec![a, b, b]);
        storage.image(&id("two"), vec![a, c]);
        storage
    }

    #[test]
    fn a_part_comes_back_with_its_last_image() {
        let storage = node();
        let mut ledger = Ledger::new(&storage);
        assert_eq!(ledger.remove(&id("base"), 99), Reclaimable::Exact(0));
        assert_eq!(ledger.remove(&id("one"), 99), Reclaimable::Exact(5));
        assert_eq!(ledger.remove(&id("two"), 99), Reclaimable::Exact(43));
        assert_eq!(ledger.remove(&id("other"), 99), Reclaimable::AtMost(99));
        assert_eq!(storage.total(), 48);
    }

    #[test]
    fn what_a_container_holds_never_comes_back() {
        let mut storage = node();
        storage.hold("a");
        storage.hold("unheard of");
        let mut ledger = Ledger::new(&storage);
        let freed: u64 =
            ["two", "one", "base"].map(|name| ledger.remove(&id(name), 0).bytes()).iter().sum();
        assert_eq!(freed, 8);
    }

    #[test]
    fn what_is_gone_is_told_by_name() {
        let mut later = Storage::default();
        later.part("a", 40);
        later.part("new", 7);
        assert_eq!(node().gone_in(&later), 8);
    }
}
