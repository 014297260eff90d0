//! What an ELF file asks its loader for, and what its read-only data names.
//!
//! A shared object can have hundreds of megabytes, most of them machine code that says nothing
//! here. As the file passes by, its headers are read first, and only the segments that hold data
//! are kept, within a bound.

mod build;
mod names;
pub mod sections;

use object::Endianness;
use object::elf::{
    DF_1_NODEFLIB, DT_AUXILIARY, DT_FILTER, DT_FLAGS_1, DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME,
    DT_STRSZ, DT_STRTAB, ET_CORE, ET_DYN, ET_EXEC, FileHeader32, FileHeader64, PF_X, PT_INTERP,
    PT_LOAD,
};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use serde::{Deserialize, Serialize};

use crate::content::sparse::Sparse;

pub use build::GoBuild;

/// The most bytes kept of one file.
const KEPT_MAX: u64 = 40 << 20;
/// Of a segment with machine code.
const CODE_MAX: u64 = 2 << 20;
/// Of one that the file begins with: linkers that do not separate code put the dynamic strings in
/// front of it. Those of LLVM's library end behind 4 MB.
const FRONT_MAX: u64 = 16 << 20;
/// Where program headers may end. They follow the file header in every file that runs.
const HEADERS_MAX: u64 = 64 << 10;
/// Entries of one dynamic section that are read.
const DYNAMIC_MAX: usize = 4096;

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
}

/// Gathers the parts of an ELF file that say something.
pub(super) struct Collector {
    size: u64,
    position: u64,
    head: Vec<u8>,
    sparse: Option<Sparse>,
    failed: bool,
    is_core_dump: bool,
}

impl Collector {
    pub(super) fn new(size: u64) -> Self {
        Self {
            size,
            position: 0,
            head: Vec::new(),
            sparse: None,
            failed: false,
            is_core_dump: false,
        }
    }

    /// Whether it is the memory of a program that crashed.
    pub(super) const fn is_core_dump(&self) -> bool {
        self.is_core_dump
    }

    pub(super) fn piece(&mut self, bytes: &[u8]) {
        if self.failed {
            return;
        }
        if let Some(sparse) = &mut self.sparse {
            sparse.piece(self.position, bytes);
        } else {
            self.head.extend_from_slice(bytes);
            match plan(&self.head, self.size) {
                Plan::More if (self.head.len() as u64) < HEADERS_MAX.min(self.size) => {}
                plan @ (Plan::More | Plan::Nothing | Plan::CoreDump) => {
                    self.failed = true;
                    self.is_core_dump = matches!(plan, Plan::CoreDump);
                    self.head = Vec::new();
                }
                Plan::Keep(ranges, is_partial) => {
                    let mut sparse = Sparse::new(ranges, self.size, is_partial);
                    sparse.piece(0, &std::mem::take(&mut self.head));
                    self.sparse = Some(sparse);
                }
            }
        }
        self.position += bytes.len() as u64;
    }

    pub(super) fn finish(self) -> Option<Elf> {
        let sparse = self.sparse?;
        let mut elf = if sparse.byte(4)? == 2 {
            read::<FileHeader64<Endianness>>(&sparse)?
        } else {
            read::<FileHeader32<Endianness>>(&sparse)?
        };
        elf.is_partial = sparse.is_partial;
        Some(elf)
    }
}

/// What to keep.
enum Plan {
    /// The headers are not complete yet.
    More,
    /// It is no file that runs.
    Nothing,
    /// It is what is left of a program that ran.
    CoreDump,
    /// These ranges, ascending; and whether something was left out.
    Keep(Vec<(u64, u64)>, bool),
}

fn plan(head: &[u8], size: u64) -> Plan {
    match head.get(4) {
        None => Plan::More,
        Some(2) => plan_of::<FileHeader64<Endianness>>(head, size),
        Some(1) => plan_of::<FileHeader32<Endianness>>(head, size),
        Some(_) => Plan::Nothing,
    }
}

fn plan_of<E: FileHeader<Endian = Endianness>>(head: &[u8], size: u64) -> Plan {
    if head.len() < size_of::<E>() {
        return Plan::More;
    }
    let Ok(header) = E::parse(head) else { return Plan::Nothing };
    let Ok(endian) = header.endian() else { return Plan::Nothing };
    match header.e_type(endian) {
        ET_EXEC | ET_DYN => {}
        ET_CORE => return Plan::CoreDump,
        _ => return Plan::Nothing,
    }
    let (start, each, count) = (
        header.e_phoff(endian).into(),
        u64::from(header.e_phentsize(endian)),
        u64::from(header.e_phnum(endian)),
    );
    let end = start.saturating_add(each.saturating_mul(count));
    if end > HEADERS_MAX {
        return Plan::Nothing;
    }
    if end > head.len() as u64 {
        return Plan::More;
    }
    let Ok(segments) = header.program_headers(endian, head) else { return Plan::Nothing };
    let mut ranges = vec![(0, end.max(size_of::<E>() as u64))];
    let (mut kept, mut is_partial) = (0, false);
    for segment in segments {
        let (offset, length) = segment.file_range(endian);
        let length = length.min(size.saturating_sub(offset));
        let is_load = segment.p_type(endian) == PT_LOAD;
        let is_code = is_load && segment.p_flags(endian) & PF_X != object::elf::ProgramFlags(0);
        let most = match is_code {
            true if offset == 0 => FRONT_MAX,
            true => CODE_MAX,
            false => KEPT_MAX.saturating_sub(kept),
        };
        let length = if length > most {
            is_partial |= !is_code;
            most
        } else {
            length
        };
        kept += if is_load { length } else { 0 };
        ranges.push((offset, offset.saturating_add(length)));
    }
    ranges.extend(sections::range(header, endian, size));
    Plan::Keep(merged(ranges), is_partial)
}

/// Ascending ranges that do not touch.
fn merged(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.retain(|(start, end)| start < end);
    ranges.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (start, end) in ranges {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

fn read<E: FileHeader<Endian = Endianness>>(data: &Sparse) -> Option<Elf> {
    let header = E::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, data).ok()?;
    let mut elf = Elf {
        is_64: header.is_class_64(),
        machine: header.e_machine(endian).0,
        is_loadable: true,
        ..Elf::default()
    };
    // Offset in the file of an address in memory.
    let offset = |address: u64| {
        segments.iter().filter(|s| s.p_type(endian) == PT_LOAD).find_map(|segment| {
            let (start, size) = (segment.p_vaddr(endian).into(), segment.p_filesz(endian).into());
            let within = address.checked_sub(start).filter(|within| *within < size)?;
            segment.p_offset(endian).into().checked_add(within)
        })
    };
    for segment in segments {
        if segment.p_type(endian) == PT_INTERP
            && let Ok(Some(path)) = segment.interpreter(endian, data)
        {
            elf.interpreter = Some(path.into());
        }
        if let Ok(Some(mut notes)) = segment.notes(endian, data) {
            while let Ok(Some(note)) = notes.next() {
                if note.name() == b"FDO" && note.n_type(endian).0 == NT_DLOPEN {
                    elf.dlopen.extend(names::dlopen_note(note.desc()));
                }
            }
        }
        if let Ok(Some(dynamic)) = segment.dynamic(endian, data) {
            let dynamic = &dynamic[..dynamic.len().min(DYNAMIC_MAX)];
            let value = |tag| {
                dynamic
                    .iter()
                    .find(|row| row.d_tag(endian) == tag)
                    .map(|row| row.d_val(endian).into())
            };
            let (Some(strings), Some(length)) =
                (value(DT_STRTAB).and_then(offset), value(DT_STRSZ))
            else {
                continue;
            };
            let Some(table) = data.up_to(strings, length) else { continue };
            let text = |at: u64| -> Option<Box<[u8]>> {
                let rest = table.get(usize::try_from(at).ok()?..)?;
                let end = memchr::memchr(0, rest)?;
                Some(rest[..end].into())
            };
            for row in dynamic {
                let value: u64 = row.d_val(endian).into();
                match row.d_tag(endian) {
                    DT_NEEDED | DT_FILTER | DT_AUXILIARY => elf.needed.extend(text(value)),
                    DT_SONAME => elf.soname = text(value),
                    DT_RPATH => elf.rpath = text(value),
                    DT_RUNPATH => elf.runpath = text(value),
                    DT_FLAGS_1 => {
                        elf.no_default_directories = value & DF_1_NODEFLIB.0 != 0;
                    }
                    _ => {}
                }
            }
            elf.calls_dlopen = [&b"\0dlopen\0"[..], b"\0dlmopen\0"]
                .iter()
                .any(|name| memchr::memmem::find(table, name).is_some());
            elf.calls_iconv = memchr::memmem::find(table, b"\0iconv_open\0").is_some();
            elf.versions = names::versions(table);
        }
    }
    (elf.debug, elf.symbols) = sections::unneeded(header, endian, data);
    // The names of sections and symbols behind what is loaded lead to no file.
    let loaded = segments.iter().filter(|s| s.p_type(endian) == PT_LOAD);
    let loaded = loaded.map(|s| s.file_range(endian)).map(|(at, length)| at.saturating_add(length));
    let loaded = loaded.max().unwrap_or(u64::MAX);
    let mut found = names::Found::default();
    for (_, bytes) in data.parts().filter(|(start, _)| *start < loaded) {
        found.look_at(bytes);
    }
    for name in &elf.needed {
        found.sonames.remove(name);
    }
    if let Some(soname) = &elf.soname {
        found.sonames.remove(soname);
    }
    elf.sonames = found.sonames.into_iter().collect();
    elf.paths = found.paths.into_iter().collect();
    elf.go = data.parts().find_map(|(_, bytes)| build::go(bytes));
    if elf.go.is_none() {
        elf.crates = build::crates(data.parts().map(|(_, bytes)| bytes));
    }
    Some(elf)
}

/// Type of the notes of the dlopen metadata specification
/// (<https://uapi-group.org/specifications/specs/elf_dlopen_metadata/>).
const NT_DLOPEN: u32 = 0x407c_0c0a;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Body, of};

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
