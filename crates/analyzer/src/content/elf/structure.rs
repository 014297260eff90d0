//! What the headers of an ELF file and its dynamic section say.

use object::Endianness;
use object::elf::{
    DF_1_NODEFLIB, DT_AUXILIARY, DT_FILTER, DT_FLAGS_1, DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME,
    DT_STRSZ, DT_STRTAB, FileHeader32, FileHeader64, PT_DYNAMIC, PT_INTERP, PT_LOAD, PT_NOTE,
};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};

use crate::content::elf::{Elf, names, sections};
use crate::content::sparse::Sparse;

/// Entries of one dynamic section that are read.
const DYNAMIC_MAX: usize = 4096;

/// What the headers and the dynamic section say, and where the last byte ends that is loaded.
pub(super) fn read(data: &Sparse) -> Option<(Elf, u64)> {
    if data.byte(4)? == 2 {
        read_as::<FileHeader64<Endianness>>(data)
    } else {
        read_as::<FileHeader32<Endianness>>(data)
    }
}

fn read_as<E: FileHeader<Endian = Endianness>>(data: &Sparse) -> Option<(Elf, u64)> {
    let header = E::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, data).ok()?;
    let mut elf = Elf {
        is_64: header.is_class_64(),
        machine: header.e_machine(endian).0,
        is_loadable: true,
        ..Elf::default()
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
            let Some((strings, length)) = strings::<E>(endian, segments, dynamic) else { continue };
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
    let loaded = segments.iter().filter(|s| s.p_type(endian) == PT_LOAD);
    let loaded = loaded.map(|s| s.file_range(endian)).map(|(at, length)| at.saturating_add(length));
    Some((elf, loaded.max().unwrap_or(u64::MAX)))
}

/// Where the strings of a dynamic section stand in the file, and how many bytes they have.
fn strings<E: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    segments: &[E::ProgramHeader],
    dynamic: &[E::Dyn],
) -> Option<(u64, u64)> {
    let value = |tag| {
        dynamic.iter().find(|row| row.d_tag(endian) == tag).map(|row| row.d_val(endian).into())
    };
    let (address, length) = (value(DT_STRTAB)?, value(DT_STRSZ)?);
    let loaded = segments.iter().filter(|segment| segment.p_type(endian) == PT_LOAD);
    let offset = loaded.into_iter().find_map(|segment| {
        let (start, size) = (segment.p_vaddr(endian).into(), segment.p_filesz(endian).into());
        let within = address.checked_sub(start).filter(|within| *within < size)?;
        segment.p_offset(endian).into().checked_add(within)
    })?;
    Some((offset, length))
}

/// Ranges of a file that [`read`] looks at, by what of it is known: its program headers at first, its
/// dynamic sections then.
pub(super) fn ranges(data: &Sparse) -> Option<Vec<(u64, u64)>> {
    if data.byte(4)? == 2 {
        ranges_as::<FileHeader64<Endianness>>(data)
    } else {
        ranges_as::<FileHeader32<Endianness>>(data)
    }
}

fn ranges_as<E: FileHeader<Endian = Endianness>>(data: &Sparse) -> Option<Vec<(u64, u64)>> {
    let header = E::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, data).ok()?;
    let mut ranges = Vec::new();
    for segment in segments {
        if matches!(segment.p_type(endian), PT_INTERP | PT_NOTE | PT_DYNAMIC) {
            let (offset, length) = segment.file_range(endian);
            ranges.push((offset, offset.saturating_add(length)));
        }
        if let Ok(Some(dynamic)) = segment.dynamic(endian, data) {
            let dynamic = &dynamic[..dynamic.len().min(DYNAMIC_MAX)];
            if let Some((offset, length)) = strings::<E>(endian, segments, dynamic) {
                ranges.push((offset, offset.saturating_add(length)));
            }
        }
    }
    ranges.extend(sections::range(header, endian, object::ReadRef::len(data).ok()?));
    Some(ranges)
}

/// Type of the notes of the dlopen metadata specification
/// (<https://uapi-group.org/specifications/specs/elf_dlopen_metadata/>).
const NT_DLOPEN: u32 = 0x407c_0c0a;
