//! A gate for a terminal.

use jettison_oci::change::{percent, signed, with_sign};
use jettison_oci::count::counted;
use jettison_oci::escape;

use crate::diff::delta;
use crate::gate::cause::{name, next};
use crate::gate::gated::{Against, Gated};
use crate::gate::grown::{Grown, GrownFile, GrownPart, GrownRow, Origin};
use crate::gate::judge::{Check, Verdict};
use crate::gate::measure::{Measure, Metric};
use crate::report::Detail;
use crate::report::model::gate::{residue, verdict};
use crate::report::model::path_text;
use crate::report::page::{Page, Style, Tone};

/// Columns of bytes with their sign.
const BYTES: usize = 11;
/// Packages and directories shown of one instruction, and files of one of those: the head of the
/// story; JSON has all.
const PARTS: usize = 5;
const FILES: usize = 3;

/// The page that `jettison gate` prints.
pub fn render(all: &[Gated], detail: Detail, style: Style) -> Vec<u8> {
    let mut page = Page::new(style);
    for (at, gated) in all.iter().enumerate() {
        if at > 0 {
            page.blank();
        }
        one(&mut page, gated, detail);
    }
    let next = next(all);
    if !next.is_empty() {
        page.heading("Next");
        for line in next {
            page.wrapped("  ", &line);
        }
    }
    if all.len() > 1 {
        page.blank();
        let count = |verdict| all.iter().filter(|gated| gated.verdict == verdict).count();
        let counts: Vec<String> =
            [Verdict::Fail, Verdict::Warn, Verdict::NoBaseline, Verdict::Pass]
                .into_iter()
                .filter(|verdict| count(*verdict) > 0)
                .map(|verdict| format!("{} {}", count(verdict), verdict.name()))
                .collect();
        page.line(&format!("{}: {}", verdict(all).name(), counts.join(", ")));
    }
    page.finish()
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Live,
        Verdict::NoBaseline | Verdict::Warn => Tone::Duplicate,
        Verdict::Fail => Tone::Wasted,
    }
}

fn one(page: &mut Page, gated: &Gated, detail: Detail) {
    let verdict = page.tone(tone(gated.verdict), gated.verdict.name());
    let image = &gated.snapshot;
    if gated.is_quiet(0) {
        let what = if gated.old.is_some() { "nothing changed" } else { "all within budget" };
        return page.line(&format!("{verdict}  {} ({}): {what}", image.image, image.platform));
    }
    page.line(&format!("{verdict}  {} ({})", image.image, image.platform));
    let against = match &gated.against {
        Against::Nothing => "compared with nothing: --baseline FILE or --against IMAGE".to_owned(),
        Against::Missing(place) => format!("NO BASELINE: {place} does not have this image"),
        Against::Baseline(file) => {
            let commit = gated.old.as_ref().and_then(|old| old.commit.as_ref());
            let commit = commit.map(|commit| format!(", commit {commit}")).unwrap_or_default();
            format!("compared with {}{commit}", escape::line(file))
        }
        Against::Image(origin) => format!("compared with {}", escape::line(origin)),
    };
    page.wrapped("      ", &against);
    figures(page, gated);
    checks(page, gated);
    if let Some(reason) = &gated.accepted {
        page.wrapped("      ", &format!("increases are accepted: {}", escape::line(reason)));
    }
    for note in &gated.notes {
        page.wrapped("note  ", note);
    }
    if let Some(grown) = &gated.grown {
        who_grew(page, gated, grown, detail);
    }
}

/// Figures that every report shows, where they are known.
const FIGURES: [Measure; 3] = [Measure::Compressed, Measure::Uncompressed, Measure::Effective];

fn figures(page: &mut Page, gated: &Gated) {
    let (old, new) = (gated.old.as_ref(), &gated.snapshot);
    page.blank();
    let head = format!("  {:<19}{:>12}{:>12}{:>12}  ", "", "before", "now", "change");
    let head = page.tone(Tone::Faint, &head);
    page.line(&head);
    for metric in Metric::all() {
        let value = new.metrics.get(&metric).copied();
        let base = old.and_then(|old| old.metrics.get(&metric).copied());
        let is_asked = gated.checks.iter().any(|check| check.name == metric.to_string());
        let is_moved = base.is_some() && base != value;
        if !(FIGURES.contains(&metric.measure) || is_asked || is_moved)
            || (value.is_none() && base.is_none() && metric.own)
        {
            continue;
        }
        let shown =
            |value: Option<u64>| value.map_or_else(|| "n/a".to_owned(), |v| metric.shown(v));
        let before = if old.is_some() { shown(base) } else { "-".to_owned() };
        let change = match (base, value) {
            (Some(base), Some(value)) if metric.measure == Measure::Layers => {
                let by = delta(base, value);
                with_sign(by, &by.unsigned_abs().to_string())
            }
            (Some(base), Some(value)) => signed(delta(base, value)),
            _ => String::new(),
        };
        let share = base.zip(value).and_then(|(base, value)| percent(base, value));
        let share = share.unwrap_or_default();
        let now = shown(value);
        page.line(&format!(
            "  {:<19}{before:>12}{now:>12}{change:>12}  {share}",
            metric.to_string()
        ));
    }
}

fn checks(page: &mut Page, gated: &Gated) {
    if gated.checks.is_empty() {
        return;
    }
    page.blank();
    let passed = gated.checks.iter().filter(|check| check.verdict == Verdict::Pass).count();
    for check in gated.checks.iter().filter(|check| check.verdict != Verdict::Pass) {
        let front = match check.verdict {
            Verdict::Fail => "FAIL  ",
            Verdict::Warn => "warn  ",
            _ => "?     ",
        };
        page.wrapped_behind(tone(check.verdict), front, &check.message);
        paths(page, check);
    }
    if passed > 0 {
        let tightest = gated
            .checks
            .iter()
            .filter(|check| check.verdict == Verdict::Pass)
            .filter_map(|check| Some((check.headroom?, check)))
            .min_by_key(|(room, check)| (*room, check.name.clone()));
        let room = tightest.and_then(|(room, check)| {
            Some(format!(
                "; nearest to its limit: {}, {} left",
                check.name,
                check.subject.as_ref()?.shown(room)
            ))
        });
        let kept = match passed {
            1 => "1 limit is kept".to_owned(),
            passed => format!("{passed} limits are kept"),
        };
        page.wrapped("ok    ", &format!("{kept}{}", room.unwrap_or_default()));
    }
}

fn paths(page: &mut Page, check: &Check) {
    for path in check.paths.iter().take(PARTS) {
        page.path("      ", path);
    }
}

fn who_grew(page: &mut Page, gated: &Gated, grown: &Grown, detail: Detail) {
    if grown.rows.is_empty() {
        return;
    }
    page.heading(&format!(
        "Who grew: files {}, tars {}{}",
        signed(grown.effective),
        signed(grown.uncompressed),
        grown.compressed.map(|bytes| format!(", blobs {}", signed(bytes))).unwrap_or_default()
    ));
    let (shown, rest) = grown.rows.split_at(detail.top.min(grown.rows.len()));
    for row in shown {
        instruction(page, gated, row);
    }
    if !rest.is_empty() {
        let bytes = signed(rest.iter().map(|row| row.effective).sum());
        let text =
            format!("{bytes:>BYTES$}  in {} (--top)", counted(rest.len(), "more instruction"));
        let text = page.tone(Tone::Faint, &text);
        page.line(&text);
    }
    for (name, bytes) in residue(gated, grown) {
        if bytes != 0 {
            let text = format!("{:>BYTES$}  of tars: {name}", signed(bytes));
            let text = page.tone(Tone::Faint, &text);
            page.line(&text);
        }
    }
}

fn instruction(page: &mut Page, gated: &Gated, row: &GrownRow) {
    let line = gated.lines(row.new).map(|(file, first, _)| format!("{file}:{first} "));
    let base = if row.is_base { "base: " } else { "" };
    let text = format!("{}{base}{}", line.unwrap_or_default(), name(row, gated));
    page.clipped(&format!("{:>BYTES$}  {:<8}", signed(row.effective), row.state.name()), &text);
    if let Some(bytes) = row.rebuilt {
        let bytes = jettison_oci::Bytes(bytes);
        page.wrapped(
            &format!("{:BYTES$}            ", ""),
            &format!("made anew with the same files: {bytes} are sent again"),
        );
    }
    if let Some(bytes) = row.compressed.filter(|_| row.is_recompressed()) {
        page.wrapped(
            &format!("{:BYTES$}            ", ""),
            &format!("compressed anew: its blob changed by {}", signed(bytes)),
        );
    }
    let (shown, rest) = row.parts.split_at(PARTS.min(row.parts.len()));
    for part in shown {
        of_part(page, part);
    }
    if !rest.is_empty() {
        let bytes = signed(rest.iter().map(GrownPart::delta).sum());
        let text = format!("{:BYTES$}  {bytes:>BYTES$}  in {} more", "", rest.len());
        let text = page.tone(Tone::Faint, &text);
        page.line(&text);
    }
}

fn of_part(page: &mut Page, part: &GrownPart) {
    let bytes = signed(part.delta());
    page.path(&format!("{:BYTES$}  {bytes:>BYTES$}  ", ""), &part.title());
    let files = part.files.as_deref().unwrap_or_default();
    let (shown, rest) = files.split_at(FILES.min(files.len()));
    for file in shown {
        let bytes = signed(file.delta());
        let text = format!("{}{}", path_text(&file.path), origin(file));
        page.path(&format!("{:BYTES$}  {:BYTES$}  {bytes:>BYTES$}  ", "", ""), &text);
    }
    if !rest.is_empty() {
        let bytes = signed(rest.iter().map(GrownFile::delta).sum());
        let text = format!(
            "{:BYTES$}  {:BYTES$}  {bytes:>BYTES$}  in {}",
            "",
            "",
            counted(rest.len(), "more file")
        );
        let text = page.tone(Tone::Faint, &text);
        page.line(&text);
    }
}

/// What is known of a file's content besides.
pub(crate) fn origin(file: &GrownFile) -> String {
    match &file.origin {
        Origin::Unknown => String::new(),
        Origin::MovedFrom(path) => format!(" (moved from {})", path_text(path)),
        Origin::MovedTo(path) => format!(" (moved to {})", path_text(path)),
        Origin::CopyOf(path) => format!(" (a copy of {})", path_text(path)),
        Origin::SameContent => " (the same file in another layer)".to_owned(),
    }
}
