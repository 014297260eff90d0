//! Baselines, which anyone may have edited, and the rules of dive's gate: whatever stands in them, what
//! is read can be compared, and every list sums to what it explains.

#![no_main]

use jettison_analyzer::gate::grown::grown;
use jettison_analyzer::gate::{Baseline, dive_ci};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = dive_ci::parse(".dive-ci", text);
    }
    let Ok(baseline) = Baseline::parse(bytes) else { return };
    let again = Baseline::parse(&baseline.render()).expect("what is written can be read");
    assert_eq!(again, baseline);
    for old in &baseline.images {
        for new in &baseline.images {
            let grown = grown(old, new);
            for row in &grown.rows {
                let parts: i64 = row.parts.iter().map(|part| part.delta()).sum();
                assert_eq!(parts, row.effective);
            }
            let shown: i64 = grown.rows.iter().map(|row| row.effective).sum();
            assert_eq!(shown, grown.effective);
        }
    }
});
