//! One table of everything, as [RFC 4180] has it: for spreadsheets, databases and `join`.
//!
//! A cell of text that a spreadsheet would take for a formula (it starts with `=`, `+`, `-` or `@`)
//! has an apostrophe in front, as [OWASP] advises; numbers have none.
//!
//! [RFC 4180]: https://www.rfc-editor.org/rfc/rfc4180
//! [OWASP]: https://owasp.org/www-community/attacks/CSV_Injection

#[cfg(test)]
mod tests;

use csv::{Terminator, WriterBuilder};

use crate::report::briefing::{Briefing, Cell, Measured, Notice, State, Subject, Table, Unit};

/// The columns of every row.
pub const COLUMNS: [&str; 11] = [
    "image", "platform", "section", "name", "unit", "base", "value", "delta", "state", "budget",
    "detail",
];

/// A row without the image it is of.
#[derive(Default)]
struct Row {
    /// `figure`, `notice`, or the name of a list.
    section: String,
    /// The figure, the rule, or what a list's row is about.
    name: String,
    /// `bytes`, `count`, `millionths`; empty where there is no number.
    unit: &'static str,
    base: Option<u64>,
    value: Option<u64>,
    delta: Option<i64>,
    /// How a figure stands to its budget, how grave a notice is.
    state: &'static str,
    budget: String,
    detail: String,
}

/// The table, with a head.
pub fn render(briefing: &Briefing) -> Vec<u8> {
    let mut table = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    // Nothing of this fails: it goes into memory, and every row has as many cells.
    let _ = table.write_record(COLUMNS);
    for subject in &briefing.subjects {
        let figures = subject.measures.iter().map(figure);
        let notices = subject.notices.iter().map(notice);
        let lists = subject
            .tables
            .iter()
            .flat_map(|list| list.rows.iter().map(|cells| listed(list, cells)));
        for row in figures.chain(notices).chain(lists) {
            let _ = table.write_record(record(subject, &row));
        }
    }
    table.into_inner().unwrap_or_default()
}

fn record(subject: &Subject, row: &Row) -> [String; 11] {
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    [
        text(&subject.image),
        text(&subject.platform),
        text(&row.section),
        text(&row.name),
        row.unit.to_owned(),
        number(row.base),
        number(row.value),
        row.delta.map(|delta| delta.to_string()).unwrap_or_default(),
        row.state.to_owned(),
        text(&row.budget),
        text(&row.detail),
    ]
}

/// Text that no spreadsheet takes for a formula. What is told of an image holds no tab or line end.
fn text(text: &str) -> String {
    // Some spreadsheets take the wide forms for the narrow ones.
    let is_formula = text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

fn figure(figure: &Measured) -> Row {
    Row {
        section: "figure".to_owned(),
        name: figure.name.clone(),
        unit: match figure.unit {
            Unit::Bytes => "bytes",
            Unit::Count => "count",
            Unit::Millionths => "millionths",
        },
        base: figure.base,
        value: figure.value,
        delta: figure.delta(),
        state: figure.state.map_or("", State::name),
        budget: figure.budget.clone().unwrap_or_default(),
        detail: String::new(),
    }
}

fn notice(notice: &Notice) -> Row {
    let place = notice.lines.as_ref().map(|lines| format!("{}:{}: ", lines.file, lines.first));
    Row {
        section: "notice".to_owned(),
        name: notice.id.clone(),
        unit: "bytes",
        value: Some(notice.bytes),
        state: notice.level.name(),
        detail: format!("{}{}", place.unwrap_or_default(), notice.sentence()),
        ..Row::default()
    }
}

/// What a row is about is its first code, or its first words; its first number and its first change
/// have columns of their own, all else is told behind its column's head.
fn listed(list: &Table, cells: &[Cell]) -> Row {
    let mut row = Row { section: list.name.to_owned(), ..Row::default() };
    let name = cells
        .iter()
        .position(|cell| matches!(cell, Cell::Code(_)))
        .or_else(|| cells.iter().position(|cell| matches!(cell, Cell::Text(_))));
    let mut rest = Vec::new();
    for (at, cell) in cells.iter().enumerate() {
        let head = list.columns.get(at).copied().unwrap_or_default();
        match cell {
            Cell::Text(text) | Cell::Code(text) if Some(at) == name => row.name.clone_from(text),
            Cell::Bytes(bytes) if row.value.is_none() => {
                (row.unit, row.value) = ("bytes", Some(*bytes));
            }
            Cell::Delta(delta) if row.delta.is_none() => row.delta = Some(*delta),
            Cell::Text(text) | Cell::Code(text) => rest.push(format!("{head}={text}")),
            Cell::Bytes(number) | Cell::Count(number) => rest.push(format!("{head}={number}")),
            Cell::Delta(delta) => rest.push(format!("{head}={delta}")),
            Cell::Empty => {}
        }
    }
    if row.delta.is_some() && row.unit.is_empty() {
        row.unit = "bytes";
    }
    row.detail = rest.join("; ");
    row
}
