//! How often rules are right: what they report can go, so that no run may open it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::Context as _;
use jettison_testkit::process::run;
use serde_json::Value;

use super::{Proof, WORKLOADS};

/// Reported and opened files, by rule.
#[derive(Default)]
pub(super) struct Precision {
    rules: BTreeMap<String, Row>,
}

#[derive(Default)]
struct Row {
    images: usize,
    reported: usize,
    opened: Vec<String>,
}

/// Rules about bytes that go while their file stays, or about no file of the final filesystem.
const OTHERS: [&str; 8] = [
    "debug-symbols",
    "duplicate-content",
    "removed-later",
    "overwritten-later",
    "metadata-only-rewrite",
    "package-upgraded-in-later-layer",
    "too-many-layers",
    "secrets",
];

impl Precision {
    /// Compares what is reported of an image with high or medium confidence with what its two
    /// workloads open.
    pub(super) fn add(&mut self, image: &Proof<'_>) -> anyhow::Result<()> {
        let mut opened = BTreeSet::new();
        for workload in WORKLOADS {
            let profile: Value = serde_json::from_slice(&image.run(workload)?)?;
            for key in ["opened", "executed"] {
                let paths = profile[key].as_array().with_context(|| format!("no {key}"))?;
                opened.extend(paths.iter().filter_map(|path| path.as_str().map(str::to_owned)));
            }
        }
        let mut jettison = Command::new(&image.args.jettison);
        jettison
            .args(["analyze", "--quiet", "--format", "json", "--top", "10000000"])
            .arg(format!("docker-daemon:{}", image.tag))
            .env("DOCKER_HOST", image.dockerd.host());
        let analysis: Value = serde_json::from_str(&run(&mut jettison)?)?;
        let mut seen = BTreeSet::new();
        for finding in analysis["findings"].as_array().context("no findings")? {
            let rule = finding["rule"].as_str().unwrap_or_default();
            if OTHERS.contains(&rule) || finding["confidence"] == "low" {
                continue;
            }
            let row = self.rules.entry(rule.to_owned()).or_default();
            row.images += usize::from(seen.insert(rule));
            for place in finding["topPaths"].as_array().into_iter().flatten() {
                let path = place["path"].as_str().unwrap_or_default();
                row.reported += 1;
                if opened.contains(path) {
                    row.opened.push(format!("{}: {path}", image.name));
                }
            }
        }
        Ok(())
    }

    /// Prints the table; tells whether nothing that was reported was opened.
    pub(super) fn finish(self) -> bool {
        println!("| rule | images | files reported | of those opened |");
        println!("|---|--:|--:|--:|");
        let mut is_clean = true;
        for (rule, row) in &self.rules {
            println!("| {rule} | {} | {} | {} |", row.images, row.reported, row.opened.len());
            is_clean &= row.opened.is_empty();
        }
        for path in self.rules.values().flat_map(|row| &row.opened).take(100) {
            eprintln!("prove: opened: {path}");
        }
        is_clean
    }
}
