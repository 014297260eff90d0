//! [Workflow commands] of GitHub Actions: annotations on a run and on the lines of a Dockerfile.
//!
//! GitHub shows 10 annotations of each kind a step and drops the rest without a word; here the last
//! one says how many more there are.
//!
//! [Workflow commands]: https://docs.github.com/actions/reference/workflow-commands-for-github-actions

#[cfg(test)]
mod tests;

use crate::report::briefing::{Briefing, Level, Notice, State, Subject};

/// Annotations of each kind that GitHub shows of one step.
pub const ANNOTATIONS_MAX: usize = 10;
/// Characters of an annotation's title that GitHub shows.
const TITLE_MAX: usize = 255;
/// Characters of a message: far below GitHub's 64 KiB, as much as anyone reads there.
const MESSAGE_MAX: usize = 4000;

/// A command a line.
pub fn render(briefing: &Briefing) -> Vec<u8> {
    let mut page = String::new();
    let gravest = briefing.gravest();
    for level in [Level::Error, Level::Warning, Level::Note] {
        let mut lines: Vec<String> = Vec::new();
        let headlines =
            briefing.subjects.iter().filter(|subject| headline_level(subject) == Some(level));
        lines.extend(headlines.map(|subject| headline(briefing, subject)));
        let notices = gravest.iter().filter(|(_, notice)| notice.level == level);
        lines.extend(notices.map(|(subject, notice)| annotation(subject, notice)));
        if lines.len() > ANNOTATIONS_MAX {
            let more = lines.len() - (ANNOTATIONS_MAX - 1);
            lines.truncate(ANNOTATIONS_MAX - 1);
            let told = format!("{more} more of this kind: other formats have them");
            lines.push(command(level, &[("title", "and more")], &told));
        }
        page.extend(lines);
    }
    page.into_bytes()
}

/// The kind of a subject's own annotation; `None` where its notices say as much, and where there is
/// nothing to say.
fn headline_level(subject: &Subject) -> Option<Level> {
    let level = match subject.state {
        Some(State::Fail) => Level::Error,
        Some(State::Warn | State::NoBaseline) => Level::Warning,
        Some(State::Pass) | None => Level::Note,
    };
    let is_told = subject.notices.iter().any(|notice| notice.level >= level);
    (!subject.is_quiet && !is_told).then_some(level)
}

fn headline(briefing: &Briefing, subject: &Subject) -> String {
    let title = format!("jettison {}", briefing.about.name());
    let told = format!("{}: {}", subject.name(), subject.headline);
    command(headline_level(subject).unwrap_or(Level::Note), &[("title", &title)], &told)
}

fn annotation(subject: &Subject, notice: &Notice) -> String {
    let (first, last);
    let mut properties = Vec::new();
    if let Some(lines) = &notice.lines {
        (first, last) = (lines.first.to_string(), lines.last.to_string());
        properties.extend([("file", lines.file.as_str()), ("line", &first), ("endLine", &last)]);
    }
    properties.push(("title", &notice.title));
    let told = format!("{} ({})", notice.sentence(), subject.platform);
    command(notice.level, &properties, &told)
}

fn command(level: Level, properties: &[(&str, &str)], message: &str) -> String {
    let kind = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let properties: Vec<String> = properties
        .iter()
        .map(|(name, value)| {
            let max = if *name == "title" { TITLE_MAX } else { MESSAGE_MAX };
            format!("{name}={}", data(&clip(value, max)).replace(':', "%3A").replace(',', "%2C"))
        })
        .collect();
    format!("::{kind} {}::{}\n", properties.join(","), data(&clip(message, MESSAGE_MAX)))
}

/// What ends a command or starts an escape, escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn clip(text: &str, max: usize) -> String {
    let mut short: String = text.chars().take(max).collect();
    if short.len() < text.len() {
        short.pop();
        short.push('…');
    }
    short
}
