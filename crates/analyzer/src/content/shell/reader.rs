//! A shell's way to split a text into the words of its commands.

use crate::content::shell::expansion::Variables;
use crate::content::shell::{PREFIXES, printed};
use crate::limits::{
    SHELL_DOCUMENTS_MAX, SHELL_MISSING_MAX, SHELL_NESTING_MAX, SHELL_WORD_MAX, SHELL_WORDS_MAX,
};

/// Stands in a word for what only a run can tell: `$1`, `$(command)`. No shell's word has it.
pub(super) const UNKNOWN: u8 = 0;

/// The same for the output of a command that prints assignments alone.
pub(super) const ASSIGNMENTS: u8 = 1;

/// Words of a command.
pub(super) type Line = Vec<Vec<u8>>;

/// Whether a byte of a word stands for what only a run can tell.
pub(super) fn is_unknown(byte: u8) -> bool {
    matches!(byte, UNKNOWN | ASSIGNMENTS)
}

/// Makes of what is unknown the `$` of a variable without a name.
pub(super) fn show_unknown(word: &mut [u8]) {
    word.iter_mut().filter(|byte| is_unknown(**byte)).for_each(|byte| *byte = b'$');
}

/// What a text was read to.
pub(super) struct Read {
    /// Its commands, those inside words included; variables are `$NAME`.
    pub(super) lines: Vec<Line>,
    pub(super) variables: Variables,
    /// Whether all of it was read, and no word cut short.
    pub(super) is_whole: bool,
}

impl Read {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut reader = Reader::new(text);
        reader.read();
        let Reader { lines, variables, is_whole, .. } = reader;
        Self { lines, variables, is_whole }
    }
}

pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// `NAME=value`, and `NAME+=value`.
pub(super) fn assignment(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b'=', word)?;
    let name = word[..at].strip_suffix(b"+").unwrap_or(&word[..at]);
    let fits = !name.is_empty() && name.iter().all(|b| is_name(*b)) && !name[0].is_ascii_digit();
    fits.then(|| (name, &word[at + 1..]))
}

/// The command of a line, behind the words that only stand before it.
pub(super) fn command(line: &[Vec<u8>]) -> &[Vec<u8>] {
    let start = line.iter().take_while(|word| is_before_command(word)).count();
    &line[start..]
}

/// Whether a word only stands before a command.
pub(super) fn is_before_command(word: &[u8]) -> bool {
    PREFIXES.contains(&word) || assignment(word).is_some()
}

/// Says of the [`UNKNOWN`] that ends a word what it stands for.
fn mark_assignments(word: &mut [u8]) {
    if let Some(last) = word.last_mut().filter(|last| **last == UNKNOWN) {
        *last = ASSIGNMENTS;
    }
}

/// Splits a script into the words of its commands, as the shell does, as far as that goes without
/// running it.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    line: Line,
    word: Option<Vec<u8>>,
    in_quotes: bool,
    /// How many lines there were when backticks opened.
    backticks: Option<usize>,
    /// Commands around the one that is read: `"$(cd "$(dirname "$0")" && pwd)/x"`.
    open: Vec<Around>,
    /// The delimiters of here-documents that start behind this line, and whether tabs before them
    /// count for nothing (`<<-`).
    documents: Vec<(Vec<u8>, bool)>,
    /// Here-documents around this one.
    depth: usize,
    /// How often a delimiter was looked for that does not come.
    missing: usize,
    lines: Vec<Line>,
    variables: Variables,
    words: usize,
    is_whole: bool,
}

/// What stands around a `$(`.
struct Around {
    line: Line,
    /// The word that it is in, to its place.
    word: Vec<u8>,
    in_quotes: bool,
    /// How many lines were read before it.
    lines: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            line: Vec::new(),
            word: None,
            in_quotes: false,
            backticks: None,
            open: Vec::new(),
            documents: Vec::new(),
            depth: 0,
            missing: 0,
            lines: Vec::new(),
            variables: Variables::default(),
            words: 0,
            is_whole: true,
        }
    }

    fn read(&mut self) {
        while self.at < self.text.len() && self.words < SHELL_WORDS_MAX {
            self.step();
        }
        self.is_whole &= self.at >= self.text.len() && self.open.is_empty() && !self.in_quotes;
        self.end_line();
        while let Some(Around { line, word, .. }) = self.open.pop() {
            self.line = line;
            self.word = Some(word);
            self.end_line();
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        let word = self.word.get_or_insert_default();
        if word.len() <= SHELL_WORD_MAX {
            word.push(byte);
        } else {
            self.is_whole = false;
        }
    }

    fn step(&mut self) {
        let byte = self.text[self.at];
        self.at += 1;
        match byte {
            b'\\' => {
                let next = self.peek(0);
                self.at += 1;
                if next != b'\n' && next != 0 {
                    self.push(next);
                }
            }
            b'$' => self.dollar(),
            b'"' => {
                self.in_quotes = !self.in_quotes;
                self.word.get_or_insert_default();
            }
            b')' if !self.open.is_empty() && !self.in_quotes => self.close(),
            _ if self.in_quotes => self.push(byte),
            b'\'' => {
                let rest = &self.text[self.at..];
                let end = memchr::memchr(b'\'', rest).unwrap_or(rest.len());
                self.word.get_or_insert_default();
                for byte in &rest[..end] {
                    self.push(*byte);
                }
                self.at += end + 1;
            }
            b'#' if self.word.is_none() => {
                let rest = &self.text[self.at..];
                self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            }
            b'<' if self.peek(0) == b'<' && self.depth < SHELL_DOCUMENTS_MAX => self.document(),
            b' ' | b'\t' | b'\r' | b'<' | b'>' => self.end_word(),
            b'\n' => {
                self.end_line();
                self.read_documents();
            }
            b';' | b'&' | b'|' | b'(' | b')' => self.end_line(),
            b'`' => {
                if let Some(before) = self.backticks.take() {
                    self.end_line();
                    let (around, inside) = self.lines.split_at_mut(before);
                    if printed::is_assignments(inside)
                        && let Some(place) = around.last_mut().and_then(|line| line.last_mut())
                    {
                        mark_assignments(place);
                    }
                } else {
                    self.push(UNKNOWN);
                    self.end_line();
                    self.backticks = Some(self.lines.len());
                }
            }
            _ => self.push(byte),
        }
    }

    /// Notes the delimiter behind `<<`. `<<<` is followed by a word.
    fn document(&mut self) {
        self.end_word();
        self.at += 1;
        if self.peek(0) == b'<' {
            self.at += 1;
            return;
        }
        let is_indented = self.peek(0) == b'-';
        let rest = &self.text[(self.at + usize::from(is_indented)).min(self.text.len())..];
        let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let word = rest[blanks..].split(|b| b.is_ascii_whitespace() || b";&|<>()`".contains(b));
        let word = word.into_iter().next().unwrap_or_default();
        self.at += usize::from(is_indented) + blanks + word.len();
        let delimiter: Vec<u8> = word.iter().copied().filter(|b| !b"\\'\"".contains(b)).collect();
        if !delimiter.is_empty() && self.documents.len() < SHELL_DOCUMENTS_MAX {
            self.documents.push((delimiter, is_indented));
        }
    }

    /// Reads here-documents as texts of their own: an apostrophe in one is no quote of the script.
    /// They may be scripts, and what is in `$(…)` runs. Where the delimiter does not come, it was
    /// none: `$((1<<n))`.
    fn read_documents(&mut self) {
        for (delimiter, is_indented) in std::mem::take(&mut self.documents) {
            let Some(rest) = self.text.get(self.at..).filter(|_| self.missing < SHELL_MISSING_MAX)
            else {
                continue;
            };
            let (mut start, mut body) = (0, None);
            while start < rest.len() && body.is_none() {
                let end = memchr::memchr(b'\n', &rest[start..]).map_or(rest.len(), |at| start + at);
                let line = &rest[start..end];
                let tabs = line.iter().take_while(|b| **b == b'\t').count();
                if line[if is_indented { tabs } else { 0 }..] == delimiter {
                    body = Some((start, end));
                }
                start = end + 1;
            }
            let Some((body, end)) = body else {
                self.missing += 1;
                continue;
            };
            let mut inner = Reader::new(&rest[..body]);
            inner.depth = self.depth + 1;
            inner.missing = self.missing;
            inner.words = self.words;
            inner.lines = std::mem::take(&mut self.lines);
            inner.variables = std::mem::take(&mut self.variables);
            inner.read();
            (self.lines, self.variables) = (inner.lines, inner.variables);
            (self.words, self.missing) = (inner.words, inner.missing);
            self.at += end;
        }
    }

    /// `$NAME`, `${NAME…}`, `$(command)`; anything else only a run can tell.
    fn dollar(&mut self) {
        match self.peek(0) {
            b'(' => {
                self.at += 1;
                if self.open.len() < SHELL_NESTING_MAX {
                    let mut word = self.word.take().unwrap_or_default();
                    word.push(UNKNOWN);
                    let line = std::mem::take(&mut self.line);
                    let in_quotes = std::mem::take(&mut self.in_quotes);
                    self.open.push(Around { line, word, in_quotes, lines: self.lines.len() });
                } else {
                    self.is_whole = false;
                    self.end_line();
                }
            }
            b'{' => self.braces(),
            byte if is_name(byte) && !byte.is_ascii_digit() => {
                self.push(b'$');
                while is_name(self.peek(0)) {
                    let byte = self.peek(0);
                    self.push(byte);
                    self.at += 1;
                }
            }
            byte => {
                self.push(UNKNOWN);
                // `$0`, `$@`, `$?`.
                self.at += usize::from(!byte.is_ascii_whitespace() && byte != b'"' && byte != 0);
            }
        }
    }

    /// `${NAME}`, and the defaults of `${NAME:-value}` and `${NAME:=value}`.
    fn braces(&mut self) {
        let rest = &self.text[self.at + 1..];
        let rest = &rest[..rest.len().min(SHELL_WORD_MAX)];
        let name_end = rest.iter().take_while(|b| is_name(**b)).count();
        let name = &rest[..name_end];
        let behind = &rest[name_end..];
        let operator = behind.strip_prefix(b":").unwrap_or(behind);
        match operator.first() {
            Some(b'}') if name_end > 0 && operator.len() == behind.len() => {
                self.at += name_end + 2;
                self.push(b'$');
                for byte in name {
                    self.push(*byte);
                }
            }
            Some(b'-' | b'=' | b'+') if name_end > 0 => {
                let value = &operator[1..];
                let end = value.iter().position(|b| *b == b'}').unwrap_or(value.len());
                let literal: Vec<u8> =
                    value[..end].iter().copied().filter(|b| !b"\"'{".contains(b)).collect();
                self.variables.set(name, &literal);
                if operator[0] == b'+' {
                    self.variables.set(name, b"");
                }
                self.at += 1 + name_end + (behind.len() - operator.len()) + 1 + end + 1;
                self.push(b'$');
                for byte in name {
                    self.push(*byte);
                }
            }
            _ => {
                // `${0%/*}`: to the brace that ends it.
                let end = memchr::memchr(b'}', rest).unwrap_or(name_end);
                self.at += 1 + end + 1;
                self.push(UNKNOWN);
            }
        }
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        self.words += 1;
        if let Some((name, value)) = assignment(&word) {
            self.variables.set(name, value);
        }
        if !word.is_empty() {
            self.line.push(word);
        }
    }

    fn end_line(&mut self) {
        self.end_word();
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.note_read(&line);
            self.lines.push(line);
        }
    }

    /// Variables that a command sets to what it reads, or to one word after the other.
    fn note_read(&mut self, line: &[Vec<u8>]) {
        let Some((first, rest)) = command(line).split_first() else { return };
        let names = match &first[..] {
            b"for" | b"select" => &rest[..rest.len().min(1)],
            b"read" | b"mapfile" | b"readarray" | b"getopts" | b"printf" | b"apt-config" => rest,
            _ => &[],
        };
        for name in names {
            if name.iter().all(|b| is_name(*b)) {
                self.variables.untold.insert(name.clone());
            }
        }
    }

    fn close(&mut self) {
        self.end_line();
        if let Some(Around { line, mut word, in_quotes, lines }) = self.open.pop() {
            if printed::is_assignments(self.lines.get(lines..).unwrap_or_default()) {
                mark_assignments(&mut word);
            }
            self.line = line;
            self.word = Some(word);
            self.in_quotes = in_quotes;
        }
    }
}
