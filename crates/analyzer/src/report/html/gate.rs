//! The page of a gate: the verdict, what was asked, and who grew.

use serde::Serialize;
use serde_json::{Value, json};

use crate::diff::Change;
use crate::gate::Gated;
use crate::gate::grown::GrownFile;
use crate::report::Detail;
use crate::report::amount::{change, told};
use crate::report::briefing::{self, Briefing, Cell, Measured, Notice, State, Subject, Table};
use crate::report::html::analysis::State as Colour;
use crate::report::html::diff::STATES;
use crate::report::html::tree::{self, File, Limits, Traits, Tree};
use crate::report::html::{Fact, Figure, Head, Page, embed};

/// What the script draws from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    view: &'static str,
    states: Vec<Colour>,
    threshold: u64,
    /// Bytes that came and bytes that went, of files that are known.
    tree: Vec<tree::Row>,
    /// The same by what became of files.
    changes: Vec<Value>,
    subjects: Vec<Value>,
    next: Vec<String>,
}

/// Rows of lists that a page holds, at least.
const ROWS_MIN: usize = 300;

pub(super) fn page(all: &[Gated], detail: Detail) -> Page {
    let briefing = briefing::gate(all, Detail { top: detail.top.max(ROWS_MIN), ..detail }, 0);
    let mut files = Vec::new();
    let mut sums = [(0_usize, 0_i64); STATES.len()];
    for gated in all {
        // Several images stand beside each other.
        let above = if all.len() > 1 {
            format!("{} ({})/", gated.snapshot.image, gated.snapshot.platform)
        } else {
            String::new()
        };
        for file in grown_files(gated) {
            let change = change_of(file);
            let Some(state) = STATES.iter().position(|(_, one)| *one == change) else { continue };
            let sum = &mut sums[state];
            *sum = (sum.0 + 1, sum.1 + file.delta());
            let Ok(state) = u8::try_from(state) else { continue };
            files.push(File {
                path: [above.as_bytes(), &file.path].concat(),
                bytes: file.delta().unsigned_abs(),
                traits: Traits::of(state),
            });
        }
    }
    let Tree { threshold, rows } = tree::build(files, Limits::PAGE);
    let changes = STATES.iter().zip(sums).filter(|(_, (count, _))| *count > 0);
    let data = Document {
        view: "gate",
        threshold,
        tree: rows,
        changes: changes
            .map(|((state, _), (count, delta))| {
                json!({ "change": state.name, "files": count, "delta": delta })
            })
            .collect(),
        states: STATES.map(|(state, _)| state).into(),
        subjects: briefing.subjects.iter().map(subject).collect(),
        next: briefing.next.clone(),
    };
    let images: Vec<Head> = briefing.subjects.iter().map(head).collect();
    let title = format!("{}: {}", briefing.about.name(), briefing.headline);
    Page::new(title, images, figures(&briefing), embed::json(&embed::shown(&data)))
}

fn grown_files(gated: &Gated) -> impl Iterator<Item = &GrownFile> {
    let rows = gated.grown.iter().flat_map(|grown| &grown.rows);
    rows.flat_map(|row| &row.parts).filter_map(|part| part.files.as_deref()).flatten()
}

/// What became of a file in its layer.
fn change_of(file: &GrownFile) -> Change {
    match (file.old, file.new) {
        (0, _) => Change::Added,
        (_, 0) => Change::Removed,
        (old, new) if new > old => Change::Grown,
        _ => Change::Shrunk,
    }
}

fn head(subject: &Subject) -> Head {
    let mut facts = vec![Fact::of(&subject.platform)];
    facts.extend(subject.origin.iter().map(|line| Fact::of(line)));
    Head { role: subject.state.map(State::name), name: subject.image.clone(), facts }
}

/// The figures of one image; of several, how they stand.
fn figures(briefing: &Briefing) -> Vec<Figure> {
    if let [one] = &briefing.subjects[..] {
        return one.measures.iter().map(figure).collect();
    }
    let count = |state| briefing.subjects.iter().filter(|one| one.state == Some(state)).count();
    [State::Fail, State::Warn, State::NoBaseline, State::Pass]
        .into_iter()
        .map(|state| Figure {
            label: state.name().to_owned(),
            state: "",
            value: count(state).to_string(),
            exact: String::new(),
            note: String::new(),
            trend: if state == State::Fail && count(state) > 0 { "more" } else { "" },
        })
        .collect()
}

fn figure(measure: &Measured) -> Figure {
    let value = measure.value.map_or_else(|| "n/a".to_owned(), |value| told(measure.unit, value));
    let note = match (measure.base, measure.value) {
        (Some(base), Some(value)) if base != value => change(measure.unit, base, value),
        (Some(_), Some(_)) => "as before".to_owned(),
        _ => String::new(),
    };
    let exact = measure.value.map_or_else(String::new, |value| value.to_string());
    let trend = match measure.delta() {
        Some(1..) => "more",
        None | Some(0) => "",
        Some(_) => "less",
    };
    Figure { label: measure.name.clone(), state: "", value, exact, note, trend }
}

fn subject(subject: &Subject) -> Value {
    json!({
        "image": subject.image,
        "platform": subject.platform,
        "state": subject.state.map(State::name),
        "headline": subject.headline,
        "measures": subject.measures.iter().map(measure).collect::<Vec<_>>(),
        "notices": subject.notices.iter().map(notice).collect::<Vec<_>>(),
        "tables": subject.tables.iter().map(table).collect::<Vec<_>>(),
    })
}

fn measure(measure: &Measured) -> Value {
    let shown = |value: Option<u64>| value.map(|value| told(measure.unit, value));
    let by = measure.base.zip(measure.value);
    json!({
        "name": measure.name,
        "base": shown(measure.base),
        "value": shown(measure.value),
        "change": by.map(|(base, value)| change(measure.unit, base, value)),
        "delta": measure.delta().unwrap_or(0),
        "budget": measure.budget,
        "state": measure.state.map(State::name),
    })
}

fn notice(notice: &Notice) -> Value {
    json!({
        "level": notice.level.name(),
        "title": notice.title,
        "message": notice.message,
        "help": notice.help,
        "line": notice.lines.as_ref().map(|lines| format!("{}:{}", lines.file, lines.first)),
        "paths": notice.paths.iter().map(|path| format!("/{path}")).collect::<Vec<_>>(),
    })
}

fn table(table: &Table) -> Value {
    let cell = |cell: &Cell| match cell {
        Cell::Text(text) => json!({ "text": text }),
        Cell::Code(text) => json!({ "code": text }),
        Cell::Bytes(bytes) => json!({ "bytes": bytes }),
        Cell::Delta(delta) => json!({ "delta": delta }),
        Cell::Count(count) => json!({ "count": count }),
        Cell::Empty => json!({}),
    };
    let rows: Vec<Vec<Value>> =
        table.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    json!({
        "title": table.title,
        "name": table.name,
        "columns": table.columns,
        "rows": rows,
        "rest": table.rest,
    })
}
