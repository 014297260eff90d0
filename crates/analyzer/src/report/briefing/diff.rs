//! What is told of a comparison.

use jettison_oci::change::signed;
use jettison_oci::count::counted;
use jettison_oci::{Bytes, escape};

use crate::account::Account;
use crate::diff::{Diff, FileChange, LayerChange, LayerState};
use crate::gate::measure::{Measure, Metric, measure};
use crate::report::amount;
use crate::report::briefing::analysis::{image_name, instruction, origin, table};
use crate::report::briefing::{
    About, Briefing, Cell, Level, Measured, Notice, Subject, Table, Unit, lasting_name,
};
use crate::report::rows::Rows;
use crate::report::{Detail, model};

/// The briefing of a comparison; its one subject is the new image.
pub fn diff(diff: &Diff<'_>, detail: Detail) -> Briefing {
    let headline = headline(diff);
    let same = diff.layers.iter().all(|row| row.state == LayerState::Same);
    let subject = Subject {
        image: image_name(diff.new),
        platform: escape::line(&diff.new.image.config.platform.to_string()),
        state: None,
        headline: headline.clone(),
        is_quiet: same && diff.files.is_empty() && diff.old.sizes == diff.new.sizes,
        measures: measures(diff.old, diff.new),
        notices: notices(diff, detail),
        tables: tables(diff, detail),
        origin: both_origins(diff),
    };
    Briefing { about: About::Diff, headline, subjects: vec![subject], next: Vec::new() }
}

/// `+12.1 KiB (+0.4 %) of files in the final filesystem; 8 files differ`.
fn headline(diff: &Diff<'_>) -> String {
    let (old, new) = (diff.old.sizes.live.get(), diff.new.sizes.live.get());
    let changed = diff.layers.iter().filter(|row| row.state != LayerState::Same).count();
    if diff.files.is_empty() {
        return match changed {
            0 => "nothing changed".to_owned(),
            changed => format!("no file differs; {} changed", counted(changed, "layer")),
        };
    }
    let change = match amount::change(Unit::Bytes, old, new) {
        change if change == "0 B" => "as many bytes".to_owned(),
        change => change,
    };
    let differ = if diff.files.len() == 1 { "differs" } else { "differ" };
    format!(
        "{change} of files in the final filesystem; {} {differ}",
        counted(diff.files.len(), "file")
    )
}

fn measures(old: &Account, new: &Account) -> Vec<Measured> {
    let row = |name: &str, unit: Unit, base: Option<u64>, value: Option<u64>| Measured {
        name: name.to_owned(),
        unit,
        base,
        value,
        budget: None,
        state: None,
    };
    let (before, after) = (measure(old, None), measure(new, None));
    let of = |measure: Measure, unit: Unit| {
        let metric = Metric::whole(measure);
        let (base, value) = (before.get(&metric).copied(), after.get(&metric).copied());
        row(measure.name(), unit, base, value)
    };
    let files = |account: &Account| Some(account.sizes.files.get());
    vec![
        of(Measure::Compressed, Unit::Bytes),
        of(Measure::Uncompressed, Unit::Bytes),
        row("files", Unit::Bytes, files(old), files(new)),
        of(Measure::Effective, Unit::Bytes),
        of(Measure::Wasted, Unit::Bytes),
        of(Measure::Duplicate, Unit::Bytes),
        of(Measure::Layers, Unit::Count),
    ]
}

/// Layers that grew, and layers that have to be pulled again for nothing.
fn notices(diff: &Diff<'_>, detail: Detail) -> Vec<Notice> {
    let image = image_name(diff.new);
    let bytes = |row: &LayerChange| {
        let layer = row.new.and_then(|at| diff.new.layers.get(at));
        layer.map_or(0, |layer| layer.compressed_size.unwrap_or(layer.size).get())
    };
    if diff.files.is_empty() {
        let anew =
            || diff.layers.iter().filter(|row| row.new.is_some() && row.state != LayerState::Same);
        let pulled: u64 = anew().map(bytes).sum();
        let layers = anew().count();
        return (layers > 0)
            .then(|| Notice {
                id: "rebuilt-layer".to_owned(),
                title: "layers that changed though no file did".to_owned(),
                level: Level::Note,
                message: format!(
                    "{image}: {} changed though no file differs: {} to pull again",
                    counted(layers, "layer"),
                    Bytes(pulled)
                ),
                help: Some(
                    "build it reproducibly: fixed times, owners and order of files".to_owned(),
                ),
                lines: None,
                paths: Vec::new(),
                bytes: pulled,
                figure: None,
                fingerprint: vec!["rebuilt-layer".to_owned(), lasting_name(&image).to_owned()],
            })
            .into_iter()
            .collect();
    }
    let mut grown: Vec<&LayerChange> = diff
        .layers
        .iter()
        .filter(|row| row.delta > 0 && row.delta.unsigned_abs() >= detail.min_bytes.get())
        .collect();
    grown.sort_by_key(|row| std::cmp::Reverse(row.delta));
    let notice = |row: &&LayerChange| {
        let text = row.instruction.as_deref().map(escape::line);
        let text = text.unwrap_or_else(|| "a layer without an instruction".to_owned());
        let what = if row.state == LayerState::Added { "a new layer" } else { "a grown layer" };
        Notice {
            id: "layer-growth".to_owned(),
            title: "layers that grew".to_owned(),
            level: Level::Note,
            message: format!("{image}: {} by {what}: {text}", signed(row.delta)),
            help: None,
            lines: None,
            paths: Vec::new(),
            bytes: row.delta.unsigned_abs(),
            figure: None,
            fingerprint: vec![
                "layer-growth".to_owned(),
                lasting_name(&image).to_owned(),
                text.clone(),
            ],
        }
    };
    grown.iter().take(detail.top).map(notice).collect()
}

fn tables(diff: &Diff<'_>, detail: Detail) -> Vec<Table> {
    let all = [layers(diff), changes(diff), directories(diff, detail), files(diff, detail)];
    all.into_iter().flatten().collect()
}

fn layers(diff: &Diff<'_>) -> Option<Table> {
    let at = |at: Option<usize>| at.map_or(Cell::Empty, |at| Cell::Count(at as u64));
    let changed = diff.layers.iter().filter(|row| row.state != LayerState::Same);
    let rows: Vec<Vec<Cell>> = changed
        .map(|row| {
            vec![
                Cell::Delta(row.delta),
                Cell::Text(row.state.name().to_owned()),
                at(row.old),
                at(row.new),
                instruction(row.instruction.as_deref().map(escape::line)),
            ]
        })
        .collect();
    let same = diff.layers.len() - rows.len();
    let rest = (same > 0).then(|| format!("{} the same", counted(same, "layer")));
    let columns = ["change", "state", "old", "new", "instruction"];
    let mut table = table("Layers that changed (tar bytes)", "layers", &columns, rows, rest)?;
    table.is_open = true;
    Some(table)
}

fn changes(diff: &Diff<'_>) -> Option<Table> {
    let rows = diff.totals().into_iter().map(|(change, files, delta)| {
        vec![Cell::Delta(delta), Cell::Count(files as u64), Cell::Text(change.name().to_owned())]
    });
    let columns = ["change", "files", "what became of them"];
    table("Files by what became of them", "changes", &columns, rows.collect(), None)
}

fn directories(diff: &Diff<'_>, detail: Detail) -> Option<Table> {
    let mut directories = diff.directories();
    directories.retain(|(path, _)| !path.is_empty());
    let rows = Rows::of(&directories, detail, |(_, delta)| Bytes(delta.unsigned_abs()));
    let cells = rows
        .shown()
        .iter()
        .map(|(path, delta)| vec![Cell::Delta(*delta), Cell::Code(model::path_text(path))]);
    let rest = rows.left_out_in(|_| String::new());
    let columns = ["change", "directory"];
    table("Directories that changed most", "directories", &columns, cells.collect(), rest)
}

fn files(diff: &Diff<'_>, detail: Detail) -> Option<Table> {
    let (large, small): (Vec<&FileChange>, Vec<_>) =
        diff.files.iter().partition(|file| file.bytes() >= detail.min_bytes.get());
    let rows = Rows::cut(&large, &small, detail, |file| Bytes(file.bytes()));
    let cells = rows.shown().iter().map(|file| {
        vec![
            Cell::Delta(file.delta()),
            Cell::Text(file.change.name().to_owned()),
            Cell::Code(model::path_text(&file.path)),
            file.from.as_deref().map_or(Cell::Empty, |from| Cell::Code(model::path_text(from))),
        ]
    });
    let rest = rows
        .left_out_in(|files| format!(": {}", signed(files.iter().map(|file| file.delta()).sum())));
    let columns = ["change", "state", "path", "from"];
    table("Files that changed most", "files", &columns, cells.collect(), rest)
}

/// Where both images' figures come from.
fn both_origins(diff: &Diff<'_>) -> Vec<String> {
    let of = |side: &'static str, account: &Account| {
        origin(account).into_iter().map(move |line| format!("{side}: {line}")).collect::<Vec<_>>()
    };
    let mut lines = of("old", diff.old);
    lines.extend(of("new", diff.new));
    let (old, new) = (&diff.old.image.config.platform, &diff.new.image.config.platform);
    if old.to_string() != new.to_string() {
        lines.push(format!("the old image is of {}", escape::line(&old.to_string())));
    }
    lines
}
