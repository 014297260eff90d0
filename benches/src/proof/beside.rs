//! What a linter of Dockerfiles says of the same files, beside what the images' own bytes say.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::Context as _;
use jettison_oci::Bytes;
use serde_json::Value;

use super::Proof;

/// Prints the table's head.
pub(super) fn head() {
    println!(
        "| image | hadolint says | jettison says of the Dockerfile's lines | and finds in the image |"
    );
    println!("|---|---|---|---|");
}

/// Prints one image's row.
pub(super) fn row(image: &Proof<'_>, hadolint: &str) -> anyhow::Result<()> {
    let dockerfile = image.recipe.join("Dockerfile");
    let output =
        Command::new(hadolint).args(["--no-fail", "--format", "json"]).arg(&dockerfile).output()?;
    let said: Vec<Value> = serde_json::from_slice(&output.stdout).context("no JSON of hadolint")?;
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &said {
        *rules.entry(one["code"].as_str().unwrap_or_default()).or_default() += 1;
    }
    let mut jettison = Command::new(&image.args.jettison);
    jettison
        .args(["analyze", "--quiet", "--format", "json", "--dockerfile"])
        .arg(&dockerfile)
        .arg(format!("docker-daemon:{}", image.tag))
        .env("DOCKER_HOST", image.dockerd.host());
    let analysis: Value = serde_json::from_str(&jettison_testkit::process::run(&mut jettison)?)?;
    let lines: Vec<String> = analysis["suggestions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| !one["line"].is_null())
        .map(|one| {
            let bytes = Bytes(one["bytes"].as_u64().unwrap_or(0));
            let title = one["title"].as_str().unwrap_or_default();
            if bytes.get() > 0 { format!("{title} ({bytes})") } else { title.to_owned() }
        })
        .collect();
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for one in analysis["findings"].as_array().into_iter().flatten() {
        *found.entry(one["rule"].as_str().unwrap_or_default()).or_default() +=
            one["bytes"].as_u64().unwrap_or(0);
    }
    let mut found: Vec<(u64, &str)> = found
        .into_iter()
        .map(|(rule, bytes)| (bytes, rule))
        .filter(|(bytes, _)| *bytes >= 1 << 20)
        .collect();
    found.sort_by_key(|(bytes, rule)| (std::cmp::Reverse(*bytes), *rule));
    let rules: Vec<String> = rules.iter().map(|(rule, count)| format!("{rule} x{count}")).collect();
    let found: Vec<String> =
        found.iter().map(|(bytes, rule)| format!("{rule} {}", Bytes(*bytes))).collect();
    let or_nothing = |list: Vec<String>, with: &str| {
        if list.is_empty() { "nothing".to_owned() } else { list.join(with) }
    };
    println!(
        "| {} | {} | {} | {} |",
        image.name,
        or_nothing(rules, ", "),
        or_nothing(lines, "; "),
        or_nothing(found, ", ")
    );
    Ok(())
}
