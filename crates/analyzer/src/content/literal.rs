//! Texts between quotes, as most languages write them.

use crate::limits::NAME_OF_FILE_MAX;

/// The text between the quotes that `bytes` start with, as it stands.
pub(super) fn quoted(bytes: &[u8]) -> Option<&str> {
    let (quote, rest) = bytes.split_first()?;
    if !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let end = memchr::memchr(*quote, &rest[..rest.len().min(NAME_OF_FILE_MAX)])?;
    str::from_utf8(&rest[..end]).ok().filter(|text| !text.is_empty() && !text.contains('\n'))
}

/// Every text between quotes in one statement.
pub(super) fn all_quoted(statement: &[u8]) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = statement;
    while let Some(at) = memchr::memchr2(b'"', b'\'', rest) {
        let text = quoted(&rest[at..]);
        found.extend(text);
        rest = &rest[(at + text.map_or(1, |text| text.len() + 2)).min(rest.len())..];
    }
    found
}

/// Where a keyword stands as a word of its own, each with what follows it.
pub(super) fn keyword<'a>(text: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    memchr::memmem::find_iter(text, word).filter_map(move |at| {
        let rest = &text[at + word.len()..];
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_$@%.>:-".contains(byte);
        let before = at.checked_sub(1).map(|at| text[at]);
        let behind = rest.first().is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        (!behind && !before.is_some_and(|b| is_word(&b))).then_some(rest)
    })
}

/// The statement that `bytes` start with: to the end mark, or the line's.
pub(super) fn statement<'a>(bytes: &'a [u8], ends: &[u8]) -> &'a [u8] {
    let bytes = &bytes[..bytes.len().min(4 * NAME_OF_FILE_MAX)];
    let end = bytes.iter().position(|byte| ends.contains(byte)).unwrap_or(bytes.len());
    &bytes[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_keywords_are_found() {
        assert_eq!(quoted(b"'a b' c"), Some("a b"));
        assert_eq!(quoted(b"\"\""), None);
        assert_eq!(quoted(b"'open"), None);
        assert_eq!(all_quoted(b"x 'a', \"b\" '"), ["a", "b"]);
        let found: Vec<&[u8]> = keyword(b"use a; reuse b; $use; use_x; use", b"use").collect();
        assert_eq!(found, [&b" a; reuse b; $use; use_x; use"[..], b""]);
        assert_eq!(statement(b"a; b", b";\n"), b"a");
    }
}
