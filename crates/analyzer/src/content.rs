//! What the content of one file says of other files: the loader and libraries that an ELF file
//! asks for, the interpreter of a script and the words in it, what modules of Python, JavaScript,
//! Perl, Ruby and PHP import, and documents that are kept whole.
//!
//! Contents that pass by once are looked at while they do; those that can be read later are looked
//! at by the same [`Collector`] then. Nothing here knows where a file stands in an image.

pub mod archive;
pub mod document;
pub mod elf;
pub mod javascript;
mod literal;
pub mod perl;
pub mod php;
pub mod python;
pub mod rpm;
pub mod ruby;
pub mod script;
pub mod secret;
pub mod shell;
mod sparse;
pub mod starter;
mod texts;

use std::cell::RefCell;
use std::io;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::blob::ReadAt;
use crate::content::texts::Commands;
use crate::limits::RPM_DATABASE_MAX;

pub use archive::Archive;
pub use elf::Elf;
pub use javascript::JavaScript;
pub use perl::Perl;
pub use php::Php;
pub use python::Python;
pub use rpm::RpmDatabase;
pub use ruby::Ruby;
pub use script::Shebang;
pub use secret::Secret;
pub use shell::Shell;
pub use texts::Texts;

/// What a file's content says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The interpreter that the kernel would start for it.
    pub shebang: Option<Shebang>,
    /// What texts in the code of a language name.
    pub texts: Option<Box<Texts>>,
    /// The rest.
    pub body: Body,
}

/// What a file is, by its first bytes, its interpreter and its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// An executable or a shared object.
    Elf(Box<Elf>),
    /// A script of a shell.
    Shell(Shell),
    /// A module or script of Python.
    Python(Python),
    /// A module or script of JavaScript.
    JavaScript(JavaScript),
    /// A Java archive.
    Archive(Box<Archive>),
    /// A package database of rpm.
    Rpm(Box<RpmDatabase>),
    /// A module or script of Perl.
    Perl(Perl),
    /// A module or script of Ruby.
    Ruby(Ruby),
    /// A file of PHP.
    Php(Php),
    /// A file that is read as it is: a package database, a configuration.
    Document(Vec<u8>),
    /// A secret, whose content is not kept.
    Secret(Secret),
    /// The memory of a program that crashed.
    CoreDump,
    /// A script of another language, which is not looked into.
    Other,
    /// A file of a kind that would be looked into, but is larger than is looked at.
    TooLarge,
    /// A file that says by its first bytes that it is a program, or by its name that it is an
    /// archive, and is none that can be read.
    Damaged,
}

/// Text that is looked into: no module written by people is larger, and few bundles are.
const TEXT_MAX: u64 = 16 << 20;
/// First bytes that tell what a file is.
const HEAD: usize = 4;
/// Bytes that are read at first of a file that is at hand.
const FIRST: usize = 4 << 10;
/// The same where its name says that all of it is looked at, as most texts are smaller.
const FIRST_OF_TEXT: usize = 64 << 10;

/// Gathers what is needed of a file's content as it passes by in pieces.
pub struct Collector {
    state: State,
}

enum State {
    /// Not enough bytes yet to tell.
    Head(Vec<u8>, Name, u64),
    Text(Vec<u8>, Language),
    Elf(Box<elf::Collector>),
    Archive(Box<archive::Collector>),
    Rpm(Vec<u8>),
    Secret(Vec<u8>, Box<[u8]>),
    TooLarge,
    Damaged,
    Nothing,
}

/// What a name says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Archive,
    Rpm,
    Secret,
    Document,
    /// A document that is too large to be one.
    TooLarge,
    Python,
    /// A module of Python that is a library's.
    PythonLibrary,
    JavaScript,
    Perl,
    Ruby,
    Php,
    Shell,
    /// An object with nothing but tables and code that reads them: of glibc's character sets there
    /// are hundreds.
    Tables,
    /// Nothing: its first bytes tell.
    Any,
    /// That it says nothing of others.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Document,
    Python,
    PythonLibrary,
    JavaScript,
    Perl,
    Ruby,
    Php,
    Shell,
    /// What the first line says.
    Script,
}

impl Collector {
    /// For the file at `path`, without a leading slash, of `size` bytes.
    pub fn new(path: &[u8], size: u64) -> Self {
        let name = Name::of(path, size);
        let state = match name {
            _ if size == 0 || name == Name::Nothing => State::Nothing,
            Name::TooLarge => State::TooLarge,
            Name::Rpm => State::Rpm(Vec::new()),
            Name::Secret => State::Secret(Vec::new(), path.into()),
            Name::Document => State::Text(Vec::new(), Language::Document),
            name => State::Head(Vec::new(), name, size),
        };
        Self { state }
    }

    /// Whether nothing more is wanted of the file.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Nothing | State::TooLarge | State::Damaged)
    }

    /// Takes the next bytes.
    pub fn piece(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Nothing | State::TooLarge | State::Damaged => {}
            State::Text(text, _) | State::Rpm(text) | State::Secret(text, _) => {
                text.extend_from_slice(bytes);
            }
            State::Elf(elf) => elf.piece(bytes),
            State::Archive(archive) => archive.piece(bytes),
            State::Head(head, name, size) => {
                head.extend_from_slice(bytes);
                if head.len() >= HEAD.min(usize::try_from(*size).unwrap_or(HEAD)) {
                    self.state = decide(std::mem::take(head), *name, *size);
                }
            }
        }
    }

    /// What the content says; `None` where it says nothing.
    pub fn finish(self) -> Option<Content> {
        let plain = |body| Some(Content { shebang: None, texts: None, body });
        match self.state {
            State::Nothing => None,
            State::Head(head, name, size) => match decide(head, name, size) {
                State::Head(..) => None,
                state => Self { state }.finish(),
            },
            State::TooLarge => plain(Body::TooLarge),
            State::Damaged => plain(Body::Damaged),
            State::Secret(text, path) => {
                secret::look(&path, &text).and_then(|s| plain(Body::Secret(s)))
            }
            State::Elf(elf) => elf.finish().and_then(plain),
            State::Rpm(bytes) => plain(Body::Rpm(Box::new(rpm::read(bytes)))),
            State::Archive(archive) => Some(Content {
                // Some archives have a script before them that starts them.
                shebang: script::shebang(archive.start()),
                texts: None,
                body: Body::Archive(Box::new(archive.finish())),
            }),
            State::Text(text, Language::Document) => plain(Body::Document(text)),
            State::Text(text, language) => read(&text, language),
        }
    }
}

/// What a script says that was kept as a document.
pub fn script(text: &[u8]) -> Option<Content> {
    read(text, Language::Script)
}

fn read(text: &[u8], language: Language) -> Option<Content> {
    let shebang = script::shebang(text);
    let language = match (language, &shebang) {
        (Language::Script, Some(shebang)) => shebang.language(),
        (Language::Script, None) => return None,
        (language, _) => Some(language),
    };
    let body = match language {
        Some(Language::Python) => Body::Python(python::scan(text)),
        Some(Language::PythonLibrary) => Body::Python(python::scan_library(text)),
        Some(Language::JavaScript) => Body::JavaScript(javascript::scan(text)),
        Some(Language::Perl) => Body::Perl(perl::scan(text)),
        Some(Language::Ruby) => Body::Ruby(ruby::scan(text)),
        Some(Language::Php) => Body::Php(php::scan(text)),
        Some(Language::Shell) => Body::Shell(shell::scan(text)),
        _ => Body::Other,
    };
    let texts = match &body {
        Body::Python(module) if language != Some(Language::PythonLibrary) || module.starts() => {
            texts::scan(text, Commands::InCalls)
        }
        Body::JavaScript(_) => texts::scan(text, Commands::InCalls),
        Body::Perl(_) | Body::Ruby(_) | Body::Php(_) => texts::scan(text, Commands::InQuotes),
        _ => None,
    };
    Some(Content { shebang, texts, body })
}

fn decide(head: Vec<u8>, name: Name, size: u64) -> State {
    match told(&head, name, size) {
        Told::Elf => {
            let mut elf = Box::new(elf::Collector::new(size, name != Name::Tables));
            elf.piece(&head);
            State::Elf(elf)
        }
        Told::Archive => {
            let mut archive = Box::new(archive::Collector::new(size));
            archive.piece(&head);
            State::Archive(archive)
        }
        Told::Text(language) => State::Text(head, language),
        Told::TooLarge => State::TooLarge,
        Told::Damaged => State::Damaged,
        Told::Nothing => State::Nothing,
    }
}

/// What a file's name and first bytes tell.
enum Told {
    Elf,
    Archive,
    Text(Language),
    TooLarge,
    Damaged,
    Nothing,
}

fn told(head: &[u8], name: Name, size: u64) -> Told {
    let language = match name {
        _ if head.starts_with(b"\x7fELF") => return Told::Elf,
        Name::Archive if head.starts_with(b"PK") || head.starts_with(b"#!") => {
            return Told::Archive;
        }
        Name::Archive => return Told::Damaged,
        Name::Python => Language::Python,
        Name::PythonLibrary => Language::PythonLibrary,
        Name::JavaScript => Language::JavaScript,
        Name::Perl => Language::Perl,
        Name::Ruby => Language::Ruby,
        Name::Php => Language::Php,
        Name::Shell => Language::Shell,
        _ if head.starts_with(b"#!") => Language::Script,
        _ => return Told::Nothing,
    };
    if size > TEXT_MAX { Told::TooLarge } else { Told::Text(language) }
}

impl Name {
    fn of(path: &[u8], size: u64) -> Self {
        if rpm::is_database(path) {
            return if size > RPM_DATABASE_MAX { Self::TooLarge } else { Self::Rpm };
        }
        if secret::is_candidate(path, size) {
            return Self::Secret;
        }
        if document::is_document(path, size) {
            return Self::Document;
        }
        if document::is_too_large(path, size) {
            return Self::TooLarge;
        }
        let (directory, name) = crate::entry::split(path);
        if name.ends_with(b".so") && directory.ends_with(b"/gconv") {
            return Self::Tables;
        }
        if archive::is_archive(name) {
            return Self::Archive;
        }
        if matches!(name, b"Gemfile" | b"Rakefile") {
            return Self::Ruby;
        }
        match crate::entry::extension(name) {
            b"py" | b"pyw" if python::is_library(path) => Self::PythonLibrary,
            b"py" | b"pyw" => Self::Python,
            b"js" | b"mjs" | b"cjs" => Self::JavaScript,
            b"pl" | b"pm" | b"al" | b"psgi" => Self::Perl,
            b"rb" | b"ru" | b"rake" => Self::Ruby,
            b"php" | b"phtml" | b"inc" => Self::Php,
            b"sh" | b"bash" | b"envsh" => Self::Shell,
            // Compiled forms, headers, messages, pictures and fonts: images have thousands.
            b"pyc" | b"h" | b"hpp" | b"mo" | b"png" | b"jpg" | b"gif" | b"svg" | b"ico"
            | b"ttf" | b"woff" | b"woff2" => Self::Nothing,
            _ => Self::Any,
        }
    }
}

impl Shebang {
    fn language(&self) -> Option<Language> {
        let program = self.program();
        if script::is_shell(program) || program == b"busybox" {
            Some(Language::Shell)
        } else if program.starts_with(b"python") || program.starts_with(b"pypy") {
            Some(Language::Python)
        } else if matches!(program, b"node" | b"nodejs" | b"bun" | b"deno") {
            Some(Language::JavaScript)
        } else if program.starts_with(b"perl") {
            Some(Language::Perl)
        } else if program.starts_with(b"ruby") || program == b"jruby" {
            Some(Language::Ruby)
        } else if program.starts_with(b"php") {
            Some(Language::Php)
        } else {
            None
        }
    }
}

thread_local! {
    /// The first bytes of one file after the other.
    static HEAD_OF_FILE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Looks at a content whose bytes are at hand, of which no more is read than says something. `size` is
/// how many there are.
pub fn at_hand(path: &[u8], size: u64, file: &dyn ReadAt) -> io::Result<Option<Content>> {
    let mut collector = Collector::new(path, size);
    if collector.is_done() {
        return Ok(collector.finish());
    }
    let read = HEAD_OF_FILE.with_borrow_mut(|head| -> io::Result<_> {
        head.resize(FIRST_OF_TEXT, 0);
        let is_known =
            !matches!(collector.state, State::Head(_, Name::Any | Name::Archive | Name::Tables, _));
        let read = file.read_at(&mut head[..if is_known { FIRST_OF_TEXT } else { FIRST }], 0)?;
        let head = &head[..read];
        // Most texts are short: they are read where they are.
        if let State::Head(_, name, size) = collector.state
            && head.len() as u64 == size
            && let Told::Text(language) = told(head, name, size)
        {
            return Ok(ControlFlow::Break(self::read(head, language)));
        }
        collector.piece(head);
        Ok(ControlFlow::Continue(read))
    })?;
    let read = match read {
        ControlFlow::Break(content) => return Ok(content),
        ControlFlow::Continue(read) => read,
    };
    match &mut collector.state {
        State::Text(text, _) | State::Rpm(text) | State::Secret(text, _) => {
            // None of them is large, or it would not be looked at.
            text.resize(usize::try_from(size).unwrap_or(text.len()).max(read), 0);
            if text.len() > read {
                let more = file.read_at(&mut text[read..], read as u64)?;
                text.truncate(read + more);
            }
        }
        State::Elf(elf) => elf.read(file)?,
        State::Archive(archive) => archive.read(file)?,
        State::Head(..) | State::TooLarge | State::Damaged | State::Nothing => {}
    }
    Ok(collector.finish())
}

/// Looks at a whole content.
pub fn of(path: &[u8], bytes: &[u8]) -> Option<Content> {
    let mut collector = Collector::new(path, bytes.len() as u64);
    collector.piece(bytes);
    collector.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_name_and_first_bytes() {
        let body = |path: &str, text: &str| of(path.as_bytes(), text.as_bytes()).map(|c| c.body);
        assert!(matches!(body("a/b.py", "import os"), Some(Body::Python(_))));
        assert!(matches!(body("b", "#!/usr/bin/python3\nimport os"), Some(Body::Python(_))));
        assert!(matches!(body("b", "#!/usr/bin/env node\n"), Some(Body::JavaScript(_))));
        assert!(matches!(body("b.js", "require('x')"), Some(Body::JavaScript(_))));
        assert!(matches!(body("b", "#!/bin/sh\nls"), Some(Body::Shell(_))));
        assert!(matches!(body("b", "#!/usr/bin/perl\n"), Some(Body::Perl(_))));
        assert!(matches!(body("b.rb", "require 'x'"), Some(Body::Ruby(_))));
        assert!(matches!(body("b.php", "<?php"), Some(Body::Php(_))));
        assert!(matches!(body("b", "#!/usr/bin/env lua\n"), Some(Body::Other)));
        assert!(matches!(body("b", "#!/command/with-contenv bash\nls"), Some(Body::Shell(_))));
        assert!(matches!(body("etc/passwd", "root:x"), Some(Body::Document(_))));
        assert_eq!(body("usr/share/doc/x/README", "hello"), None);
        assert_eq!(body("usr/lib/python3.11/__pycache__/os.pyc", "#!/bin/sh\n"), None);
        // What a library's texts name is told to it by others.
        let names = |path: &str| match body(path, "import os\nexec(x)\ny = 'a.b'") {
            Some(Body::Python(module)) => {
                (module.modules.len(), module.names.len(), module.evaluates)
            }
            _ => unreachable!("it is named as a module"),
        };
        assert_eq!(names("app/b.py"), (1, 1, true));
        assert_eq!(names("opt/v/lib/python3.11/site-packages/b.py"), (1, 0, false));
        assert_eq!(body("b", "#"), None);
        assert_eq!(body("b", ""), None);
    }

    #[test]
    fn pieces_say_what_the_whole_says() {
        let text = b"#!/bin/sh\nexec /usr/bin/thing --now\n";
        let whole = of(b"run", text);
        for size in 1..text.len() {
            let mut collector = Collector::new(b"run", text.len() as u64);
            text.chunks(size).for_each(|piece| collector.piece(piece));
            assert_eq!(collector.finish(), whole, "{size}");
        }
        assert!(whole.is_some());
    }
}
