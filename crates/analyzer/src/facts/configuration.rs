//! Configurations that say what runs or is loaded: supervisors, cron, PAM, PHP, Ruby's gems. Each
//! is read as bytes to plain values; where its files stand and what they lead to is told by
//! [`crate::facts::reach`].

pub mod composer;
pub mod crontab;
pub mod document_root;
pub mod gem;
pub mod ini;
pub mod pam;
pub mod php_ini;
pub mod service;
pub mod supervisor;

use crate::limits::CONFIGURATION_ROWS_MAX;

/// The lines of a text, the ends of `\r\n` taken off, with those joined that a backslash continues.
pub(crate) fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut continued = false;
    for line in text.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (line, next) = match line.strip_suffix(b"\\") {
            Some(line) => (line, true),
            None => (line, false),
        };
        if continued && let Some(last) = lines.last_mut() {
            last.push(b' ');
            last.extend_from_slice(line);
        } else if lines.len() >= CONFIGURATION_ROWS_MAX {
            break;
        } else {
            lines.push(line.to_vec());
        }
        continued = next;
    }
    lines
}

/// The words of a line, quotes taken off.
pub fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (_, Some(open)) if byte == open => quote = None,
            (b'"' | b'\'', None) => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (b'\\', open) if open != Some(b'\'') => {
                word.get_or_insert_default().extend(bytes.next());
            }
            (byte, None) if byte.is_ascii_whitespace() => words.extend(word.take()),
            (byte, _) => word.get_or_insert_default().push(byte),
        }
        if words.len() >= CONFIGURATION_ROWS_MAX {
            break;
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_words_split() {
        assert_eq!(lines(b"a\\\nb\r\nc"), [b"a b".to_vec(), b"c".to_vec()]);
        let split: Vec<String> = words(b" a 'b c' \"d\\\"e\" f\\ g ''")
            .into_iter()
            .map(|word| String::from_utf8(word).unwrap())
            .collect();
        assert_eq!(split, ["a", "b c", "d\"e", "f g", ""]);
        assert_eq!(words(b"'open").len(), 1);
    }
}
