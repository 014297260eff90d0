//! Changes of some bytes of a Dockerfile, as an edit of whole lines.

use super::super::command::{Command, Operator};
use super::super::edit::Edit;
use super::{Build, Step};
use crate::advice::dockerfile::run::Script;

/// Bytes of the file that become others.
pub(super) struct Change {
    start: usize,
    end: usize,
    text: String,
}

impl Change {
    /// Puts text in at a place.
    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { start: at, end: at, text: text.into() }
    }

    /// Puts text in the place of other.
    pub(super) fn replace(start: usize, end: usize, text: impl Into<String>) -> Self {
        Self { start, end, text: text.into() }
    }
}

/// The edit that makes changes; `None` where there are none, or they overlap.
pub(super) fn edit(text: &str, mut changes: Vec<Change>) -> Option<Edit> {
    changes.sort_by_key(|change| (change.start, change.end));
    let from = changes.first()?.start;
    let to = changes.iter().map(|change| change.end).max()?;
    let from = text.get(..from)?.rfind('\n').map_or(0, |at| at + 1);
    // What ends with a line does not touch the next one.
    let is_whole = changes.last().is_some_and(|change| change.start < change.end)
        && text.as_bytes().get(to.saturating_sub(1)) == Some(&b'\n');
    let behind = || text.get(to..)?.find('\n').map(|at| to + at + 1);
    let to = if is_whole { to } else { behind().unwrap_or(text.len()) };
    let mut new = String::new();
    let mut done = from;
    for change in &changes {
        new.push_str(text.get(done..change.start)?);
        new.push_str(&change.text);
        done = change.end;
    }
    new.push_str(text.get(done..to)?);
    let line = |at: usize| memchr::memchr_iter(b'\n', &text.as_bytes()[..at]).count() + 1;
    let (first, last) = (line(from), line(to.saturating_sub(1).max(from)));
    let whole = new.strip_suffix('\n').unwrap_or(&new);
    let lines = whole.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned());
    let lines = if new.is_empty() { Vec::new() } else { lines.collect() };
    Some(Edit { first, last, lines })
}

impl Build<'_> {
    /// Where a line of the file starts, from 1; the end of the file where there is no such line.
    pub(super) fn line_start(&self, line: usize) -> usize {
        let text = self.file.text();
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        std::iter::once(0).chain(ends).nth(line.saturating_sub(1)).unwrap_or(text.len())
    }

    /// What the lines of a step are indented by behind its first.
    fn indent(&self, step: &Step<'_>) -> String {
        let lines = self.file.text().lines().skip(step.instruction.first);
        let count = step.instruction.last - step.instruction.first;
        let mut indents = lines.take(count).filter_map(|line| {
            let content = line.trim_start();
            let is_plain = !content.is_empty() && !content.starts_with('#');
            is_plain.then(|| &line[..line.len() - content.len()])
        });
        indents.find(|indent| !indent.is_empty()).unwrap_or("    ").to_owned()
    }

    /// Runs one more command at the end of a RUN; in a heredoc, behind `command`.
    pub(super) fn append(
        &self,
        step: &Step<'_>,
        script: &Script<'_>,
        command: &Command,
        new: &str,
    ) -> Option<Change> {
        if script.is_heredoc() {
            let is_plain = |operator| {
                use Operator::{And, End, Newline, Semicolon};
                matches!(operator, And | End | Newline | Semicolon)
            };
            let fits = !command.nested && is_plain(command.before) && is_plain(command.after);
            let at = script.behind(command.end);
            return fits.then(|| Change::insert(at, format!(" && {new}")));
        }
        let at = script.behind(script.end()?);
        let start = self.line_start(step.instruction.first);
        let is_long = self.file.text().get(start..at)?.contains('\n');
        let text = if is_long {
            format!(" {}\n{}&& {new}", self.file.escape, self.indent(step))
        } else {
            format!(" && {new}")
        };
        Some(Change::insert(at, text))
    }

    /// Gives a RUN mounts.
    pub(super) fn mount(&self, step: &Step<'_>, script: &Script<'_>, mounts: &[&str]) -> Change {
        let indent = self.indent(step);
        let mount =
            |mount: &&str| format!("--mount=type=cache,{mount} {}\n{indent}", self.file.escape);
        Change::insert(script.start(step.instruction), mounts.iter().map(mount).collect::<String>())
    }
}
