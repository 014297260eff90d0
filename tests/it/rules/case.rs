//! An image with what one rule has to find in it, and near misses that no rule may find.

use std::collections::BTreeSet;

use jettison_testkit::image::{Compression, ImageBuilder, ImageFiles, LayerBuilder, Meta, Wrap};
use serde_json::Value;

use crate::jettison::User;
use crate::shop::content;

/// What the image runs: a program that leads to nothing.
pub(super) const PROGRAM: &str = "/app/run";

/// An image with what one rule has to find in it. Everything else that rules find is of `beside`.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) rule: &'static str,
    pub(super) image: ImageBuilder,
    found: Vec<Found>,
    beside: Vec<&'static str>,
}

/// One finding, as its document has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    bytes: u64,
    confidence: String,
    layer: Option<u64>,
    paths: Vec<String>,
    places: Vec<String>,
    packages: Vec<String>,
}

impl Found {
    /// These files of layer 1, with their bytes.
    pub(super) fn files(confidence: &str, files: &[(&str, u64)]) -> Self {
        let mut paths: Vec<String> = files.iter().map(|(path, _)| format!("/{path}")).collect();
        paths.sort();
        Self {
            bytes: files.iter().map(|(_, bytes)| bytes).sum(),
            confidence: confidence.to_owned(),
            layer: Some(1),
            paths,
            places: Vec::new(),
            packages: Vec::new(),
        }
    }

    /// Places that are no files, of no layer.
    pub(super) fn places(confidence: &str, places: &[&str]) -> Self {
        let places = places.iter().map(|place| (*place).to_owned()).collect();
        Self { layer: None, places, ..Self::files(confidence, &[]) }
    }

    pub(super) fn of(self, packages: &[&str]) -> Self {
        Self { packages: packages.iter().map(|name| (*name).to_owned()).collect(), ..self }
    }

    pub(super) fn layer(self, layer: u64) -> Self {
        Self { layer: Some(layer), ..self }
    }

    /// More files in the same finding.
    pub(super) fn add(&mut self, files: &[(&str, u64)]) {
        let more = Self::files(&self.confidence, files);
        self.bytes += more.bytes;
        self.paths.extend(more.paths);
        self.paths.sort();
    }

    fn read(document: &Value) -> Self {
        let texts = |rows: &Value| -> Vec<String> {
            rows.as_array().unwrap().iter().map(|row| row.as_str().unwrap().to_owned()).collect()
        };
        let top = document["topPaths"].as_array().unwrap();
        assert_eq!(document["paths"].as_u64().unwrap(), top.len() as u64, "{document}");
        let sum: u64 = top.iter().map(|row| row["bytes"].as_u64().unwrap()).sum();
        assert_eq!(document["bytes"], sum, "{document}");
        let mut paths: Vec<String> =
            top.iter().map(|row| row["path"].as_str().unwrap().to_owned()).collect();
        paths.sort();
        Self {
            bytes: sum,
            confidence: document["confidence"].as_str().unwrap().to_owned(),
            layer: document["layer"].as_u64(),
            paths,
            places: texts(&document["places"]),
            packages: texts(&document["packages"]),
        }
    }
}

impl Case {
    pub(super) fn new(rule: &'static str, image: ImageBuilder, found: &[Found]) -> Self {
        Self { rule, image, found: found.to_vec(), beside: Vec::new() }
    }

    /// Files that are found, one finding together, in layer 1, beside others that are not.
    pub(super) fn plain(
        rule: &'static str,
        confidence: &str,
        found: &[(&str, u64)],
        near: &[&str],
    ) -> Self {
        let layer =
            near.iter().fold(sized(found), |layer, path| layer.file(path, content(path, 700)));
        Self::new(rule, image(layer), &[Found::files(confidence, found)])
    }

    /// What other rules may find.
    pub(super) fn beside(self, rules: &[&'static str]) -> Self {
        Self { beside: rules.to_vec(), ..self }
    }

    /// Analyzes the image, and compares.
    pub(super) fn check(self, user: &User) -> Value {
        let word = write(user, "case.tar", self.image);
        let document = findings(user, &word);
        let all = document["findings"].as_array().unwrap();
        let rule = self.rule;
        let (own, others): (Vec<&Value>, Vec<&Value>) =
            all.iter().partition(|finding| finding["rule"] == rule);
        let mut found: Vec<Found> = own.iter().map(|finding| Found::read(finding)).collect();
        let mut expected = self.found;
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{rule}: found, expected");
        let others: BTreeSet<&str> =
            others.iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
        assert_eq!(others, self.beside.into_iter().collect(), "beside {rule}: {all:#?}");
        for finding in all {
            said(finding);
        }
        document
    }
}

/// What every finding says.
fn said(finding: &Value) {
    for key in ["title", "remedy", "evidence"] {
        let text = finding[key].as_str().unwrap();
        assert!(!text.is_empty() && !text.contains('\n'), "{key}: {finding}");
    }
    let bytes = finding["bytes"].as_u64().unwrap();
    let least = match bytes >> 20 {
        0 => "info",
        1..10 => "low",
        10..100 => "medium",
        _ => "high",
    };
    let severity = finding["severity"].as_str().unwrap();
    let is_grave = severity == "high" && bytes == 0;
    let is_capped = finding["inherited"] == true && severity == "low";
    assert!(severity == least || is_grave || is_capped, "{finding}");
}

/// A layer of files with so many bytes, each of its own content.
pub(super) fn sized(files: &[(&str, u64)]) -> LayerBuilder {
    files.iter().fold(LayerBuilder::new(), |layer, (path, bytes)| {
        layer.file(path, content(path, usize::try_from(*bytes).unwrap()))
    })
}

/// An image of a base with a program, and this layer on top.
pub(super) fn image(layer: LayerBuilder) -> ImageBuilder {
    base().layer(layer, "RUN /bin/sh -c make # buildkit")
}

/// An image of a program alone.
pub(super) fn base() -> ImageBuilder {
    let root = LayerBuilder::new().file_with("app/run", content("run", 900), Meta::mode(0o755));
    ImageBuilder::new()
        .compression(Compression::Plain)
        .layer(root, "/bin/sh -c #(nop) ADD file:0123 in / ")
        .entrypoint(&[PROGRAM])
        .tag("example.test/case:1")
}

/// Writes an image as `docker save` does; gives its word.
pub(super) fn write(user: &User, name: &str, image: ImageBuilder) -> String {
    ImageFiles::docker_archive(&[image.build()])
        .write_archive(&user.path(name), Wrap::None)
        .unwrap();
    format!("docker-archive:{name}")
}

/// The document of an image, with every row.
pub(super) fn findings(user: &User, word: &str) -> Value {
    user.analyze_with(word, &["--top", "100000", "--min-bytes", "0"])
}

/// The findings of one rule.
pub(super) fn of_rule<'a>(document: &'a Value, rule: &str) -> Vec<&'a Value> {
    let all = document["findings"].as_array().unwrap();
    all.iter().filter(|finding| finding["rule"] == rule).collect()
}
