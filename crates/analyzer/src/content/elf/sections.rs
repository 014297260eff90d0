//! Sections that no running program reads. `strip` takes them away.

use std::io;

use object::Endianness;
use object::elf::{
    ET_DYN, ET_EXEC, FileHeader32, FileHeader64, SHF_ALLOC, SHT_PROGBITS, SHT_STRTAB, SHT_SYMTAB,
};
use object::read::elf::{FileHeader, SectionHeader as _};

use crate::blob::ReadAt;
use crate::content::elf::plan::merged;
use crate::content::sparse::Sparse;

/// The table of sections: 16,000 of them, where programs have some dozen.
const TABLE_MAX: u64 = 1 << 20;
/// The names of sections, which linkers write right before the table.
const NAMES: u64 = 4 << 10;
/// A section without a name that is not loaded: `.comment` and `.gnu_debuglink` are smaller.
const SMALL: u64 = 256;

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

/// Bytes of sections for debuggers, and of the symbol table with its names. Zero where the table
/// is not there.
pub(super) fn unneeded<E: FileHeader<Endian = Endianness>>(
    header: &E,
    endian: Endianness,
    data: &Sparse,
) -> (u64, u64) {
    let Ok(sections) = header.section_headers(endian, data) else { return (0, 0) };
    let names = header.shstrndx(endian, data).ok().and_then(|at| sections.get(at as usize));
    let name = |at: u32| -> Option<&[u8]> {
        let names = names?;
        let start: u64 = names.sh_offset(endian).into();
        let rest = data.up_to(start.checked_add(u64::from(at))?, 64)?;
        let end = memchr::memchr(0, rest)?;
        Some(&rest[..end]).filter(|name| !name.is_empty())
    };
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
