//! A diff for a terminal.

use jettison_oci::change::signed;
use jettison_oci::{Bytes, escape};

use crate::diff::{Diff, LayerState, delta};
use crate::report::page::{Page, Style, Tone};
use crate::report::rows::Rows;
use crate::report::{Detail, model};
use jettison_oci::count::counted;

/// The page that `jettison diff` prints.
pub fn render(diff: &Diff<'_>, detail: Detail, style: Style) -> Vec<u8> {
    let mut page = Page::new(style);
    page.line(&format!("old  {}", escape::line(&diff.old.image.origin.to_string())));
    page.line(&format!("new  {}", escape::line(&diff.new.image.origin.to_string())));
    sizes(&mut page, diff);
    layers(&mut page, diff);
    changes(&mut page, diff);
    directories(&mut page, diff, detail);
    files(&mut page, diff, detail);
    page.finish()
}

fn sizes(page: &mut Page, diff: &Diff<'_>) {
    let (old, new) = (&diff.old.sizes, &diff.new.sizes);
    page.blank();
    let head = format!("  {:<11}{:>12}{:>12}{:>12}", "", "old", "new", "change");
    let head = page.tone(Tone::Faint, &head);
    page.line(&head);
    let rows = [
        ("layers", old.layers, new.layers),
        ("files", old.files, new.files),
        ("  live", old.live, new.live),
        ("  wasted", old.wasted, new.wasted),
        ("duplicate", old.duplicate, new.duplicate),
    ];
    let compressed = old.compressed.zip(new.compressed).map(|(o, n)| ("compressed", o, n));
    for (name, old, new) in compressed.into_iter().chain(rows) {
        let change = signed(delta(old.get(), new.get()));
        page.line(&format!(
            "  {name:<11}{:>12}{:>12}{change:>12}",
            old.to_string(),
            new.to_string()
        ));
    }
}

fn layers(page: &mut Page, diff: &Diff<'_>) {
    page.heading("Layers (tar bytes)");
    let same = diff.layers.iter().filter(|row| row.state == LayerState::Same).count();
    if same > 0 {
        page.line(&format!("  {} the same", counted(same, "layer")));
    }
    for row in diff.layers.iter().filter(|row| row.state != LayerState::Same) {
        let number = |at: Option<usize>| at.map_or_else(|| "-".to_owned(), |at| format!("#{at}"));
        let front = format!(
            "{:>12}  {:<8} {:>4} {:>4}  ",
            signed(row.delta),
            row.state.name(),
            number(row.old),
            number(row.new)
        );
        let instruction = row.instruction.as_deref().unwrap_or("(no instruction in the history)");
        page.clipped(&front, &escape::line(instruction));
    }
}

fn changes(page: &mut Page, diff: &Diff<'_>) {
    page.heading("Files");
    let totals = diff.totals();
    for (change, files, delta) in &totals {
        page.line(&format!(
            "{:>12}  {} {}",
            signed(*delta),
            counted(*files, "file"),
            change.name()
        ));
    }
    let live = delta(diff.old.sizes.live.get(), diff.new.sizes.live.get());
    let sum =
        if totals.is_empty() { "no file differs" } else { "in all: the change of live bytes" };
    page.line(&format!("{:>12}  {sum}", signed(live)));
}

fn directories(page: &mut Page, diff: &Diff<'_>, detail: Detail) {
    let mut directories = diff.directories();
    directories.retain(|(path, _)| !path.is_empty());
    let rows = Rows::of(&directories, detail, |(_, delta)| Bytes(delta.unsigned_abs()));
    if rows.is_empty() || detail.top == 0 {
        return;
    }
    page.heading("Directories that changed most");
    for (path, delta) in rows.shown() {
        page.path(&format!("{:>12}  ", signed(*delta)), &model::path_text(path));
    }
    rows.count_rest(page, 14);
}

fn files(page: &mut Page, diff: &Diff<'_>, detail: Detail) {
    // Ordered by what changed: a file of few bytes may stand before one of many.
    let (large, small): (Vec<_>, Vec<_>) =
        diff.files.iter().partition(|file| file.bytes() >= detail.min_bytes.get());
    let rows = Rows::cut(&large, &small, detail, |file| Bytes(file.bytes()));
    if rows.is_empty() {
        return;
    }
    page.heading("Files that changed most");
    for file in rows.shown() {
        let front = format!("{:>12}  {:<8} ", signed(file.delta()), file.change.name());
        page.path(&front, &model::path_text(&file.path));
        if let Some(from) = &file.from {
            page.path(&format!("{:>12}  {:<8} ", "", "from"), &model::path_text(from));
        }
    }
    rows.rest_in(page, |files| {
        format!("{:>12}  ", signed(files.iter().map(|file| file.delta()).sum()))
    });
}
