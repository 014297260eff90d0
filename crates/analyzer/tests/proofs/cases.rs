//! Images whose dead bytes are known by reasoning, most of them ones that dive gets wrong.

use jettison_testkit::image::{LayerBuilder, Meta};

/// One image: a base file of 1,000 bytes in the first layer, and a case on top of it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) layers: Vec<LayerBuilder>,
    /// Bytes that no path of the final filesystem leads to.
    pub(crate) dead: u64,
    /// What dive calls wasted by its definitions.
    pub(crate) dive_wasted: u64,
    /// Whether dive gets through without the mistakes that our figures leave out.
    pub(crate) dive_reads_it: bool,
}

const MB: usize = 1_000_000;

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251).to_le_bytes()[0]).collect()
}

fn layer() -> LayerBuilder {
    LayerBuilder::new()
}

/// The table of the research into dive.
pub(crate) fn all() -> Vec<Case> {
    let case = |name, layers: Vec<LayerBuilder>, dead: usize, dive_wasted: usize| Case {
        name,
        layers: [vec![layer().file("base", content(1000))], layers].concat(),
        dead: dead as u64,
        dive_wasted: dive_wasted as u64,
        dive_reads_it: true,
    };
    let files = |layer: LayerBuilder| {
        (0..10)
            .fold(layer.directory("dir"), |layer, at| layer.file(format!("dir/f{at}"), content(MB)))
    };
    let single = |count: usize| content(count * MB);
    vec![
        case(
            "rm -rf of a directory in a later layer",
            vec![files(layer()), layer().whiteout("dir")],
            10 * MB,
            0,
        ),
        case(
            "the same with a whiteout a file",
            vec![
                files(layer()),
                (0..10).fold(layer().directory("dir"), |layer, at| {
                    layer.whiteout(format!("dir/f{at}"))
                }),
            ],
            10 * MB,
            10 * MB,
        ),
        case(
            "chmod",
            vec![
                layer().file("f", single(5)),
                layer().file_with("f", single(5), Meta::mode(0o755)),
            ],
            5 * MB,
            10 * MB,
        ),
        case(
            "opaque directory",
            vec![
                layer().directory("dir").file("dir/f", single(5)),
                layer().directory("dir").opaque("dir").file("dir/new", "new"),
            ],
            5 * MB,
            0,
        ),
        case(
            "a file becomes a directory",
            vec![layer().file("f", single(5)), layer().directory("f").file("f/new", "new")],
            5 * MB,
            0,
        ),
        case(
            "a directory becomes a symlink",
            vec![
                layer().directory("dir").file("dir/f", single(5)),
                layer().symlink("dir", "elsewhere"),
            ],
            5 * MB,
            0,
        ),
        case(
            "added, removed, added again",
            vec![layer().file("f", single(2)), layer().whiteout("f"), layer().file("f", single(2))],
            2 * MB,
            4 * MB,
        ),
        case(
            "one name of a hard link removed",
            vec![layer().file("one", single(5)).hard_link("two", "one"), layer().whiteout("one")],
            0,
            5 * MB,
        ),
        Case {
            dive_reads_it: false,
            ..case(
                "whiteout of nothing beside a rewritten file",
                vec![layer().file("f", single(1)), layer().whiteout("nope").file("f", single(1))],
                MB,
                2 * MB,
            )
        },
        case(
            "the same path twice in one layer",
            vec![layer().file("f", single(2)).file("f", single(3))],
            2 * MB,
            0,
        ),
        case(
            "the same content at two paths",
            vec![layer().file("one", single(5)).file("two", single(5))],
            0,
            0,
        ),
        Case {
            layers: vec![layer().file("base", content(1000))],
            ..case("one layer", vec![], 0, 0)
        },
        case(
            "a layer equal to the one below",
            vec![layer().file("base", content(1000))],
            1000,
            2000,
        ),
        Case { layers: saved_image(), ..case("dive's sample image", vec![], 32_025, 32_025) },
    ]
}

/// What stands in dive's sample image, which totals 32,025 wasted bytes by either account, and of
/// other files.
pub(crate) fn saved_image() -> Vec<LayerBuilder> {
    let text = || content(6405);
    let nested = || layer().directory("root").directory("root/example");
    let root = || layer().directory("root");
    vec![
        layer().file("bin/busybox", content(1_154_361)).directory("root").directory("tmp"),
        layer().file("somefile.txt", text()),
        nested().directory("root/example/really").directory("root/example/really/nested"),
        nested().file("root/example/somefile1.txt", text()),
        nested().file_with("root/example/somefile1.txt", text(), Meta::mode(0o444)),
        nested().file("root/example/somefile2.txt", text()),
        nested().file("root/example/somefile3.txt", text()),
        nested().whiteout("root/example/somefile3.txt").file("root/saved.txt", text()),
        root().file("root/.saved.txt", text()),
        root().whiteout("root/example"),
        root().directory("root/.data").file("root/.data/script", content(2187)),
        layer().directory("tmp").file("tmp/saved.again1.txt", text()),
        root().directory("root/.data").file("root/.data/saved.again2.txt", text()),
        root().file_with("root/saved.txt", text(), Meta::mode(0o755)),
    ]
}
