//! Headers of a mutated tar, sealed again. Without it a checksum would turn nearly every mutation
//! away before it reached the parser.

const BLOCK: usize = 512;

/// Writes right checksums into the headers of `tar`, and of the tars that stand in it as members.
pub fn seal(tar: &mut [u8], depth: usize) {
    let mut at = 0;
    while at + BLOCK <= tar.len() {
        let header = &mut tar[at..at + BLOCK];
        at += BLOCK;
        if header.iter().all(|byte| *byte == 0) {
            continue;
        }
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let size = match header[156] {
            b'1'..=b'6' => 0,
            _ => size(&header[124..136]),
        };
        let end = at.saturating_add(size).min(tar.len());
        if depth > 0 && tar[at..end].get(257..262) == Some(b"ustar") {
            seal(&mut tar[at..end], depth - 1);
        }
        at = at.saturating_add(size.next_multiple_of(BLOCK));
    }
}

fn size(field: &[u8]) -> usize {
    let digits: String = field
        .iter()
        .skip_while(|byte| **byte == b' ')
        .take_while(|byte| byte.is_ascii_digit())
        .map(|byte| char::from(*byte))
        .collect();
    usize::from_str_radix(&digits, 8).unwrap_or(0)
}
