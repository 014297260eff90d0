//! rpm's database in `BerkeleyDB` (`Packages`, on systems of before 2020): a hash whose values are
//! headers, most of them in chains of pages of their own (`dbinc/db_page.h`). It is read page by
//! page, as `db_verify` does, rather than by its keys.

use crate::limits::RPM_DATABASE_MAX;

/// At 12: the magic of a hash.
const MAGIC: u32 = 0x0006_1561;
const PAGE_HEADER: usize = 26;
const PAGE_MIN: usize = 512;
const PAGE_MAX: usize = 64 << 10;
/// Types of pages.
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;
/// Types of items.
const INLINE: u8 = 1;
const OFF_PAGE: u8 = 3;

/// Whether it is a hash, of either byte order.
pub(super) fn is_hash(bytes: &[u8]) -> bool {
    bytes.get(12..16).is_some_and(|magic| {
        magic == MAGIC.to_le_bytes().as_slice() || magic == MAGIC.to_be_bytes().as_slice()
    })
}

/// Hands over each value but that of the key 0, which counts the others.
pub(super) fn each(
    bytes: &[u8],
    take: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let damaged = || "it is damaged".to_owned();
    let file = File::new(bytes).ok_or_else(damaged)?;
    if bytes.get(24) != Some(&0) {
        return Err("it is encrypted".to_owned());
    }
    // A page of a chain belongs to one value.
    let mut left = file.pages();
    for page in 1..file.pages() {
        let Some(page) = file.page(page) else { return Err(damaged()) };
        if !matches!(page[25], HASH_UNSORTED | HASH) {
            continue;
        }
        let items = usize::from(file.u16_at(page, 20).ok_or_else(damaged)?);
        let mut end = page.len();
        let mut key: &[u8] = &[];
        for at in 0..items {
            let start = file.u16_at(page, PAGE_HEADER + 2 * at).ok_or_else(damaged)?;
            let item = page.get(usize::from(start)..end).ok_or_else(damaged)?;
            end = usize::from(start);
            if at % 2 == 0 {
                key = item;
                continue;
            }
            if key.get(1..) == Some(&[0; 4]) {
                continue;
            }
            match item.first() {
                Some(&INLINE) => take(&item[1..])?,
                Some(&OFF_PAGE) => {
                    let value = file.chain(item, &mut left).ok_or_else(damaged)?;
                    take(&value)?;
                }
                _ => return Err(damaged()),
            }
        }
    }
    Ok(())
}

struct File<'a> {
    bytes: &'a [u8],
    page_size: usize,
    is_big: bool,
}

impl<'a> File<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let is_big = bytes.get(12..16)? == MAGIC.to_be_bytes();
        let mut file = Self { bytes, page_size: 0, is_big };
        file.page_size = usize::try_from(file.u32_at(bytes, 20)?).ok()?;
        let is_valid = (PAGE_MIN..=PAGE_MAX).contains(&file.page_size);
        (is_valid && file.page_size.is_power_of_two()).then_some(file)
    }

    fn pages(&self) -> usize {
        self.bytes.len() / self.page_size
    }

    fn page(&self, number: usize) -> Option<&'a [u8]> {
        let start = number.checked_mul(self.page_size)?;
        self.bytes.get(start..start.checked_add(self.page_size)?)
    }

    /// The value that an item off its page leads to; `left` is how many pages may still be read.
    fn chain(&self, item: &[u8], left: &mut usize) -> Option<Vec<u8>> {
        let mut next = self.u32_at(item, 4)?;
        let length =
            self.u32_at(item, 8).filter(|length| u64::from(*length) <= RPM_DATABASE_MAX)?;
        let length = usize::try_from(length).ok()?;
        let mut value = Vec::new();
        while value.len() < length {
            *left = left.checked_sub(1)?;
            let page = self.page(usize::try_from(next).ok()?)?;
            if page[25] != OVERFLOW {
                return None;
            }
            let used = usize::from(self.u16_at(page, 22)?);
            value.extend_from_slice(page.get(PAGE_HEADER..PAGE_HEADER + used)?);
            next = self.u32_at(page, 16)?;
        }
        value.truncate(length);
        Some(value)
    }

    fn u16_at(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let number = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if self.is_big { u16::from_be_bytes(number) } else { u16::from_le_bytes(number) })
    }

    fn u32_at(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let number = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if self.is_big { u32::from_be_bytes(number) } else { u32::from_le_bytes(number) })
    }
}
