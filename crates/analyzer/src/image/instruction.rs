//! Instructions in their builders' words, and as a Dockerfile would have them.
//!
//! Docker's first builder writes `<shell> #(nop) COPY …` and `|2 A=1 B=2 <shell> make`, BuildKit
//! `COPY … # buildkit` and `RUN |2 A=1 B=2 <shell> make # buildkit`, buildah like the first. All
//! join words with spaces and quote nothing.

mod shell;

#[cfg(test)]
mod tests;

use crate::content::secret::hidden;

/// The instruction that made a layer, or the several that one layer stands for. What is a secret
/// in it is left out: reports are passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The first, as the history has it.
    first: String,
    /// Those after it, where the builder made one layer of several.
    rest: Vec<String>,
}

impl Instruction {
    /// The instruction of rows of the history; `None` where they say nothing.
    pub(crate) fn of<'a>(rows: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut rows = rows.into_iter().filter(|row| !row.trim().is_empty()).map(hidden);
        Some(Self { first: rows.next()?, rest: rows.collect() })
    }

    /// In its builder's words, but for secrets; several in lines of their own.
    pub fn created_by(&self) -> String {
        self.rest.iter().fold(self.first.clone(), |all, row| all + "\n" + row)
    }

    /// As a Dockerfile would have it: `RUN apt-get update`, `COPY . /app`; where the layer stands
    /// for several, `2 instructions: COPY . /app; RUN make`.
    pub fn text(&self) -> String {
        let first = normalise(&self.first);
        if self.rest.is_empty() {
            return first;
        }
        let all = self.rest.iter().fold(first, |all, row| all + "; " + &normalise(row));
        format!("{} instructions: {all}", self.rest.len() + 1)
    }

    /// The Dockerfile's keyword of a single instruction that changes files; `None` where it is
    /// another's, or not a Dockerfile's at all.
    pub fn keyword(&self) -> Option<&'static str> {
        let keyword = keyword(&self.first).filter(|_| self.rest.is_empty())?;
        (!CONFIG.contains(&keyword)).then_some(keyword)
    }
}

/// What changes files.
const FILES: [&str; 4] = ["ADD", "COPY", "RUN", "WORKDIR"];

/// What only changes the config, or starts from an image.
const CONFIG: [&str; 14] = [
    "ARG",
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
];

/// Every keyword of a Dockerfile.
pub(crate) fn keywords() -> impl Iterator<Item = &'static str> {
    FILES.into_iter().chain(CONFIG)
}

/// The Dockerfile's keyword of a row, if it is a Dockerfile's.
pub(super) fn keyword(created_by: &str) -> Option<&'static str> {
    let text = normalise(created_by);
    let word = text.split(' ').next()?;
    keywords().find(|keyword| *keyword == word)
}

/// Whether it is an instruction that only changes the config.
pub(super) fn is_config(created_by: &str) -> bool {
    keyword(created_by).is_some_and(|keyword| CONFIG.contains(&keyword))
}

/// Whether the row names nothing that makes files: it is blank, or the bare shell that buildah
/// writes for a container's own changes.
pub(super) fn is_bare(created_by: &str) -> bool {
    let text = created_by.trim();
    text.is_empty() || (shell::is_shell(text) && !text.contains(char::is_whitespace))
}

/// Whether BuildKit wrote it for an instruction that acts on files.
pub(super) fn is_buildkit(created_by: &str) -> bool {
    created_by.trim_end().ends_with(BUILDKIT)
}

const BUILDKIT: &str = "# buildkit";
const NO_COMMAND: &str = "#(nop)";

/// Folds the builders' ways of writing an instruction into the Dockerfile's.
fn normalise(created_by: &str) -> String {
    let text = created_by.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.strip_suffix(BUILDKIT).unwrap_or(&text).trim_end();
    if let Some(instruction) = without_command(text) {
        return instruction;
    }
    let (is_run, command) = match text.strip_prefix("RUN ") {
        Some(command) => (true, command),
        None => (false, text),
    };
    let (has_arguments, command) = match shell::without_arguments(command) {
        Some(command) => (true, command),
        None => (false, command),
    };
    match shell::command(command) {
        Some(command) => format!("RUN {command}"),
        None if is_run || has_arguments || shell::is_command(command) => format!("RUN {command}"),
        None => text.to_owned(),
    }
}

/// What stands behind `#(nop)`, whatever shell stands before it: a shell's own settings may be
/// any text (`powershell -Command $ErrorActionPreference = 'Stop'; #(nop) COPY …`).
fn without_command(text: &str) -> Option<String> {
    let (before, instruction) = text.split_once(NO_COMMAND)?;
    let instruction = instruction.trim_start();
    let (word, rest) = instruction.split_once(' ').unwrap_or((instruction, ""));
    // buildah leaves the keyword as the file has it.
    let upper = word.to_ascii_uppercase();
    let is_keyword = keywords().any(|keyword| keyword == upper);
    let word = if is_keyword { &upper } else { word };
    // No shell's command that only mentions it.
    let is_whole = shell::command(text).is_some_and(|command| command.starts_with(NO_COMMAND));
    (is_whole || (is_keyword && before.ends_with(' ')))
        .then(|| format!("{word} {rest}").trim_end().to_owned())
}
