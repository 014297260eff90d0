//! Which parts of an ELF file say something, by its headers.

use object::Endianness;
use object::elf::{
    ET_CORE, ET_DYN, ET_EXEC, FileHeader32, FileHeader64, PF_W, PF_X, PT_DYNAMIC, PT_INTERP,
    PT_LOAD, PT_NOTE, ProgramFlags,
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
/// Code of an object that has none of its own: what linkers add to start and end it. That of ICU's
/// 31 MB of tables has 261 bytes.
const STUBS_MAX: u64 = 512;
/// Of a segment of such an object, which opens nothing.
const TABLES_MAX: u64 = 4 << 10;
/// Of notes, of the loader's name and of dynamic sections, together.
const ASIDE_MAX: u64 = 8 << 20;
/// Where program headers may end. They follow the file header in every file that runs.
pub(super) const HEADERS_MAX: u64 = 64 << 10;

/// What to keep.
pub(super) enum Plan {
    /// The headers are not complete yet.
    More,
    /// It is no file that runs.
    Nothing,
    /// Its headers are none of such a file.
    Damaged,
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
        Some(_) => Plan::Damaged,
    }
}

fn plan_of<E: FileHeader<Endian = Endianness>>(head: &[u8], size: u64) -> Plan {
    if head.len() < size_of::<E>() {
        return Plan::More;
    }
    let Ok(header) = E::parse(head) else { return Plan::Damaged };
    let Ok(endian) = header.endian() else { return Plan::Damaged };
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
    if end > HEADERS_MAX || end > size {
        return Plan::Damaged;
    }
    if end > head.len() as u64 {
        return Plan::More;
    }
    let Ok(segments) = header.program_headers(endian, head) else { return Plan::Damaged };
    // Where linkers separate code from data, no name stands in it.
    let is_separate = segments.iter().any(|segment| {
        segment.p_type(endian) == PT_LOAD
            && segment.p_flags(endian) & (PF_X | PF_W) == ProgramFlags(0)
    });
    let code: u64 = segments
        .iter()
        .filter(|s| s.p_type(endian) == PT_LOAD && s.p_flags(endian) & PF_X != ProgramFlags(0))
        .fold(0, |sum, segment| sum.saturating_add(segment.file_range(endian).1));
    let is_all_tables = is_separate && (1..=STUBS_MAX).contains(&code);
    let mut ranges = vec![(0, end.max(size_of::<E>() as u64))];
    let (mut kept, mut aside, mut is_partial) = (0, 0, false);
    for segment in segments {
        let (offset, length) = segment.file_range(endian);
        let length = length.min(size.saturating_sub(offset));
        let is_code = segment.p_flags(endian) & PF_X != ProgramFlags(0);
        let (sum, all, most) = match segment.p_type(endian) {
            PT_LOAD if is_code && offset == 0 => (&mut kept, KEPT_MAX, FRONT_MAX),
            PT_LOAD if is_code && is_separate => continue,
            PT_LOAD if is_code => (&mut kept, KEPT_MAX, CODE_MAX),
            // Its names for the loader stand in front of the tables.
            PT_LOAD if is_all_tables && offset > 0 => {
                ranges.push((offset, offset.saturating_add(length.min(TABLES_MAX))));
                continue;
            }
            PT_LOAD => (&mut kept, KEPT_MAX, KEPT_MAX),
            // As a rule they stand in what is loaded, too.
            PT_INTERP | PT_NOTE | PT_DYNAMIC => (&mut aside, ASIDE_MAX, ASIDE_MAX),
            _ => continue,
        };
        let most = most.min(all - *sum);
        is_partial |= length > most && !is_code;
        let length = length.min(most);
        *sum += length;
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

/// What ascending ranges leave of one.
pub(super) fn without(
    (start, end): (u64, u64),
    holes: &[(u64, u64)],
) -> impl Iterator<Item = (u64, u64)> {
    let holes = holes.iter().filter(move |hole| hole.0 < end && start < hole.1);
    let starts = std::iter::once(start).chain(holes.clone().map(|hole| hole.1));
    let ends = holes.map(|hole| hole.0).chain(std::iter::once(end));
    starts.zip(ends).filter(|(start, end)| start < end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The headers of a file of 64 bits: type, flags, offset and length of each segment.
    fn headers(segments: &[(u32, u32, u64, u64)]) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(16, 0);
        bytes.extend([3, 0, 62, 0, 1, 0, 0, 0]);
        bytes.extend([0_u64, 64, 0].map(u64::to_le_bytes).as_flattened());
        let count = u16::try_from(segments.len()).unwrap();
        bytes.extend([0, 0, 64, 56, count, 0, 0, 0].map(u16::to_le_bytes).as_flattened());
        for (kind, flags, offset, length) in segments {
            bytes.extend([*kind, *flags].map(u32::to_le_bytes).as_flattened());
            let fields = [*offset, *offset, *offset, *length, *length, 1];
            bytes.extend(fields.map(u64::to_le_bytes).as_flattened());
        }
        bytes
    }

    fn kept(segments: &[(u32, u32, u64, u64)]) -> (u64, bool) {
        match plan(&headers(segments), 1 << 40) {
            Plan::Keep(ranges, is_partial) => {
                (ranges.iter().map(|(start, end)| end - start).sum(), is_partial)
            }
            _ => panic!("no headers"),
        }
    }

    #[test]
    fn however_many_segments_there_are_what_is_kept_is_bounded() {
        const MANY: u64 = 1_000;
        let all = KEPT_MAX + ASIDE_MAX + HEADERS_MAX;
        // Data, code, and notes.
        for (kind, flags) in [(1, 4), (1, 5), (4, 4), (2, 4)] {
            let apart = |at: u64| (kind, flags, (at + 1) << 30, 39 << 20);
            let segments: Vec<_> = (0..MANY).map(apart).collect();
            let (bytes, is_partial) = kept(&segments);
            assert!(bytes <= all, "{kind} {flags}: {bytes}");
            assert_eq!(is_partial, flags == 4, "{kind} {flags}");
        }
        // Stacks and the like are nothing to read.
        assert_eq!(kept(&[(0x6474_e551, 6, 1 << 30, 1 << 20)]), (120, false));
    }

    #[test]
    fn code_that_is_separate_from_data_is_left_out() {
        let data = (1, 4, 0, 1 << 20);
        let code = (1, 5, 1 << 20, 1 << 20);
        assert_eq!(kept(&[data, code]), (1 << 20, false));
        assert_eq!(kept(&[(1, 6, 0, 1 << 20), code]).0, 2 << 20);
        // Tables, for which linkers add some bytes of code, open nothing.
        let (front, stubs) = ((1, 4, 0, 1 << 10), (1, 5, 4 << 10, 261));
        let tables = (1, 4, 8 << 10, 30 << 20);
        assert_eq!(kept(&[front, stubs, tables]), (5 << 10, false));
        assert_eq!(kept(&[front, code, tables]).0, (30 << 20) + (1 << 10));
        // The front may hold everything.
        assert_eq!(kept(&[(1, 5, 0, 3 << 20)]), (3 << 20, false));
    }

    #[test]
    fn holes_are_left_out() {
        let left = |range, holes: &[(u64, u64)]| without(range, holes).collect::<Vec<_>>();
        assert_eq!(left((10, 20), &[]), [(10, 20)]);
        assert_eq!(left((10, 20), &[(0, 10), (12, 14), (18, 30)]), [(10, 12), (14, 18)]);
        assert_eq!(left((10, 20), &[(0, 12), (15, 20), (20, 22)]), [(12, 15)]);
        assert_eq!(left((10, 20), &[(10, 20)]), []);
        assert_eq!(left((10, 20), &[(0, u64::MAX)]), []);
    }
}
