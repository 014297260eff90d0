//! rpm's headers and each form of its database: as they are, and a header that both forms hold;
//! dnf's history.

#![no_main]

use jettison_analyzer::content::rpm;
use libfuzzer_sys::fuzz_target;

/// An ndb of one blob.
fn ndb(blob: &[u8]) -> Vec<u8> {
    let number = |n: usize| u32::try_from(n).unwrap_or(0).to_le_bytes();
    let mut bytes = [&b"RpmP"[..], &[0; 8], &number(1), &[0; 16]].concat();
    bytes.extend([&b"Slot"[..], &number(1), &number(4096 / 16), &[0; 4]].concat());
    while bytes.len() < 4096 {
        bytes.extend([&b"Slot"[..], &[0; 12]].concat());
    }
    bytes.extend([&b"BlbS"[..], &number(1), &[0; 4], &number(blob.len()), blob].concat());
    bytes
}

fuzz_target!(|bytes: &[u8]| {
    let _ = rpm::read(bytes.to_vec());
    let _ = rpm::history(bytes.to_vec());
    let held = rpm::read(ndb(bytes));
    match rpm::header(bytes) {
        Some(package) if &*package.name != "gpg-pubkey" => assert_eq!(held.packages, [package]),
        _ => assert!(held.packages.is_empty()),
    }
});
