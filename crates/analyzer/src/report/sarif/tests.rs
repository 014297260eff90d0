use std::collections::HashSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::*;
use crate::report::briefing::{Level, Lines, sample};

/// Reads a file, and holds it to GitHub's limits.
fn read(briefing: &Briefing) -> Value {
    let bytes = render(briefing);
    assert!(gzipped(&bytes) <= 10_000_000);
    let log: Value = serde_json::from_slice(&bytes).unwrap();
    let runs = log["runs"].as_array().unwrap();
    assert!(runs.len() <= 20);
    let mut ids = HashSet::new();
    for run in runs {
        let id = run["automationDetails"]["id"].as_str().unwrap();
        assert!(id.starts_with("jettison/gate/") && id.ends_with('/') && ids.insert(id), "{id}");
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let results = run["results"].as_array().unwrap();
        assert!(results.len() <= 5000);
        let mut prints = HashSet::new();
        for result in results {
            let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 20);
            let locations = result["locations"].as_array().unwrap();
            assert!((1..=100).contains(&locations.len()));
            for location in locations {
                let uri = location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
                let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/%".contains(&b);
                assert!(uri.bytes().all(plain) || uri.starts_with("file:///"), "{uri}");
            }
            assert!(prints.insert(result["partialFingerprints"]["jettison/v1"].as_str().unwrap()));
        }
    }
    log
}

#[test]
fn a_result_stands_at_its_line() {
    let log = read(&sample::gate());
    let run = &log["runs"][0];
    assert_eq!(run["automationDetails"]["id"], "jettison/gate/ghcr.io/acme/app:1/linux/amd64/");
    let result = &run["results"][0];
    let location = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        (&location["artifactLocation"]["uri"], &location["region"]["startLine"]),
        (&"Dockerfile".into(), &12.into())
    );
    // GitHub has the file, and makes its own.
    assert!(result["partialFingerprints"]["primaryLocationLineHash"].is_null());
    let mut gate = sample::gate();
    gate.subjects[0].notices[0].bytes = 1;
    assert_eq!(
        read(&gate)["runs"][0]["results"][0]["partialFingerprints"],
        result["partialFingerprints"]
    );
    gate.subjects[0].notices[0].lines =
        Some(Lines { file: "/src/my app/Dockerfile".to_owned(), first: 1, last: 1 });
    let uri = read(&gate)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone();
    assert_eq!(uri, "file:///src/my%20app/Dockerfile");
}

#[test]
fn paths_are_uris_of_their_bytes() {
    let log = read(&sample::briefing(vec![sample::hostile()]));
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), sample::HOSTILE.len());
    let uris: Vec<&str> = results
        .iter()
        .map(|result| {
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap()
        })
        .collect();
    for uri in
        ["latin-%E4%F6%FC", "new%0Aline%0D", "%250A%3A%3Aerror", "sed%20s%5C%7Ca%5C%7Cb%5C%7C"]
    {
        assert!(uris.iter().any(|other| other.contains(uri)), "{uri}: {uris:#?}");
    }
    let mut levels: Vec<&str> =
        results.iter().map(|result| result["level"].as_str().unwrap()).collect();
    levels.dedup();
    assert_eq!(levels, ["error", "warning", "note"]);
}

#[test]
fn images_past_the_limit_are_told() {
    let mut names = sample::hostile_names();
    let last = names.subjects.last_mut().unwrap();
    last.notices.push(sample::notice(Level::Error, "docs", "x", b"x", 1));
    let log = read(&names);
    let runs = log["runs"].as_array().unwrap();
    assert_eq!(runs.len(), RUNS_MAX);
    assert_eq!(runs[19]["results"].as_array().unwrap().len(), 1, "the gravest is kept");
    let told = &runs[0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(told, "16 images left out: GitHub takes 20 runs");
    let image = sample::gate().subjects[0].clone();
    read(&sample::briefing(vec![image.clone(), image]));
}

#[test]
fn results_past_the_limits_are_told() {
    let log = read(&sample::briefing(vec![sample::huge()]));
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), RESULTS_MAX);
    let told = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(told, "95000 of 100,000 results left out for room, none graver");

    // Paths that no compressor makes shorter.
    let mut image = sample::subject("app:1");
    let mut state = 1_u64;
    for number in 0..2000 {
        let mut notice = sample::notice(Level::Note, "docs", "x", number.to_string().as_bytes(), 1);
        notice.paths = (0..150)
            .map(|_| {
                let mut path = String::new();
                for _ in 0..6 {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let _ = write!(path, "{:016x}", state.rotate_left(17));
                }
                path
            })
            .collect();
        image.notices.push(notice);
    }
    let log = read(&sample::briefing(vec![image]));
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!((100..2000).contains(&results.len()), "{}", results.len());
}
