//! Java archives, in pieces, as a whole and at hand: all say the same.

#![no_main]

use jettison_fuzz::content::agrees;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| agrees(b"a.jar", bytes));
