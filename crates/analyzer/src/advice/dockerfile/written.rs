//! Instructions as builders write them into histories.

use super::{Body, Command, Flag, Heredoc};

impl Body {
    /// In one line, without the keyword.
    pub(super) fn text(&self) -> String {
        let words = match self {
            Self::Run(run) => {
                let flags = run.flags.iter().map(Flag::text);
                flags.chain([run.command.text()]).collect::<Vec<_>>().join(" ")
            }
            Self::Copy(copy) => {
                let flags = copy.flags.iter().map(Flag::text);
                let paths = copy.sources.iter().chain([&copy.destination]).cloned();
                flags.chain(paths).collect::<Vec<_>>().join(" ")
            }
            Self::Onbuild(inner) => inner.text.clone(),
            Self::Other(words) => words.clone(),
        };
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl Flag {
    /// As it is written.
    fn text(&self) -> String {
        match &self.value {
            Some(value) => format!("--{}={value}", self.name),
            None => format!("--{}", self.name),
        }
    }
}

impl Command {
    /// What the builder hands to the shell.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Shell(command) => command.clone(),
            Self::Exec(words) => words.join(" "),
            Self::Heredoc(line, heredocs) => match self.script() {
                Some(heredoc) if heredoc.text.starts_with("#!") => {
                    format!("/dev/pipes/{}", heredoc.name)
                }
                Some(heredoc) => heredoc.text.clone(),
                None => heredocs.iter().fold(line.clone(), |all, heredoc| {
                    format!("{all}\n{}{}", heredoc.text, heredoc.name)
                }),
            },
        }
    }

    /// The heredoc that is the script by itself.
    pub(super) fn script(&self) -> Option<&Heredoc> {
        match self {
            Self::Heredoc(line, heredocs) => match heredocs.as_slice() {
                [heredoc] if !line.trim().contains(char::is_whitespace) => Some(heredoc),
                _ => None,
            },
            Self::Shell(_) | Self::Exec(_) => None,
        }
    }
}
