use super::*;

const DAY: u64 = 24;

fn intent(thresholds: Option<(u8, u8)>) -> Intent {
    Intent {
        older_than: Duration::from_hours(7 * DAY),
        min_age: Duration::from_hours(1),
        thresholds,
    }
}

fn advice(more: &str, thresholds: Option<(u8, u8)>) -> Vec<Advice> {
    let text = format!("kind: KubeletConfiguration\n{more}");
    advise(&Configuration::read(text.as_bytes()).unwrap(), &intent(thresholds))
}

fn codes(more: &str, thresholds: Option<(u8, u8)>) -> Vec<&'static str> {
    advice(more, thresholds).iter().map(|advice| advice.code.name()).collect()
}

/// A kubelet that comes second in everything.
const GOOD: &str = "imageMinimumGCAge: 1h\nimageGCHighThresholdPercent: 83\n";

#[test]
fn a_kubelet_that_comes_second_is_left_alone() {
    assert_eq!(codes(GOOD, Some((80, 70))), [""; 0]);
    assert_eq!(codes(GOOD, None), [""; 0]);
}

#[test]
fn the_kubelet_s_own_defaults_evict_before_they_remove() {
    assert_eq!(codes("", None), ["high-threshold-eviction", "minimum-age"]);
    let all = advice("", None);
    assert!(all[0].is_default);
    assert!(all[0].because.contains("less than 15 % free, which is above 85 % in use"));
    assert!(all[0].because.contains("evictionHard imagefs.available, by default"));
    let lines = "imageGCHighThresholdPercent: 80\nimageGCLowThresholdPercent: 75";
    assert_eq!(all[0].write, lines);
    assert_eq!((all[1].value.as_str(), all[1].write.as_str()), ("2m", "imageMinimumGCAge: 1h"));
}

#[test]
fn a_maximum_age_acts_against_each_policy_in_its_way() {
    for (age, code, words) in [
        ("72h", "maximum-age", "no container had for 3d, which is before jettison's 7d"),
        ("168h", "maximum-age", "which is before jettison's 7d"),
        ("240h", "maximum-age", "which is soon after jettison's 7d"),
        ("336h", "maximum-age-keeps", "no container had for 14d, also what jettison keeps"),
    ] {
        let all = advice(&format!("{GOOD}imageMaximumGCAge: {age}\n"), None);
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!(all[0].code.name(), code);
        assert!(all[0].because.contains(words), "{}", all[0].because);
        assert!(all[0].because.contains("in memory"));
        assert_eq!(all[0].write, "imageMaximumGCAge: 0s");
    }
}

#[test]
fn what_no_kubelet_starts_with_comes_first() {
    let more = "imageMinimumGCAge: 1h\nimageMaximumGCAge: 60m\n\
                imageGCHighThresholdPercent: 80\nimageGCLowThresholdPercent: 80\n";
    assert_eq!(codes(more, None), ["threshold-order", "maximum-age-order", "maximum-age"]);
    let all = advice(more, None);
    assert_eq!(all[0].write, "imageGCHighThresholdPercent: 80\nimageGCLowThresholdPercent: 75");
    assert!(all[1].because.contains("1h is not above imageMinimumGCAge, 1h"));
}

#[test]
fn the_kubelet_s_threshold_goes_between_jettison_s_and_eviction() {
    let high = |value: u8| format!("imageMinimumGCAge: 1h\n{HIGH}: {value}\n{LOW}: 60\n");
    for (value, code) in [
        (70, "high-threshold-first"),
        (80, "high-threshold-first"),
        (85, "high-threshold-eviction"),
        (100, "high-threshold-eviction"),
    ] {
        let all = advice(&high(value), Some((80, 70)));
        assert_eq!(all.len(), 1, "{value} {all:?}");
        assert_eq!(all[0].code.name(), code, "{value}");
        let target = all[0].write.lines().next().unwrap();
        let target: u8 =
            target.strip_prefix("imageGCHighThresholdPercent: ").unwrap().parse().unwrap();
        assert!((81..85).contains(&target), "{value}: {target}");
        assert_eq!(codes(&high(target), Some((80, 70))), [""; 0]);
    }
    assert!(advice(&high(100), None)[0].because.contains("at 100 the kubelet removes no"));
}

#[test]
fn where_eviction_leaves_no_room_jettison_has_to_begin_sooner() {
    let more = format!("{GOOD}evictionHard:\n  imagefs.available: 20%\n");
    let all = advice(&more, Some((80, 70)));
    assert_eq!(all.len(), 1);
    assert_eq!(
        all[0].write,
        "imageGCHighThresholdPercent: 75\nimageGCLowThresholdPercent: 70\n\
         # and for jettison: --high-threshold 70 --low-threshold 60"
    );
    let more = more.replace("83", "75\nimageGCLowThresholdPercent: 70");
    assert_eq!(codes(&more, Some((70, 60))), [""; 0]);
}

#[test]
fn soft_evictions_and_the_node_s_own_disk_count() {
    let more = format!("{GOOD}evictionSoft:\n  nodefs.available: 17.5%\n");
    let all = advice(&more, None);
    assert_eq!(all[0].code, Code::HighThresholdEviction);
    for words in [
        "less than 17.5 % free, which is above 82.5 % in use",
        "(evictionSoft nodefs.available)",
        "where images are on the kubelet's own file system",
    ] {
        assert!(all[0].because.contains(words), "{}", all[0].because);
    }
    assert!(all[0].write.starts_with("imageGCHighThresholdPercent: 78\n"), "{}", all[0].write);
    // A percent in use that is not whole is not passed.
    let more = more.replace("83", "82");
    assert_eq!(codes(&more, None), [""; 0]);
}

#[test]
fn a_quantity_is_told_with_the_size_it_is_right_for() {
    let more = format!("{GOOD}evictionHard:\n  imagefs.available: 17Gi\n");
    let all = advice(&more, None);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].code, Code::HighThresholdEvictionBytes);
    assert!(all[0].because.contains("less than 17.0 GiB free"));
    assert!(all[0].because.contains("smaller than 100.0 GiB that is before 83 %"));
    assert!(all[0].write.starts_with("# on 100.0 GiB and more; on less,"), "{}", all[0].write);
}
