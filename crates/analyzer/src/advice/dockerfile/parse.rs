//! Reads a Dockerfile line by line, as BuildKit does.

mod words;

use thiserror::Error;

use super::joined::Joined;
use super::{Argument, Body, Command, Copy, Dockerfile, From, Heredoc, Instruction, Run, Stage};
use crate::advice::dockerfile::variable;
use crate::image::instruction;
use words::{flags, json, opening, quoted};

/// Bytes of a Dockerfile. Generated ones reach a hundred KiB.
pub const TEXT_MAX: usize = 1 << 20;
/// Instructions of a Dockerfile. Runtimes refuse images with more than about 125 layers.
pub const INSTRUCTIONS_MAX: usize = 10_000;

/// Why a Dockerfile cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {message}")]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What stands there, and what was expected.
    pub message: String,
}

impl Dockerfile {
    /// Reads a Dockerfile.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.len() > TEXT_MAX {
            let size = text.len();
            let message = format!("the file has {size} bytes; at most {TEXT_MAX} are read");
            return Err(ParseError { line: 1, message });
        }
        let mut lines = Lines::new(text);
        let (escape, syntax) = lines.directives()?;
        let mut file = Self {
            stages: Vec::new(),
            arguments: Vec::new(),
            escape,
            syntax,
            text: text.to_owned(),
        };
        let mut count = 0;
        while let Some((joined, first)) = lines.instruction(escape) {
            count += 1;
            if count > INSTRUCTIONS_MAX {
                let message = format!("the file has more than {INSTRUCTIONS_MAX} instructions");
                return Err(ParseError { line: first, message });
            }
            let instruction = instruction(joined, first, &mut lines)?;
            file.add(instruction)?;
        }
        if file.stages.is_empty() {
            let message = "the file ends; a FROM was expected".to_owned();
            return Err(ParseError { line: lines.next.max(1), message });
        }
        Ok(file)
    }

    fn add(&mut self, instruction: Instruction) -> Result<(), ParseError> {
        if instruction.keyword == "FROM" {
            let (from, instructions) = (from(&instruction)?, Vec::new());
            self.stages.push(Stage { from, instructions });
        } else if let Some(stage) = self.stages.last_mut() {
            stage.instructions.push(instruction);
        } else if let ("ARG", Body::Other(words)) = (instruction.keyword, &instruction.body) {
            let line = instruction.first;
            self.arguments.extend(variable::assignments(words).map(|(name, default)| Argument {
                name,
                default,
                line,
            }));
        } else {
            let message = format!("{} stands before any FROM or ARG", instruction.keyword);
            return Err(ParseError { line: instruction.first, message });
        }
        Ok(())
    }
}

/// The lines of a file.
struct Lines<'a> {
    /// With their ends, and where each starts in the file.
    lines: Vec<(&'a str, usize)>,
    /// How many are read.
    next: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let content = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut at = text.len() - content.len();
        let line = |line: &'a str| {
            at += line.len();
            (line, at - line.len())
        };
        let lines = content.split_inclusive('\n').map(line).collect();
        Self { lines, next: 0 }
    }

    /// The comments at the top that are directives: what continues a line, and the frontend.
    fn directives(&mut self) -> Result<(char, Option<String>), ParseError> {
        let (mut escape, mut syntax) = ('\\', None);
        for (at, (line, _)) in self.lines.iter().enumerate() {
            let directive = line.strip_prefix('#').and_then(|line| line.split_once('='));
            let Some((key, value)) = directive.map(|(key, value)| (key.trim(), value.trim()))
            else {
                break;
            };
            if key.is_empty()
                || value.is_empty()
                || !key.bytes().all(|byte| byte.is_ascii_alphanumeric())
            {
                break;
            }
            match key.to_ascii_lowercase().as_str() {
                "syntax" => syntax = Some(value.to_owned()),
                "escape" => {
                    escape = match value {
                        "\\" => '\\',
                        "`" => '`',
                        _ => {
                            let message =
                                format!("escape is {value:?}; it can be \\ or `, nothing else");
                            return Err(ParseError { line: at + 1, message });
                        }
                    }
                }
                _ => {}
            }
        }
        Ok((escape, syntax))
    }

    /// The next instruction as one line, and the number of its first; its heredocs are not read.
    fn instruction(&mut self, escape: char) -> Option<(Joined, usize)> {
        let mut joined = Joined::default();
        let mut first = None;
        while let Some((line, at)) = self.lines.get(self.next).copied() {
            self.next += 1;
            let content = line.trim_end_matches(['\r', '\n']);
            let unindented = content.trim_start();
            if unindented.is_empty() || unindented.starts_with('#') {
                continue;
            }
            let number = *first.get_or_insert(self.next);
            let (part, is_end) = match continued(content, escape) {
                Some(part) => (part, false),
                None => (content, true),
            };
            // Only a continuation keeps what it is indented by.
            let blank =
                if joined.text.is_empty() { part.len() - part.trim_start().len() } else { 0 };
            joined.push(&part[blank..], at + blank);
            if is_end && !joined.text.is_empty() {
                return Some((joined, number));
            }
            if is_end || joined.text.is_empty() {
                first = None;
            }
        }
        first.filter(|_| !joined.text.is_empty()).map(|first| (joined, first))
    }

    /// The lines of a heredoc.
    fn heredoc(&mut self, mut heredoc: Heredoc, opened: usize) -> Result<Heredoc, ParseError> {
        heredoc.at = self.lines.get(self.next).map_or(0, |(_, at)| *at);
        while let Some((line, _)) = self.lines.get(self.next) {
            self.next += 1;
            let content = line.trim_end_matches(['\r', '\n']);
            let content =
                if heredoc.strip_tabs { content.trim_start_matches('\t') } else { content };
            if content == heredoc.name {
                return Ok(heredoc);
            }
            heredoc.text.push_str(line);
        }
        let message = format!("the heredoc has no end; a line {:?} was expected", heredoc.name);
        Err(ParseError { line: opened, message })
    }
}

/// What stands before the character that continues a line; `None` where there is none, or two.
fn continued(line: &str, escape: char) -> Option<&str> {
    let part = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!part.ends_with(escape)).then_some(part)
}

fn instruction(
    joined: Joined,
    first: usize,
    lines: &mut Lines<'_>,
) -> Result<Instruction, ParseError> {
    let error = |message: String| ParseError { line: first, message };
    let word = joined.text.split_whitespace().next().unwrap_or_default();
    let upper = word.to_ascii_uppercase();
    let Some(keyword) = instruction::keywords().find(|keyword| *keyword == upper) else {
        let word: String = word.chars().take(40).collect();
        return Err(error(format!(
            "{word:?} is no instruction; RUN, COPY or the like was expected"
        )));
    };
    let behind = &joined.text[word.len()..];
    let at = joined.text.len() - behind.trim_start().len();
    if joined.text[at..].trim().is_empty() {
        return Err(error(format!("{keyword} stands alone; its arguments were expected")));
    }
    let body = match keyword {
        "ONBUILD" => {
            let inner = joined.from(at);
            let word = inner.text.split_whitespace().next().unwrap_or_default();
            let word = word.to_ascii_uppercase();
            if ["FROM", "MAINTAINER", "ONBUILD"].contains(&word.as_str()) {
                return Err(error(format!("ONBUILD {word} is not possible")));
            }
            Body::Onbuild(Box::new(instruction(inner, first, lines)?))
        }
        "RUN" => Body::Run(run(&joined.text, at, lines)?),
        "COPY" | "ADD" => {
            let copy = copy(&joined.text, at, lines)?;
            Body::Copy(copy.ok_or_else(|| {
                error(format!(
                    "{keyword} has too few words; sources and a destination were expected"
                ))
            })?)
        }
        _ => Body::Other(joined.text[at..].trim_end().to_owned()),
    };
    let text = format!("{keyword} {}", body.text());
    Ok(Instruction { keyword, first, last: lines.next, text, body, joined })
}

fn run(text: &str, at: usize, lines: &mut Lines<'_>) -> Result<Run, ParseError> {
    let (flags, at) = flags(text, at);
    let line = text[at..].trim_end();
    if line.is_empty() {
        let message = "RUN has only flags; a command was expected".to_owned();
        return Err(ParseError { line: lines.next, message });
    }
    let command = match json(line) {
        Some(words) if !words.is_empty() => Command::Exec(words),
        _ => {
            let heredocs = heredocs(line, lines)?;
            let line = line.to_owned();
            if heredocs.is_empty() {
                Command::Shell(line)
            } else {
                Command::Heredoc(line, heredocs)
            }
        }
    };
    Ok(Run { flags, command, at })
}

fn copy(text: &str, at: usize, lines: &mut Lines<'_>) -> Result<Option<Copy>, ParseError> {
    let (flags, at) = flags(text, at);
    let line = &text[at..];
    let array = json(line);
    let heredocs = if array.is_none() { heredocs(line, lines)? } else { Vec::new() };
    let mut sources = array.unwrap_or_else(|| line.split_whitespace().map(str::to_owned).collect());
    let destination = sources.pop();
    Ok(destination.filter(|_| !sources.is_empty()).map(|destination| Copy {
        flags,
        sources,
        destination,
        heredocs,
    }))
}

fn from(instruction: &Instruction) -> Result<From, ParseError> {
    let text = &instruction.joined.text;
    let at = text.find(char::is_whitespace).unwrap_or(text.len());
    let (flags, at) = flags(text, text.len() - text[at..].trim_start().len());
    let words: Vec<&str> = text[at..].split_whitespace().collect();
    let (image, name) = match words.as_slice() {
        [image] => (*image, None),
        [image, word, name] if word.eq_ignore_ascii_case("AS") => (*image, Some(*name)),
        _ => {
            let message =
                "FROM was expected to have an image, or an image, AS and a name".to_owned();
            return Err(ParseError { line: instruction.first, message });
        }
    };
    Ok(From {
        image: image.to_owned(),
        platform: super::flag(&flags, "platform").map(str::to_owned),
        name: name.map(str::to_owned),
        first: instruction.first,
        last: instruction.last,
    })
}

/// The heredocs that a line opens, with their lines.
fn heredocs(line: &str, lines: &mut Lines<'_>) -> Result<Vec<Heredoc>, ParseError> {
    if !line.contains("<<") {
        return Ok(Vec::new());
    }
    let opened = lines.next;
    let words = quoted(line);
    let opening = words.iter().filter_map(|word| opening(word));
    opening.map(|heredoc| lines.heredoc(heredoc, opened)).collect()
}
