//! Programs and files that texts in the code of a language name: what calls start that run
//! programs, and what an application hands to them in a list, with an option or by its path.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::content::starter;
use crate::entry::split;
use crate::limits::{NAME_OF_FILE_MAX, NAMES_OF_FILE_MAX};

/// What texts name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Texts {
    /// Programs, by name or path, that calls start: `subprocess.run(["gzip", x])`, `system("gzip x")`.
    pub started: Vec<Box<str>>,
    /// What may be one elsewhere, the first of a list or with an option behind it, and absolute
    /// paths. Texts of a library may be anything.
    pub named: Vec<Box<str>>,
}

/// Calls that start programs in Python, JavaScript, Ruby, PHP and Perl, without what is before the
/// last dot.
const STARTING: [&[u8]; 50] = [
    b"Popen",
    b"run",
    b"call",
    b"check_call",
    b"check_output",
    b"getoutput",
    b"getstatusoutput",
    b"system",
    b"popen",
    b"popen2",
    b"popen2e",
    b"popen3",
    b"exec",
    b"execl",
    b"execle",
    b"execlp",
    b"execlpe",
    b"execv",
    b"execve",
    b"execvp",
    b"execvpe",
    b"spawnl",
    b"spawnle",
    b"spawnlp",
    b"spawnlpe",
    b"spawnv",
    b"spawnve",
    b"spawnvp",
    b"spawnvpe",
    b"posix_spawn",
    b"posix_spawnp",
    b"create_subprocess_exec",
    b"create_subprocess_shell",
    b"subprocess_exec",
    b"execSync",
    b"execFile",
    b"execFileSync",
    b"spawn",
    b"spawnSync",
    b"execa",
    b"execaSync",
    b"execaCommand",
    b"capture2",
    b"capture2e",
    b"capture3",
    b"pipeline",
    b"shell_exec",
    b"passthru",
    b"proc_open",
    b"pcntl_exec",
];

/// How a language writes what it has a shell run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commands {
    /// In calls alone.
    InCalls,
    /// Between backticks, in `qx(…)` and `%x(…)`, and beside a pipe: `open($f, "-|", "ls")`.
    InQuotes,
}

/// Reads every text of a code; `None` where none names anything.
pub(super) fn scan(code: &[u8], commands: Commands) -> Option<Box<Texts>> {
    let (mut started, mut named) = (BTreeSet::new(), BTreeSet::new());
    let mut at = 0;
    while let Some(found) = memchr::memchr3(b'"', b'\'', b'`', &code[at..]) {
        let open = at + found;
        let rest = &code[open + 1..code.len().min(open + 1 + NAME_OF_FILE_MAX)];
        let Some(length) = memchr::memchr2(code[open], b'\n', rest) else {
            at = open + 1;
            continue;
        };
        if rest[length] == b'\n' {
            // An apostrophe, or a text of several lines: what it starts with may stand here.
            at = open + 1 + length;
            continue;
        }
        let behind = open + 1 + length + 1;
        at = behind;
        let Ok(text) = str::from_utf8(&rest[..length]) else { continue };
        let before = code[..open].trim_ascii_end();
        // `>>> run("x")` is an example.
        let call = called(before).filter(|_| !is_example(code, open));
        let is_call = call.is_some_and(|name| STARTING.contains(&name));
        let is_quote = commands == Commands::InQuotes
            && (code[open] == b'`' || text.starts_with('|') || text.ends_with('|'));
        let is_list = || is_first_of_list(before) && matches!(code.get(behind), Some(b',' | b']'));
        if is_call || is_quote {
            started.extend(programs(text));
        } else if call == Some(b"which") || is_list() {
            named.extend(word(text).filter(|word| word.len() == text.len()));
        }
        named.extend(with_option(text));
        let is_path = text.len() > 2
            && text.starts_with('/')
            && text.bytes().all(|b| b.is_ascii_graphic() && !b"*?{}$%<>|;&".contains(&b));
        named.extend(is_path.then_some(text));
        if started.len() + named.len() >= NAMES_OF_FILE_MAX {
            break;
        }
    }
    if commands == Commands::InQuotes {
        for mark in [&b"qx"[..], b"%x"] {
            for at in memchr::memmem::find_iter(code, mark).take(NAMES_OF_FILE_MAX) {
                started.extend(bracketed(&code[at + mark.len()..]).into_iter().flat_map(programs));
            }
        }
    }
    let texts = |found: BTreeSet<&str>| found.into_iter().map(Box::from).collect();
    let is_any = !started.is_empty() || !named.is_empty();
    is_any.then(|| Box::new(Texts { started: texts(started), named: texts(named) }))
}

/// What is called with the text behind: `run(`, `run([`, and without brackets, Ruby's and Perl's
/// `system `.
fn called(before: &[u8]) -> Option<&[u8]> {
    // A text may be of bytes, raw, or have variables put in.
    let before = match before {
        [front @ .., b'r' | b'b' | b'f' | b'u']
            if front.ends_with(b"(") || front.ends_with(b"[") =>
        {
            front
        }
        _ => before,
    };
    let inner = before.strip_suffix(b"[").unwrap_or(before).trim_ascii_end();
    let outer = inner.strip_suffix(b"(").map(<[u8]>::trim_ascii_end);
    // `Popen(("ls", x))`.
    let front = outer.map_or(before, |outer| outer.strip_suffix(b"(").unwrap_or(outer));
    let front = front.trim_ascii_end();
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let length = front.iter().rev().take_while(|b| is_part(b)).count();
    let (front, name) = front.split_at(front.len() - length);
    let is_bare = matches!(name, b"system" | b"exec" | b"spawn")
        && !front.last().is_some_and(|b| b".$@%>:".contains(b));
    (!name.is_empty() && (outer.is_some() || is_bare)).then_some(name)
}

fn is_example(code: &[u8], at: usize) -> bool {
    let line = memchr::memrchr(b'\n', &code[..at]).map_or(0, |newline| newline + 1);
    code[line..at].trim_ascii_start().starts_with(b">>>")
}

/// Whether a list starts here, rather than what is taken from one: `x["a"]`.
fn is_first_of_list(before: &[u8]) -> bool {
    let Some(front) = before.strip_suffix(b"[") else { return false };
    let last = front.trim_ascii_end().last();
    !last.is_some_and(|b| b.is_ascii_alphanumeric() || b"_)]}\"'".contains(b))
}

/// The programs of a command line: the first of each part, and what wrappers start.
fn programs(text: &str) -> impl Iterator<Item = &str> {
    text.split(['|', ';', '&', '\n']).flat_map(|part| {
        let mut is_wrapped = true;
        let words = part.split_ascii_whitespace().filter(|word| {
            let is_set = word.split_once('=').is_some_and(|(name, _)| !name.contains('/'));
            // `nice -n 5 x`: neither options nor numbers are programs.
            !is_set && !word.starts_with('-') && word.contains(|c: char| c.is_ascii_alphabetic())
        });
        words
            .take_while(move |word| {
                let is = is_wrapped;
                is_wrapped = is && starter::is_wrapper(split(word.as_bytes()).1);
                is
            })
            .filter_map(word)
    })
}

/// The word that a text starts with, if a program may be called so.
fn word(text: &str) -> Option<&str> {
    let end = text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len());
    let word = &text[..end];
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"_+-./".contains(&b);
    let is_name = word.bytes().all(is_part) && word.bytes().any(|b| b.is_ascii_alphabetic());
    (is_name && !word.starts_with('-') && word.len() < 256).then_some(word)
}

/// The program that a text gives an option: `ffmpeg -i {}`.
fn with_option(text: &str) -> Option<&str> {
    let word = word(text)?;
    let option = text[word.len()..].strip_prefix(" -")?.trim_start_matches('-');
    option.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(word)
}

/// The text between the brackets that bytes start with.
fn bracketed(bytes: &[u8]) -> Option<&str> {
    let (open, rest) = bytes.split_first()?;
    let close = match open {
        b'(' => b')',
        b'{' => b'}',
        b'[' => b']',
        b'/' | b'|' | b'!' => *open,
        _ => return None,
    };
    let end = memchr::memchr(close, &rest[..rest.len().min(NAME_OF_FILE_MAX)])?;
    str::from_utf8(&rest[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(code: &str, commands: Commands) -> String {
        scan(code.as_bytes(), commands).map_or_else(String::new, |texts| texts.started.join(" "))
    }

    fn named(code: &str) -> String {
        scan(code.as_bytes(), Commands::InCalls)
            .map_or_else(String::new, |texts| texts.named.join(" "))
    }

    #[test]
    fn what_calls_start_is_found() {
        for (code, programs) in [
            ("subprocess.run(['gzip', '-9', path], check=True)", "gzip"),
            ("check_output(\n    [\"uname\", '-p'],\n)", "uname"),
            ("subprocess.Popen(('/sbin/ldconfig', '-p'))", "/sbin/ldconfig"),
            ("os.system('A=1 tar c x | zstd > y; sync')", "sync tar zstd"),
            ("os.system(f\"convert {a}\")", "convert"),
            ("os.popen(r'ls')", "ls"),
            ("await asyncio.create_subprocess_exec('git', 'log')", "git"),
            ("execFileSync(`git`, ['log'])", "git"),
            ("const { stdout } = await execa('node-gyp')", "node-gyp"),
            ("exec('nice -n 5 ffmpeg -i ' + x)", "ffmpeg nice"),
            ("shell_exec('env LANG=C date')", "date env"),
            ("system 'make', 'all'", "make"),
            (">>> run(['ls'])\nx.runs('a'); rerun('b'); it's run", ""),
            ("run(x, 'a'); run(); log('run')", ""),
            ("system", ""),
        ] {
            assert_eq!(started(code, Commands::InCalls), programs, "{code}");
        }
        for (code, programs) in [
            ("my $x = `hostname -f`;", "hostname"),
            ("qx(id -u) . qx{who}", "id who"),
            ("%x[uptime]", "uptime"),
            ("open(my $f, 'zcat x |'); open(F, \"|sendmail -t\")", "sendmail zcat"),
        ] {
            assert_eq!(started(code, Commands::InQuotes), programs, "{code}");
        }
        assert_eq!(started("`hostname`", Commands::InCalls), "");
    }

    #[test]
    fn what_may_be_a_program_or_a_path_is_found() {
        assert_eq!(named("shutil.which('gs')"), "gs");
        assert_eq!(named("cmd = ['ffmpeg', '-i', x]"), "ffmpeg");
        assert_eq!(named("cmd = \"pandoc --to html {}\".format(x)"), "pandoc");
        assert_eq!(named("open('/usr/share/dict/words')"), "/usr/share/dict/words");
        assert_eq!(named("x['date'], a[0]['file'], ['two words', 'b']"), "");
        assert_eq!(named("'/', '/a/{}', '/a b', 'x - y', 'a -1'"), "");
    }

    #[test]
    fn odd_code_ends() {
        for code in ["'", "\"\"", "run('", "qx", "qx(", "it's\n'", "\u{fffd}'\u{fffd}'", "run(['"] {
            let _ = scan(code.as_bytes(), Commands::InQuotes);
        }
    }
}
