use std::collections::HashSet;

use serde_json::Value;

use super::*;
use crate::report::briefing::sample;

fn read(briefing: &Briefing) -> Vec<Value> {
    let bytes = render(briefing);
    assert_eq!(bytes, render(briefing), "the same input, the same report");
    let report: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let mut prints = HashSet::new();
    for row in &report {
        for key in ["description", "check_name", "fingerprint", "severity"] {
            assert!(row[key].as_str().is_some_and(|text| !text.is_empty()), "{row}");
        }
        let severities = ["info", "minor", "major", "critical", "blocker"];
        assert!(severities.contains(&row["severity"].as_str().unwrap()));
        assert!(prints.insert(row["fingerprint"].as_str().unwrap().to_owned()), "{row}");
        let path = row["location"]["path"].as_str().unwrap();
        assert!(!path.is_empty() && !path.starts_with('/') && !path.starts_with("./"), "{path}");
        assert!(row["location"]["lines"]["begin"].as_u64().unwrap() > 0);
    }
    report
}

#[test]
fn a_degradation_stands_at_its_line() {
    let report = read(&sample::gate());
    assert_eq!(report.len(), 1);
    assert_eq!(
        report[0]["location"],
        serde_json::json!({ "path": "Dockerfile", "lines": { "begin": 12 } })
    );
    assert_eq!(
        (&report[0]["severity"], &report[0]["check_name"]),
        (&"critical".into(), &"gate-max-increase".into())
    );
}

#[test]
fn fingerprints_are_of_what_stays() {
    let mut gate = sample::gate();
    let before = read(&gate)[0]["fingerprint"].clone();
    gate.subjects[0].notices[0].bytes += 1;
    gate.subjects[0].notices[0].message.push('!');
    assert_eq!(read(&gate)[0]["fingerprint"], before);
    // The same image on another platform, and the same notice twice.
    let mut arm = gate.subjects[0].clone();
    arm.platform = "linux/arm64".to_owned();
    arm.notices.push(arm.notices[0].clone());
    gate.subjects.push(arm);
    assert_eq!(read(&gate).len(), 3);
}

#[test]
fn hostile_and_many_are_told() {
    let report = read(&sample::briefing(vec![sample::hostile()]));
    assert_eq!(report.len(), sample::HOSTILE.len());
    let report = read(&sample::briefing(vec![sample::huge()]));
    assert_eq!(report.len(), DEGRADATIONS_MAX);
    let last = &report[DEGRADATIONS_MAX - 1];
    assert_eq!(last["check_name"], "left-out");
    assert!(last["description"].as_str().unwrap().starts_with("90001 more"), "{last}");
    assert_eq!(render(&sample::briefing(Vec::new())), b"[]\n");
}
