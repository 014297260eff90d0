//! The words of an instruction.

use crate::advice::dockerfile::{Flag, Heredoc};

/// The flags that stand at `at`, and where what follows them starts. White space in quotes is the
/// flag's own.
pub(super) fn flags(text: &str, mut at: usize) -> (Vec<Flag>, usize) {
    let mut flags = Vec::new();
    while let Some(rest) = text[at..].strip_prefix("--") {
        let mut quote = None;
        let mut is_escaped = false;
        let end = rest.find(|character: char| {
            let was_escaped = std::mem::replace(&mut is_escaped, character == '\\');
            match (character, quote) {
                _ if was_escaped => is_escaped = false,
                ('"' | '\'', None) => quote = Some(character),
                (_, Some(open)) if character == open => quote = None,
                _ => {}
            }
            quote.is_none() && !was_escaped && character.is_whitespace()
        });
        let end = end.unwrap_or(rest.len());
        at = text.len() - rest[end..].trim_start().len();
        let word = &rest[..end];
        if word.is_empty() {
            break;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.replace(['"', '\''], ""))),
            None => (word, None),
        };
        flags.push(Flag { name: name.to_ascii_lowercase(), value });
    }
    (flags, at)
}

/// An array of strings in JSON.
pub(super) fn json(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    line.starts_with('[').then(|| serde_json::from_str(line).ok()).flatten()
}

/// Words between white space that is not quoted, with their quotes.
pub(super) fn quoted(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quote, mut is_escaped) = (None, false);
    for character in line.chars() {
        let was_escaped = std::mem::replace(&mut is_escaped, false);
        match (character, quote) {
            _ if was_escaped => {}
            ('\\', None | Some('"')) => is_escaped = true,
            ('"' | '\'', None) => quote = Some(character),
            (_, Some(open)) if character == open => quote = None,
            (_, None) if character.is_whitespace() => {
                words.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `<<EOF`, `3<<-"EOF"`: without its lines.
pub(super) fn opening(word: &str) -> Option<Heredoc> {
    let rest = word.trim_start_matches(|digit: char| digit.is_ascii_digit()).strip_prefix("<<")?;
    let (strip_tabs, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let name = rest.replace(['"', '\'', '\\'], "");
    let expand = name == rest;
    (!name.is_empty()).then(|| Heredoc { name, expand, strip_tabs, text: String::new(), at: 0 })
}
