//! What rules find: an image for each, what settings silence, and what stays the same.

mod caches;
mod case;
mod clean;
mod command;
mod databases;
mod debug;
mod dumps;
mod elf;
mod ignore;
mod kinds;
mod leftovers;
mod once;
mod packages;
mod same;
mod secrets;
mod several;
mod wasted;

use std::collections::BTreeSet;

use jettison_analyzer::rule;

use self::case::Case;

fn cases() -> Vec<Case> {
    [
        caches::cases(),
        debug::cases(),
        dumps::cases(),
        kinds::cases(),
        leftovers::cases(),
        packages::cases(),
        secrets::cases(),
        several::cases(),
        wasted::cases(),
    ]
    .concat()
}

#[test]
fn every_rule_has_a_case() {
    let covered: BTreeSet<&str> = cases().iter().map(|case| case.rule).collect();
    let all: BTreeSet<&str> = rule::ALL.iter().map(|rule| rule.id).collect();
    assert_eq!(covered, all, "a rule without a case in tests/it/rules, or a case without a rule");
}
