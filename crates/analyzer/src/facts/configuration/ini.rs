//! Sections of keys and values, as supervisord, PHP, systemd and OpenSSL write them.

use crate::facts::configuration::lines;

/// One `key = value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The section that it stands in, without brackets.
    pub section: Vec<u8>,
    /// The key.
    pub key: Vec<u8>,
    /// The value, quotes around all of it taken off.
    pub value: Vec<u8>,
}

/// Every row. Lines that start with `;` or `#` are comments; one that is indented and has no key
/// continues the value before it.
pub fn rows(text: &[u8]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut section = Vec::new();
    for line in lines(text) {
        let trimmed = line.trim_ascii();
        if trimmed.is_empty() || matches!(trimmed[0], b';' | b'#') {
            continue;
        }
        if let Some(inner) = trimmed.strip_prefix(b"[") {
            let end = memchr::memchr(b']', inner).unwrap_or(inner.len());
            section = inner[..end].trim_ascii().to_vec();
            continue;
        }
        let at = memchr::memchr(b'=', trimmed).filter(|at| is_key(trimmed[..*at].trim_ascii()));
        match (at, rows.last_mut()) {
            (Some(at), _) => {
                let key = trimmed[..at].trim_ascii().to_vec();
                let value = without_comment(trimmed[at + 1..].trim_ascii());
                rows.push(Row { section: section.clone(), key, value: unquoted(value).to_vec() });
            }
            (None, Some(last)) if line[0].is_ascii_whitespace() && last.section == section => {
                last.value.push(b' ');
                last.value.extend_from_slice(without_comment(trimmed));
            }
            _ => {}
        }
    }
    rows
}

/// `--option=x` continues a command, and is no key.
fn is_key(key: &[u8]) -> bool {
    key.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
        && key.iter().all(|b| b.is_ascii_alphanumeric() || b"_-.[]".contains(b))
}

/// A comment behind a value stands behind white space.
fn without_comment(value: &[u8]) -> &[u8] {
    let end = value.windows(2).position(|two| two[0].is_ascii_whitespace() && two[1] == b';');
    value[..end.unwrap_or(value.len())].trim_ascii()
}

fn unquoted(value: &[u8]) -> &[u8] {
    for quote in [b"\"", b"'"] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote))
            && !inner.contains(&quote[0])
        {
            return inner;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_their_section() {
        let rows = rows(b"x=1\n[a]\n; no\n k = \"v\" \nl = a b ; c\n  d\n  --e=f\n[b\nm=\n=\n");
        let text: Vec<String> = rows
            .iter()
            .map(|row| {
                [&row.section[..], &row.key, &row.value]
                    .map(|part| String::from_utf8(part.to_vec()).unwrap())
                    .join("|")
            })
            .collect();
        assert_eq!(text, ["|x|1", "a|k|v", "a|l|a b d --e=f", "b|m|"]);
    }
}
