//! Fields of the 512-byte header: numbers, and the checksum that tells a header from anything
//! else.

use std::ops::Range;

use crate::layer::tar::BLOCK;

/// Fields of a header that hold numbers.
pub(super) const MODE: Range<usize> = 100..108;
pub(super) const UID: Range<usize> = 108..116;
pub(super) const GID: Range<usize> = 116..124;
pub(super) const SIZE: Range<usize> = 124..136;
pub(super) const MTIME: Range<usize> = 136..148;

/// A number of a header as Go reads it: base 256 where the first bit is set, else octal digits
/// between spaces and NULs, none of which mean 0.
pub(super) fn numeric(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        // Two's complement below the marker bit.
        let negative = first & 0x40 != 0;
        let fill = if negative { 0xff } else { 0 };
        let head = if negative { first | 0x80 } else { first & 0x7f };
        let mut bytes = [fill; 8];
        let all: Vec<u8> = std::iter::once(head).chain(rest.iter().copied()).collect();
        let (high, low) = all.split_at(all.len().saturating_sub(8));
        if high.iter().any(|b| *b != fill) {
            return None;
        }
        let start = bytes.len() - low.len();
        bytes[start..].copy_from_slice(low);
        let number = i64::from_be_bytes(bytes);
        return (negative == (number < 0)).then_some(number);
    }
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|b| matches!(b, 0 | b' ')).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if rest.iter().any(|b| !matches!(b, 0 | b' ')) && !digits.is_empty() {
        return None;
    }
    if digits.is_empty() {
        return rest.iter().all(|b| matches!(b, 0 | b' ')).then_some(0);
    }
    i64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

/// The owner or group that a file gets by a number: `chown` takes the lower 32 bits, and all of
/// them set for "leave it", which is root, who unpacks.
pub(super) fn id(number: i64) -> u32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    match u32::from_le_bytes([a, b, c, d]) {
        u32::MAX => 0,
        id => id,
    }
}

/// Whether the block is a tar header: its checksum holds, unsigned or, as old writers had it,
/// signed.
pub(crate) fn checksum_fits(block: &[u8; BLOCK]) -> bool {
    let field = &block[148..156];
    let start = field.iter().position(|b| !matches!(b, b' ' | 0)).unwrap_or(field.len());
    let mut stated = None;
    for digit in field[start..].iter().take_while(|b| b.is_ascii_digit()) {
        if *digit > b'7' {
            return false;
        }
        stated = Some(stated.unwrap_or(0) * 8 + i32::from(*digit - b'0'));
    }
    let Some(stated) = stated else { return false };
    // Sums without a branch go over many bytes at once; the field itself counts as spaces.
    let unsigned_sum = |bytes: &[u8]| bytes.iter().map(|b| i32::from(*b)).sum::<i32>();
    let signed_sum = |bytes: &[u8]| bytes.iter().map(|b| i32::from(b.cast_signed())).sum::<i32>();
    let spaces = 8 * i32::from(b' ');
    let unsigned = unsigned_sum(block) - unsigned_sum(field) + spaces;
    let signed = signed_sum(block) - signed_sum(field) + spaces;
    stated == unsigned || stated == signed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        for (field, number) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"\0\0\0\0\0\0\0\0", Some(0)),
            (b"        ", Some(0)),
            (b"\x80\0\0\0\0\x01\0\0", Some(65_536)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
            (b"000064x\0", None),
            (b"9000000\0", None),
            (b"64 7\0\0\0\0", None),
        ] {
            assert_eq!(numeric(field), number, "{}", field.escape_ascii());
        }
    }

    #[test]
    fn ids_are_cut_as_chown_cuts_them() {
        for (number, taken) in [
            (0, 0),
            (1000, 1000),
            (0xffff_fffe, 0xffff_fffe),
            (0xffff_ffff, 0),
            (0x1_0000_0005, 5),
            (-1, 0),
            (-2, 0xffff_fffe),
            (i64::MIN, 0),
            (i64::MAX, 0),
        ] {
            assert_eq!(id(number), taken, "{number}");
        }
    }
}
