//! The shell script of a RUN, and where its parts stand in the file.

use super::command::{Command, Operator, commands};
use super::joined::Joined;
use super::{Body, Flag, Heredoc, Instruction, Run};

/// A RUN whose command is a shell's.
#[derive(Debug)]
pub(super) struct Script<'a> {
    /// The RUN.
    pub(super) run: &'a Run,
    /// Its commands, in order.
    pub(super) commands: Vec<Command>,
    place: Place<'a>,
    text: &'a str,
}

#[derive(Debug)]
enum Place<'a> {
    /// The instruction's own line, and where the command starts in it.
    Line(&'a Joined, usize),
    /// A heredoc, and where it starts in the file.
    Heredoc(usize),
}

impl<'a> Script<'a> {
    /// The script of a RUN; `None` for other instructions and what no POSIX shell reads or runs.
    pub(super) fn of(instruction: &'a Instruction) -> Option<Self> {
        let Body::Run(run) = &instruction.body else { return None };
        let (place, text) = match &run.command {
            super::Command::Exec(_) => return None,
            command => match command.script() {
                Some(heredoc) if is_shell(heredoc) => {
                    (Place::Heredoc(heredoc.at), heredoc.text.as_str())
                }
                Some(_) => return None,
                None => {
                    (Place::Line(&instruction.joined, run.at), &instruction.joined.text[run.at..])
                }
            },
        };
        Some(Self { run, commands: commands(text)?, place, text })
    }

    /// Where in the file it is just behind what ends at `offset` of the script.
    pub(super) fn behind(&self, offset: usize) -> usize {
        match self.place {
            Place::Line(joined, at) => joined.behind(at + offset),
            Place::Heredoc(at) => at + offset,
        }
    }

    /// Where in the file what starts at `offset` of the script stands.
    pub(super) fn place(&self, offset: usize) -> usize {
        match self.place {
            Place::Line(joined, at) => joined.place(at + offset),
            Place::Heredoc(at) => at + offset,
        }
    }

    /// Where in the file the command starts, behind the flags.
    pub(super) fn start(&self, instruction: &Instruction) -> usize {
        instruction.joined.place(self.run.at)
    }

    /// Whether it is a heredoc.
    pub(super) fn is_heredoc(&self) -> bool {
        matches!(self.place, Place::Heredoc(_))
    }

    /// Where the script ends that one more command may follow, joined by `&&`; `None` where it
    /// may not.
    pub(super) fn end(&self) -> Option<usize> {
        // What the shell takes for space, and no more: the rest is part of a word.
        let text = self.text.trim_end_matches([' ', '\t', '\r', '\n']);
        let last = self.commands.last()?;
        let is_plain = matches!(self.run.command, super::Command::Shell(_))
            && last.after == Operator::End
            && !text.ends_with(['&', ';', '|', '\\'])
            && last.name() != "exit"
            // Behind a comment, everything is a comment.
            && !text[last.end..].contains('#');
        is_plain.then_some(text.len())
    }

    /// Whether a `--mount` keeps a path out of the layer.
    pub(super) fn mounts(&self, path: &str) -> bool {
        self.run.flags.iter().any(|flag| holds(flag, path))
    }

    /// Whether one of its commands is this.
    pub(super) fn any(&self, is: impl Fn(&Command) -> bool) -> bool {
        self.commands.iter().any(is)
    }

    /// Whether it deletes what is below a directory that has this in its path.
    pub(super) fn deletes(&self, part: &str) -> bool {
        self.any(|command| {
            matches!(command.name(), "rm" | "find")
                && command.arguments().iter().any(|word| word.text.contains(part))
        })
    }
}

/// Whether a flag is a mount of a cache or of memory over a path.
fn holds(flag: &Flag, path: &str) -> bool {
    let value = flag.value.as_deref().unwrap_or_default();
    let mut fields = value.split(',').filter_map(|field| field.split_once('='));
    let kind = fields.clone().find(|(key, _)| *key == "type").map(|(_, kind)| kind);
    let target = fields.find(|(key, _)| ["target", "dst", "destination"].contains(key));
    flag.name == "mount"
        && matches!(kind, Some("cache" | "tmpfs"))
        && target.is_some_and(|(_, target)| {
            let target = target.trim_end_matches('/');
            path.strip_prefix(target).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

/// Whether a heredoc is for a POSIX shell: it has no other interpreter.
fn is_shell(heredoc: &Heredoc) -> bool {
    let Some(line) = heredoc.text.strip_prefix("#!") else { return true };
    let line = line.lines().next().unwrap_or_default();
    let mut words = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    words
        .find(|word| *word != "env" && !word.starts_with('-'))
        .is_some_and(|program| ["sh", "bash", "dash", "ash", "ksh", "zsh"].contains(&program))
}
