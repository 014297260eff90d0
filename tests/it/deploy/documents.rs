//! `docs/prune.md`: it names what there is.

use std::collections::BTreeSet;

use jettison_pruner::plan::Reason;
use jettison_pruner::{kubelet, metrics};
use serde_json::Value;

use super::file;

/// The words that an enumeration of a schema allows.
fn words(schema: &Value, name: &str) -> BTreeSet<String> {
    let kinds = schema["$defs"][name]["oneOf"].as_array().unwrap();
    let words = kinds.iter().map(|kind| kind["const"].as_str().unwrap().to_owned());
    words.collect()
}

/// The first column of the page's table below a heading.
fn table(page: &str, heading: &str) -> BTreeSet<String> {
    let section = page.split("\n## ").find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("no section {heading}"));
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().unwrap().to_owned()).collect()
}

#[test]
fn reasons_metrics_and_advice_are_all_on_the_page() {
    let page = file("docs/prune.md");
    let reasons = Reason::all().map(|reason| reason.code().to_owned()).collect();
    assert_eq!(table(&page, "Why an image stays or goes"), reasons);
    let codes = words(kubelet::report::schema().as_value(), "Code");
    assert_eq!(table(&page, "Beside the kubelet"), codes);
    let names: BTreeSet<String> = metrics::NAMES.map(str::to_owned).into();
    assert_eq!(table(&page, "Metrics"), names);
}
