//! Java archives, in pieces and as a whole: both say the same.

#![no_main]

use jettison_analyzer::content::{self, Collector};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = content::of(b"a.jar", bytes);
    let mut collector = Collector::new(b"a.jar", bytes.len() as u64);
    for piece in bytes.chunks(97) {
        collector.piece(piece);
    }
    assert_eq!(collector.finish(), whole);
});
