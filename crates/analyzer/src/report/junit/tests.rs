use std::collections::HashSet;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::*;
use crate::report::briefing::sample;

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).unwrap()?;
    let value = String::from_utf8(attribute.value.into_owned()).unwrap();
    Some(quick_xml::escape::unescape(&value).unwrap().into_owned())
}

/// Names of suites; names of cases with the messages of their failures.
type Read = (Vec<String>, Vec<(String, Option<String>)>);

/// Reads a report, and holds that its counts are right and its characters allowed.
fn read(briefing: &Briefing) -> Read {
    let bytes = render(briefing);
    assert_eq!(bytes, render(briefing), "the same input, the same report");
    let text = String::from_utf8(bytes).unwrap();
    let forbidden = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
    assert!(!text.contains(forbidden), "{text:?}");
    let (mut suites, mut cases) = (Vec::new(), Vec::new());
    let (mut names, mut totals) = (HashSet::new(), None);
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => {
                let name = || attribute(&tag, "name").unwrap();
                match tag.name().as_ref() {
                    b"testsuites" => {
                        let count = |name| attribute(&tag, name).unwrap().parse::<usize>().unwrap();
                        totals = Some((count("tests"), count("failures")));
                    }
                    b"testsuite" => {
                        suites.push(name());
                        names.clear();
                    }
                    b"testcase" => {
                        assert!(names.insert(name()), "{}", name());
                        assert!(attribute(&tag, "classname").is_some());
                        cases.push((name(), None));
                    }
                    b"failure" => cases.last_mut().unwrap().1 = attribute(&tag, "message"),
                    b"skipped" | b"system-out" => {}
                    other => panic!("{}", String::from_utf8_lossy(other)),
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let failures = cases.iter().filter(|case| case.1.is_some()).count();
    assert_eq!(totals, Some((cases.len(), failures)));
    (suites, cases)
}

#[test]
fn a_budget_is_a_case_and_its_verdict_the_failure() {
    let (suites, cases) = read(&sample::gate());
    assert_eq!(suites, ["ghcr.io/acme/app:1 (linux/amd64)"]);
    let failure = |text: &str| Some(text.to_owned());
    assert_eq!(
        cases,
        [
            ("own-compressed <= 80.0 MiB".to_owned(), None),
            (
                "own-effective +10.0 MiB".to_owned(),
                failure("own-effective is 221.5 MiB, +41.2 MiB (+22.9 %); the budget is +10.0 MiB")
            ),
            (
                "gate-max-increase: over its budget".to_owned(),
                failure("ghcr.io/acme/app:1: own-effective grew by 41.2 MiB, 10.0 MiB are allowed")
            ),
        ]
    );
}

#[test]
fn what_is_not_judged_passes_and_what_has_no_baseline_is_skipped() {
    let (_, cases) = read(&sample::briefing(vec![sample::subject("app:1")]));
    assert_eq!(cases, [("effective".to_owned(), None)]);
    let mut gate = sample::gate();
    gate.subjects[0].measures[1].state = Some(State::NoBaseline);
    gate.subjects[0].measures[0].state = Some(State::Warn);
    let text = String::from_utf8(render(&gate)).unwrap();
    assert!(text.contains("<skipped message=\"no baseline: own-effective is 221.5 MiB"), "{text}");
    assert!(text.contains("<system-out>warning: own-compressed is 74.9 MiB"), "{text}");
    read(&gate);
}

#[test]
fn nothing_of_an_image_is_markup() {
    let (_, cases) = read(&sample::briefing(vec![sample::hostile()]));
    let budgets = sample::HOSTILE.len();
    let failures = sample::HOSTILE.len().div_ceil(3);
    assert_eq!(cases.len(), budgets + failures);
    let (suites, _) = read(&sample::hostile_names());
    for (suite, bytes) in suites.iter().zip(sample::HOSTILE) {
        let name = format!("{} (linux/amd64)", sample::text(bytes));
        assert_eq!(*suite, xml(&name));
    }
}

#[test]
fn failures_have_a_bound() {
    let (_, cases) = read(&sample::briefing(vec![sample::huge()]));
    assert_eq!(cases.len(), 1 + FAILURES_MAX);
    assert_eq!(cases[FAILURES_MAX].1.as_deref(), Some("32335 more: other formats have them"));
}
