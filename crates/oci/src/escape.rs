//! Names of an image are bytes that anyone may have chosen. Here they become text that no
//! terminal, log or page acts upon.

use std::fmt::Write as _;

/// A path as printable text: control characters, invalid UTF-8, and the marks that turn the
/// direction of writing are escaped as `\n`, `\x1b`, `\u{202e}`; a backslash as `\\`.
pub fn path(bytes: &[u8]) -> String {
    let is_plain = |byte: &u8| matches!(*byte, b' '..=b'~') && *byte != b'\\';
    if bytes.iter().all(is_plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                control if control.is_ascii_control() => {
                    let _ = write!(text, "\\x{:02x}", u32::from(control));
                }
                hidden if hidden.is_control() || is_format_mark(hidden) => {
                    let _ = write!(text, "\\u{{{:x}}}", u32::from(hidden));
                }
                plain => text.push(plain),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// The bytes that [`path`] shows as `text`; `None` where it shows nothing so.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let escaped = &rest[at + 1..];
        let (byte, used) = match escaped.as_bytes().first()? {
            b'\\' => (b'\\', 1),
            b'n' => (b'\n', 1),
            b'r' => (b'\r', 1),
            b't' => (b'\t', 1),
            b'x' => (u8::from_str_radix(escaped.get(1..3)?, 16).ok()?, 3),
            b'u' => {
                let (hex, _) = escaped.strip_prefix("u{")?.split_once('}')?;
                let character = char::from_u32(u32::from_str_radix(hex, 16).ok()?)?;
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &escaped[hex.len() + 3..];
                continue;
            }
            _ => return None,
        };
        bytes.push(byte);
        rest = &escaped[used..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}

/// Text of an image that is not a path (an instruction, a tag): the same, with spaces folded and
/// backslashes left alone, which instructions are full of.
pub fn line(text: &str) -> String {
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    path(folded.as_bytes()).replace("\\\\", "\\")
}

/// A message of several lines whose parts are escaped already, made safe once more: nothing but
/// its line ends acts on a terminal.
pub fn lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' || !(character.is_control() || is_format_mark(character)) {
            safe.push(character);
        } else {
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        }
    }
    safe
}

/// Text of several lines that is there to be read and copied: the same, and tabs stay too.
pub fn text(text: &str) -> String {
    let pieces: Vec<String> = text.split('\t').map(lines).collect();
    pieces.join("\t")
}

/// Characters without a width that change how their neighbours are shown.
fn is_format_mark(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_raw() {
        assert_eq!(path(b"usr/bin/env"), "usr/bin/env");
        assert_eq!(path("häuser/日本".as_bytes()), "häuser/日本");
        assert_eq!(path(b"a\nb\t\x1b[31m\x7f"), "a\\nb\\t\\x1b[31m\\x7f");
        assert_eq!(path(b"\xff\xfea\\"), "\\xff\\xfea\\\\");
        assert_eq!(path("\u{202e}txt\u{9b}".as_bytes()), "\\u{202e}txt\\u{9b}");
        for bytes in [&b"usr/bin"[..], b"a\nb\\x41\x1b\xff", "\u{202e}\u{9b}\u{e9}".as_bytes()] {
            assert_eq!(unescape(&path(bytes)).as_deref(), Some(bytes));
        }
        assert_eq!(unescape("a\\q"), None);
        assert_eq!(line("RUN a \\\n  && b\x1b"), "RUN a \\ && b\\x1b");
        assert_eq!(lines("a\nb\u{202e}\r"), "a\nb\\u{202e}\\u{d}");
        assert_eq!(text("a\n\tb\u{202e}\t"), "a\n\tb\\u{202e}\t");
    }
}
