//! What the headers of an ELF file and its dynamic section say.

use object::Endianness;
use object::elf::{
    DF_1_NODEFLIB, DT_AUXILIARY, DT_FILTER, DT_FLAGS_1, DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME,
    DT_STRSZ, DT_STRTAB, FileHeader32, FileHeader64, PF_W, PT_DYNAMIC, PT_INTERP, PT_LOAD, PT_NOTE,
    ProgramFlags,
};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};

use crate::content::elf::plan::merged;
use crate::content::elf::{Elf, names, sections};
use crate::content::sparse::Sparse;

/// Entries of one dynamic section that are read.
const DYNAMIC_MAX: usize = 4096;

/// The longest text that a dynamic section leads to: a list of directories.
const TEXT_MAX: u64 = 16 << 10;

/// Where what is searched for stands in a file.
pub(super) struct Regions {
    /// Where the last byte ends that is loaded.
    pub(super) loaded: u64,
    /// What is loaded to be written to, ascending.
    pub(super) written: Vec<(u64, u64)>,
    /// Tables that name nothing, ascending and apart.
    pub(super) silent: Vec<(u64, u64)>,
    /// The tables of dynamic strings, ascending.
    pub(super) strings: Vec<(u64, u64)>,
}

/// What the headers and the dynamic section say, and where to search.
pub(super) fn read(data: &Sparse) -> Option<(Elf, Regions)> {
    if data.byte(4)? == 2 {
        read_as::<FileHeader64<Endianness>>(data)
    } else {
        read_as::<FileHeader32<Endianness>>(data)
    }
}

fn read_as<E: FileHeader<Endian = Endianness>>(data: &Sparse) -> Option<(Elf, Regions)> {
    let header = E::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, data).ok()?;
    // Where nothing is to be loaded, these are no program headers.
    segments.iter().find(|segment| segment.p_type(endian) == PT_LOAD)?;
    let mut elf = Elf {
        is_64: header.is_class_64(),
        machine: header.e_machine(endian).0,
        is_loadable: true,
        ..Elf::default()
    };
    let mut tables = Vec::new();
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
            let end = strings.saturating_add(length);
            tables.push((strings, end));
            let text = |at: u64| -> Option<Box<[u8]>> {
                let (start, end) = text_range((strings, end), at)?;
                let rest = data.up_to(start, end - start)?;
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
        }
    }
    (elf.debug, elf.symbols) = sections::unneeded(header, endian, data);
    let loaded = segments.iter().filter(|s| s.p_type(endian) == PT_LOAD);
    let range = |segment: &E::ProgramHeader| {
        let (at, length) = segment.file_range(endian);
        (at, at.saturating_add(length))
    };
    let written = loaded.clone().filter(|s| s.p_flags(endian) & PF_W != ProgramFlags(0)).map(range);
    let size = object::ReadRef::len(data).unwrap_or(u64::MAX);
    elf.is_cut = loaded.clone().any(|segment| range(segment).1 > size);
    let regions = Regions {
        written: merged(written.collect()),
        loaded: loaded.map(|segment| range(segment).1).max().unwrap_or(u64::MAX),
        silent: sections::silent(header, endian, data),
        strings: merged(tables),
    };
    Some((elf, regions))
}

/// Where the text at `at` of a table may stand.
fn text_range((start, end): (u64, u64), at: u64) -> Option<(u64, u64)> {
    let start = start.checked_add(at).filter(|start| *start < end)?;
    Some((start, end.min(start.saturating_add(TEXT_MAX))))
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
                let table = (offset, offset.saturating_add(length));
                let texts = [DT_NEEDED, DT_FILTER, DT_AUXILIARY, DT_SONAME, DT_RPATH, DT_RUNPATH];
                let rows = dynamic.iter().filter(|row| texts.contains(&row.d_tag(endian)));
                ranges.extend(rows.filter_map(|row| text_range(table, row.d_val(endian).into())));
            }
        }
    }
    ranges.extend(sections::range(header, endian, object::ReadRef::len(data).ok()?));
    Some(ranges)
}

/// Type of the notes of the dlopen metadata specification
/// (<https://uapi-group.org/specifications/specs/elf_dlopen_metadata/>).
const NT_DLOPEN: u32 = 0x407c_0c0a;
