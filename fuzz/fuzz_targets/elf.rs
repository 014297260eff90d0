//! What programs and shared objects say. No input may panic or loop, and pieces must say what the
//! whole says, and so must a file at hand.

#![no_main]

use jettison_fuzz::content::agrees;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Whatever it is, it says that it is one.
    agrees(b"bin/x", &[b"\x7fELF", bytes.get(4..).unwrap_or_default()].concat());
});
