//! Manifests, indexes and configs.

#![no_main]

use jettison_analyzer::image::{Config, align, parse_document};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_document("the document", bytes);
    if let Ok(config) = Config::parse("the config", bytes) {
        for layers in [config.diff_ids.len(), 0, 3] {
            let (instructions, _) = align(&config.history, layers);
            assert_eq!(instructions.len(), layers);
            for instruction in instructions.into_iter().flatten() {
                let _ = (instruction.text(), instruction.keyword());
            }
        }
    }
});
