//! Variables of a Dockerfile: ARG and ENV, and words that name them.

use std::collections::BTreeMap;

use super::{Body, Dockerfile, Instruction};

/// Values that variables have in one place; `None` where a build may say otherwise or nothing
/// does.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(BTreeMap<String, Option<String>>);

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Known text.
    Text(String),
    /// The value of a variable that is not known.
    Any,
}

/// The ARGs before the first FROM, with their defaults.
pub(super) fn global(file: &Dockerfile) -> Variables {
    let mut variables = Variables::default();
    for argument in &file.arguments {
        let value = argument.default.as_deref().and_then(|value| variables.resolve(value));
        variables.0.insert(argument.name.clone(), value);
    }
    variables
}

/// `A=1 B="2 3"`; `A` has no value. `A 1 2`, as ENV may write it, is for its reader to tell.
pub(super) fn assignments(words: &str) -> impl Iterator<Item = (String, Option<String>)> {
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    let mut word = String::new();
    let mut value: Option<String> = None;
    let (mut quote, mut is_escaped) = (None, false);
    for character in words.chars().chain([' ']) {
        let was_escaped = std::mem::replace(&mut is_escaped, false);
        match (character, quote) {
            _ if was_escaped => {}
            ('\\', None | Some('"')) => {
                is_escaped = true;
                continue;
            }
            ('"' | '\'', None) => {
                quote = Some(character);
                continue;
            }
            (_, Some(open)) if character == open => {
                quote = None;
                continue;
            }
            ('=', None) if value.is_none() => {
                value = Some(String::new());
                continue;
            }
            (_, None) if character.is_whitespace() => {
                if !word.is_empty() {
                    found.push((std::mem::take(&mut word), value.take()));
                }
                value = None;
                continue;
            }
            _ => {}
        }
        value.as_mut().unwrap_or(&mut word).push(character);
    }
    found.into_iter()
}

/// What an ARG or ENV sets, as it is written.
pub(super) fn assigned(
    keyword: &str,
    words: &str,
) -> impl Iterator<Item = (String, Option<String>)> {
    let (first, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let is_one = keyword == "ENV" && !first.contains('=');
    let one = is_one.then(|| (first.to_owned(), Some(rest.trim().to_owned())));
    one.into_iter().chain(assignments(if is_one { "" } else { words }))
}

impl Variables {
    /// What an ARG or ENV sets; `global` are the ARGs before FROM, which an ARG without a value
    /// takes over.
    pub(super) fn set(&mut self, instruction: &Instruction, global: &Self) {
        let Body::Other(words) = &instruction.body else { return };
        match instruction.keyword {
            "ARG" => {
                for (name, value) in assignments(words) {
                    let known = self.0.get(&name).cloned().flatten();
                    let value = match value {
                        Some(value) => self.resolve(&value),
                        None => known.or_else(|| global.0.get(&name).cloned().flatten()),
                    };
                    self.0.insert(name, value);
                }
            }
            "ENV" => {
                for (name, value) in assigned("ENV", words) {
                    let value = value.and_then(|value| self.resolve(&value));
                    self.0.insert(name, value);
                }
            }
            _ => {}
        }
    }

    /// The value of a name, if it is known.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_deref()
    }

    /// A word with its variables put in; `None` where one is not known.
    pub(super) fn resolve(&self, word: &str) -> Option<String> {
        let pieces = self.pieces(word);
        let text = |piece: Piece| match piece {
            Piece::Text(text) => Some(text),
            Piece::Any => None,
        };
        pieces.into_iter().map(text).collect()
    }

    /// The parts of a word: `$NAME`, `${NAME}`, `${NAME:-default}`.
    pub(super) fn pieces(&self, word: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = word;
        while let Some(at) = rest.find(['$', '\\']) {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(escaped) = rest.strip_prefix("\\$") {
                text.push('$');
                rest = escaped;
                continue;
            }
            let Some((value, behind)) = rest.strip_prefix('$').and_then(|rest| self.value(rest))
            else {
                text.push_str(&rest[..1]);
                rest = &rest[1..];
                continue;
            };
            rest = behind;
            if let Some(value) = value {
                text.push_str(&value);
                continue;
            }
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::Any);
        }
        text.push_str(rest);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        pieces
    }

    /// The value of the variable that a `$` was read before, and what follows it.
    fn value<'a>(&self, rest: &'a str) -> Option<(Option<String>, &'a str)> {
        let braced = rest.strip_prefix('{');
        let name_of = |text: &'a str| {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            text.split_at(end.unwrap_or(text.len()))
        };
        let (name, behind) = name_of(braced.unwrap_or(rest));
        if name.is_empty() {
            return None;
        }
        let known = self.get(name).map(str::to_owned);
        if braced.is_none() {
            return Some((known, behind));
        }
        let (operation, behind) = behind.split_once('}')?;
        let default = operation.strip_prefix(":-").or_else(|| operation.strip_prefix('-'));
        let value = match (operation, default) {
            ("", _) => known,
            // A build may still say otherwise, but then nobody can know.
            (_, Some(default)) => known.or_else(|| Some(default.to_owned())),
            _ => None,
        };
        Some((value, behind))
    }
}

/// Whether a text can be what the pieces stand for. What is not known is at least one character.
pub(super) fn fits(pieces: &[Piece], text: &str) -> bool {
    match pieces {
        [] => text.is_empty(),
        [Piece::Text(own)] => own == text,
        [Piece::Text(own), rest @ ..] => {
            text.strip_prefix(own.as_str()).is_some_and(|text| fits_behind(rest, text))
        }
        _ => fits_behind(pieces, text),
    }
}

/// The same for pieces that start with one that is not known: each text at its first place, the
/// last at the end.
fn fits_behind(pieces: &[Piece], text: &str) -> bool {
    let mut rest = text;
    let mut is_open = false;
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Any => is_open = true,
            Piece::Text(own) if at + 1 == pieces.len() => {
                return rest.len() > own.len() && rest.ends_with(own.as_str());
            }
            Piece::Text(own) => {
                let from = rest.chars().next().map_or(0, char::len_utf8);
                let Some(found) = rest[from..].find(own.as_str()) else { return false };
                rest = &rest[from + found + own.len()..];
                is_open = false;
            }
        }
    }
    is_open && !rest.is_empty()
}
