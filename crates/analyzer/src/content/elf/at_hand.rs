//! An ELF file whose bytes are at hand: those that say something are read, window by window.

use std::cell::RefCell;
use std::io;

use crate::blob::ReadAt;
use crate::content::elf::scan::{AROUND, Scan};
use crate::content::elf::{Elf, plan, structure};
use crate::content::sparse::Sparse;

/// Bytes that are searched at once; they stay in a processor's cache.
const WINDOW: usize = 128 << 10;

thread_local! {
    /// One window after the other.
    static WINDOW_OF_FILE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What the file says whose parts `wanted` are, and what its data names if that is searched. `None`
/// where its headers do not fit each other.
pub(super) fn read(
    file: &dyn ReadAt,
    wanted: &Sparse,
    is_searched: bool,
) -> io::Result<Option<Elf>> {
    // The headers, which are there already. They tell of the dynamic section, and that of its strings.
    let front = wanted.parts().next().map(|(start, bytes)| (start, start + bytes.len() as u64));
    let mut known: Vec<_> = front.into_iter().collect();
    let mut data: Option<Sparse> = None;
    for _ in 0..2 {
        let so_far = data.as_ref().unwrap_or(wanted);
        let ranges = structure::ranges(so_far).unwrap_or_default();
        known.extend(ranges.into_iter().flat_map(|range| wanted.within(range)));
        known = plan::merged(known);
        data = Some(so_far.widened(known.clone(), file)?);
    }
    let Some((mut elf, mut regions)) = data.as_ref().and_then(structure::read) else {
        return Ok(None);
    };
    elf.is_partial = wanted.is_partial;
    if !is_searched {
        return Ok(Some(elf));
    }
    let silent = std::mem::take(&mut regions.silent);
    let scan = Scan::new(regions);
    // A text may start in the last bytes that are loaded.
    let searched = wanted.size().min(scan.end().saturating_add(AROUND as u64));
    let scan = WINDOW_OF_FILE.with_borrow_mut(|window| -> io::Result<Scan> {
        window.resize(WINDOW, 0);
        let mut search = Search { file, scan, window };
        for (start, end) in wanted.ranges() {
            for (start, end) in plan::without((start, end.min(searched)), &silent) {
                search.part(start, end)?;
            }
        }
        Ok(search.scan)
    })?;
    scan.finish(&mut elf);
    Ok(Some(elf))
}

struct Search<'a> {
    file: &'a dyn ReadAt,
    scan: Scan,
    window: &'a mut [u8],
}

impl Search<'_> {
    fn part(&mut self, start: u64, end: u64) -> io::Result<()> {
        let mut is_go_read = false;
        let mut at = start;
        while at < end {
            let from = at.saturating_sub(AROUND as u64).max(start);
            let length = usize::try_from(end - from).unwrap_or(WINDOW).min(WINDOW);
            let read = self.file.read_at(&mut self.window[..length], from)?;
            let bytes = &self.window[..read];
            let is_last = read < length || from + read as u64 >= end;
            let first = usize::try_from(at - from).unwrap_or(0).min(read);
            let last = if is_last { read } else { read - AROUND };
            self.scan.look_at(bytes, from, first..last);
            if !is_go_read && let Some(mark) = self.scan.go_mark(bytes, from, first) {
                is_go_read = true;
                let mark = from + mark as u64;
                let notes = Sparse::read(self.file, vec![(mark, end)], end)?;
                notes.parts().for_each(|(_, bytes)| self.scan.read_go(bytes));
            }
            if is_last {
                break;
            }
            at = from + last as u64;
        }
        Ok(())
    }
}
