//! What each layer did to a path.

use std::collections::BTreeMap;

use crate::account::Account;
use crate::entry::{Kind, Whiteout};
use crate::tree::{Cause, Fate};
use crate::why::content::Contents;
use crate::why::{is_child, is_within};

/// What a layer did to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It brought the path, or entries below it.
    Adds,
    /// It brought the path where a lower layer, or it itself, already had it.
    Rewrites,
    /// A whiteout removed the path.
    Removes,
    /// A whiteout removed a directory above the path.
    RemovesAbove,
    /// Whiteouts removed paths below the path.
    RemovesBelow,
    /// An opaque whiteout emptied the path, or a directory above it.
    Empties,
    /// It put something else than a directory above the path.
    ReplacesAbove,
    /// It took the last of the other names that kept the content alive.
    Unlinks,
}

impl Action {
    /// The word for machines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Adds => "adds",
            Self::Rewrites => "rewrites",
            Self::Removes => "removes",
            Self::RemovesAbove => "removes-above",
            Self::RemovesBelow => "removes-below",
            Self::Empties => "empties",
            Self::ReplacesAbove => "replaces-above",
            Self::Unlinks => "unlinks",
        }
    }

    /// The words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::RemovesAbove => "removes a directory above",
            Self::RemovesBelow => "removes paths below",
            Self::ReplacesAbove => "replaces a directory above",
            Self::Unlinks => "takes the last other name of the content",
            plain => plain.name(),
        }
    }
}

/// One layer's part in the life of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The layer.
    pub layer: usize,
    /// What it did.
    pub action: Action,
    /// Its entries at and below the path.
    pub entries: usize,
    /// The path whose content it took over, if its entry there is a hard link.
    pub link: Option<Vec<u8>>,
    /// Payload bytes it brought there.
    pub added: u64,
    /// Of those, wasted in the final image.
    pub wasted: u64,
    /// Payload bytes there that it hid, by cause.
    pub hides: BTreeMap<Cause, u64>,
}

impl Event {
    fn new(layer: usize, action: Action) -> Self {
        let hides = BTreeMap::new();
        Self { layer, action, entries: 0, link: None, added: 0, wasted: 0, hides }
    }

    /// Payload bytes that it hid.
    pub fn hidden(&self) -> u64 {
        self.hides.values().sum()
    }
}

/// The layers that touched `path`, bottom first. What they hide sums to all that is wasted there.
pub(super) fn events(account: &Account, path: &[u8], contents: &Contents<'_>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut existed = false;
    for (layer, index) in account.indexes.iter().enumerate() {
        let (mut adds, mut hides, mut link) = (None, None, None);
        let (mut entries, mut below) = (0, false);
        for entry in index.entries() {
            let own = entry.path();
            match entry.whiteout() {
                Some(Whiteout::Path { directory, name }) => match is_child(path, directory, name) {
                    Some(true) => hides = Some(Action::Removes),
                    Some(false) => _ = hides.get_or_insert(Action::RemovesAbove),
                    None => below |= directory == path || is_within(directory, path),
                },
                Some(Whiteout::Opaque { directory }) => {
                    if directory == path || is_within(path, directory) {
                        hides.get_or_insert(Action::Empties);
                    }
                    below |= is_within(directory, path);
                }
                Some(Whiteout::Bookkeeping) => {}
                None if own == path => {
                    entries += 1;
                    link = (entry.kind() == Kind::HardLink).then(|| entry.link().to_vec());
                    adds = Some(if existed { Action::Rewrites } else { Action::Adds });
                }
                None if is_within(own, path) => {
                    entries += 1;
                    adds.get_or_insert(Action::Adds);
                }
                None => {
                    if entry.kind() != Kind::Directory && is_within(path, own) {
                        hides.get_or_insert(Action::ReplacesAbove);
                    }
                }
            }
        }
        // A whiteout of what no lower layer has did nothing.
        let hides = hides.or(below.then_some(Action::RemovesBelow)).filter(|_| existed);
        events.extend(hides.map(|action| Event::new(layer, action)));
        events.extend(adds.map(|action| Event { entries, link, ..Event::new(layer, action) }));
        existed = adds.is_some() || (existed && matches!(hides, None | Some(Action::RemovesBelow)));
    }
    for at in contents.names.keys() {
        let payload = &account.payloads[*at as usize];
        let name = account.entry_path(payload);
        let added_by = payload.entry.layer as usize;
        let own = events
            .iter_mut()
            .filter(|_| name == path || is_within(name, path))
            .find(|event| event.layer == added_by && event.entries > 0);
        let gone = match payload.fate {
            Fate::Live(_) => 0,
            Fate::Wasted { .. } => payload.size,
        };
        if let Some(own) = own {
            own.added += payload.size;
            own.wasted += gone;
        }
        if let Fate::Wasted { cause, hidden_by, .. } = payload.fate
            && payload.size > 0
        {
            let at = hiding(&mut events, hidden_by as usize, cause);
            *events[at].hides.entry(cause).or_default() += payload.size;
        }
    }
    events
}

/// The position of the event by which `layer` hides bytes. Whiteouts and entries of a layer are
/// events of their own.
fn hiding(events: &mut Vec<Event>, layer: usize, cause: Cause) -> usize {
    let by_whiteout = matches!(cause, Cause::Removed | Cause::Opaque);
    let of_layer = |event: &Event| event.layer == layer;
    events
        .iter()
        .position(|event| of_layer(event) && (event.entries == 0) == by_whiteout)
        .or_else(|| events.iter().position(of_layer))
        .unwrap_or_else(|| {
            let at = events.partition_point(|event| event.layer < layer);
            events.insert(at, Event::new(layer, Action::Unlinks));
            at
        })
}
