use std::collections::BTreeMap;

use super::*;
use crate::gate::budget::Selection;
use crate::gate::measure::Metric;
use jettison_oci::Digest;

fn snapshot(effective: u64) -> Snapshot {
    Snapshot {
        image: "app".to_owned(),
        platform: "linux/amd64".to_owned(),
        manifest_digest: None,
        config_digest: Digest::sha256(b""),
        commit: None,
        accepted: None,
        metrics: BTreeMap::from([(Metric::whole(Measure::Effective), effective)]),
        directories: BTreeMap::new(),
        base_layers: None,
        layers: Vec::new(),
    }
}

fn budget(limits: Limits) -> Budget {
    let subject = Subject::Metric(Metric::whole(Measure::Effective));
    Budget { of: Selection::default(), subject, limits, place: "[[gate.budget]] 1".to_owned() }
}

fn judged(limits: Limits, old: Option<u64>, new: u64) -> Check {
    let (old, new) = (old.map(snapshot), snapshot(new));
    let dive = DiveFigures { efficiency_score: 1.0, wasted_bytes: 0, user_wasted_percent: None };
    let present = Present { snapshot: &new, efficiency: 1_000_000, dive: &dive };
    let budget = budget(limits);
    let mut checks = judge(&present, old.as_ref(), [&budget]).unwrap();
    assert_eq!(checks.len(), 1);
    checks.remove(0)
}

#[test]
fn a_byte_under_at_and_over_each_limit() {
    use Verdict::{Fail, Pass, Warn};
    let max = Limits { max: Some(1000), ..Limits::default() };
    let warn = Limits { warn: Some(1000), ..Limits::default() };
    let increase = Limits { max_increase: Some(100), ..Limits::default() };
    let percent = Limits { max_increase_percent: Some(Percent(10_000)), ..Limits::default() };
    let floor = Limits { percent_floor: 500, ..percent };
    let tolerant = Limits { max_increase: Some(0), tolerance: Some(50), ..Limits::default() };
    for (limits, old, new, verdict, over) in [
        (max, None, 999, Pass, 0),
        (max, None, 1000, Pass, 0),
        (max, None, 1001, Fail, 1),
        (warn, None, 1000, Pass, 0),
        (warn, None, 1001, Warn, 1),
        (increase, Some(1000), 1099, Pass, 0),
        (increase, Some(1000), 1100, Pass, 0),
        (increase, Some(1000), 1101, Fail, 1),
        (increase, Some(1000), 1, Pass, 0),
        (percent, Some(1000), 1099, Pass, 0),
        (percent, Some(1000), 1100, Pass, 0),
        (percent, Some(1000), 1101, Fail, 1),
        // Five hundred bytes are never too much, whatever the percentage.
        (floor, Some(1000), 1500, Pass, 0),
        (floor, Some(1000), 1501, Fail, 1),
        (floor, Some(10_000), 11_000, Pass, 0),
        (tolerant, Some(1000), 1050, Pass, 0),
        (tolerant, Some(1000), 1051, Fail, 1),
        // Nothing before: everything is new.
        (percent, Some(0), 1, Fail, 1),
        (floor, Some(0), 500, Pass, 0),
    ] {
        let check = judged(limits, old, new);
        assert_eq!((check.verdict, check.over), (verdict, over), "{old:?} {new} {check:?}");
    }
}

#[test]
fn without_a_baseline_growth_is_not_judged() {
    let both = Limits { max_increase: Some(1), ..Limits::default() };
    let check = judged(both, None, 5);
    assert_eq!(check.verdict, Verdict::NoBaseline);
    assert!(check.message.contains("no baseline"), "{}", check.message);
    assert_eq!(worst([&check]), Verdict::NoBaseline);
}

#[test]
fn what_looks_the_same_is_told_to_the_byte() {
    let mib = 1 << 20;
    let check = judged(Limits { max: Some(200 * mib), ..Limits::default() }, None, 200 * mib + 7);
    assert_eq!(check.message, "effective is 209715207 B, 7 B over its maximum of 209715200 B");
    assert_eq!(check.instead.as_deref(), Some("max = \"201 MiB\""));
    let increase = Limits { max_increase: Some(10 * mib), ..Limits::default() };
    let check = judged(increase, Some(180 * mib), 221 * mib);
    assert_eq!(
        check.message,
        "effective grew by 41.0 MiB (180.0 MiB -> 221.0 MiB), 31.0 MiB more than the 10.0 MiB \
         allowed"
    );
    assert_eq!((check.allowed.as_str(), check.headroom), ("+10.0 MiB", Some(0)));
}

#[test]
fn unknown_figures_are_no_numbers() {
    let new = snapshot(1);
    let dive = DiveFigures { efficiency_score: 1.0, wasted_bytes: 0, user_wasted_percent: None };
    let present = Present { snapshot: &new, efficiency: 1_000_000, dive: &dive };
    let subject = Subject::Metric(Metric::whole(Measure::Compressed));
    let limits = Limits { max: Some(1), ..Limits::default() };
    let budget = Budget { subject, ..budget(limits) };
    let unknown = judge(&present, None, [&budget]).unwrap_err();
    assert_eq!(unknown.budget.subject.name(), "compressed");
}
