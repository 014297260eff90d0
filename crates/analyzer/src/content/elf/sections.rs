//! Sections that no running program reads. `strip` takes them away.

use std::io;

use object::Endianness;
use object::elf::{
    ET_DYN, ET_EXEC, FileHeader32, FileHeader64, SHF_ALLOC, SHF_EXECINSTR, SHT_DYNSYM,
    SHT_GNU_HASH, SHT_GNU_VERSYM, SHT_HASH, SHT_PROGBITS, SHT_REL, SHT_RELA, SHT_RELR, SHT_STRTAB,
    SHT_SYMTAB, SHT_X86_64_UNWIND,
};
use object::read::elf::{FileHeader, SectionHeader as _};

use crate::blob::ReadAt;
use crate::content::elf::plan::merged;
use crate::content::elf::scan::AROUND;
use crate::content::sparse::Sparse;

/// The table of sections: 16,000 of them, where programs have some dozen.
const TABLE_MAX: u64 = 1 << 20;
/// The names of sections, which linkers write right before the table.
const NAMES: u64 = 4 << 10;
/// A section without a name that is not loaded: `.comment` and `.gnu_debuglink` are smaller.
const SMALL: u64 = 256;
/// A table that is passed by: smaller ones are read faster than they are skipped.
const SILENT_MIN: u64 = 32 << 10;

/// Bytes of sections for debuggers, and of the symbol table, of a file of `size` bytes that is not
/// looked into otherwise: a fraction of it is read. `None` where it is no ELF file.
pub fn sections(size: u64, file: &dyn ReadAt) -> io::Result<Option<(u64, u64)>> {
    let head = Sparse::read(file, vec![(0, HEADER)], size)?;
    match head.up_to(0, 5) {
        Some(b"\x7fELF\x02") => sections_of::<FileHeader64<Endianness>>(&head, file),
        Some(b"\x7fELF\x01") => sections_of::<FileHeader32<Endianness>>(&head, file),
        _ => Ok(None),
    }
}

/// A file header of 64 bits.
const HEADER: u64 = 64;

fn sections_of<E: FileHeader<Endian = Endianness>>(
    head: &Sparse,
    file: &dyn ReadAt,
) -> io::Result<Option<(u64, u64)>> {
    let Some(table) = table::<E>(head) else { return Ok(None) };
    let data = Sparse::read(file, merged(vec![(0, HEADER), table]), head.size())?;
    let found = E::parse(&data).ok().and_then(|header| {
        let endian = header.endian().ok()?;
        Some(unneeded(header, endian, &data))
    });
    Ok(found)
}

/// [`range`] in a program or shared object.
fn table<E: FileHeader<Endian = Endianness>>(head: &Sparse) -> Option<(u64, u64)> {
    let header = E::parse(head).ok()?;
    let endian = header.endian().ok()?;
    let is_loadable = matches!(header.e_type(endian), ET_EXEC | ET_DYN);
    range(header, endian, head.size()).filter(|_| is_loadable)
}

/// Where the table of sections stands in the file, with the bytes before it.
pub(super) fn range<E: FileHeader<Endian = Endianness>>(
    header: &E,
    endian: Endianness,
    size: u64,
) -> Option<(u64, u64)> {
    let start: u64 = header.e_shoff(endian).into();
    let length = u64::from(header.e_shentsize(endian)) * u64::from(header.e_shnum(endian));
    let end = start.checked_add(length)?;
    let is_told = length > 0 && length <= TABLE_MAX && end <= size;
    is_told.then(|| (start.saturating_sub(NAMES), end))
}

/// Where tables of a loaded file stand that name nothing, ascending: relocations, hashes, symbols,
/// versions, unwinding, pointers that the loader relocates, and machine code that its segment holds
/// together with data. What is near their ends is left out, so that texts beside them are seen as a
/// whole. None where the table of sections is not there.
pub(super) fn silent<E: FileHeader<Endian = Endianness>>(
    header: &E,
    endian: Endianness,
    data: &Sparse,
) -> Vec<(u64, u64)> {
    let Ok(sections) = header.section_headers(endian, data) else { return Vec::new() };
    let name = names(header, endian, sections, data);
    let found = sections.iter().filter_map(|section| {
        let flags = section.sh_flags(endian).0;
        let (start, size) = (section.sh_offset(endian).into(), section.sh_size(endian).into());
        if flags & SHF_ALLOC.0 == 0 || size < SILENT_MIN {
            return None;
        }
        let is_silent = match section.sh_type(endian) {
            SHT_RELA | SHT_REL | SHT_RELR | SHT_HASH | SHT_GNU_HASH | SHT_DYNSYM
            | SHT_GNU_VERSYM | SHT_X86_64_UNWIND => true,
            // Where the names are known, which not every linker writes beside the table.
            SHT_PROGBITS => {
                let tables: [&[u8]; 4] =
                    [b".eh_frame", b".eh_frame_hdr", b".gcc_except_table", b".data.rel.ro"];
                flags & SHF_EXECINSTR.0 != 0
                    || name(section.sh_name(endian)).is_some_and(|name| tables.contains(&name))
            }
            _ => false,
        };
        let end = start.checked_add(size).filter(|_| is_silent)?.saturating_sub(AROUND as u64);
        Some((start.saturating_add(AROUND as u64), end))
    });
    merged(found.collect())
}

/// Tells the names of sections, where they are kept.
fn names<'a, E: FileHeader<Endian = Endianness>>(
    header: &E,
    endian: Endianness,
    sections: &[E::SectionHeader],
    data: &'a Sparse,
) -> impl Fn(u32) -> Option<&'a [u8]> {
    let names = header.shstrndx(endian, data).ok().and_then(|at| sections.get(at as usize));
    let start: Option<u64> = names.map(|names| names.sh_offset(endian).into());
    move |at| {
        let rest = data.up_to(start?.checked_add(u64::from(at))?, 64)?;
        let end = memchr::memchr(0, rest)?;
        Some(&rest[..end]).filter(|name| !name.is_empty())
    }
}

/// Bytes of sections for debuggers, and of the symbol table with its names. Zero where the table
/// is not there.
pub(super) fn unneeded<E: FileHeader<Endian = Endianness>>(
    header: &E,
    endian: Endianness,
    data: &Sparse,
) -> (u64, u64) {
    let Ok(sections) = header.section_headers(endian, data) else { return (0, 0) };
    let name = names(header, endian, sections, data);
    let (mut debug, mut symbols) = (0_u64, 0_u64);
    for section in sections {
        let is_loaded = section.sh_flags(endian).0 & SHF_ALLOC.0 != 0;
        if is_loaded {
            continue;
        }
        let size: u64 = section.sh_size(endian).into();
        match section.sh_type(endian) {
            SHT_SYMTAB => {
                let names = sections.get(section.sh_link(endian) as usize);
                let names = names.filter(|names| names.sh_type(endian) == SHT_STRTAB);
                let names = names.map_or(0, |names| names.sh_size(endian).into());
                symbols = symbols.saturating_add(size).saturating_add(names);
            }
            SHT_PROGBITS => {
                let is_debug = match name(section.sh_name(endian)) {
                    Some(name) => {
                        let starts: [&[u8]; 4] = [b".debug", b".zdebug", b".gdb_index", b".stab"];
                        starts.iter().any(|start| name.starts_with(start))
                    }
                    None => size > SMALL,
                };
                if is_debug {
                    debug = debug.saturating_add(size);
                }
            }
            _ => {}
        }
    }
    // A file cannot hold more than it has, whatever its table says.
    let most = object::ReadRef::len(data).unwrap_or(0);
    let symbols = symbols.min(most);
    (debug.min(most - symbols), symbols)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use object::LittleEndian;
    use object::read::elf::SectionHeader as _;

    use super::*;
    use crate::content::Body;

    type Header = FileHeader64<LittleEndian>;

    /// Where the section of this name stands.
    fn section(bytes: &[u8], wanted: &[u8]) -> (usize, usize) {
        let header = Header::parse(bytes).unwrap();
        let sections = header.sections(LittleEndian, bytes).unwrap();
        let (_, section) = sections.section_by_name(LittleEndian, wanted).unwrap();
        let (start, size) = section.file_range(LittleEndian).unwrap();
        (usize::try_from(start).unwrap(), usize::try_from(size).unwrap())
    }

    #[test]
    fn tables_that_name_nothing_are_passed_by_and_what_stands_beside_them_is_not() {
        // Not as it is: this test's own data holds its texts.
        let text = b"\0libhidden.so_77\0".map(|b| if b == b'_' { b'.' } else { b });
        let names = |bytes: &[u8], at: usize| -> [Vec<Box<[u8]>>; 2] {
            let mut bytes = bytes.to_vec();
            bytes[at..at + text.len()].copy_from_slice(&text);
            let contents = [
                crate::content::of(b"x", &bytes),
                crate::content::at_hand(b"x", bytes.len() as u64, &&*bytes).unwrap(),
            ];
            contents.map(|content| match content.unwrap().body {
                Body::Elf(elf) => elf.sonames,
                body => panic!("{body:?}"),
            })
        };
        let is_named = |bytes: &[u8], at: usize| {
            let [by, at_hand] = names(bytes, at);
            assert_eq!(by, at_hand, "{at}");
            by.contains(&text[1..text.len() - 1].into())
        };
        let own = std::env::current_exe().unwrap();
        for (path, table) in [
            (&*own, &b".rela.dyn"[..]),
            (Path::new("/usr/bin/perl"), b".data.rel.ro"),
            (Path::new("/usr/bin/bash"), b".eh_frame"),
        ] {
            let bytes = fs_err::read(path).unwrap();
            let (start, size) = section(&bytes, table);
            assert!(size as u64 > SILENT_MIN, "{} {size}", path.display());
            assert!(!is_named(&bytes, start + size / 2), "{}", path.display());
            // Its ends are looked at, as far as a text that starts beside it may reach.
            assert!(is_named(&bytes, start + 100) && is_named(&bytes, start + size - 100));
            let (start, size) = section(&bytes, b".rodata");
            assert!(is_named(&bytes, start + size / 2), "{}", path.display());
        }
    }
}
