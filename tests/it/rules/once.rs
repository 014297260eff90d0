//! No byte is counted twice, in an image that has something for every rule.

use jettison_testkit::image::{ImageBuilder, LayerBuilder};
use serde_json::Value;

use super::case::{base, findings, write};
use super::cases;
use crate::jettison::User;
use crate::shop::content;

/// The layers of every case on top of each other, with the variables of all of them; what one case
/// keeps in use, another may hide or leave without a user.
pub(super) fn mixed() -> ImageBuilder {
    let mut image = base().env("DATABASE_PASSWORD", "hunter2x9z").env("LANG", "de_AT.UTF-8");
    for case in cases() {
        // Its 51 layers come once, as the sum of all the others'.
        image = image.append(case.image);
    }
    // What several rules would have.
    let both = LayerBuilder::new()
        .file("root/.cache/pip/x/.git/tmp/a.log", content("nested", 9000))
        .hard_link("root/.cache/go-build/b", "root/.cache/pip/x/.git/tmp/a.log")
        .file("tmp/.npmrc", "//npm.example/:_authToken=hunter2x9z\n")
        .file("var/log/one.log", content("one", 4000))
        .file("tmp/two.log", content("one", 4000))
        .file("tmp/held.log", content("held", 3000))
        // It has a name that nothing is about.
        .hard_link("srv/held", "tmp/held.log");
    image.layer(both, "RUN /bin/sh -c everything # buildkit")
}

fn sum<'a>(findings: impl Iterator<Item = &'a Value>) -> u64 {
    findings.map(|finding| finding["bytes"].as_u64().unwrap()).sum()
}

/// Whether a rule is about what later layers hide.
fn is_wasted(finding: &Value) -> bool {
    [
        "removed-later",
        "overwritten-later",
        "metadata-only-rewrite",
        "package-upgraded-in-later-layer",
    ]
    .iter()
    .any(|rule| finding["rule"] == *rule)
}

fn holds(document: &Value) {
    let size = |key: &str| document["size"][key].as_u64().unwrap();
    let all = document["findings"].as_array().unwrap();
    let wasted = sum(all.iter().filter(|finding| is_wasted(finding)));
    let live = sum(all.iter().filter(|finding| !is_wasted(finding)));
    assert_eq!(wasted, size("wasted"));
    assert!(live <= size("live"), "{live} of {}", size("live"));
    assert!(live + wasted <= size("files"));
    for finding in all {
        let paths = finding["topPaths"].as_array().unwrap();
        assert_eq!(sum(paths.iter()), finding["bytes"].as_u64().unwrap(), "{finding}");
    }
}

#[test]
fn no_byte_is_counted_twice() {
    let user = User::new();
    let word = write(&user, "mixed.tar", mixed());
    let document = findings(&user, &word);
    holds(&document);
    let of = |path: &str| -> Vec<(&str, u64)> {
        let all = document["findings"].as_array().unwrap().iter();
        let rows = all.flat_map(|finding| {
            let rule = finding["rule"].as_str().unwrap();
            let paths = finding["topPaths"].as_array().unwrap();
            paths.iter().filter(|row| row["path"] == path).map(move |row| (rule, &row["bytes"]))
        });
        rows.map(|(rule, bytes)| (rule, bytes.as_u64().unwrap())).collect()
    };
    // Of two names of one file, only the one that it is told by has it.
    assert_eq!(
        of("/root/.cache/pip/x/.git/tmp/a.log").len() + of("/root/.cache/go-build/b").len(),
        1
    );
    assert_eq!(of("/tmp/.npmrc"), [("temp-files", 37), ("secrets", 0)]);
    assert_eq!(of("/tmp/two.log"), [("logs", 4000)]);
    assert_eq!(of("/srv/held"), []);
    assert_eq!(of("/tmp/held.log"), []);
}

#[test]
fn no_byte_is_counted_twice_in_any_case() {
    let user = User::new();
    for case in cases() {
        let word = write(&user, "case.tar", case.image);
        holds(&findings(&user, &word));
    }
}
