//! What contents say: programs, scripts, modules, and profiles. No input may panic or loop, and
//! pieces must say what the whole says.

#![no_main]

use jettison_analyzer::content::{self, Collector};
use jettison_analyzer::facts::profile::Profile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for path in [&b"bin/x"[..], b"a.py", b"a.js", b"a.sh", b"etc/x.conf"] {
        let whole = content::of(path, bytes);
        let mut collector = Collector::new(path, bytes.len() as u64);
        for piece in bytes.chunks(97) {
            collector.piece(piece);
        }
        assert_eq!(collector.finish(), whole);
    }
    let _ = Profile::default().add("the profile", bytes);
});
