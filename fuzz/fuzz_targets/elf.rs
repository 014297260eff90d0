//! What programs and shared objects say. No input may panic or loop, and pieces must say what the
//! whole says, and so must a file at hand.

#![no_main]

use jettison_analyzer::content::{self, Collector};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Whatever it is, it says that it is one.
    let bytes = &[b"\x7fELF", bytes.get(4..).unwrap_or_default()].concat()[..];
    let path = b"bin/x";
    let whole = content::of(path, bytes);
    for size in [97, 4_096] {
        let mut collector = Collector::new(path, bytes.len() as u64);
        for piece in bytes.chunks(size) {
            collector.piece(piece);
        }
        assert_eq!(collector.finish(), whole);
    }
    let at_hand = content::at_hand(path, bytes.len() as u64, &bytes).unwrap();
    assert_eq!(at_hand, whole);
});
