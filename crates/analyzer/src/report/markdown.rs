//! GitHub-flavoured Markdown: a comment on a pull request, the summary of a step.
//!
//! GitHub takes [65,536 characters] of a comment and 1 MiB of a step's summary; a page fits both.
//! Its first line is a comment that names the image, by which a workflow finds the comment that it
//! wrote before.
//!
//! [65,536 characters]: https://github.com/orgs/community/discussions/27190

mod fit;
mod text;

#[cfg(test)]
mod tests;

use crate::report::amount;
use crate::report::briefing::{
    Briefing, Cell, Level, Lines, Measured, Notice, State, Subject, Table,
};
use crate::report::fingerprint::sha256;
use jettison_oci::Bytes;
use jettison_oci::change::signed;
use jettison_oci::count::counted;

use self::fit::{Block, Rank, fit, rows_max};
use self::text::{clip, code, code_in_cell, comment, html, leading, plain, unbroken, with_code};

/// Characters of a page, of which GitHub counts each code point as one.
pub const CHARACTERS_MAX: usize = 65_536;

/// Paths told of one notice; other formats have more.
const PATHS: usize = 3;

/// The page.
pub fn render(briefing: &Briefing) -> Vec<u8> {
    let mut blocks = vec![verdict(briefing)];
    if !briefing.is_quiet() {
        let is_only = briefing.subjects.len() == 1;
        for subject in &briefing.subjects {
            of_subject(&mut blocks, subject, is_only);
        }
        blocks.push(next(briefing));
    }
    let mut page = fit(&blocks, CHARACTERS_MAX);
    page.truncate(page.trim_end().len());
    page.push('\n');
    page.into_bytes()
}

/// A part of the page without rows.
fn block(rank: Rank, lead: String) -> Block {
    Block { rank, lead, rows: Vec::new(), unwritten: 0, tail: String::new() }
}

/// A part of the page with a row an item.
fn rows<T>(
    rank: Rank,
    lead: String,
    items: &[T],
    row: impl Fn(&T) -> String,
    tail: String,
) -> Block {
    let written = items.len().min(rows_max(CHARACTERS_MAX));
    let rows = items[..written].iter().map(row).collect();
    Block { rank, lead, rows, unwritten: items.len() - written, tail }
}

/// The marker, and the heading or, where nobody has to read on, the only line.
fn verdict(briefing: &Briefing) -> Block {
    let marker = marker(briefing);
    let icon = state_icon(briefing.state());
    let told = match briefing.subjects.as_slice() {
        [only] => of_image(only, false),
        _ => plain(&briefing.headline),
    };
    let line = if briefing.is_quiet() {
        let icon = if briefing.state().is_none() { "✅ " } else { icon };
        format!("{icon}jettison {}: {}", briefing.about.name(), told)
    } else {
        format!("### {icon}{told}\n")
    };
    block(Rank::Verdict, format!("{marker}\n{line}\n"))
}

/// `<!-- jettison-gate:ghcr.io/acme/app:1 -->`: the same for the same images in any order.
fn marker(briefing: &Briefing) -> String {
    /// Longer names are told by their hash.
    const NAMES_MAX: usize = 400;
    let mut names: Vec<&str> = briefing.subjects.iter().map(Subject::lasting_name).collect();
    names.sort_unstable();
    names.dedup();
    let all = names.join(",");
    let names = comment(&all);
    let names = if names.len() > NAMES_MAX { sha256(&all) } else { names };
    format!("<!-- jettison-{}:{names} -->", briefing.about.name())
}

/// `` `ghcr.io/acme/app`: +41.2 MiB ``.
fn of_image(subject: &Subject, with_platform: bool) -> String {
    let headline = plain(&subject.headline);
    if !with_platform && subject.headline.contains(&subject.image) {
        return headline;
    }
    let platform =
        if with_platform { format!(" ({})", plain(&subject.platform)) } else { String::new() };
    format!("{}{platform}: {headline}", code(&subject.image))
}

fn of_subject(blocks: &mut Vec<Block>, subject: &Subject, is_only: bool) {
    let icon = state_icon(subject.state);
    if subject.is_quiet {
        let line = format!("{icon}{}\n\n", of_image(subject, true));
        blocks.push(block(Rank::Figures, line));
        return;
    }
    if !is_only {
        blocks.push(block(Rank::Figures, format!("#### {icon}{}\n\n", of_image(subject, true))));
    }
    blocks.extend(figures(subject));
    let (failures, others): (Vec<_>, Vec<_>) =
        subject.notices.iter().partition(|notice| notice.level == Level::Error);
    if !failures.is_empty() {
        let row = |one: &&Notice| notice(subject, one);
        blocks.push(rows(Rank::Failures, String::new(), &failures, row, "\n".to_owned()));
    }
    // Lists that are shown stand before what is folded.
    blocks.extend(subject.tables.iter().filter(|table| table.is_open).filter_map(list));
    if !others.is_empty() {
        let count = |level| others.iter().filter(|notice| notice.level == level).count();
        let counts = [(count(Level::Warning), "warning"), (count(Level::Note), "note")];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, word)| counted(count, word)).collect();
        let lead = format!("<details><summary>{}</summary>\n\n", counts.join(", "));
        let tail = "\n</details>\n\n".to_owned();
        blocks.push(rows(Rank::Notices, lead, &others, |one| notice(subject, one), tail));
    }
    blocks.extend(subject.tables.iter().filter(|table| !table.is_open).filter_map(list));
    if !subject.origin.is_empty() {
        let lines: Vec<String> = subject.origin.iter().map(|line| plain(line)).collect();
        let lines = format!("<sub>{}</sub>\n\n", lines.join(" · "));
        blocks.push(block(Rank::Next, lines));
    }
}

/// A row a figure; columns in which none has anything are left out.
fn figures(subject: &Subject) -> Option<Block> {
    let all = &subject.measures;
    let compared = all.iter().any(|figure| figure.base.is_some());
    let asked = all.iter().any(|figure| figure.budget.is_some() || figure.state.is_some());
    let columns = |always: [String; 2], compared_with: [&str; 2], asked_of: &str| {
        let [name, this] = always;
        let [base, change] = compared_with;
        let mut row = format!("| {name} |");
        for (is_shown, cell) in
            [(compared, base), (true, this.as_str()), (compared, change), (asked, asked_of)]
        {
            if is_shown {
                row = format!("{row} {cell} |");
            }
        }
        row + "\n"
    };
    let head = format!("metric ({})", plain(&subject.platform));
    let head = columns([head, "this".to_owned()], ["base", "Δ"], "budget");
    let rule = columns(["---".to_owned(), "--:".to_owned()], ["--:", "--:"], "---");
    let row = |figure: &Measured| {
        let told = |value: Option<u64>| {
            let text =
                value.map_or_else(|| "n/a".to_owned(), |value| amount::told(figure.unit, value));
            unbroken(&text)
        };
        let change = match (figure.base, figure.value) {
            (Some(base), Some(value)) => amount::change(figure.unit, base, value),
            _ => String::new(),
        };
        let budget = match &figure.budget {
            Some(budget) => format!("{} {}", plain(budget), state_icon(figure.state)),
            None if figure.state.is_some() => state_icon(figure.state).to_owned(),
            None => "not gated".to_owned(),
        };
        let this = told(figure.value);
        columns([plain(&figure.name), this], [&told(figure.base), &change], budget.trim_end())
    };
    (!all.is_empty()).then(|| rows(Rank::Figures, head + &rule, all, row, "\n".to_owned()))
}

/// `- ⚠️ **title** (rule): message. help. Dockerfile:12. paths`.
fn notice(subject: &Subject, notice: &Notice) -> String {
    let icon = match notice.level {
        Level::Error => "❌",
        Level::Warning => "⚠️",
        Level::Note => "ℹ️",
    };
    // The page says already which image it is about.
    let message = notice.message.strip_prefix(&subject.image);
    let message = message.and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&notice.message);
    let (title, id) = (plain(&notice.title), code(&notice.id));
    let mut row = format!("- {icon} **{title}** ({id}): {}", plain(message));
    if let Some(help) = &notice.help {
        row = format!("{row}. *What to do:* {}", plain(help));
    }
    if let Some(Lines { file, first, last }) = &notice.lines {
        let lines = if first == last { first.to_string() } else { format!("{first}-{last}") };
        row = format!("{row}. {}", code(&format!("{}:{lines}", clip(file))));
    }
    let paths = notice.paths.iter().take(PATHS).map(|path| code(&format!("/{path}")));
    let mut paths: Vec<String> = paths.collect();
    if !paths.is_empty() {
        // How many there are, the message says.
        if notice.paths.len() > PATHS {
            paths.push("…".to_owned());
        }
        row = format!("{row}. {}", paths.join(", "));
    }
    row + "\n"
}

fn list(table: &Table) -> Option<Block> {
    if table.rows.is_empty() && table.rest.is_none() {
        return None;
    }
    let is_number = |column: usize| {
        let mut cells = table.rows.iter().filter_map(|row| row.get(column));
        cells
            .find(|cell| **cell != Cell::Empty)
            .is_some_and(|cell| matches!(cell, Cell::Bytes(_) | Cell::Delta(_) | Cell::Count(_)))
    };
    let (front, end) = if table.is_open {
        (format!("**{}**\n\n", plain(&table.title)), String::new())
    } else {
        let title = html(&table.title);
        (format!("<details><summary>{title}</summary>\n\n"), "</details>\n\n".to_owned())
    };
    let heads: Vec<String> = table.columns.iter().map(|head| plain(head)).collect();
    let rules = (0..table.columns.len()).map(|at| if is_number(at) { "--:" } else { "---" });
    let rules: Vec<&str> = rules.collect();
    let lead = if table.rows.is_empty() {
        front
    } else {
        format!("{front}| {} |\n| {} |\n", heads.join(" | "), rules.join(" | "))
    };
    let row = |cells: &Vec<Cell>| {
        let cells: Vec<String> = cells.iter().map(cell).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rest = table.rest.as_ref().map(|rest| format!("\n{}\n", leading(rest)));
    let tail = format!("{}\n{end}", rest.unwrap_or_default());
    Some(rows(Rank::Lists, lead, &table.rows, row, tail))
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => plain(text),
        Cell::Code(text) => code_in_cell(text),
        Cell::Bytes(count) => unbroken(&Bytes(*count).to_string()),
        Cell::Delta(delta) => unbroken(&signed(*delta)),
        Cell::Count(count) => count.to_string(),
        Cell::Empty => String::new(),
    }
}

/// What to do next, and who says so.
fn next(briefing: &Briefing) -> Block {
    let (lead, items) = match briefing.next.as_slice() {
        [] => (String::new(), &[][..]),
        [one] => (format!("**Next**: {}\n", with_code(one)), &[][..]),
        several => ("**Next**:\n\n".to_owned(), several),
    };
    let space = if lead.is_empty() { "" } else { "\n" };
    let tool = format!("{space}<sub>jettison {}</sub>\n", env!("CARGO_PKG_VERSION"));
    rows(Rank::Next, lead, items, |line| format!("- {}\n", with_code(line)), tool)
}

/// With the space behind it.
const fn state_icon(state: Option<State>) -> &'static str {
    match state {
        Some(State::Pass) => "✅ ",
        Some(State::NoBaseline) => "⚪ ",
        Some(State::Warn) => "⚠️ ",
        Some(State::Fail) => "❌ ",
        None => "",
    }
}
