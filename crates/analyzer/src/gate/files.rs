//! The files behind a growth: of each package and directory of each instruction, those whose bytes
//! changed. Where both images can be read they sum exactly to the change; a baseline knows no files,
//! so that only of what is wholly new each file is known.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::account::Account;
use crate::diff::{Change, Diff, LayerState};
use crate::facts::package::Packages;
use crate::gate::grown::{Grown, GrownFile, Origin};
use crate::gate::snapshot::{Part, Snapshot};
use crate::tree::Fate;

/// An image with its packages.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Its account.
    pub account: &'a Account,
    /// Its packages.
    pub packages: &'a Packages,
}

/// Fills in the files of every part that they are known of. `old` is the image that `grown` is
/// compared with, as far as it can be read.
pub fn fill(
    grown: &mut Grown,
    snapshot: &Snapshot,
    new: Side<'_>,
    old: Option<(&Snapshot, Side<'_>, &Diff<'_>)>,
) {
    // The common case: files of images without a change are not sorted out.
    if grown.rows.is_empty() {
        return;
    }
    let none = Sizes::new();
    let after = Files::of(new, snapshot);
    let before = old.map(|(snapshot, side, _)| Files::of(side, snapshot));
    let origins = old.map(|(_, side, diff)| Origins::of(side.account, new.account, diff));
    for row in &mut grown.rows {
        let is_added = row.state == LayerState::Added;
        for part in &mut row.parts {
            let is = row.new.and_then(|at| after.part(at, &part.part)).unwrap_or(&none);
            part.files = match &before {
                Some(before) => {
                    let was = row.old.and_then(|at| before.part(at, &part.part));
                    Some(changed(was.unwrap_or(&none), is))
                }
                // All of it is new.
                None if part.old == 0 && (is_added || part.part != Part::Rest) => {
                    Some(changed(&none, is))
                }
                None => None,
            };
            if let (Some(files), Some(origins)) = (&mut part.files, &origins) {
                for file in files {
                    file.origin = origins.find(file);
                }
            }
        }
    }
}

/// Files by their first path.
type Sizes = BTreeMap<Vec<u8>, u64>;

/// Bytes of an image's live files by layer and part.
struct Files(HashMap<(usize, Part), Sizes>);

impl Files {
    fn of(side: Side<'_>, snapshot: &Snapshot) -> Self {
        let Side { account, packages } = side;
        let mut files: HashMap<(usize, Part), Sizes> = HashMap::new();
        for (node, payload) in account.nodes.iter().zip(&account.payloads) {
            let (Some(node), Fate::Live(_)) = (*node, payload.fate) else { continue };
            if payload.size == 0 {
                continue;
            }
            let layer = payload.entry.layer as usize;
            let part = match Part::of(account, packages, node) {
                // The snapshot sums small directories up.
                Part::Directory(path) if !snapshot.names(layer, &path) => Part::Rest,
                part => part,
            };
            files.entry((layer, part)).or_default().insert(account.tree.path(node), payload.size);
        }
        Self(files)
    }

    fn part(&self, layer: usize, part: &Part) -> Option<&Sizes> {
        self.0.get(&(layer, part.clone()))
    }
}

fn changed(was: &Sizes, is: &Sizes) -> Vec<GrownFile> {
    let row = |path: &Vec<u8>, old, new| GrownFile {
        path: path.clone(),
        old,
        new,
        origin: Origin::Unknown,
    };
    let gone = was.iter().filter(|(path, _)| !is.contains_key(*path));
    let gone: Vec<GrownFile> = gone.map(|(path, size)| row(path, *size, 0)).collect();
    let come = is.iter().map(|(path, size)| row(path, was.get(path).copied().unwrap_or(0), *size));
    let mut all: Vec<GrownFile> = come.filter(|file| file.old != file.new).chain(gone).collect();
    all.sort_by(|a, b| {
        b.delta().unsigned_abs().cmp(&a.delta().unsigned_abs()).then_with(|| a.path.cmp(&b.path))
    });
    all
}

/// Where what is new in a layer was before, told by content.
struct Origins {
    moved_from: HashMap<Vec<u8>, Vec<u8>>,
    moved_to: HashMap<Vec<u8>, Vec<u8>>,
    copies: HashMap<Vec<u8>, Vec<u8>>,
    /// Paths whose content is not the same in both images.
    differs: HashSet<Vec<u8>>,
    /// Paths that both images have.
    both: HashSet<Vec<u8>>,
}

impl Origins {
    fn of(old: &Account, new: &Account, diff: &Diff<'_>) -> Self {
        let moves = || diff.files.iter().filter_map(|file| Some((file.from.clone()?, &file.path)));
        let added: HashSet<u32> = diff
            .files
            .iter()
            .filter(|file| file.change == Change::Added)
            .filter_map(|file| file.new_payload)
            .collect();
        let path = |at: u32| new.nodes[at as usize].map(|node| new.tree.path(node));
        let mut copies = HashMap::new();
        for group in &new.duplicates {
            let known = group.payloads.iter().find(|at| !added.contains(at));
            let Some(known) = known.and_then(|at| path(*at)) else { continue };
            for at in group.payloads.iter().filter(|at| added.contains(at)) {
                copies.extend(path(*at).map(|copy| (copy, known.clone())));
            }
        }
        let paths = |account: &Account| -> HashSet<Vec<u8>> {
            account.nodes.iter().flatten().map(|node| account.tree.path(*node)).collect()
        };
        let before = paths(old);
        Self {
            moved_from: moves().map(|(from, to)| (to.clone(), from)).collect(),
            moved_to: moves().map(|(from, to)| (from, to.clone())).collect(),
            copies,
            differs: diff.files.iter().map(|file| file.path.clone()).collect(),
            both: paths(new).intersection(&before).cloned().collect(),
        }
    }

    fn find(&self, file: &GrownFile) -> Origin {
        let other = |map: &HashMap<Vec<u8>, Vec<u8>>| map.get(&file.path).cloned();
        if let Some(from) = other(&self.moved_from).filter(|_| file.old == 0) {
            return Origin::MovedFrom(from);
        }
        if let Some(to) = other(&self.moved_to).filter(|_| file.new == 0) {
            return Origin::MovedTo(to);
        }
        if let Some(of) = other(&self.copies).filter(|_| file.old == 0) {
            return Origin::CopyOf(of);
        }
        if self.both.contains(&file.path) && !self.differs.contains(&file.path) {
            return Origin::SameContent;
        }
        Origin::Unknown
    }
}
