//! A layer in a sentence: its name, and what brought its files.

use crate::account::Account;
use crate::image::Instruction;

/// What brought a layer's files, as far as advice differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The base image.
    Base,
    /// The archive that the image starts from.
    Root,
    /// A COPY or an ADD of files that stand beside the Dockerfile.
    Context,
    /// A COPY from another stage or image, or an ADD of an archive: nothing that a
    /// `.dockerignore` could leave out.
    Elsewhere,
    /// An ADD of what it downloads.
    Download,
    /// A RUN.
    Run,
    /// Another builder, several instructions, or nobody knows.
    Unknown,
}

/// A layer in a sentence.
pub(crate) struct Layer<'a> {
    pub(crate) number: usize,
    instruction: Option<&'a Instruction>,
    text: String,
    base: bool,
}

/// Commands of a RUN that say by themselves what it does.
const TOOLS: [&str; 7] = ["chmod", "chown", "chgrp", "rm", "mv", "touch", "strip"];
/// What a command ends at, and words in it.
const SEPARATORS: [char; 13] = [' ', '&', ';', '|', '(', ')', '{', '}', '"', '\'', '`', '\n', '\t'];

impl<'a> Layer<'a> {
    pub(crate) fn of(account: &'a Account, number: usize) -> Self {
        let row = &account.layers[number];
        let instruction = row.instruction.as_ref();
        let text = instruction.map(Instruction::text).unwrap_or_default();
        Self { number, instruction, text, base: row.base }
    }

    pub(crate) fn keyword(&self) -> Option<&'static str> {
        self.instruction.and_then(Instruction::keyword)
    }

    /// `RUN chmod #9`, `COPY #3`, `layer #0`.
    pub(crate) fn name(&self) -> String {
        match (self.keyword(), self.tool()) {
            (Some(keyword), Some(tool)) => format!("{keyword} {tool} #{}", self.number),
            (Some(keyword), None) => format!("{keyword} #{}", self.number),
            (None, _) => format!("layer #{}", self.number),
        }
    }

    fn tool(&self) -> Option<&'static str> {
        let command = self.text.strip_prefix("RUN ")?;
        // Of several commands, the first says little of the rest.
        if command.contains(['&', ';', '|', '\n']) {
            return None;
        }
        let first = command.split(' ').next()?;
        TOOLS.into_iter().find(|tool| *tool == first)
    }

    /// Whether `tool` is among the words of its commands.
    pub(crate) fn runs(&self, tool: &str) -> bool {
        self.text.split(SEPARATORS).any(|word| word.rsplit('/').next() == Some(tool))
    }

    /// The flags by which COPY does what its commands do: `--chown`, `--chmod`.
    pub(crate) fn flags(&self) -> Vec<&'static str> {
        let mut flags = Vec::new();
        if self.runs("chown") || self.runs("chgrp") {
            flags.push("--chown");
        }
        if self.runs("chmod") {
            flags.push("--chmod");
        }
        flags
    }

    pub(crate) fn is_copy(&self) -> bool {
        matches!(self.keyword(), Some("COPY" | "ADD"))
    }

    pub(crate) fn source(&self) -> Source {
        if self.base {
            return Source::Base;
        }
        match self.keyword() {
            Some("RUN") => Source::Run,
            Some("COPY") => self.copied(),
            Some("ADD") => self.added(),
            _ => Source::Unknown,
        }
    }

    /// BuildKit does not write `--from` down, but only another stage's paths are absolute.
    fn copied(&self) -> Source {
        let (sources, flags, _) = self.arguments();
        let is_stage = flags.iter().any(|flag| flag.starts_with("--from="))
            || sources.iter().any(|source| source.starts_with('/'));
        if is_stage { Source::Elsewhere } else { Source::Context }
    }

    fn added(&self) -> Source {
        let (sources, _, target) = self.arguments();
        let any = |is: fn(&str) -> bool| sources.iter().any(|source| is(source));
        if any(|source| source.contains("://") || source.starts_with("git@")) {
            Source::Download
        } else if !any(may_be_archive) {
            Source::Context
        } else if self.number == 0 && target == "/" {
            Source::Root
        } else {
            Source::Elsewhere
        }
    }

    /// What a COPY or an ADD copies, its flags, and where to: `COPY a b /to`, or by Docker's
    /// first builder `COPY file:0123… in /to`.
    fn arguments(&self) -> (Vec<&str>, Vec<&str>, &str) {
        let words = self.text.split(' ').skip(1);
        let (flags, mut paths): (Vec<&str>, Vec<&str>) =
            words.partition(|word| word.starts_with("--"));
        let target = paths.pop().unwrap_or_default();
        if paths.last() == Some(&"in") {
            paths.pop();
        }
        (paths, flags, target)
    }
}

/// Docker's first builder names a hash; an archive may be behind it.
fn may_be_archive(source: &str) -> bool {
    let name = source.to_ascii_lowercase();
    source.starts_with("file:")
        || name.contains(".tar")
        || [".tgz", ".tbz", ".txz", ".tzst"].iter().any(|end| name.ends_with(end))
}
