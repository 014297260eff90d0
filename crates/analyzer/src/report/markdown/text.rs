//! Text of images in Markdown, where nothing of it acts: no markup, no mention of a person, no link
//! to an issue or a page.
//!
//! What GitHub makes of a page after Markdown (mentions, issues, commits, mathematics) it makes of
//! text, not of code, and no escape keeps it from doing so: words that could be such are code.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Characters of one text; more are cut, because one path must not take the page of all others.
pub(super) const TEXT_MAX: usize = 1000;

/// Plain text behind something else on its line.
pub(super) fn plain(text: &str) -> String {
    clip(text).split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

fn word(word: &str) -> String {
    if !acts(word) {
        return escaped(word);
    }
    // What closes a clause is no part of the name in front of it.
    let around = |c: char| "()\"',.:;!?".contains(c);
    let core = word.trim_matches(around);
    match word.split_once(core) {
        Some((front, behind)) if acts(core) => {
            format!("{}{}{}", escaped(front), code(core), escaped(behind))
        }
        _ => code(word),
    }
}

/// Plain text at the start of a line or of a list's item, where a dash, a hash or a number would
/// start a block.
pub(super) fn leading(text: &str) -> String {
    let mut text = plain(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let at = match text.as_bytes().get(digits) {
        Some(b'.' | b')') if digits > 0 => digits,
        Some(b'+' | b'-' | b'=') if digits == 0 => 0,
        _ => return text,
    };
    text.insert(at, '\\');
    text
}

/// A line that has code between backticks.
pub(super) fn with_code(text: &str) -> String {
    let mut parts = clip(text).split('`').map(str::to_owned).collect::<Vec<_>>();
    // A backtick without its other one is a backtick.
    if parts.len().is_multiple_of(2)
        && let Some(last) = parts.pop()
        && let Some(before) = parts.last_mut()
    {
        let _ = write!(before, "`{last}");
    }
    let mut line = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at % 2 == 1 {
            line.push_str(&code(part));
            continue;
        }
        let space = |has: bool| if has { " " } else { "" };
        let text = if at == 0 { leading(part) } else { plain(part) };
        let is_blank = text.is_empty();
        line.push_str(space(at > 0 && part.starts_with(' ')));
        line.push_str(&text);
        line.push_str(space(!is_blank && at + 1 < parts.len() && part.ends_with(' ')));
    }
    line
}

/// Code in a line: a fence longer than any row of backticks in it.
pub(super) fn code(text: &str) -> String {
    let text = clip(text);
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = text.trim().is_empty();
    let touches = text.starts_with('`') || text.ends_with('`');
    let padded = text.starts_with(' ') && text.ends_with(' ');
    // One space on both sides is taken away again.
    let pad = if (touches || padded) && !blank { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Code in a cell of a table, where a bar ends the cell. Behind a backslash its escape would be read
/// in two ways: there it stands between two pieces of code.
pub(super) fn code_in_cell(text: &str) -> String {
    let text = clip(text);
    let mut pieces = String::new();
    let mut start = 0;
    for (at, _) in text.match_indices("\\|") {
        // The backslash itself belongs to the piece in front.
        pieces.push_str(&code(&text[start..=at]).replace('|', "\\|"));
        pieces.push_str("&#124;");
        start = at + 2;
    }
    pieces.push_str(&code(&text[start..]).replace('|', "\\|"));
    pieces
}

/// Text in HTML, where no Markdown is read.
pub(super) fn html(text: &str) -> String {
    let text = clip(text);
    let words = text.split_whitespace().map(|word| {
        let plain = entities(word);
        if acts(word) { format!("<code>{plain}</code>") } else { plain }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A text in an HTML comment, one to one: `-->` cannot come of it.
pub(super) fn comment(text: &str) -> String {
    let mut safe = String::new();
    let mut before = ' ';
    for character in text.chars() {
        let is_plain = character.is_ascii_alphanumeric() || "._/:@+=,-".contains(character);
        if is_plain && !(character == '-' && before == '-') {
            safe.push(character);
        } else {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(safe, "%{byte:02X}");
            }
        }
        before = character;
    }
    safe
}

/// The first characters of a text.
pub(super) fn clip(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// A figure that no narrow table breaks.
pub(super) fn unbroken(figure: &str) -> String {
    figure.replace(' ', "\u{a0}")
}

/// Whether GitHub or Markdown's extensions would make more of a word than text.
fn acts(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let issue = |sign: &str| {
        lower.match_indices(sign).any(|(at, _)| {
            lower[at + sign.len()..].starts_with(|next: char| next.is_ascii_alphanumeric())
        })
    };
    // `:bug:`, in which a name with two colons is not told apart.
    lower.contains(['@', '$'])
        || lower.contains("://")
        || lower.contains("www.")
        || lower.matches(':').count() > 1
        || issue("#")
        || issue("gh-")
}

/// A word with every character escaped that Markdown acts upon.
fn escaped(word: &str) -> String {
    let mut safe = String::with_capacity(word.len());
    for character in word.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '#' => {
                safe.push('\\');
                safe.push(character);
            }
            '&' | '<' | '>' | '|' => safe.push_str(&entities(character.encode_utf8(&mut [0; 4]))),
            plain => safe.push(plain),
        }
    }
    safe
}

fn entities(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '|' => safe.push_str("&#124;"),
            plain => safe.push(plain),
        }
    }
    safe
}
