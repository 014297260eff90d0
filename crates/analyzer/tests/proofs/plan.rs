//! Random layers over a few paths, so that they collide in every way.

use jettison_testkit::image::{LayerBuilder, Meta};
use proptest::prelude::*;

/// One entry of a layer. Contents are numbers of [`CONTENTS`].
#[derive(Clone, Debug)]
pub(crate) enum Step {
    File { path: &'static str, content: usize, mode: u32, owner: u32 },
    Directory { path: &'static str, mode: u32 },
    Symlink { path: &'static str, target: &'static str },
    HardLink { path: &'static str, target: &'static str },
    Device { path: &'static str, minor: u32 },
    Fifo { path: &'static str },
    Whiteout { path: &'static str },
    Opaque { directory: &'static str },
}

/// What files hold: two of one size, one empty.
pub(crate) const CONTENTS: [&[u8]; 5] = [b"", b"x", b"seven 1", b"seven 2", &[b'z'; 5000]];

const PATHS: [&str; 18] = [
    "a", "b", "c", "d", "a/a", "a/b", "a/c", "b/a", "b/c", "c/a", "c/d", "d/b", "a/a/a", "a/a/b",
    "a/b/c", "b/a/a", "c/a/b", "b/a/a/c",
];
const TARGETS: [&str; 14] = [
    "a",
    "b",
    "c/a",
    "/a",
    "/b/a",
    "/a/b",
    "../b",
    "../a/a",
    "../../d",
    "./c",
    "d/../a",
    "/",
    ".",
    "nowhere/at/all",
];

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PATHS.as_slice())
}

fn step() -> impl Strategy<Value = Step> {
    let mode = || prop::sample::select(vec![0o644_u32, 0o600, 0o755]);
    prop_oneof![
        8 => (path(), 0..CONTENTS.len(), mode(), 0..2_u32).prop_map(
            |(path, content, mode, owner)| Step::File { path, content, mode, owner }
        ),
        4 => (path(), mode()).prop_map(|(path, mode)| Step::Directory { path, mode }),
        1 => mode().prop_map(|mode| Step::Directory { path: "", mode }),
        3 => (path(), prop::sample::select(TARGETS.as_slice()))
            .prop_map(|(path, target)| Step::Symlink { path, target }),
        4 => (path(), path()).prop_map(|(path, target)| Step::HardLink { path, target }),
        1 => (path(), 0..3_u32).prop_map(|(path, minor)| Step::Device { path, minor }),
        1 => path().prop_map(|path| Step::Fifo { path }),
        4 => path().prop_map(|path| Step::Whiteout { path }),
        1 => path().prop_map(|directory| Step::Opaque { directory }),
        1 => Just(Step::Opaque { directory: "" }),
    ]
}

/// Layers, bottom first.
pub(crate) fn plans() -> impl Strategy<Value = Vec<Vec<Step>>> {
    prop::collection::vec(prop::collection::vec(step(), 0..10), 1..6)
}

/// The same as tars, one entry a step, their names written in every way that means the same.
pub(crate) fn layers(plan: &[Vec<Step>]) -> Vec<LayerBuilder> {
    plan.iter().map(|steps| layer(steps)).collect()
}

fn layer(steps: &[Step]) -> LayerBuilder {
    let written = |at: usize, path: &str| match at % 3 {
        _ if path.is_empty() => "./".to_owned(),
        0 => path.to_owned(),
        1 => format!("./{path}"),
        _ => format!("/{path}"),
    };
    steps.iter().enumerate().fold(LayerBuilder::new(), |layer, (at, step)| match step {
        Step::File { path, content, mode, owner } => {
            let meta = Meta::mode(*mode).owner(u64::from(*owner), 0);
            layer.file_with(written(at, path), CONTENTS[*content], meta)
        }
        Step::Directory { path, mode } => {
            layer.directory_with(written(at, path), Meta::mode(*mode))
        }
        Step::Symlink { path, target } => layer.symlink(written(at, path), target),
        Step::HardLink { path, target } => {
            let (path, target) = (written(at, path), written(at + 1, target));
            let meta = Meta::default();
            layer.entry(b'1', path.as_bytes(), target.as_bytes(), meta, Vec::new(), (0, 0))
        }
        Step::Device { path, minor } => layer.char_device(written(at, path), 1, *minor),
        Step::Fifo { path } => layer.fifo(written(at, path)),
        Step::Whiteout { path } => layer.whiteout(written(at, path)),
        Step::Opaque { directory } => layer.opaque(written(at, directory)),
    })
}
