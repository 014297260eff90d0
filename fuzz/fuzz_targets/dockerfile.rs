//! Dockerfiles and what is written into them: whatever the text, nothing panics, and what comes out
//! is a Dockerfile again.

#![no_main]

use jettison_analyzer::advice::dockerfile::{Dockerfile, ignore, improve};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (text, ignored) = text.split_once('\0').unwrap_or((&text, ""));
    let _ = ignore::missing(Some(ignored), text.lines(), true);
    let Ok(file) = Dockerfile::parse(text) else { return };
    let Some(target) = file.target(None) else { return };
    let _ = improve::improve(&file, target);
    let (new, _) = improve::rewrite(text, None, |_| true).expect("it was read before");
    Dockerfile::parse(&new).expect("what is written can be read");
});
