//! The account for a terminal.

use jettison_oci::{Bytes, escape};

use crate::account::{Account, waste};
use crate::entry::Kind;
use crate::remedy::Remedies;
use crate::report::page::{Page, Style, Tone, percent};
use crate::report::rows::Rows;
use crate::report::{Analyzed, Detail, advice_text, bar, model, unused_text};
use crate::tree::NodeId;
use jettison_oci::count::counted;

/// The page that `jettison analyze` prints.
pub fn render(of: Analyzed<'_>, detail: Detail, style: Style) -> Vec<u8> {
    let account = of.account;
    let mut page = Page::new(style);
    header(&mut page, account);
    sizes(&mut page, account);
    bar::draw(&mut page, &account.sizes);
    layers(&mut page, account);
    wasted(&mut page, account, detail);
    wasted_paths(&mut page, account, detail);
    duplicates(&mut page, account, detail);
    directories(&mut page, account, detail);
    if let Some(facts) = of.facts.filter(|_| detail.unused) {
        unused_text::draw(&mut page, account, facts, detail);
    }
    if let Some(advice) = of.advice {
        advice_text::draw(&mut page, account, advice, detail);
    }
    dive(&mut page, account);
    page.finish()
}

fn header(page: &mut Page, account: &Account) {
    let image = &account.image;
    let origin = escape::line(&image.origin.to_string());
    let origin = page.tone(Tone::Heading, &origin);
    page.line(&origin);
    let mut facts = vec![
        image.config.platform.to_string(),
        format!("image ID {}", image.config_digest.short()),
        counted(account.layers.len(), "layer"),
        counted(account.tree.len() - 1, "path"),
    ];
    if let Some(created) = &image.config.created {
        facts
            .push(format!("built {}", escape::line(&created.chars().take(10).collect::<String>())));
    }
    page.wrapped("", &facts.join(" · "));
    for note in &image.notes {
        page.wrapped("", &escape::line(note));
    }
    if let Some(digest) = &image.manifest_digest {
        page.line(&format!("manifest {digest}"));
    }
    if let Some(base) = &account.base {
        let name = base.reference.as_deref().map(escape::line).unwrap_or_default();
        let layers = match base.layers {
            Some(0) => "no layer".to_owned(),
            Some(1) => "the first layer".to_owned(),
            Some(layers) => format!("the first {}", counted(layers, "layer")),
            None => "its layers are not known".to_owned(),
        };
        let layers = match (base.layers, base.image_layers) {
            (Some(shared), Some(all)) if shared < all => {
                format!("{layers}, {shared} of its {}", counted(all, "layer"))
            }
            _ => layers,
        };
        page.wrapped("base ", &format!("{name} ({}): {layers}", base.source.name()));
    }
}

fn sizes(page: &mut Page, account: &Account) {
    let sizes = &account.sizes;
    let row = |name: &str, size: Option<Bytes>, note: &str| {
        let size = size.map_or_else(|| "n/a".to_owned(), |size| size.to_string());
        format!("  {name:<11}{size:>11}   {note}")
    };
    let files = sizes.files.get();
    page.blank();
    let not_compressed = match sizes.compressed {
        Some(_) => "blobs, as a registry stores and sends them",
        None => "this source does not hold the layers compressed",
    };
    page.line(&row("compressed", sizes.compressed, not_compressed));
    page.line(&row("layers", Some(sizes.layers), "uncompressed tars of the layers"));
    page.line(&row("files", Some(sizes.files), "contents of all files in all layers:"));
    let live = format!("{} in the final filesystem", percent(sizes.live.get(), files));
    page.line(&row("  live", Some(sizes.live), &live));
    let wasted = format!("{} in no path of it", percent(sizes.wasted.get(), files));
    page.line(&row("  wasted", Some(sizes.wasted), &wasted));
    let again = format!(
        "{} of live: equal to another file",
        percent(sizes.duplicate.get(), sizes.live.get())
    );
    page.line(&row("duplicate", Some(sizes.duplicate), &again));
    if let Some(base) = account.base.as_ref().and_then(|base| base.layers)
        && base > 0
    {
        let own: u64 = account.layers.iter().filter(|l| !l.base).map(|l| l.files.get()).sum();
        page.line(&row("own", Some(Bytes(own)), "files of the layers above the base"));
    }
}

fn layers(page: &mut Page, account: &Account) {
    page.heading("Layers");
    let compressed = account.layers.iter().any(|row| row.compressed_size.is_some());
    let head = if compressed { " compressed" } else { "" };
    let head =
        page.tone(Tone::Faint, &format!("   #{head:>11}       size     wasted  instruction"));
    page.line(&if compressed { head } else { head.replacen("           ", "", 1) });
    for (at, row) in account.layers.iter().enumerate() {
        let blob = match row.compressed_size {
            Some(size) => format!("{:>11}", size.to_string()),
            None if compressed => format!("{:>11}", "n/a"),
            None => String::new(),
        };
        let wasted = if row.wasted.get() == 0 { "-".to_owned() } else { row.wasted.to_string() };
        let mark = if row.base { "b" } else { " " };
        let front = format!("{mark}{at:>3}{blob}{:>11}{wasted:>11}  ", row.size.to_string());
        let text = match &row.instruction {
            Some(instruction) => escape::line(&instruction.text()),
            None => "(no instruction in the history)".to_owned(),
        };
        page.clipped(&front, &text);
    }
    if account.layers.iter().any(|row| row.base) {
        let legend = page.tone(Tone::Faint, "b: of the base image");
        page.line(&legend);
    }
}

fn wasted(page: &mut Page, account: &Account, detail: Detail) {
    let rows = Rows::of(&account.waste, detail, |row| row.bytes);
    if rows.is_empty() {
        return;
    }
    page.heading("Wasted, and what to do about it");
    let remedies = Remedies::of(account);
    for row in rows.shown() {
        let front = format!("{:>11}  ", row.bytes.to_string());
        page.wrapped(&front, &remedies.sentence(row));
    }
    rows.rest(page);
}

fn wasted_paths(page: &mut Page, account: &Account, detail: Detail) {
    let paths = waste::paths(account);
    let rows = Rows::of(&paths, detail, |row| row.bytes);
    if rows.is_empty() {
        return;
    }
    page.heading("Largest wasted paths");
    for row in rows.shown() {
        let copies = if row.copies > 1 { format!("{}x ", row.copies) } else { String::new() };
        let front = format!("{:>11}  {copies}", row.bytes.to_string());
        page.path(&front, &model::path_text(&row.path));
    }
    rows.rest(page);
}

fn duplicates(page: &mut Page, account: &Account, detail: Detail) {
    /// A group may have thousands of copies; JSON has more of them.
    const OTHERS: usize = 3;
    let rows = Rows::of(&account.duplicates, detail, |row| row.bytes);
    if rows.is_empty() {
        return;
    }
    page.heading("Largest duplicates");
    for row in rows.shown() {
        let front = format!("{:>11}  {}x ", row.bytes.to_string(), row.payloads.len());
        page.path(&front, &model::path_text(&row.first));
        let others = &row.payloads[1..];
        let nodes = others.iter().filter_map(|at| account.nodes[*at as usize]);
        for node in nodes.take(OTHERS) {
            page.path(&format!("{:13}= ", ""), &model::path_text(&account.tree.path(node)));
        }
        if others.len() > OTHERS {
            let more = format!("{:13}and {} more", "", others.len() - OTHERS);
            let more = page.tone(Tone::Faint, &more);
            page.line(&more);
        }
    }
    rows.rest(page);
}

fn directories(page: &mut Page, account: &Account, detail: Detail) {
    let directories = largest_directories(account);
    let rows = Rows::of(&directories, detail, |(_, bytes)| Bytes(*bytes));
    if rows.is_empty() || detail.top == 0 {
        return;
    }
    page.heading("Largest live directories");
    for (node, bytes) in rows.shown() {
        let front = format!("{:>11}  ", Bytes(*bytes).to_string());
        page.path(&front, &model::path_text(&account.tree.path(*node)));
    }
    rows.count_rest(page, 13);
}

/// Directories by the live bytes below them. One that owes nearly all of its bytes to a single
/// directory in it says nothing of its own and is passed over.
pub(crate) fn largest_directories(account: &Account) -> Vec<(NodeId, u64)> {
    let tree = &account.tree;
    let mut held = std::collections::BTreeMap::<NodeId, u64>::new();
    for (payload, node) in account.payloads.iter().zip(&account.nodes) {
        if let Some(directory) = node.and_then(|node| tree.parent(node)) {
            *held.entry(directory).or_default() += payload.size;
        }
    }
    // A directory is made before what it holds: from the last one down, each is complete when
    // its turn comes.
    let mut below = std::collections::HashMap::<NodeId, u64>::new();
    while let Some((directory, bytes)) = held.pop_last() {
        below.insert(directory, bytes);
        if let Some(parent) = tree.parent(directory) {
            *held.entry(parent).or_default() += bytes;
        }
    }
    let mut rows: Vec<(NodeId, u64)> = below
        .iter()
        .filter(|(node, bytes)| {
            **node != NodeId::ROOT
                && !tree.children(**node).any(|child| {
                    tree.kind(child) == Kind::Directory
                        && below.get(&child).is_some_and(|b| *b >= **bytes / 10 * 9)
                })
        })
        .map(|(node, bytes)| (*node, *bytes))
        .collect();
    rows.sort_by_cached_key(|(node, bytes)| (std::cmp::Reverse(*bytes), tree.path(*node)));
    rows
}

fn dive(page: &mut Page, account: &Account) {
    let dive = &account.dive;
    let user = match dive.user_wasted_percent {
        Some(ratio) => format!("{:.2} %", ratio * 100.0),
        None => "n/a".to_owned(),
    };
    page.blank();
    let text = format!(
        "efficiency {:.2} %, wasted {}, user wasted {user}",
        dive.efficiency_score * 100.0,
        Bytes(dive.wasted_bytes)
    );
    page.wrapped_behind(Tone::Faint, "By dive's definitions: ", &text);
}
