//! What a content says, however its bytes come.

use jettison_analyzer::content::{self, Collector};

/// Looks at a content as a whole, in pieces and at hand.
///
/// # Panics
///
/// Where these do not say the same.
pub fn agrees(path: &[u8], bytes: &[u8]) {
    let whole = content::of(path, bytes);
    for size in [97, 4_096] {
        let mut collector = Collector::new(path, bytes.len() as u64);
        for piece in bytes.chunks(size) {
            collector.piece(piece);
        }
        assert_eq!(collector.finish(), whole);
    }
    let at_hand = content::at_hand(path, bytes.len() as u64, &bytes);
    assert_eq!(at_hand.expect("bytes at hand can be read"), whole);
}
