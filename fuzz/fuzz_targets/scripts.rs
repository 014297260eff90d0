//! What scripts, modules and profiles say. No input may panic or loop, and pieces must say what the
//! whole says, and so must a file at hand.

#![no_main]

use jettison_analyzer::content::{self, Collector};
use jettison_analyzer::facts::profile::Profile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let paths = ["bin/x", "a.py", "a.js", "a.sh", "a.pl", "a.rb", "a.php", "etc/x.conf"];
    for path in paths.map(str::as_bytes) {
        let whole = content::of(path, bytes);
        let mut collector = Collector::new(path, bytes.len() as u64);
        for piece in bytes.chunks(97) {
            collector.piece(piece);
        }
        assert_eq!(collector.finish(), whole);
        let at_hand = content::at_hand(path, bytes.len() as u64, &bytes).unwrap();
        assert_eq!(at_hand, whole);
    }
    let _ = Profile::default().add("the profile", bytes);
});
