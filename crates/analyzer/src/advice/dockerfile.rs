//! Dockerfiles: what they say, which of their lines made which layer, and how to write them
//! better.
//!
//! They are read as BuildKit's parser reads them: line by line, continuations joined, comments and
//! blank lines between them left out, heredocs wherever a RUN, COPY or ADD opens one.

pub mod align;
pub mod edit;
pub mod ignore;
pub mod improve;

mod command;
mod joined;
mod parse;
mod path;
mod run;
mod variable;
mod written;

#[cfg(test)]
mod tests;

use joined::Joined;
pub use parse::{INSTRUCTIONS_MAX, ParseError, TEXT_MAX};

/// A Dockerfile.
#[derive(Clone, Debug)]
pub struct Dockerfile {
    /// Its stages in order; there is at least one.
    pub stages: Vec<Stage>,
    /// The ARGs before the first FROM.
    pub arguments: Vec<Argument>,
    /// What continues a line: `\`, or `` ` `` by the `escape` directive.
    pub escape: char,
    /// The frontend that the `syntax` directive names.
    pub syntax: Option<String>,
    /// The file, as it was parsed.
    text: String,
}

/// An ARG with its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// What it is where nobody says otherwise.
    pub default: Option<String>,
    /// Its line, from 1.
    pub line: usize,
}

/// A FROM and what follows it.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Where it starts from.
    pub from: From,
    /// Its instructions in order, without FROM.
    pub instructions: Vec<Instruction>,
}

/// A FROM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct From {
    /// The image or the stage, as it is written; variables are not put in.
    pub image: String,
    /// The value of `--platform`.
    pub platform: Option<String>,
    /// The name behind AS.
    pub name: Option<String>,
    /// Its first line, from 1.
    pub first: usize,
    /// Its last line.
    pub last: usize,
}

/// An instruction of a stage.
#[derive(Clone, Debug)]
pub struct Instruction {
    /// Its keyword in capitals.
    pub keyword: &'static str,
    /// Its first line, from 1.
    pub first: usize,
    /// Its last line, heredocs included.
    pub last: usize,
    /// In one line, as a builder would write it.
    pub text: String,
    /// What it is about.
    pub body: Body,
    /// The file's own words.
    joined: Joined,
}

/// What an instruction is about.
#[derive(Clone, Debug)]
pub enum Body {
    /// A RUN.
    Run(Run),
    /// A COPY or an ADD.
    Copy(Copy),
    /// What ONBUILD keeps for the images on top.
    Onbuild(Box<Instruction>),
    /// The words of any other instruction, as they are written.
    Other(String),
}

/// A RUN.
#[derive(Clone, Debug)]
pub struct Run {
    /// `--mount=…`, `--network=…`, `--security=…`.
    pub flags: Vec<Flag>,
    /// What it runs.
    pub command: Command,
    /// Where the command starts in the joined text.
    at: usize,
}

/// What a RUN runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A command line for the shell.
    Shell(String),
    /// A program and its arguments.
    Exec(Vec<String>),
    /// A command line with heredocs; where it is nothing but the heredoc, that is the script.
    Heredoc(String, Vec<Heredoc>),
}

/// A COPY or an ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// `--from=…`, `--chown=…`, `--chmod=…`, `--link`.
    pub flags: Vec<Flag>,
    /// What is copied; `<<EOF` for a heredoc.
    pub sources: Vec<String>,
    /// Where to.
    pub destination: String,
    /// Files that are written here.
    pub heredocs: Vec<Heredoc>,
}

/// A flag of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Without `--`.
    pub name: String,
    /// What stands behind `=`.
    pub value: Option<String>,
}

/// A heredoc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends it.
    pub name: String,
    /// Whether variables are put in: the word is not quoted.
    pub expand: bool,
    /// Whether tabs before its lines are dropped: `<<-`.
    pub strip_tabs: bool,
    /// Its lines as they stand in the file.
    pub text: String,
    /// Where they start in the file.
    at: usize,
}

impl Dockerfile {
    /// The stage that is built: the last, or the one of a name or number. `None` where there is
    /// no such stage.
    pub fn target(&self, name: Option<&str>) -> Option<usize> {
        let Some(name) = name else { return self.stages.len().checked_sub(1) };
        let named = self.stage(name, self.stages.len());
        named.or_else(|| name.parse().ok().filter(|at| *at < self.stages.len()))
    }

    /// The last stage of a name before a stage; names are the same in small letters.
    fn stage(&self, name: &str, before: usize) -> Option<usize> {
        let is_it = |stage: &Stage| {
            stage.from.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name))
        };
        self.stages.iter().take(before).rposition(is_it)
    }

    /// The stage that a stage starts from; `None` where that is an image.
    pub fn parent(&self, stage: usize) -> Option<usize> {
        let from = &self.stages.get(stage)?.from;
        self.stage(&variable::global(self).resolve(&from.image)?, stage)
    }

    /// A stage and those that it starts from, the first first.
    pub fn chain(&self, target: usize) -> Vec<usize> {
        let own = Some(target).filter(|stage| *stage < self.stages.len());
        let mut chain: Vec<usize> =
            std::iter::successors(own, |stage| self.parent(*stage)).collect();
        chain.reverse();
        chain
    }

    /// Whether something in it says that BuildKit builds it: a `syntax` directive, a heredoc,
    /// `--mount`, `--link` or `--chmod`.
    pub fn uses_buildkit(&self) -> bool {
        let has_flag = |flags: &[Flag]| {
            flags.iter().any(|flag| ["mount", "link", "chmod"].contains(&flag.name.as_str()))
        };
        let tells = |instruction: &Instruction| match &instruction.body {
            Body::Run(run) => has_flag(&run.flags) || matches!(&run.command, Command::Heredoc(..)),
            Body::Copy(copy) => has_flag(&copy.flags) || !copy.heredocs.is_empty(),
            Body::Onbuild(_) | Body::Other(_) => false,
        };
        self.syntax.is_some() || self.stages.iter().flat_map(|stage| &stage.instructions).any(tells)
    }

    /// The file, as it was parsed.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The value of a flag, if it is there; an empty one where it has none.
fn flag<'a>(flags: &'a [Flag], name: &str) -> Option<&'a str> {
    flags.iter().find(|flag| flag.name == name).map(|flag| flag.value.as_deref().unwrap_or(""))
}
