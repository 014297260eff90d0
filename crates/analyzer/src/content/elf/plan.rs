//! Which parts of an ELF file say something, by its headers.

use object::Endianness;
use object::elf::{
    ET_CORE, ET_DYN, ET_EXEC, FileHeader32, FileHeader64, PF_W, PF_X, PT_LOAD, ProgramFlags,
};
use object::read::elf::{FileHeader, ProgramHeader as _};

use crate::content::elf::sections;

/// The most bytes kept of one file.
const KEPT_MAX: u64 = 40 << 20;
/// Of a segment with machine code.
const CODE_MAX: u64 = 2 << 20;
/// Of one that the file begins with: linkers that do not separate code put the dynamic strings in
/// front of it. Those of LLVM's library end behind 4 MB.
const FRONT_MAX: u64 = 16 << 20;
/// Where program headers may end. They follow the file header in every file that runs.
pub(super) const HEADERS_MAX: u64 = 64 << 10;
/// What to keep.
pub(super) enum Plan {
    /// The headers are not complete yet.
    More,
    /// It is no file that runs.
    Nothing,
    /// It is what is left of a program that ran.
    CoreDump,
    /// These ranges, ascending; and whether something was left out.
    Keep(Vec<(u64, u64)>, bool),
}

/// By the first bytes of a file of `size` bytes.
pub(super) fn plan(head: &[u8], size: u64) -> Plan {
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
    // Where linkers separate code from data, no name stands in it.
    let is_separate = segments.iter().any(|segment| {
        segment.p_type(endian) == PT_LOAD
            && segment.p_flags(endian) & (PF_X | PF_W) == ProgramFlags(0)
    });
    let mut ranges = vec![(0, end.max(size_of::<E>() as u64))];
    let (mut kept, mut is_partial) = (0, false);
    for segment in segments {
        let (offset, length) = segment.file_range(endian);
        let length = length.min(size.saturating_sub(offset));
        let is_load = segment.p_type(endian) == PT_LOAD;
        let is_code = is_load && segment.p_flags(endian) & PF_X != ProgramFlags(0);
        let most = match is_code {
            true if offset == 0 => FRONT_MAX,
            true if is_separate => 0,
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
pub(super) fn merged(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
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
