//! Suggestions, applied: each is built as it was printed, measured, and put to the same work.

use std::path::Path;

use anyhow::Context as _;
use fs_err as fs;
use jettison_oci::Bytes;
use jettison_testkit::process::run;
use serde_json::{Value, json};

use super::table::share;
use super::{Proof, WORKLOADS};
use crate::machine;

/// How far what comes out may be from what was promised, in parts of what was promised.
const OFF: f64 = 0.05;
/// The share of an image that counts as small.
const SMALL: f64 = 0.4;

/// What became of one suggestion.
#[derive(Debug)]
struct Applied {
    kind: String,
    title: String,
    confidence: String,
    promised: u64,
    /// `None` where it did not build.
    built: Option<u64>,
    /// The workloads that failed, with the last they said.
    failed: Vec<String>,
}

/// The suggestions of all images.
#[derive(Default)]
pub(super) struct Suggestions {
    rows: Vec<Value>,
    missed: Vec<String>,
    /// Images, and those of them that become small.
    images: usize,
    small: usize,
}

impl Suggestions {
    /// Applies what is suggested as a whole Dockerfile: stages, and the first of the bases.
    pub(super) fn apply(&mut self, image: &Proof<'_>) -> anyhow::Result<()> {
        let analysis = analysis(image, &image.tag, &[])?;
        let today = analysis["size"]["files"].as_u64().context("no size")?;
        if self.rows.is_empty() {
            println!(
                "| image | today | suggestion | confidence | promised | built | off | left | runs |"
            );
            println!("|---|--:|---|---|--:|--:|--:|--:|---|");
        }
        let suggestions = analysis["suggestions"].as_array().context("no suggestions")?;
        let whole = suggestions.iter().filter(|one| {
            let kind = one["kind"].as_str().unwrap_or_default();
            matches!(kind, "multi-stage" | "base-image")
                && one["dockerfile"].as_str().is_some_and(|text| text.contains(" AS builder"))
        });
        let mut is_small = false;
        let mut has_base = false;
        for (at, suggestion) in whole.enumerate() {
            // Of bases the first: the others are there for those who cannot have it.
            let is_base = suggestion["kind"] == "base-image";
            if is_base && std::mem::replace(&mut has_base, true) {
                continue;
            }
            let applied = applied(image, at, today, suggestion)?;
            is_small |= applied.failed.is_empty()
                && applied.built.is_some_and(|built| share(built, today) < SMALL);
            self.row(&image.name, today, &applied);
        }
        self.images += 1;
        self.small += usize::from(is_small);
        Ok(())
    }

    fn row(&mut self, image: &str, today: u64, of: &Applied) {
        let built = of.built.map_or("does not build".to_owned(), |built| Bytes(built).to_string());
        let off = of.built.map(|built| share(built, of.promised) - 1.0);
        let runs = match (&of.built, of.failed.as_slice()) {
            (None, _) => "-".to_owned(),
            (Some(_), []) => "yes".to_owned(),
            (Some(_), failed) => failed.join("; "),
        };
        println!(
            "| {image} | {} | {}: {} | {} | {} | {built} | {} | {} | {runs} |",
            Bytes(today),
            of.kind,
            of.title,
            of.confidence,
            Bytes(of.promised),
            off.map_or("-".to_owned(), |off| format!("{:+.1} %", 100.0 * off)),
            of.built
                .map_or("-".to_owned(), |built| format!("{:.0} %", 100.0 * share(built, today))),
        );
        let is_good = of.built.is_some() && of.failed.is_empty();
        if of.confidence == "high" && !is_good {
            self.missed.push(format!("{image}: {} at high confidence", of.title));
        }
        if off.is_some_and(|off| off.abs() > OFF) {
            self.missed.push(format!("{image}: {} promises other bytes", of.title));
        }
        self.rows.push(json!({
            "image": image,
            "today": today,
            "kind": of.kind,
            "title": of.title,
            "confidence": of.confidence,
            "promised": of.promised,
            "built": of.built,
            "failed": of.failed,
        }));
    }

    /// Writes all figures down; tells whether every bar is met.
    pub(super) fn finish(self, path: &Path) -> anyhow::Result<bool> {
        let mut text = serde_json::to_vec_pretty(&self.rows)?;
        text.push(b'\n');
        fs::write(path, text)?;
        println!("\n{} of {} images end under 40 % of their size.", self.small, self.images);
        if self.missed.is_empty() {
            println!("Every bar is met.");
        } else {
            println!("Missed: {}.", self.missed.join("; "));
        }
        Ok(self.missed.is_empty() && self.small * 2 >= self.images)
    }
}

fn analysis(image: &Proof<'_>, tag: &str, more: &[&str]) -> anyhow::Result<Value> {
    let mut jettison = std::process::Command::new(&image.args.jettison);
    jettison.args(["analyze", "--quiet", "--format", "json"]).args(more);
    jettison.arg(format!("docker-daemon:{tag}")).env("DOCKER_HOST", image.dockerd.host());
    Ok(serde_json::from_str(&run(&mut jettison)?)?)
}

fn applied(
    image: &Proof<'_>,
    at: usize,
    today: u64,
    suggestion: &Value,
) -> anyhow::Result<Applied> {
    let text = |key: &str| suggestion[key].as_str().unwrap_or_default().to_owned();
    let saved = suggestion["bytes"].as_u64().context("no bytes")?;
    let mut applied = Applied {
        kind: text("kind"),
        title: text("title"),
        confidence: text("confidence"),
        promised: today.saturating_sub(saved),
        built: None,
        failed: Vec::new(),
    };
    let context = image.room.join(format!("applied-{at}"));
    fs::create_dir_all(&context)?;
    fs::write(context.join("Dockerfile"), text("dockerfile"))?;
    let tag = format!("{}-applied-{at}", image.tag);
    let _ = image.dockerd.docker(&["rmi", "--force", &tag]);
    eprintln!("prove: building {}, {}", image.name, applied.title);
    if let Err(error) = machine::build(image.dockerd, &context, "Dockerfile", None, &tag) {
        fs::write(context.join("build.log"), format!("{error:#}"))?;
        return Ok(applied);
    }
    // Workloads of services start what supports them by the image's name.
    let support = format!("{}-support", image.tag);
    if image.has(&support) {
        image.dockerd.docker(&["tag", &support, &format!("{tag}-support")])?;
    }
    let size = analysis(image, &tag, &["--advice", "off"])?["size"]["files"].as_u64();
    applied.built = Some(size.context("no size")?);
    for workload in WORKLOADS {
        let profile = context.join(format!("{workload}.json"));
        if let Err(error) = image.work(&tag, workload, &profile) {
            fs::write(context.join(format!("{workload}.log")), format!("{error:#}"))?;
            applied.failed.push(format!("{workload} workload fails"));
        }
    }
    Ok(applied)
}
