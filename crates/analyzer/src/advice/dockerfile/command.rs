//! The simple commands of a shell script, with the bytes that their words take.

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Without its quotes; variables and substitutions as they are written.
    pub(super) text: String,
    /// Where it starts in the script.
    pub(super) start: usize,
    /// Just behind it.
    pub(super) end: usize,
}

/// What stands behind a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// The script's end.
    End,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
    /// `;`
    Semicolon,
    /// `&`
    Background,
    /// A line's end.
    Newline,
    /// `(` or `)`
    Bracket,
}

/// A command with its arguments, without assignments, `sudo` and the like before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// The program as it is written, and its arguments.
    pub(super) words: Vec<Word>,
    /// `NAME=value` before it.
    pub(super) assignments: Vec<String>,
    /// Just behind its last word or redirection.
    pub(super) end: usize,
    /// What stands before it; `End` for the first.
    pub(super) before: Operator,
    /// What stands behind it.
    pub(super) after: Operator,
    /// Whether it is inside brackets, a loop, a condition or a function.
    pub(super) nested: bool,
    /// Whether its output or input goes elsewhere.
    pub(super) redirected: bool,
}

impl Command {
    /// The program's name without its directory.
    pub(super) fn name(&self) -> &str {
        let program = self.words.first().map_or("", |word| word.text.as_str());
        program.rsplit('/').next().unwrap_or(program)
    }

    /// The words behind the program.
    pub(super) fn arguments(&self) -> &[Word] {
        self.words.get(1..).unwrap_or_default()
    }

    /// Whether one of the words is an argument.
    pub(super) fn has(&self, any: &[&str]) -> bool {
        self.arguments().iter().any(|word| any.contains(&word.text.as_str()))
    }

    /// The argument that says what the program is to do, if it is one of these: before it stand
    /// only flags and what may be their values.
    pub(super) fn verb(&self, verbs: &[&str]) -> Option<&Word> {
        verb(self.arguments(), verbs).map(|at| &self.arguments()[at])
    }

    /// The arguments behind the verb that are no flags; without the verb, none.
    pub(super) fn operands(&self, verbs: &[&str]) -> impl Iterator<Item = &str> {
        let arguments = self.arguments();
        let from = verb(arguments, verbs).map_or(arguments.len(), |at| at + 1);
        arguments[from..]
            .iter()
            .map(|word| word.text.as_str())
            .filter(|word| !word.starts_with('-'))
    }
}

/// Where among arguments one of the verbs stands.
pub(super) fn verb(arguments: &[Word], verbs: &[&str]) -> Option<usize> {
    let mut is_behind_flag = false;
    for (at, word) in arguments.iter().enumerate() {
        let is_flag = word.text.starts_with('-');
        if !is_flag && verbs.contains(&word.text.as_str()) {
            return Some(at);
        }
        if !is_flag && !is_behind_flag {
            return None;
        }
        is_behind_flag = is_flag;
    }
    None
}

/// Words that only introduce a command.
const INTRODUCTIONS: [&str; 7] = ["then", "else", "do", "!", "elif", "if", "while"];
/// Words that open what a later word closes.
const OPENINGS: [&str; 6] = ["if", "while", "until", "for", "case", "{"];
/// Words that close.
const CLOSINGS: [&str; 4] = ["fi", "done", "esac", "}"];
/// Programs that run what follows them.
const PREFIXES: [&str; 7] = ["sudo", "env", "exec", "command", "time", "nice", "eatmydata"];

/// The commands of a script, in order. What stands inside `$(…)` is part of a word. `None` where a
/// quote or a substitution is never closed: no shell runs that, and nothing may be put behind it.
pub(super) fn commands(script: &str) -> Option<Vec<Command>> {
    let mut reader = Reader {
        script,
        at: 0,
        commands: Vec::new(),
        words: Vec::new(),
        word: None,
        end: 0,
        before: Operator::End,
        depth: 0,
        redirection: Redirection::No,
        redirected: false,
        heredocs: Vec::new(),
        is_unclosed: false,
    };
    reader.read();
    (!reader.is_unclosed).then_some(reader.commands)
}

/// Whether the next word is the file of a redirection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Redirection {
    No,
    File,
    Heredoc,
}

struct Reader<'a> {
    script: &'a str,
    at: usize,
    commands: Vec<Command>,
    words: Vec<Word>,
    /// The word that is being read.
    word: Option<Word>,
    end: usize,
    before: Operator,
    depth: usize,
    redirection: Redirection,
    redirected: bool,
    /// Words that end the heredocs whose lines come next.
    heredocs: Vec<String>,
    is_unclosed: bool,
}

impl Reader<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        self.script.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Takes `length` bytes into the word, or drops them from it where they are its quotes.
    fn take(&mut self, length: usize, keep: bool) {
        let from = self.at;
        // Never inside a character.
        let mut to = (from + length).min(self.script.len());
        while !self.script.is_char_boundary(to) {
            to += 1;
        }
        let new = || Word { text: String::new(), start: from, end: from };
        let word = self.word.get_or_insert_with(new);
        if keep {
            word.text.push_str(&self.script[from..to]);
        }
        word.end = to;
        self.at = to;
    }

    fn read(&mut self) {
        while self.at < self.script.len() {
            match self.byte(0) {
                b'\\' if matches!(self.byte(1), b'\n') => self.at += 2,
                b'\\' if self.byte(1) == b'\r' && self.byte(2) == b'\n' => self.at += 3,
                b'\\' => {
                    self.take(1, false);
                    self.take(1, true);
                }
                b'\'' => {
                    self.take(1, false);
                    let rest = &self.script[self.at..];
                    let length = rest.find('\'');
                    self.is_unclosed |= length.is_none();
                    self.take_all(length.unwrap_or(rest.len()));
                    self.take(1, false);
                }
                b'"' => self.quoted(),
                b'$' | b'`' => self.substitution(),
                b'#' if self.word.is_none() => {
                    let rest = &self.script[self.at..];
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                b'\n' => {
                    self.end_command(Operator::Newline, 1);
                    self.skip_heredocs();
                }
                b' ' | b'\t' | b'\r' => {
                    self.end_word();
                    self.at += 1;
                }
                b'>' | b'<' => self.redirect(),
                b'&' if self.byte(1) == b'>' => {
                    self.end_word();
                    self.at += 1;
                    self.redirect();
                }
                b'&' if self.byte(1) == b'&' => self.end_command(Operator::And, 2),
                b'&' => self.end_command(Operator::Background, 1),
                b'|' if self.byte(1) == b'|' => self.end_command(Operator::Or, 2),
                b'|' => {
                    let length = 1 + usize::from(self.byte(1) == b'&');
                    self.end_command(Operator::Pipe, length);
                }
                b';' => {
                    let length = 1 + usize::from(self.byte(1) == b';');
                    self.end_command(Operator::Semicolon, length);
                }
                b'(' => {
                    self.end_command(Operator::Bracket, 1);
                    self.depth += 1;
                }
                b')' => {
                    self.end_command(Operator::Bracket, 1);
                    self.depth = self.depth.saturating_sub(1);
                }
                _ => self.take(1, true),
            }
        }
        self.end_command(Operator::End, 0);
    }

    fn take_all(&mut self, length: usize) {
        if length > 0 {
            self.take(length, true);
        }
    }

    fn quoted(&mut self) {
        self.take(1, false);
        while self.at < self.script.len() {
            match self.byte(0) {
                b'"' => return self.take(1, false),
                b'\\' if self.byte(1) == b'\n' => self.take(2, false),
                b'\\' => {
                    self.take(1, !matches!(self.byte(1), b'"' | b'\\' | b'$' | b'`'));
                    self.take(1, true);
                }
                b'$' | b'`' => self.substitution(),
                _ => self.take(1, true),
            }
        }
        self.is_unclosed = true;
    }

    /// `$(…)`, `${…}`, `` `…` ``, or a lone dollar.
    fn substitution(&mut self) {
        let rest = &self.script.as_bytes()[self.at..];
        let length = match (rest.first(), rest.get(1)) {
            (Some(b'`'), _) => memchr::memchr(b'`', &rest[1..]).map(|end| end + 2),
            (_, Some(b'(')) => closed(rest, b'(', b')'),
            (_, Some(b'{')) => closed(rest, b'{', b'}'),
            _ => Some(1),
        };
        self.is_unclosed |= length.is_none();
        self.take(length.unwrap_or(rest.len()), true);
    }

    fn redirect(&mut self) {
        // `2>`: the number is no word.
        if self.word.as_ref().is_some_and(|word| word.text.bytes().all(|b| b.is_ascii_digit())) {
            self.word = None;
        }
        self.end_word();
        let rest = &self.script[self.at..];
        let length = rest.len() - rest.trim_start_matches(['<', '>', '&', '|']).len();
        let is_heredoc = &rest[..length] == "<<";
        self.at += length + usize::from(is_heredoc && self.byte(2) == b'-');
        self.end = self.at;
        self.redirected = true;
        self.redirection = if is_heredoc { Redirection::Heredoc } else { Redirection::File };
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        self.end = word.end;
        match std::mem::replace(&mut self.redirection, Redirection::No) {
            Redirection::No => {}
            Redirection::File => return,
            Redirection::Heredoc => return self.heredocs.push(word.text),
        }
        let is_first = self.words.is_empty();
        if is_first && OPENINGS.contains(&word.text.as_str()) {
            self.depth += 1;
        }
        if is_first && CLOSINGS.contains(&word.text.as_str()) {
            self.depth = self.depth.saturating_sub(1);
            return;
        }
        if is_first && (INTRODUCTIONS.contains(&word.text.as_str()) || word.text == "{") {
            return;
        }
        self.words.push(word);
    }

    fn end_command(&mut self, operator: Operator, length: usize) {
        self.end_word();
        self.at += length;
        self.redirection = Redirection::No;
        let redirected = std::mem::take(&mut self.redirected);
        let mut words = std::mem::take(&mut self.words);
        if words.is_empty() {
            // An end of line behind `&&` or `|` ends nothing.
            if operator != Operator::Newline && operator != Operator::End {
                self.before = operator;
            }
            if let Some(last) = self.commands.last_mut()
                && operator == Operator::Background
            {
                last.after = operator;
            }
            return;
        }
        let mut assignments = Vec::new();
        let mut is_prefixed = false;
        let mut before = 0;
        for word in &words {
            let is_assignment = word.text.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            });
            let is_prefix = PREFIXES.contains(&word.text.as_str());
            let is_flag = is_prefixed && word.text.starts_with('-');
            if is_assignment {
                assignments.push(word.text.clone());
            } else if !is_prefix && !is_flag {
                break;
            }
            is_prefixed |= is_prefix;
            before += 1;
        }
        words.drain(..before);
        self.commands.push(Command {
            words,
            assignments,
            end: self.end,
            before: std::mem::replace(&mut self.before, operator),
            after: operator,
            nested: self.depth > 0,
            redirected,
        });
    }

    fn skip_heredocs(&mut self) {
        for name in std::mem::take(&mut self.heredocs) {
            while self.at < self.script.len() {
                let rest = &self.script[self.at..];
                let line = rest.split_inclusive('\n').next().unwrap_or(rest);
                self.at += line.len();
                if line.trim_end_matches(['\r', '\n']).trim_start_matches('\t') == name {
                    break;
                }
            }
        }
    }
}

/// The length of what opens at the second byte, to the byte that closes it; `None` if none does.
/// Brackets in quotes are none, where quotes are any: not the single ones inside `${…}`.
fn closed(bytes: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match (byte, quote) {
            (b'\\', None | Some(b'"')) => at += 1,
            (_, Some(end)) if byte == end => quote = None,
            (_, Some(_)) => {}
            (b'"', _) => quote = Some(byte),
            (b'\'', _) if open == b'(' => quote = Some(byte),
            _ if byte == open => depth += 1,
            _ if byte == close => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
