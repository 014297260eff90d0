//! The page of two images.

use jettison_oci::change::signed;
use jettison_oci::{Bytes, escape};
use serde::Serialize;
use serde_json::Value;

use crate::account::Account;
use crate::diff::{Change, Diff};
use crate::report::Detail;
use crate::report::html::analysis::{State, exact};
use crate::report::html::list::{List, ROOM};
use crate::report::html::tree::{self, File, Limits, Traits, Tree};
use crate::report::html::{Fact, Figure, Head, Page, embed};
use crate::report::model::{self, DiffDocument, OldNew};

/// What became of files that have more or fewer bytes, in the order of the picture.
pub(super) const STATES: [(State, Change); 4] = [
    (State { name: "added", title: "added", side: false }, Change::Added),
    (State { name: "grown", title: "grown", side: false }, Change::Grown),
    (State { name: "removed", title: "removed", side: true }, Change::Removed),
    (State { name: "shrunk", title: "shrunk", side: true }, Change::Shrunk),
];

/// What the script draws from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    view: &'static str,
    states: Vec<State>,
    threshold: u64,
    /// Bytes that came and bytes that went.
    tree: Vec<tree::Row>,
    layers: List,
    /// Uncompressed tars of both images' layers.
    sizes: [Vec<Bytes>; 2],
    changes: Value,
    directories: List,
    files: List,
}

/// Directories that a page tells of, at least.
const DIRECTORIES_MIN: usize = 500;

pub(super) fn page(diff: &Diff<'_>, detail: Detail) -> Page {
    let document = model::diff(diff, Detail { top: detail.top.max(DIRECTORIES_MIN), ..detail });
    let files = diff.files.iter().filter_map(|file| {
        let state = STATES.iter().position(|(_, change)| *change == file.change)?;
        let traits = Traits::of(u8::try_from(state).ok()?);
        let bytes = file.delta().unsigned_abs();
        Some(File { path: file.path.clone(), bytes, traits })
    });
    let Tree { threshold, rows } = tree::build(files.collect(), Limits::PAGE);
    let tars = |of: &Account| of.layers.iter().map(|layer| layer.size).collect();
    let change = |delta: i64| Bytes(delta.unsigned_abs());
    let data = Document {
        view: "diff",
        states: STATES.map(|(state, _)| state).into(),
        threshold,
        tree: rows,
        layers: List::of(&document.layers, ROOM, |row| change(row.delta)),
        sizes: [tars(diff.old), tars(diff.new)],
        changes: embed::shown(&document.changes),
        directories: List::of(&document.directories, ROOM, |row| change(row.delta)),
        files: List::of(&document.files, 4 * ROOM, |row| change(row.delta)),
    };
    let images = vec![head("old", diff.old), head("new", diff.new)];
    let title = format!("{} and {}", images[0].name, images[1].name);
    Page::new(title, images, figures(&document), embed::json(&data))
}

fn head(role: &'static str, account: &Account) -> Head {
    let image = &account.image;
    let id = image.config_digest.to_string();
    let short: String = id.split(':').nth(1).unwrap_or(&id).chars().take(12).collect();
    let facts = vec![
        Fact::of(&image.config.platform.to_string()),
        Fact::of(&image.origin.transport.to_string()),
        Fact { text: format!("ID {short}"), title: id },
    ];
    Head { role: Some(role), name: escape::line(&image.origin.reference), facts }
}

fn figures(document: &DiffDocument) -> Vec<Figure> {
    let size = &document.size;
    let compressed = size.compressed.iter().map(|size| ("compressed", "", size));
    let rows: [(&str, &str, &OldNew); 5] = [
        ("layers", "", &size.layers),
        ("files", "", &size.files),
        ("live", "", &size.live),
        ("wasted", "", &size.wasted),
        ("duplicate", "", &size.duplicate),
    ];
    compressed
        .chain(rows)
        .map(|(label, state, OldNew { old, new, delta })| Figure {
            label: label.to_owned(),
            state,
            value: signed(*delta),
            exact: format!("{} before, {} now", exact(*old), exact(*new)),
            note: format!("{old} → {new}"),
            trend: match delta {
                0 => "",
                1.. => "more",
                _ => "less",
            },
        })
        .collect()
}
