//! Scripts: the line that names an interpreter.

use serde::{Deserialize, Serialize};

use crate::entry::split;

/// The kernel reads no more of a first line (`BINPRM_BUF_SIZE`).
const LINE_MAX: usize = 256;

/// `#!interpreter argument`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shebang {
    /// The interpreter's path.
    pub interpreter: Box<[u8]>,
    /// The rest of the line, which the kernel hands over as one argument.
    pub argument: Option<Box<[u8]>>,
}

impl Shebang {
    /// The name of the program that runs the script: behind `env` and s6's `with-contenv`, the
    /// first word that is neither an option nor an assignment.
    pub fn program(&self) -> &[u8] {
        let name = split(&self.interpreter).1;
        if !self.is_wrapped() {
            return name;
        }
        self.env_words().next().map_or(name, |word| split(word).1)
    }

    /// Whether the interpreter only starts the program that its argument names.
    pub fn is_wrapped(&self) -> bool {
        matches!(split(&self.interpreter).1, b"env" | b"with-contenv")
    }

    /// The command that `env` starts: `-S` splits, options and assignments are passed over.
    pub fn env_words(&self) -> impl Iterator<Item = &[u8]> {
        let argument = self.argument.as_deref().unwrap_or_default();
        argument
            .split(|b| matches!(b, b' ' | b'\t'))
            .filter(|word| !word.is_empty())
            .map(|word| word.strip_prefix(b"-S").unwrap_or(word))
            .skip_while(|word| word.is_empty() || word[0] == b'-' || word.contains(&b'='))
    }
}

/// Whether a program of this name is a shell.
pub fn is_shell(name: &[u8]) -> bool {
    matches!(name, b"sh" | b"bash" | b"dash" | b"ash" | b"ksh" | b"zsh" | b"mksh" | b"execlineb")
}

/// Reads the first line as the kernel does.
pub fn shebang(text: &[u8]) -> Option<Shebang> {
    let rest = text.strip_prefix(b"#!")?;
    let rest = &rest[..rest.len().min(LINE_MAX)];
    let line = rest.split(|b| *b == b'\n').next()?.trim_ascii();
    let end = line.iter().position(|b| matches!(b, b' ' | b'\t')).unwrap_or(line.len());
    let (interpreter, argument) = (&line[..end], line[end..].trim_ascii());
    if interpreter.is_empty() || interpreter.contains(&0) {
        return None;
    }
    Some(Shebang {
        interpreter: interpreter.into(),
        argument: (!argument.is_empty()).then(|| argument.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_are_read_as_the_kernel_does() {
        let read = |text: &str| {
            let found = shebang(text.as_bytes())?;
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            Some((
                text(&found.interpreter),
                text(found.argument.as_deref().unwrap_or_default()),
                text(found.program()),
            ))
        };
        let row = |a: &str, b: &str, c: &str| Some((a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(read("#!/bin/sh\n"), row("/bin/sh", "", "sh"));
        assert_eq!(read("#! /bin/sh -e x \nls"), row("/bin/sh", "-e x", "sh"));
        assert_eq!(read("#!/usr/bin/env python3"), row("/usr/bin/env", "python3", "python3"));
        assert_eq!(
            read("#!/usr/bin/env -S A=1 /opt/x/node --y\n"),
            row("/usr/bin/env", "-S A=1 /opt/x/node --y", "node")
        );
        assert_eq!(read("#!\n"), None);
        assert_eq!(read("# /bin/sh"), None);
        assert_eq!(read("#!/usr/bin/env"), row("/usr/bin/env", "", "env"));
    }
}
