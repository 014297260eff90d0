//! Findings, whatever the layers hold: no byte of them is counted twice, and what is wasted is theirs
//! to the byte.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use jettison_analyzer::account::Account;
use jettison_analyzer::facts::Facts;
use jettison_analyzer::facts::filesystem::Filesystem;
use jettison_analyzer::finding::Findings;
use jettison_analyzer::finding::ignore::{Ignore, Pattern};
use jettison_analyzer::tree::Fate;
use proptest::prelude::*;

use crate::pipeline;
use crate::plan::{CONTENTS, Step, layers};

/// Places that rules look at, some of them inside each other, and some that none looks at.
const PATHS: [&str; 22] = [
    "tmp/a.log",
    "tmp/.npmrc",
    "var/log/b.log",
    "var/cache/apt/archives/a.deb",
    "var/lib/apt/lists/c",
    "root/.cache/pip/d",
    "root/.cache/pip/.git/e.a",
    "root/.cache/f",
    "root/.npm/_cacache/g",
    "app/.git/tmp/h.o",
    "app/core",
    "app/i.tar.gz",
    "app/i",
    "app/j.js",
    "app/j.js.map",
    "usr/share/doc/k/copyright",
    "usr/share/doc/k/README",
    "usr/share/man/man1/l",
    "usr/share/locale/de/m",
    "usr/include/n.h",
    "srv/o",
    "srv/p",
];
const DIRECTORIES: [&str; 8] =
    ["tmp", "var/log", "root/.cache", "root/.cache/pip", "app", "app/.git", "usr/share", "srv"];

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PATHS.as_slice())
}

fn step() -> impl Strategy<Value = Step> {
    let directory = || prop::sample::select(DIRECTORIES.as_slice());
    prop_oneof![
        10 => (path(), 0..CONTENTS.len(), prop::sample::select(vec![0o644_u32, 0o755])).prop_map(
            |(path, content, mode)| Step::File { path, content, mode, owner: 0 }
        ),
        4 => (path(), path()).prop_map(|(path, target)| Step::HardLink { path, target }),
        2 => (path(), path()).prop_map(|(path, target)| Step::Symlink { path, target }),
        3 => path().prop_map(|path| Step::Whiteout { path }),
        1 => directory().prop_map(|path| Step::Whiteout { path }),
        1 => directory().prop_map(|directory| Step::Opaque { directory }),
    ]
}

fn plans() -> impl Strategy<Value = Vec<Vec<Step>>> {
    prop::collection::vec(prop::collection::vec(step(), 0..14), 1..5)
}

/// Bytes that findings have of each payload.
fn taken(findings: &Findings) -> BTreeMap<u32, u64> {
    let mut taken = BTreeMap::new();
    for place in findings.all.iter().flat_map(|finding| &finding.places) {
        *taken.entry(place.payload).or_default() += place.bytes;
    }
    taken
}

fn each_byte_once(account: &Account, findings: &Findings) -> Result<(), TestCaseError> {
    let taken = taken(findings);
    let (mut live, mut wasted) = (0, 0);
    for (payload, bytes) in &taken {
        let of = &account.payloads[*payload as usize];
        prop_assert!(*bytes <= of.size);
        match of.fate {
            Fate::Live(_) => live += bytes,
            Fate::Wasted { .. } => wasted += bytes,
        }
    }
    prop_assert_eq!(wasted, account.sizes.wasted.get());
    prop_assert!(live <= account.sizes.live.get());
    prop_assert_eq!(findings.bytes().get(), live + wasted);
    for finding in &findings.all {
        let sum: u64 = finding.places.iter().map(|place| place.bytes).sum();
        prop_assert_eq!(finding.bytes.get(), sum);
        let layer = |payload: u32| account.payloads[payload as usize].entry.layer as usize;
        prop_assert!(
            finding.places.iter().all(|place| Some(layer(place.payload)) == finding.layer)
        );
    }
    Ok(())
}

fn ignore(rule: Option<&str>, path: Option<&str>) -> Ignore {
    Ignore {
        rule: rule.map(str::to_owned),
        path: path.map(|path| Pattern::new(path).unwrap()),
        package: None,
        reason: "it stays".to_owned(),
        until: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn findings_have_each_byte_once(plan in plans()) {
        let account = pipeline::account_saved(layers(&plan));
        let files = Filesystem::new(&account);
        let facts = Facts::of(&files, None, NonZeroUsize::MIN).unwrap();
        let all = Findings::of(&files, &facts, &[]);
        each_byte_once(&account, &all)?;
        prop_assert!(all.ignored.is_empty());
        // What is silenced and what is left is what there was.
        let ignores = [
            ignore(None, Some("/tmp/**")),
            ignore(Some("removed-later"), None),
            ignore(None, Some("**/*.log")),
        ];
        let left = Findings::of(&files, &facts, &ignores);
        let silenced: u64 = left.ignored.iter().map(|row| row.bytes.get()).sum();
        prop_assert_eq!(left.bytes().get() + silenced, all.bytes().get());
        let places = |findings: &Findings| -> usize {
            findings.all.iter().map(|finding| finding.places.len()).sum()
        };
        let rows: usize = left.ignored.iter().map(|row| row.places).sum();
        prop_assert_eq!(places(&left) + rows, places(&all));
        let none = Findings::of(&files, &facts, &[ignore(None, None)]);
        prop_assert!(none.all.is_empty());
    }
}
