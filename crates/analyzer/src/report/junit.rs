//! JUnit's XML, which every CI service shows: a suite an image, a case a budget and a failure.
//!
//! There is no one schema; this is what [Jenkins and GitLab] read. Characters that XML 1.0 has no
//! form for are shown by their numbers.
//!
//! [Jenkins and GitLab]: https://github.com/testmoapp/junitxml

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::report::amount;
use crate::report::briefing::{Briefing, Level, Measured, Notice, State, Subject};

/// Failures told of one image; the last case says how many more there are. GitLab takes 500,000
/// cases, and nobody reads as many.
pub const FAILURES_MAX: usize = 1000;

/// The report.
pub fn render(briefing: &Briefing) -> Vec<u8> {
    let about = format!("jettison {}", briefing.about.name());
    let mut report = Report::new(&about);
    for subject in &briefing.subjects {
        report.add_test_suite(suite(&about, subject));
    }
    // It goes into memory: nothing fails.
    let mut bytes = Vec::new();
    let _ = report.serialize(&mut bytes);
    bytes
}

fn suite(about: &str, subject: &Subject) -> TestSuite {
    let mut suite = TestSuite::new(xml(&subject.name()));
    suite.set_system_out(xml(&subject.headline));
    let class = format!("{about}.{}", subject.lasting_name());
    let mut names = HashMap::new();
    let mut add = |name: String, status: TestCaseStatus, out: Option<String>| {
        // Services take cases of one name for one.
        let times: &mut usize = names.entry(name.clone()).or_default();
        *times += 1;
        let name = if *times > 1 { format!("{name} ({times})") } else { name };
        let mut case = TestCase::new(xml(&name), status);
        case.set_classname(xml(&class));
        if let Some(out) = out {
            case.set_system_out(xml(&out));
        }
        suite.add_test_case(case);
    };
    // A budget that is failed is a case already: its notice says why.
    let of_budget = |figure: &Measured| {
        subject.notices.iter().find(|notice| is_of(notice, figure) && notice.level == Level::Error)
    };
    let is_judged = subject.measures.iter().any(|figure| figure.state.is_some());
    for figure in subject.measures.iter().filter(|figure| figure.state.is_some() || !is_judged) {
        let name = match &figure.budget {
            Some(budget) => format!("{} {budget}", figure.name),
            None => figure.name.clone(),
        };
        let told = told(figure);
        match figure.state {
            Some(State::Fail) => {
                let status = match of_budget(figure) {
                    Some(notice) => failure("budget", &notice.message, notice.help.as_deref()),
                    None => failure("budget", &told, None),
                };
                add(name, status, None);
            }
            Some(State::NoBaseline) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(xml(&format!("no baseline: {told}")));
                add(name, status, None);
            }
            Some(State::Warn) => {
                add(name, TestCaseStatus::success(), Some(format!("warning: {told}")));
            }
            Some(State::Pass) | None => add(name, TestCaseStatus::success(), Some(told)),
        }
    }
    let is_told = |notice: &Notice| {
        let mut failed = subject.measures.iter().filter(|one| one.state == Some(State::Fail));
        failed.any(|figure| is_of(notice, figure))
    };
    let errors = subject.notices.iter().filter(|notice| notice.level == Level::Error);
    let failures: Vec<&Notice> = errors.filter(|notice| !is_told(notice)).collect();
    let kept = if failures.len() > FAILURES_MAX { FAILURES_MAX - 1 } else { failures.len() };
    for notice in &failures[..kept] {
        let status = failure(&notice.id, &notice.message, notice.help.as_deref());
        add(case_name(notice), status, None);
    }
    let more = failures.len() - kept;
    if more > 0 {
        let told = format!("{more} more: other formats have them");
        add("and more".to_owned(), failure("left-out", &told, None), None);
    }
    suite
}

/// Whether a notice is about the budget of a figure.
fn is_of(notice: &Notice, figure: &Measured) -> bool {
    notice.figure.as_ref() == Some(&figure.name)
}

/// The rule and the first path: what stays from build to build.
fn case_name(notice: &Notice) -> String {
    match notice.paths.first() {
        Some(path) => format!("{}: /{path}", notice.id),
        None => format!("{}: {}", notice.id, notice.title),
    }
}

fn failure(kind: &str, message: &str, help: Option<&str>) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(xml(kind)).set_message(xml(message));
    if let Some(help) = help {
        status.set_description(xml(help));
    }
    status
}

/// `own-effective is 221.5 MiB, +41.2 MiB (+22.9 %); the budget is +10 MiB`.
fn told(figure: &Measured) -> String {
    let unit = figure.unit;
    let mut text = match figure.value {
        Some(value) => format!("{} is {}", figure.name, amount::told(unit, value)),
        None => format!("{} is not known", figure.name),
    };
    if let (Some(base), Some(value)) = (figure.base, figure.value) {
        text = format!("{text}, {}", amount::change(unit, base, value));
    }
    match &figure.budget {
        Some(budget) => format!("{text}; the budget is {budget}"),
        None => text,
    }
}

/// Text without the characters that XML 1.0 forbids and no escape before this one catches.
fn xml(text: &str) -> String {
    text.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}
