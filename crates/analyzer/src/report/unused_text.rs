//! Unused files for a terminal.

use jettison_oci::{Bytes, escape};

use crate::account::Account;
use crate::facts::Facts;
use crate::facts::unused::GroupName;
use crate::report::Detail;
use crate::report::model::{self, OwnerDocument, Use};
use crate::report::page::{Page, percent};
use crate::report::rows::Rows;
use jettison_oci::count::counted;

/// The part of the page that lists unused files.
pub(crate) fn draw(page: &mut Page, account: &Account, facts: &Facts, detail: Detail) {
    let unused = &facts.unused;
    page.heading("Unused: nothing leads to it from what the image runs");
    let live = account.sizes.live.get();
    page.line(&format!(
        "  {:>11}  {} of live",
        Bytes(unused.bytes).to_string(),
        percent(unused.bytes, live)
    ));
    let meanings = [
        ("high", "of a kind that no running program reads"),
        ("medium", "nothing that was looked into leads to it"),
        ("low", "what cannot be looked into may use it"),
    ];
    for ((name, meaning), bytes) in meanings.into_iter().zip(unused.by_confidence) {
        page.line(&format!("  {:>11}  {name:<8}{meaning}", Bytes(bytes).to_string()));
    }
    let groups = &unused.groups;
    let rows = Rows::of(groups, detail, |group| group.bytes);
    if !rows.is_empty() {
        page.blank();
    }
    for group in rows.shown() {
        let front = format!("{:>11}  {:<8}", group.bytes.to_string(), group.confidence.name());
        let name = match &group.name {
            GroupName::Package(at) => escape::line(&facts.packages.all[*at].name),
            GroupName::Directory(path) => model::path_text(path.strip_prefix(b"/").unwrap_or(path)),
        };
        let files = counted(group.files.len(), "file");
        page.wrapped(&front, &format!("{name}: {files}: {}", group.because));
    }
    rows.rest(page);
}

/// The part of `jettison why` that says what leads to the file.
pub(crate) fn draw_use(page: &mut Page, of: &Use) {
    page.blank();
    if let Some(owner) = &of.owner {
        page.wrapped("of the package ", &whose(owner));
    }
    match &of.confidence {
        Some(confidence) => {
            page.line(&format!("nothing leads to it from what the image runs ({confidence})"));
        }
        None if of.chain.is_empty() => {
            page.line("nothing leads to it from what the image runs");
        }
        None => page.line(&format!("{}:", of.evidence)),
    }
    for link in &of.chain {
        page.path("  ", &link.path);
        page.line(&format!("    <- {}", escape::line(&link.how)));
    }
    page.wrapped("to drop it: ", &of.to_drop);
}

/// `mawk 1.3.4 (dpkg), by its alternatives; 2 packages depend on it`.
fn whose(owner: &OwnerDocument) -> String {
    let mut text = escape::line(&owner.name);
    if !owner.version.is_empty() {
        text = format!("{text} {}", escape::line(&owner.version));
    }
    text = format!("{text} ({})", owner.ecosystem);
    if owner.alternative {
        text.push_str(", by its alternatives");
    }
    let why = match (owner.dependant_count, owner.reason.as_str()) {
        (0, "recommended") => "others only recommend it".to_owned(),
        (0, "orphan") => "no package depends on it, and nobody asked for it".to_owned(),
        (0, _) => return text,
        (1, _) => "1 package depends on it".to_owned(),
        (several, _) => format!("{several} packages depend on it"),
    };
    format!("{text}; {why}")
}
