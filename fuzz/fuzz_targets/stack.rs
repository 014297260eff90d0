//! Layers of well-formed entries over a few names, in any order: links that circle, whiteouts of
//! all kinds, paths through everything. The account's sums are asserted inside it.

#![no_main]

use jettison_fuzz::image;
use jettison_testkit::image::LayerBuilder;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 16] = [
    "a",
    "b",
    "c",
    ".d",
    "+e",
    "..",
    ".",
    "/",
    "a/b",
    "b/c",
    ".wh.a",
    ".wh.",
    ".wh..wh..opq",
    ".wh..wh.plnk",
    "c/../a",
    "nowhere",
];

/// A path of up to three names.
fn path(bytes: [u8; 2]) -> String {
    let [low, high] = bytes.map(usize::from);
    let names = [NAMES[low % 16], NAMES[low / 16], NAMES[high % 16]];
    names[..1 + (high / 16) % 3].join("/")
}

fuzz_target!(|bytes: &[u8]| {
    let mut layers = vec![LayerBuilder::new()];
    for step in bytes.chunks_exact(6).take(2000) {
        let [what, extra, rest @ ..] = step else { break };
        let (at, to) = (path([rest[0], rest[1]]), path([rest[2], rest[3]]));
        let layer = layers.pop().expect("there is always one");
        let next = match what % 9 {
            0 | 1 => layer.file(at, vec![*extra; usize::from(extra % 32)]),
            2 => layer.directory(at),
            3 => layer.symlink(at, to),
            4 => layer.hard_link(at, to),
            5 => layer.char_device(at, 1, 2),
            6 => layer.whiteout(at),
            7 if layers.len() < 50 => {
                layers.push(layer);
                LayerBuilder::new()
            }
            _ => layer.opaque(at),
        };
        layers.push(next);
    }
    let layers = layers.iter().map(|layer| image::streamed(layer.tar())).collect();
    if let Ok(account) = image::account_of(image::image(layers)) {
        let percent = account.dive.user_wasted_percent;
        assert!((0.0..=1.0).contains(&account.dive.efficiency_score));
        assert!(percent.is_none_or(f64::is_finite));
        let walked = account.tree.walk(jettison_analyzer::tree::NodeId::ROOT).count();
        assert_eq!(walked, account.tree.len());
    }
});
