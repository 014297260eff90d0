//! The alerts: about metrics that there are.

use std::collections::BTreeSet;

use jettison_pruner::metrics::NAMES;
use serde_json::Value;

use super::documents;

/// The metrics that an expression names.
fn metrics(expression: &str) -> BTreeSet<&str> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("jettison")).collect()
}

#[test]
fn alerts_are_about_metrics_that_there_are() {
    let rules = documents("examples/kubernetes/prometheus-rules.yaml").remove(0);
    let mut used = BTreeSet::new();
    let mut alerts = BTreeSet::new();
    for group in rules["groups"].as_array().unwrap() {
        assert!(group["name"].is_string());
        for rule in group["rules"].as_array().unwrap() {
            let name = rule["alert"].as_str().unwrap();
            assert!(alerts.insert(name.to_owned()), "{name} twice");
            let expression = rule["expr"].as_str().unwrap();
            let named = metrics(expression);
            assert!(!named.is_empty(), "{name}");
            for metric in named {
                assert!(NAMES.contains(&metric), "{name}: {metric}");
                used.insert(metric.to_owned());
            }
            let count = |c| expression.matches(c).count();
            assert_eq!((count('('), count('[')), (count(')'), count(']')), "{expression}");
            assert!(rule["labels"]["severity"].is_string(), "{name}");
            assert!(rule["annotations"]["summary"].is_string(), "{name}");
            for key in rule.as_object().unwrap().keys() {
                let known = ["alert", "expr", "for", "labels", "annotations"];
                assert!(known.contains(&key.as_str()), "{name}: {key}");
            }
            assert!(matches!(rule["for"], Value::Null | Value::String(_)), "{name}");
        }
    }
    for metric in [
        "jettison_prune_last_success_timestamp_seconds",
        "jettison_prune_regretted_total",
        "jettison_prune_threshold_unmet",
        "jettison_prune_refused_total",
        "jettison_prune_history_age_seconds",
    ] {
        assert!(used.contains(metric), "no alert is about {metric}");
    }
}
