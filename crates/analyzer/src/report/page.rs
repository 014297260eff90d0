//! A page of text for a terminal: columns, wrapped words, colour only where it is wanted.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours may be used.
    pub color: bool,
    /// Columns.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 80 }
    }
}

/// What a piece of text is, to be shown by colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Heading,
    Live,
    Wasted,
    Duplicate,
    Faint,
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Self::Heading => "1",
            Self::Live => "32",
            Self::Wasted => "31",
            Self::Duplicate => "33",
            Self::Faint => "2",
        }
    }
}

/// Text on its way to a terminal.
pub(crate) struct Page {
    pub(crate) style: Style,
    text: String,
}

impl Page {
    pub(crate) fn new(style: Style) -> Self {
        Self { style, text: String::new() }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    pub(crate) fn tone(&self, tone: Tone, text: &str) -> String {
        if self.style.color {
            format!("\x1b[{}m{text}\x1b[0m", tone.code())
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    pub(crate) fn heading(&mut self, text: &str) {
        self.blank();
        let text = self.tone(Tone::Heading, text);
        self.line(&text);
    }

    /// `front`, and `text` in the columns right of it, over as many lines as it takes.
    pub(crate) fn wrapped(&mut self, front: &str, text: &str) {
        self.wrapped_at(front.width(), front, text);
    }

    /// The same, with `front` in a tone of its own.
    pub(crate) fn wrapped_behind(&mut self, tone: Tone, front: &str, text: &str) {
        let toned = self.tone(tone, front);
        self.wrapped_at(front.width(), &toned, text);
    }

    fn wrapped_at(&mut self, indent: usize, front: &str, text: &str) {
        let room = self.style.width.saturating_sub(indent).max(20);
        let mut lines = wrap(text, room).into_iter();
        let first = lines.next().unwrap_or_default();
        self.line(&format!("{front}{first}"));
        for line in lines {
            self.line(&format!("{:indent$}{line}", ""));
        }
    }

    /// `front`, and as much of `text` as fits on the line.
    pub(crate) fn clipped(&mut self, front: &str, text: &str) {
        let room = self.style.width.saturating_sub(front.width()).max(10);
        self.line(&format!("{front}{}", clip(text, room)));
    }

    /// `front`, and a path. Paths are there to be copied: one that does not fit gets a line of
    /// its own and is never cut, however long it is.
    pub(crate) fn path(&mut self, front: &str, path: &str) {
        if front.width() + path.width() <= self.style.width {
            return self.line(&format!("{front}{path}"));
        }
        self.line(front);
        let indent = self.style.width.saturating_sub(path.width()).min(2);
        self.line(&format!("{:indent$}{path}", ""));
    }
}

/// The front of `text` that fits `width` columns, with an ellipsis where something is cut. An
/// escaped character is kept whole or not at all.
pub(crate) fn clip(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = take_width(text.chars(), width.saturating_sub(1));
    if let Some(at) = kept.rfind('\\')
        && escaped_len(&text[at..]) > kept.len() - at
    {
        kept.truncate(at);
    }
    kept.push('…');
    kept
}

/// Bytes of the escape that `text` starts with: `\xHH`, `\u{H…}`, or a letter.
fn escaped_len(text: &str) -> usize {
    match text.as_bytes().get(1) {
        Some(b'x') => 4,
        Some(b'u') if text[2..].starts_with('{') => text.find('}').map_or(2, |end| end + 1),
        Some(b'n' | b'r' | b't') => 2,
        _ => 1,
    }
}

fn take_width(characters: impl Iterator<Item = char>, width: usize) -> String {
    let mut kept = String::new();
    let mut used = 0;
    for character in characters {
        used += character.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(character);
    }
    kept
}

/// Lines of at most `width` columns. A number stays with its unit; a word that is longer than a
/// line is broken, unless it is a path or reference, which is there to be copied.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text) {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        let mut word = word;
        while line.width() + word.width() > width && !word.contains('/') {
            let fits = take_width(word.chars(), width.max(2)).len().max(1);
            let (front, rest) = word.split_at(word.ceil_char_boundary(fits));
            lines.push(front.to_owned());
            word = rest;
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// The words of `text`, `39.3 MiB` and `28.1 %` each as one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut end = text.find(' ').unwrap_or(text.len());
        if text[..end].ends_with(|last: char| last.is_ascii_digit())
            && let Some(behind) = text.get(end + 1..)
        {
            let unit = behind.split(' ').next().unwrap_or_default();
            if UNITS.contains(&unit.trim_end_matches([',', '.', ':', ')'])) {
                end += 1 + unit.len();
            }
        }
        rest = text.get(end + 1..);
        Some(&text[..end])
    })
}

/// What stands behind a number, and says nothing without it.
const UNITS: [&str; 8] = ["%", "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// `part` of `whole` in percent with one decimal; 0.0 where there is no whole. Something is never
/// shown as nothing, nor almost all as all.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0.0 %".to_owned();
    }
    let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2) / u128::from(whole);
    let tenths = match tenths {
        0 if part > 0 => 1,
        1000 if part < whole => 999,
        tenths => tenths,
    };
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_columns() {
        assert_eq!(clip("abcdef", 4), "abc…");
        assert_eq!(clip("日本語", 4), "日…");
        assert_eq!(clip("ab\\x1b[31m", 5), "ab…");
        assert_eq!(clip("ab\\x1b[31m", 8), "ab\\x1b[…");
        assert_eq!(wrap("a bb ccc dddd", 5), ["a bb", "ccc", "dddd"]);
        assert_eq!(wrap("aa bbbbbbbb c", 5), ["aa", "bbbbb", "bbb c"]);
        assert_eq!(wrap("to usr/share/x", 5), ["to", "usr/share/x"]);
        assert_eq!(wrap("日本語日本語", 5), ["日本", "語日", "本語"]);
        assert_eq!(wrap("all 39.3 MiB, 5 %", 9), ["all", "39.3 MiB,", "5 %"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn shares_are_for_people() {
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(1, 1_000_000), "0.1 %");
        assert_eq!(percent(999_999, 1_000_000), "99.9 %");
        assert_eq!(percent(0, 0), "0.0 %");
    }
}
