//! rpm's own form of database (`Packages.db`, on SUSE): a header and slots in pages, each slot
//! leading to one blob (rpm's `lib/backend/ndb/rpmpkg.c`).

use crate::limits::RPM_SLOT_PAGES_MAX;

pub(super) const MAGIC: &[u8] = b"RpmP";

/// A slot, and the header in the place of the first two.
const SLOT: usize = 16;
const PAGE: usize = 4096;
/// The unit of offsets.
const BLOCK: usize = 16;
const BLOB_HEADER: usize = 16;

/// Hands over each blob, in the order of the slots.
pub(super) fn each(
    bytes: &[u8],
    take: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let damaged = || "it is damaged".to_owned();
    if number(bytes, 4) != Some(0) {
        return Err("it is of an unknown version of ndb".to_owned());
    }
    let pages = number(bytes, 12).filter(|pages| *pages > 0).ok_or_else(damaged)?;
    if pages > RPM_SLOT_PAGES_MAX {
        return Err(format!("it has more than {RPM_SLOT_PAGES_MAX} pages of slots"));
    }
    let slots = bytes.get(2 * SLOT..pages * PAGE).ok_or_else(damaged)?;
    for slot in slots.chunks_exact(SLOT) {
        let field = |at| number(slot, at).ok_or_else(damaged);
        if !slot.starts_with(b"Slot") {
            return Err(damaged());
        }
        let package = field(4)?;
        if package == 0 {
            continue;
        }
        let start = field(8)?.checked_mul(BLOCK).ok_or_else(damaged)?;
        let blob = bytes.get(start..).ok_or_else(damaged)?;
        if !blob.starts_with(b"BlbS") || number(blob, 4) != Some(package) {
            return Err(damaged());
        }
        let length = number(blob, 12).ok_or_else(damaged)?;
        let end = BLOB_HEADER.checked_add(length).ok_or_else(damaged)?;
        take(blob.get(BLOB_HEADER..end).ok_or_else(damaged)?)?;
    }
    Ok(())
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()
}
