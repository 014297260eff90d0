//! `jettison rules`, and what `analyze` says of findings at each length.

use std::collections::BTreeSet;

use jettison_analyzer::rule;
use unicode_width::UnicodeWidthStr as _;

use super::case::write;
use super::once::mixed;
use crate::jettison::User;

#[test]
fn rules_are_listed_in_the_order_in_which_they_are_asked() {
    let text = User::new().run(&["rules"]).text();
    let words: Vec<&str> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let all: Vec<&str> = rule::ALL.iter().map(|rule| rule.id).collect();
    assert_eq!(words, all);
    for (line, rule) in text.lines().zip(rule::ALL) {
        assert!(line.ends_with(rule.title) && line.width() <= 80, "{line}");
    }
}

#[test]
fn every_rule_is_explained_by_its_page() {
    let user = User::new();
    for rule in rule::ALL {
        let page = user.run(&["rules", "--explain", rule.id]).text();
        let file = format!("{}/../../docs/rules/{}.md", env!("CARGO_MANIFEST_DIR"), rule.id);
        assert_eq!(page, fs_err::read_to_string(file).unwrap(), "{}", rule.id);
    }
}

#[test]
fn another_word_is_told_with_the_nearest_rule() {
    let user = User::new();
    for (word, hint) in [
        ("apt-list", "there is no rule apt-list: did you mean apt-lists?"),
        ("Secrets", "there is no rule Secrets: did you mean secrets?"),
        ("nothing-like-it", "there is no rule nothing-like-it: known are secrets, apt-lists, "),
    ] {
        user.run(&["rules", "--explain", word]).fails(2, &[hint]);
    }
    user.run(&["rules", "--explain"]).fails(2, &["--explain <RULE>"]);
    user.run(&["rules", "docs"]).fails(2, &["unexpected argument 'docs'"]);
}

#[test]
fn findings_fit_a_terminal_and_only_what_is_copied_is_wider() {
    let user = User::new();
    let word = write(&user, "mixed.tar", mixed());
    for more in [
        &[][..],
        &["--min-bytes", "0"],
        &["--advice", "full"],
        &["--advice", "full", "--min-bytes", "0", "--top", "1000"],
    ] {
        let text = user.run(&[&["analyze", &word], more].concat()).text();
        for line in text.lines() {
            // A path, and the lines of a Dockerfile, which suggestions give by four columns.
            let is_copied = line.trim_start().starts_with('/')
                || (line.starts_with("    ") && !line.starts_with("     "));
            assert!(line.width() <= 80 || is_copied, "{} columns: {line}", line.width());
            assert_eq!(line.trim_end(), line, "trailing spaces");
        }
    }
}

#[test]
fn full_advice_has_every_finding_and_brief_advice_every_rule() {
    let user = User::new();
    let word = write(&user, "mixed.tar", mixed());
    let document = super::case::findings(&user, &word);
    let all = document["findings"].as_array().unwrap();
    let rules: BTreeSet<&str> =
        all.iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    assert!(rules.len() >= 40, "{rules:?}");
    let text = |level: &str| {
        let arguments = ["analyze", &word, "--advice", level, "--min-bytes", "0", "--top", "1000"];
        user.run(&arguments).text()
    };
    let (brief, full) = (text("brief"), text("full"));
    for rule in &rules {
        assert!(brief.contains(&format!("  {rule}: ")), "{rule} is not in:\n{brief}");
        assert!(full.contains(&format!("  {rule} (")), "{rule} is not in:\n{full}");
    }
    let headings: usize = ["info", "low", "medium", "high"]
        .iter()
        .map(|severity| full.matches(&format!(" ({severity}): ")).count())
        .sum();
    assert_eq!(headings, all.len());
    let off = text("off");
    assert!(!off.contains("What to do, ") && !off.contains("Findings"), "{off}");
    let arguments = ["analyze", &word, "--advice", "off", "--format", "json"];
    let off = user.run(&arguments).json();
    for key in ["findings", "ignored"] {
        assert_eq!(off[key], serde_json::Value::Null, "{key}");
    }
}

#[test]
fn the_level_is_a_setting_and_a_flag_goes_before_it() {
    let user = User::new();
    let word = write(&user, "mixed.tar", mixed());
    fs_err::write(user.path("jettison.toml"), "[analyze]\nadvice = \"full\"\n").unwrap();
    let has = |more: &[&str], heading: &str| {
        user.run(&[&["analyze", &word], more].concat()).text().contains(heading)
    };
    assert!(has(&[], "Findings, the gravest first"));
    assert!(has(&["--advice", "brief"], "What to do, the most bytes first"));
    fs_err::write(user.path("jettison.toml"), "[analyze]\nadvice = \"much\"\n").unwrap();
    user.run(&["analyze", &word]).fails(2, &["jettison.toml", "much"]);
    user.run(&["analyze", &word, "--advice", "much"]).fails(2, &["much"]);
}
