//! What an ELF file asks its loader for, and what its read-only data names.
//!
//! A shared object can have hundreds of megabytes, most of them machine code that says nothing
//! here. As the file passes by, its headers are read first, and only the segments that hold data
//! are kept, within a bound. Of a file that is at hand the same segments are searched, and none is
//! kept.

mod at_hand;
mod build;
mod names;
mod plan;
mod scan;
pub mod sections;
mod structure;

use std::io;

use object::Endianness;
use object::elf::{ET_DYN, ET_EXEC, FileHeader32, FileHeader64};
use object::read::elf::FileHeader;
use serde::{Deserialize, Serialize};

use crate::blob::ReadAt;
use crate::content::sparse::Sparse;
use crate::content::{Body, FIRST};

use plan::{HEADERS_MAX, Plan, plan};
use scan::Scan;

pub use build::GoBuild;

/// What an ELF file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Elf {
    /// 64-bit rather than 32-bit.
    pub is_64: bool,
    /// `e_machine`.
    pub machine: u16,
    /// Whether it is an executable or a shared object, rather than an object for a linker.
    pub is_loadable: bool,
    /// The loader that the kernel starts for it (`PT_INTERP`).
    pub interpreter: Option<Box<[u8]>>,
    /// Its own name for others (`DT_SONAME`).
    pub soname: Option<Box<[u8]>>,
    /// Shared objects that the loader must find (`DT_NEEDED`, and filters).
    pub needed: Vec<Box<[u8]>>,
    /// Where to look for them, and for those of what it loads (`DT_RPATH`).
    pub rpath: Option<Box<[u8]>>,
    /// Where to look for its own (`DT_RUNPATH`).
    pub runpath: Option<Box<[u8]>>,
    /// The loader's default directories are not for it (`DF_1_NODEFLIB`).
    pub no_default_directories: bool,
    /// Shared objects that a `.note.dlopen` declares: any of a row serves.
    pub dlopen: Vec<Vec<Box<str>>>,
    /// Whether it calls `dlopen`.
    pub calls_dlopen: bool,
    /// Whether it converts between character sets (`iconv_open`).
    pub calls_iconv: bool,
    /// Names of shared objects in its data: `libssl.so.3`, `plugin.so`.
    pub sonames: Vec<Box<[u8]>>,
    /// Absolute paths in its data.
    pub paths: Vec<Box<[u8]>>,
    /// Programs, by name or path, that texts in its data give an option to, where it has a shell run
    /// commands (`popen`, `system`).
    pub commands: Vec<Box<[u8]>>,
    /// Newest symbol versions that it needs: `GLIBC_2.34`, `GLIBCXX_3.4.30`.
    pub versions: Vec<Box<[u8]>>,
    /// What Go's linker noted.
    pub go: Option<GoBuild>,
    /// Crates that a Rust program was built from, `name-version`.
    pub crates: Vec<Box<str>>,
    /// Bytes of sections that only debuggers read (`.debug_*`).
    pub debug: u64,
    /// Bytes of the symbol table that only linkers and debuggers read (`.symtab`, `.strtab`).
    pub symbols: u64,
    /// Part of its data was larger than is looked at.
    pub is_partial: bool,
    /// The file ends before what is to be loaded of it.
    pub is_cut: bool,
}

/// What a loader takes an object for: it passes by those of another class or machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// 64-bit rather than 32-bit.
    pub is_64: bool,
    /// `e_machine`.
    pub machine: u16,
}

impl Machine {
    /// Bytes of a file that tell its machine.
    pub const BYTES: usize = 64;

    /// By the first bytes of a file; `None` where it is no program and no shared object.
    pub fn of(head: &[u8]) -> Option<Self> {
        fn of<E: FileHeader<Endian = Endianness>>(head: &[u8]) -> Option<Machine> {
            let header = E::parse(head).ok()?;
            let endian = header.endian().ok()?;
            let is_loadable = matches!(header.e_type(endian), ET_EXEC | ET_DYN);
            let machine = header.e_machine(endian).0;
            is_loadable.then(|| Machine { is_64: header.is_class_64(), machine })
        }
        match head.get(4)? {
            2 => of::<FileHeader64<Endianness>>(head),
            1 => of::<FileHeader32<Endianness>>(head),
            _ => None,
        }
    }
}

impl Elf {
    /// Its class and machine.
    pub const fn machine(&self) -> Machine {
        Machine { is_64: self.is_64, machine: self.machine }
    }
}

/// Gathers the parts of an ELF file that say something.
pub(super) struct Collector {
    size: u64,
    /// Whether its data may name other files.
    is_searched: bool,
    position: u64,
    state: State,
}

enum State {
    /// The headers, as far as they came.
    Headers(Vec<u8>),
    /// What is kept of the rest.
    Parts(Sparse),
    /// What it says.
    Read(Box<Elf>),
    CoreDump,
    /// Its headers are none of a file that runs.
    Damaged,
    /// No file that runs.
    Nothing,
}

impl Collector {
    pub(super) const fn new(size: u64, is_searched: bool) -> Self {
        Self { size, is_searched, position: 0, state: State::Headers(Vec::new()) }
    }

    pub(super) fn piece(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Parts(sparse) => sparse.piece(self.position, bytes),
            State::Headers(head) => {
                head.extend_from_slice(bytes);
                match plan(head, self.size) {
                    Plan::More if (head.len() as u64) < HEADERS_MAX.min(self.size) => {}
                    Plan::More | Plan::Damaged => self.state = State::Damaged,
                    Plan::Nothing => self.state = State::Nothing,
                    Plan::CoreDump => self.state = State::CoreDump,
                    Plan::Keep(ranges, is_partial) => {
                        let mut sparse = Sparse::new(ranges, self.size, is_partial);
                        sparse.piece(0, head);
                        self.state = State::Parts(sparse);
                    }
                }
            }
            State::Read(_) | State::CoreDump | State::Damaged | State::Nothing => {}
        }
        self.position += bytes.len() as u64;
    }

    /// Takes the rest from the file itself.
    pub(super) fn read(&mut self, file: &dyn ReadAt) -> io::Result<()> {
        while let State::Headers(_) = self.state {
            let mut more = vec![0; FIRST];
            let read = file.read_at(&mut more, self.position)?;
            if read == 0 {
                self.state = State::Damaged;
            }
            self.piece(&more[..read]);
        }
        if let State::Parts(sparse) = &self.state {
            self.state = match at_hand::read(file, sparse, self.is_searched)? {
                Some(elf) => State::Read(Box::new(elf)),
                None => State::Damaged,
            };
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Option<Body> {
        let sparse = match self.state {
            State::Parts(sparse) => sparse,
            State::Read(elf) => return Some(Body::Elf(elf)),
            State::CoreDump => return Some(Body::CoreDump),
            State::Headers(_) | State::Damaged => return Some(Body::Damaged),
            State::Nothing => return None,
        };
        let Some((mut elf, mut regions)) = structure::read(&sparse) else {
            return Some(Body::Damaged);
        };
        elf.is_partial = sparse.is_partial;
        if !self.is_searched {
            return Some(Body::Elf(Box::new(elf)));
        }
        let silent = std::mem::take(&mut regions.silent);
        let mut scan = Scan::new(regions);
        for (start, bytes) in sparse.parts() {
            for (from, to) in plan::without((start, start + bytes.len() as u64), &silent) {
                let inside = |offset: u64| usize::try_from(offset - start).unwrap_or(bytes.len());
                let bytes = &bytes[inside(from)..inside(to)];
                scan.look_at(bytes, from, 0..bytes.len());
                if let Some(mark) = scan.go_mark(bytes, from, 0) {
                    scan.read_go(&bytes[mark..]);
                }
            }
        }
        scan.finish(&mut elf);
        Some(Body::Elf(Box::new(elf)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::of;

    fn elf(bytes: &[u8]) -> Option<Elf> {
        match of(b"x", bytes)?.body {
            Body::Elf(elf) => Some(*elf),
            _ => None,
        }
    }

    #[test]
    fn this_program_is_read_like_any_other() {
        let path = std::env::current_exe().unwrap();
        let bytes = fs_err::read(path).unwrap();
        let whole = elf(&bytes).unwrap();
        assert!(whole.is_loadable && whole.is_64);
        assert!(whole.interpreter.as_ref().is_some_and(|path| path.starts_with(b"/lib")));
        let needs = |name: &[u8]| whole.needed.iter().any(|n| n.starts_with(name));
        assert!(needs(b"libc.so"), "{:?}", whole.needed);
        assert!(whole.versions.iter().any(|v| v.starts_with(b"GLIBC_2.")), "{:?}", whole.versions);
        assert!(whole.crates.iter().any(|name| name.starts_with("memchr-")), "{:?}", whole.crates);
        for size in [1, 100, 4096, 65_536] {
            let is_whole = bytes.len() <= size * 2_000_000;
            let mut collector = crate::content::Collector::new(b"x", bytes.len() as u64);
            bytes.chunks(size).take(2_000_000).for_each(|piece| collector.piece(piece));
            let Some(Body::Elf(pieces)) = collector.finish().map(|content| content.body) else {
                continue;
            };
            if is_whole {
                assert_eq!(*pieces, whole, "{size}");
            }
        }
    }

    #[test]
    fn a_file_at_hand_says_what_it_says_as_it_passes_by() {
        let programs = ["/usr/bin/", "/usr/lib/x86_64-linux-gnu/", "/usr/lib/aarch64-linux-gnu/"];
        let directories = programs.iter().filter_map(|path| fs_err::read_dir(path).ok());
        let mut paths: Vec<_> =
            directories.flat_map(|d| d.map(|entry| entry.unwrap().path()).take(60)).collect();
        paths.push(std::env::current_exe().unwrap());
        let mut compared = 0;
        for path in paths {
            let Ok(bytes) = fs_err::read(&path) else { continue };
            let size = bytes.len() as u64;
            let at_hand = crate::content::at_hand(b"x", size, &&*bytes).unwrap();
            assert_eq!(at_hand, of(b"x", &bytes), "{}", path.display());
            compared += usize::from(at_hand.is_some_and(|c| matches!(c.body, Body::Elf(_))));
        }
        assert!(compared > 10, "{compared}");
    }

    #[test]
    fn of_character_sets_only_the_headers_are_read() {
        let bytes = fs_err::read(std::env::current_exe().unwrap()).unwrap();
        let whole = elf(&bytes).unwrap();
        let path = b"usr/lib/x86_64-linux-gnu/gconv/KOI8-R.so";
        let by = of(path, &bytes).unwrap();
        assert_eq!(
            crate::content::at_hand(path, bytes.len() as u64, &&*bytes).unwrap(),
            Some(by.clone())
        );
        let Body::Elf(headers) = by.body else { panic!("{by:?}") };
        assert_eq!((&headers.needed, &headers.interpreter), (&whole.needed, &whole.interpreter));
        assert!(headers.paths.is_empty() && !whole.paths.is_empty());
    }

    #[test]
    fn a_machine_is_told_by_the_header() {
        let bytes = fs_err::read(std::env::current_exe().unwrap()).unwrap();
        let whole = elf(&bytes).unwrap();
        assert_eq!(Machine::of(&bytes[..Machine::BYTES]), Some(whole.machine()));
        for end in 0..Machine::BYTES {
            assert_eq!(Machine::of(&bytes[..end]), None);
        }
        // An object for a linker.
        let mut object = bytes[..Machine::BYTES].to_vec();
        object[16] = 1;
        assert_eq!(Machine::of(&object), None);
    }

    #[test]
    fn sections_for_debuggers_are_measured() {
        // This test is built with them.
        let bytes = fs_err::read(std::env::current_exe().unwrap()).unwrap();
        let whole = elf(&bytes).unwrap();
        assert!(whole.symbols > 10_000, "{}", whole.symbols);
        assert!(whole.debug + whole.symbols < bytes.len() as u64);
        let stripped = elf(&fs_err::read("/usr/bin/bash").unwrap()).unwrap();
        assert_eq!((stripped.debug, stripped.symbols), (0, 0));
    }

    #[test]
    fn damage_is_no_elf_or_another_one() {
        let path = std::env::current_exe().unwrap();
        let bytes = fs_err::read(path).unwrap();
        let front = &bytes[..bytes.len().min(20_000)];
        for at in (0..2_000).step_by(3) {
            let mut damaged = front.to_vec();
            damaged[at] ^= 0xff;
            let _ = elf(&damaged);
            let _ = elf(&front[..at]);
        }
        assert_eq!(elf(b"\x7fELF"), None);
    }
}
