//! What a gate tells.

use jettison_oci::change::signed;
use jettison_oci::count::counted;
use jettison_oci::escape;

use crate::gate::budget::Subject as Of;
use crate::gate::cause::{Cause, name, next, said};
use crate::gate::gated::{Against, Gated};
use crate::gate::grown::{GrownPart, GrownRow};
use crate::gate::judge::{Check, Limit, Verdict};
use crate::gate::measure::{Measure, Metric};
use crate::report::Detail;
use crate::report::briefing::{
    About, Briefing, Cell, Level, Lines, Measured, Notice, Subject, Table, Unit,
};
use crate::report::gate_text::origin;
use crate::report::model::gate::{residue, verdict};
use crate::report::model::path_text;

/// Paths named of one notice.
const PATHS_MAX: usize = 100;

/// The briefing of a gate; lists are cut by `detail.top`. Changes up to `threshold` bytes are quiet
/// where all is within budget.
pub fn gate(all: &[Gated], detail: Detail, threshold: u64) -> Briefing {
    let worst = verdict(all);
    let of = all.iter().filter(|gated| gated.verdict == worst).count();
    Briefing {
        about: About::Gate,
        headline: format!("{}: {of} of {}", worst.name(), counted(all.len(), "image")),
        subjects: all.iter().map(|gated| subject(gated, detail, threshold)).collect(),
        next: next(all),
    }
}

fn subject(gated: &Gated, detail: Detail, threshold: u64) -> Subject {
    let snapshot = &gated.snapshot;
    let first = gated.checks.first().filter(|check| check.verdict != Verdict::Pass);
    let headline = match (first, &gated.grown) {
        (Some(check), _) => check.message.clone(),
        (None, Some(grown)) if grown.rows.is_empty() => "nothing changed".to_owned(),
        (None, Some(grown)) => format!("{} of files, within budget", signed(grown.effective)),
        (None, None) if gated.verdict == Verdict::NoBaseline => {
            "there is no baseline to compare with".to_owned()
        }
        (None, None) => "within budget".to_owned(),
    };
    Subject {
        image: snapshot.image.clone(),
        platform: snapshot.platform.clone(),
        state: Some(gated.verdict),
        headline,
        is_quiet: gated.is_quiet(threshold),
        measures: measures(gated),
        notices: notices(gated),
        tables: tables(gated, detail),
        origin: sources(gated),
    }
}

fn measures(gated: &Gated) -> Vec<Measured> {
    let (old, new) = (gated.old.as_ref(), &gated.snapshot);
    let mut rows = Vec::new();
    for metric in Metric::all() {
        let (base, value) = (
            old.and_then(|old| old.metrics.get(&metric).copied()),
            new.metrics.get(&metric).copied(),
        );
        let checks: Vec<&Check> = gated
            .checks
            .iter()
            .filter(|check| matches!(check.subject, Some(Of::Metric(of)) if of == metric))
            .collect();
        let is_shown = !checks.is_empty()
            || value.is_some()
                && matches!(
                    metric.measure,
                    Measure::Compressed | Measure::Uncompressed | Measure::Effective
                )
            || base.is_some() && base != value;
        if is_shown {
            let unit = if metric.measure == Measure::Layers { Unit::Count } else { Unit::Bytes };
            rows.push(measured(metric.to_string(), unit, base, value, &checks));
        }
    }
    // What is no metric stands by itself: each subject once.
    let mut names: Vec<&str> = Vec::new();
    for check in &gated.checks {
        let is_metric = matches!(check.subject, Some(Of::Metric(_)));
        if is_metric || check.subject.is_none() || names.contains(&check.name.as_str()) {
            continue;
        }
        names.push(&check.name);
        let same: Vec<&Check> =
            gated.checks.iter().filter(|other| other.name == check.name).collect();
        let is_share = check.subject.as_ref().is_some_and(Of::is_share);
        let unit = if is_share { Unit::Millionths } else { Unit::Bytes };
        rows.push(measured(check.name.clone(), unit, check.base, Some(check.value), &same));
    }
    rows
}

fn measured(
    name: String,
    unit: Unit,
    base: Option<u64>,
    value: Option<u64>,
    checks: &[&Check],
) -> Measured {
    let budgets: Vec<String> = checks.iter().map(|check| check.allowed.clone()).collect();
    Measured {
        name,
        unit,
        base,
        value,
        budget: (!budgets.is_empty()).then(|| budgets.join(", ")),
        state: checks.iter().map(|check| check.verdict).max(),
    }
}

fn notices(gated: &Gated) -> Vec<Notice> {
    let image = &gated.snapshot.image;
    let mut notices: Vec<Notice> = gated
        .checks
        .iter()
        .filter(|check| check.verdict != Verdict::Pass)
        .map(|check| notice(gated, check))
        .collect();
    if gated.verdict == Verdict::NoBaseline
        && !notices.iter().any(|notice| notice.level == Level::Error)
        && let Against::Missing(place) = &gated.against
    {
        notices.push(Notice {
            id: "gate-no-baseline".to_owned(),
            title: "no baseline".to_owned(),
            level: Level::Warning,
            message: format!("{image}: {} does not have this image", escape::line(place)),
            help: next(std::slice::from_ref(gated)).into_iter().next(),
            lines: None,
            paths: Vec::new(),
            bytes: 0,
            figure: None,
            fingerprint: vec!["gate-no-baseline".to_owned(), image.clone()],
        });
    }
    let rows = gated.grown.iter().flat_map(|grown| &grown.rows);
    for row in rows {
        let Some(bytes) = row.rebuilt else { continue };
        let instruction = name(row, gated);
        notices.push(Notice {
            id: "gate-rebuilt".to_owned(),
            title: "rebuilt with the same content".to_owned(),
            level: Level::Note,
            message: format!(
                "{image}: {instruction} was made anew with the same files: {} are sent again",
                jettison_oci::Bytes(bytes)
            ),
            help: Some("keep the times of files out of the layer, or its cache".to_owned()),
            lines: lines(gated, row.new),
            paths: Vec::new(),
            bytes,
            figure: None,
            fingerprint: vec!["gate-rebuilt".to_owned(), image.clone(), instruction],
        });
    }
    notices
}

fn lines(gated: &Gated, layer: Option<usize>) -> Option<Lines> {
    let (file, first, last) = gated.lines(layer)?;
    Some(Lines { file: file.to_owned(), first, last })
}

fn notice(gated: &Gated, check: &Check) -> Notice {
    let image = &gated.snapshot.image;
    let cause = Cause::of(gated, check);
    let level = match check.verdict {
        Verdict::Fail => Level::Error,
        Verdict::Warn | Verdict::NoBaseline => Level::Warning,
        Verdict::Pass => Level::Note,
    };
    let id = match (check.limit, check.name.strip_prefix("rule ")) {
        (Limit::Deny, Some(rule)) => rule.to_owned(),
        (limit, _) => format!("gate-{}", limit.name()),
    };
    let paths = if check.paths.is_empty() {
        cause.as_ref().map(|cause| cause.paths.clone()).unwrap_or_default()
    } else {
        check.paths.clone()
    };
    let paths = paths.into_iter().map(|path| path.trim_start_matches('/').to_owned());
    Notice {
        title: title(check),
        level,
        message: said(gated, check, cause.as_ref()),
        help: Some(format!("make it smaller, or {}", check.change())),
        lines: lines(gated, cause.and_then(|cause| cause.layer).or(check.layer)),
        paths: paths.take(PATHS_MAX).collect(),
        bytes: if check.over > 0 { check.over } else { check.value },
        figure: check.subject.as_ref().map(|_| check.name.clone()),
        fingerprint: vec![id.clone(), image.clone(), check.name.clone()],
        id,
    }
}

fn title(check: &Check) -> String {
    match check.limit {
        Limit::Max => format!("{} is over its maximum", check.name),
        Limit::Min => format!("{} is below its minimum", check.name),
        Limit::Warn => format!("{} is over its mark", check.name),
        Limit::MaxIncrease | Limit::MaxIncreasePercent => format!("{} grew", check.name),
        Limit::Deny => format!("{} is denied", check.name),
        Limit::RequireBaseline => "a baseline is required".to_owned(),
    }
}

fn tables(gated: &Gated, detail: Detail) -> Vec<Table> {
    let mut tables = Vec::new();
    if let Some(grown) = &gated.grown
        && !grown.rows.is_empty()
    {
        tables.push(who_grew(gated, &grown.rows, detail));
        tables.push(parts(gated, &grown.rows, detail));
        tables.push(files(gated, &grown.rows, detail));
        let residue = residue(gated, grown);
        let rows: Vec<Vec<Cell>> = [("files", grown.effective)]
            .into_iter()
            .chain(residue)
            .chain([("tars", grown.uncompressed)])
            .map(|(name, bytes)| vec![Cell::Text(name.to_owned()), Cell::Delta(bytes)])
            .collect();
        tables.push(Table {
            title: "From files to tars".to_owned(),
            name: "residue",
            columns: vec!["what", "change"],
            rows,
            rest: None,
            is_open: false,
        });
    }
    tables.push(limits(gated));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// What is said of rows that are left out.
fn rest<T>(rows: &[T], delta: impl Fn(&T) -> i64) -> Option<String> {
    let sum = rows.iter().map(delta).sum();
    (!rows.is_empty()).then(|| format!("{} more: {}", rows.len(), signed(sum)))
}

fn who_grew(gated: &Gated, rows: &[GrownRow], detail: Detail) -> Table {
    let (shown, left) = rows.split_at(detail.top.min(rows.len()));
    let row = |row: &GrownRow| {
        let line = gated.lines(row.new).map(|(file, first, _)| format!("{file}:{first}"));
        let most: Vec<String> = row
            .parts
            .iter()
            .filter(|part| part.delta() != 0)
            .take(3)
            .map(|part| format!("{} {}", part.title(), signed(part.delta())))
            .collect();
        vec![
            Cell::Code(name(row, gated)),
            line.map_or(Cell::Empty, Cell::Text),
            Cell::Text(row.state.name().to_owned()),
            Cell::Delta(row.effective),
            Cell::Delta(row.uncompressed),
            row.compressed.map_or(Cell::Empty, Cell::Delta),
            Cell::Text(most.join(", ")),
        ]
    };
    Table {
        title: "Who grew".to_owned(),
        name: "who-grew",
        columns: vec!["instruction", "line", "layer", "files", "tar", "blob", "most of it"],
        rows: shown.iter().map(row).collect(),
        rest: rest(left, |row| row.effective),
        is_open: true,
    }
}

fn parts(gated: &Gated, rows: &[GrownRow], detail: Detail) -> Table {
    let mut all: Vec<(&GrownRow, &GrownPart)> =
        rows.iter().flat_map(|row| row.parts.iter().map(move |part| (row, part))).collect();
    all.sort_by_key(|(row, part)| {
        (std::cmp::Reverse(part.delta().unsigned_abs()), part.part.clone(), row.new, row.old)
    });
    let (shown, left) = all.split_at(detail.top.min(all.len()));
    let row = |(row, part): &(&GrownRow, &GrownPart)| {
        vec![
            Cell::Text(part.part.kind().to_owned()),
            Cell::Code(part.title()),
            Cell::Bytes(part.old),
            Cell::Bytes(part.new),
            Cell::Delta(part.delta()),
            Cell::Code(name(row, gated)),
        ]
    };
    Table {
        title: "Packages and directories".to_owned(),
        name: "packages",
        columns: vec!["kind", "name", "before", "now", "change", "instruction"],
        rows: shown.iter().map(row).collect(),
        rest: rest(left, |(_, part)| part.delta()),
        is_open: false,
    }
}

fn files(gated: &Gated, rows: &[GrownRow], detail: Detail) -> Table {
    let mut all: Vec<(&GrownRow, &GrownPart, &crate::gate::grown::GrownFile)> = rows
        .iter()
        .flat_map(|row| row.parts.iter().map(move |part| (row, part)))
        .flat_map(|(row, part)| part.files.iter().flatten().map(move |file| (row, part, file)))
        .collect();
    all.sort_by(|a, b| {
        b.2.delta()
            .unsigned_abs()
            .cmp(&a.2.delta().unsigned_abs())
            .then_with(|| a.2.path.cmp(&b.2.path))
            .then_with(|| (a.0.new, a.0.old).cmp(&(b.0.new, b.0.old)))
    });
    let (shown, left) = all.split_at(detail.top.min(all.len()));
    let row = |(row, part, file): &(&GrownRow, &GrownPart, &crate::gate::grown::GrownFile)| {
        vec![
            Cell::Code(path_text(&file.path)),
            Cell::Bytes(file.old),
            Cell::Bytes(file.new),
            Cell::Delta(file.delta()),
            Cell::Text(part.part.name().to_owned()),
            Cell::Code(name(row, gated)),
            Cell::Text(origin(file).trim_start_matches(" (").trim_end_matches(')').to_owned()),
        ]
    };
    Table {
        title: "Files".to_owned(),
        name: "files",
        columns: vec!["path", "before", "now", "change", "of", "instruction", "besides"],
        rows: shown.iter().map(row).collect(),
        rest: rest(left, |(.., file)| file.delta()),
        is_open: false,
    }
}

fn limits(gated: &Gated) -> Table {
    let row = |check: &Check| {
        vec![
            Cell::Text(check.verdict.name().to_owned()),
            Cell::Text(check.name.clone()),
            Cell::Text(check.limit.name().to_owned()),
            Cell::Text(check.allowed.clone()),
            Cell::Text(check.message.clone()),
            Cell::Code(check.place.clone()),
        ]
    };
    Table {
        title: "Limits".to_owned(),
        name: "limits",
        columns: vec!["state", "of", "limit", "allowed", "what is so", "where"],
        rows: gated.checks.iter().map(row).collect(),
        rest: None,
        is_open: false,
    }
}

fn sources(gated: &Gated) -> Vec<String> {
    let of = |snapshot: &crate::gate::Snapshot| {
        let digest = snapshot.manifest_digest.as_ref().unwrap_or(&snapshot.config_digest);
        let commit = snapshot.commit.as_ref().map(|commit| format!(" of commit {commit}"));
        format!("{digest}{}", commit.unwrap_or_default())
    };
    let mut lines = vec![format!("this: {} {}", escape::line(&gated.origin), of(&gated.snapshot))];
    match (&gated.against, &gated.old) {
        (Against::Baseline(place) | Against::Image(place), Some(old)) => {
            lines.push(format!("base: {} {}", escape::line(place), of(old)));
        }
        (Against::Missing(place), _) => {
            lines.push(format!("base: none in {}", escape::line(place)));
        }
        _ => lines.push("base: none".to_owned()),
    }
    lines.extend(gated.accepted.iter().map(|reason| format!("accepted: {}", escape::line(reason))));
    lines.extend(gated.notes.iter().cloned());
    lines
}
