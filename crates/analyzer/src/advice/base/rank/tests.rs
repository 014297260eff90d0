use super::*;
use crate::advice::base::candidate::Language;
use crate::advice::base::catalogue::Catalogue;
use crate::advice::base::needs::{Interpreter, Library, Newest, Proof};

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn debian() -> Needs {
    Needs {
        distribution: Some(("debian".to_owned(), "12".to_owned())),
        libc_version: Some(version("2.36")),
        own: Bytes(10_000_000),
        ..Needs::default()
    }
}

fn program(sonames: &[&str]) -> Needs {
    let proof = || Proof::of("/app/server");
    Needs {
        linked: [(Libc::Glibc, proof())].into(),
        glibc: Some(Newest { version: version("2.34"), proof: proof() }),
        sonames: sonames.iter().map(|name| ((*name).to_owned(), proof())).collect(),
        libraries: sonames
            .iter()
            .map(|name| {
                let library = Library {
                    path: format!("/usr/lib/x86_64-linux-gnu/{name}"),
                    bytes: Bytes(2_000_000),
                    package: Some("some".to_owned()),
                    glibc: None,
                    glibcxx: None,
                    needed: Vec::new(),
                };
                ((*name).to_owned(), library)
            })
            .collect(),
        ..debian()
    }
}

fn ranked(needs: &Needs, today: &str) -> Vec<Ranked> {
    let today = Today { name: Some(today.to_owned()), ..Today::default() };
    let sizes = Sizes {
        files: Bytes(200_000_000),
        compressed: Some(Bytes(80_000_000)),
        ..Sizes::default()
    };
    rank(needs, &today, &sizes, &Catalogue::builtin().candidates)
}

fn first(needs: &Needs) -> Ranked {
    ranked(needs, "debian:bookworm").remove(0)
}

#[track_caller]
fn is_first(needs: &Needs, name: &str, confidence: Confidence) {
    let first = first(needs);
    assert_eq!((first.candidate.reference.as_str(), first.confidence), (name, confidence));
    assert_eq!(first.behind, None);
}

#[test]
fn the_smallest_class_that_is_enough_comes_first() {
    let high = Confidence::High;
    let mut bare = debian();
    bare.linked.insert(Libc::None, Proof::of("/app/server"));
    is_first(&bare, "scratch", high);
    is_first(&program(&["libc.so.6"]), "gcr.io/distroless/base-nossl-debian12", high);
    let tls = program(&["libc.so.6", "libssl.so.3"]);
    is_first(&tls, "gcr.io/distroless/base-debian12", high);
    let cxx = program(&["libc.so.6", "libssl.so.3", "libstdc++.so.6", "libgcc_s.so.1"]);
    // What brings C++'s along has it, too, and more to keep up to date.
    is_first(&cxx, "gcr.io/distroless/cc-debian12", high);
    // Rust's programs need no more than what comes with it.
    is_first(&program(&["libc.so.6", "libgcc_s.so.1"]), "gcr.io/distroless/cc-debian12", high);
    let mut script = program(&["libc.so.6"]);
    script.shells.insert("bash".to_owned(), Proof::of("/app/start.sh"));
    is_first(&script, "debian:bookworm-slim", high);
    let mut manager = debian();
    manager.package_managers.insert("apt".to_owned(), Proof::of("/app/start.sh"));
    is_first(&manager, "debian:bookworm-slim", high);
}

#[test]
fn what_is_not_proven_is_less_sure() {
    let mut bare = debian();
    bare.linked.insert(Libc::None, Proof::of("/app/server"));
    bare.doubts.insert("a shell may be started".to_owned());
    is_first(&bare, "scratch", Confidence::Medium);
    let confidence = |needs: &Needs, name: &str| {
        let all = ranked(needs, "debian:bookworm");
        all.iter().find(|row| row.candidate.is_called(name)).unwrap().confidence
    };
    let needs = program(&["libc.so.6"]);
    assert_eq!(confidence(&needs, "debian:bookworm-slim"), Confidence::High);
    // Newer than today's, and older than that.
    assert_eq!(confidence(&needs, "debian:trixie-slim"), Confidence::Medium);
    assert_eq!(confidence(&needs, "ubuntu:24.04"), Confidence::Medium);
    assert_eq!(confidence(&needs, "ubuntu:22.04"), Confidence::Low);
    let unknown = Needs { distribution: None, ..program(&["libc.so.6"]) };
    assert_eq!(confidence(&unknown, "debian:bookworm-slim"), Confidence::Low);
    let musl = Needs {
        linked: [(Libc::Musl, Proof::of("/app/server"))].into(),
        distribution: Some(("alpine".to_owned(), "3.21".to_owned())),
        ..Needs::default()
    };
    assert_eq!(confidence(&musl, "alpine:3.21"), Confidence::High);
    assert_eq!(confidence(&musl, "alpine:3.22"), Confidence::Medium);
    assert_eq!(confidence(&musl, "alpine:3.20"), Confidence::Low);
}

#[test]
fn the_same_interpreter_at_the_same_place_comes_first() {
    let python = Interpreter {
        language: Language::Python,
        version: Some(version("3.11")),
        path: "/usr/local/bin/python3.11".to_owned(),
        packages: std::collections::BTreeSet::new(),
        modules: Proof::of("/usr/local/lib/python3.11/site-packages/flask/app.py"),
        natives: Proof::default(),
        abi: None,
        proof: Proof::of("CMD"),
    };
    let needs = Needs { interpreters: vec![python], ..debian() };
    let all = ranked(&needs, "python:3.11-bookworm");
    let names: Vec<&str> = all
        .iter()
        .filter(|row| row.verdict.fits)
        .map(|row| row.candidate.reference.as_str())
        .collect();
    assert_eq!(names[0], "python:3.11-slim-bookworm");
    assert!(names.contains(&"gcr.io/distroless/python3-debian12"), "{names:?}");
    let distroless =
        all.iter().find(|row| row.candidate.reference.contains("python3-debian12")).unwrap();
    assert_eq!(distroless.confidence, Confidence::Low);
    assert!(distroless.behind.as_ref().unwrap().contains("/usr/bin/python3.11"));
    // Today's own is no change.
    let all = ranked(&needs, "docker.io/library/python:3.11-slim-bookworm");
    assert!(all.iter().all(|row| row.candidate.reference != "python:3.11-slim-bookworm"));
}

#[test]
fn sizes_add_up() {
    let needs = program(&["libc.so.6", "libfoo.so.1"]);
    let row = ranked(&needs, "x")
        .into_iter()
        .find(|row| row.candidate.reference == "gcr.io/distroless/base-nossl-debian12")
        .unwrap();
    assert_eq!(row.own, Bytes(12_000_000));
    assert_eq!(row.total, Bytes(12_000_000 + 14_800_000));
    assert_eq!(row.saved, Some(Bytes(200_000_000 - 26_800_000)));
    // Its own compresses as the image does: to two fifths.
    assert_eq!(row.saved_pull, Some(Bytes(80_000_000 - 4_800_000 - 5_850_000)));
    // What does not save says so by saving nothing.
    let huge = Needs { own: Bytes(u64::MAX), ..program(&[]) };
    let row = ranked(&huge, "x").into_iter().find(|row| row.verdict.fits).unwrap();
    assert_eq!((row.saved, row.saved_pull), (None, None));
}

#[test]
fn those_that_do_not_fit_come_last_with_their_reasons() {
    let all = ranked(&program(&["libc.so.6"]), "x");
    let fits = all.iter().take_while(|row| row.verdict.fits).count();
    assert!(fits > 0 && fits < all.len());
    for row in &all[fits..] {
        assert!(!row.verdict.fits && !row.verdict.reasons.is_empty());
        assert_eq!((row.saved, &row.behind), (None, &None));
    }
    for row in &all[1..fits] {
        assert!(row.behind.is_some(), "{}", row.candidate.reference);
    }
}
