//! Suggestions of another base, from candidates in order.

use jettison_oci::Bytes;

use crate::account::Sizes;
use crate::advice::base::dockerfile;
use crate::advice::base::needs::Needs;
use crate::advice::base::rank::{Ranked, has_idle_interpreter};
use crate::advice::base::today::Today;
use crate::advice::suggestion::{Kind, Suggestion};
use crate::facts::evidence::Confidence;

/// Suggestions made.
const SUGGESTIONS_MAX: usize = 3;
/// What a change of the base has to save: in bytes, and of a hundred parts of the image.
const SAVED_MIN: u64 = 1 << 20;
const PERCENT_MIN: u64 = 5;
/// Sentences about what has to be brought along.
const REASONS_MAX: usize = 8;

/// The best bases that save enough: no more than three, and of each class and distribution one.
pub fn chosen<'a>(needs: &Needs, sizes: &Sizes, ranked: &'a [Ranked]) -> Vec<&'a Ranked> {
    let is_worth = |saved: u64| {
        saved >= SAVED_MIN
            && u128::from(saved) * 100 >= u128::from(sizes.files.get()) * u128::from(PERCENT_MIN)
    };
    let mut chosen: Vec<&Ranked> = Vec::new();
    // What is unsure is of use only where nothing surer is.
    let is_unsure = ranked.first().is_some_and(|best| best.confidence == Confidence::Low);
    let fitting = ranked.iter().filter(|row| {
        row.verdict.fits
            && !has_idle_interpreter(needs, &row.candidate)
            && (is_unsure || row.confidence > Confidence::Low)
    });
    for row in fitting {
        let is_new = chosen.iter().all(|other| {
            (other.class(), &other.candidate.family) != (row.class(), &row.candidate.family)
        });
        if chosen.len() < SUGGESTIONS_MAX
            && is_new
            && row.saved.is_some_and(|saved| is_worth(saved.get()))
        {
            chosen.push(row);
        }
    }
    chosen
}

/// Suggests what was [`chosen`].
pub fn suggest(needs: &Needs, today: &Today, chosen: &[&Ranked]) -> Vec<Suggestion> {
    let titles: Vec<String> = chosen.iter().map(|row| title(today, row)).collect();
    chosen
        .iter()
        .enumerate()
        .map(|(at, row)| Suggestion {
            kind: Kind::BaseImage,
            title: titles[at].clone(),
            saved: row.saved.unwrap_or(Bytes(0)),
            saved_pull: row.saved_pull,
            confidence: row.confidence,
            because: because(needs, today, row),
            dockerfile: dockerfile::lines(needs, &row.candidate, &row.verdict.brings, "builder"),
            diff: None,
            lines: None,
            // All of them take the same bytes away.
            overlaps: titles
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != at)
                .map(|(_, title)| title.clone())
                .collect(),
        })
        .collect()
}

fn title(today: &Today, row: &Ranked) -> String {
    let reference = &row.candidate.reference;
    match today.called() {
        Some(name) => {
            format!("start from {reference} instead of {}", jettison_oci::escape::line(&name))
        }
        None => format!("start from {reference}"),
    }
}

/// Why it is thought so: sentences with what proves them.
fn because(needs: &Needs, today: &Today, row: &Ranked) -> Vec<String> {
    let candidate = &row.candidate;
    let mut all = vec![format!("today's base: {}", today.how)];
    if needs.is_static() {
        all.push("all programs that run are static: none needs a library of the base".to_owned());
    }
    if let (Some(needed), Some(has)) = (&needs.glibc, &candidate.libc_version) {
        all.push(format!(
            "{} needs GLIBC_{}, and {} has glibc {has}",
            needed.proof.words(),
            needed.version,
            candidate.reference
        ));
    }
    if let (Some(needed), Some(has)) = (&needs.glibcxx, &candidate.glibcxx)
        && candidate.sonames.contains("libstdc++.so.6")
    {
        all.push(format!(
            "{} needs GLIBCXX_{}, and {} has GLIBCXX_{has}",
            needed.proof.words(),
            needed.version,
            candidate.reference
        ));
    }
    for interpreter in &needs.interpreters {
        let version = interpreter.version.as_ref().map(|v| format!(" {v}")).unwrap_or_default();
        let name = interpreter.language.name();
        all.push(format!("{} runs on {name}{version}", interpreter.proof.words()));
    }
    for (shell, proof) in &needs.shells {
        all.push(format!("{} needs the shell {shell}", proof.words()));
    }
    for (manager, proof) in &needs.package_managers {
        all.push(format!("{} uses {manager} while it runs", proof.words()));
    }
    let reasons = &row.verdict.reasons;
    all.extend(reasons.iter().take(REASONS_MAX).cloned());
    if reasons.len() > REASONS_MAX {
        all.push(format!("{} more things have to be brought along", reasons.len() - REASONS_MAX));
    }
    all.extend(row.verdict.caveats.iter().cloned());
    all.extend(row.behind.as_ref().map(|behind| format!("not the first choice: {behind}")));
    all.extend(needs.doubts.iter().take(REASONS_MAX).map(|doubt| format!("not sure: {doubt}")));
    if let Some(entrypoint) = &candidate.entrypoint {
        all.push(format!(
            "{} has the ENTRYPOINT {entrypoint}: the Dockerfile has to set its own",
            candidate.reference
        ));
    }
    let size = &candidate.size;
    let about = if size.is_approximate { "about " } else { "" };
    all.push(format!(
        "{} has {about}{} of files ({}, {})",
        candidate.reference, size.files, size.source, size.date
    ));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::base::candidate::Libc;
    use crate::advice::base::catalogue::Catalogue;
    use crate::advice::base::needs::Proof;
    use crate::advice::base::rank::rank;

    fn sizes(files: u64, compressed: Option<u64>) -> Sizes {
        Sizes {
            files: Bytes(files),
            live: Bytes(files),
            compressed: compressed.map(Bytes),
            ..Sizes::default()
        }
    }

    fn suggested(needs: &Needs, files: u64, compressed: Option<u64>) -> Vec<Suggestion> {
        let today = Today { name: Some("debian:bookworm".to_owned()), ..Today::default() };
        let sizes = sizes(files, compressed);
        let ranked = rank(needs, &today, &sizes, &Catalogue::builtin().candidates);
        suggest(needs, &today, &chosen(needs, &sizes, &ranked))
    }

    fn program() -> Needs {
        Needs {
            distribution: Some(("debian".to_owned(), "12".to_owned())),
            linked: [(Libc::None, Proof::of("/app/server"))].into(),
            own: Bytes(10_000_000),
            ..Needs::default()
        }
    }

    #[test]
    fn a_static_program_starts_from_nothing() {
        let all = suggested(&program(), 130_000_000, Some(50_000_000));
        let best = &all[0];
        assert_eq!(best.title, "start from scratch instead of debian:bookworm");
        assert_eq!((best.kind, best.confidence), (Kind::BaseImage, Confidence::High));
        assert_eq!(best.saved, Bytes(120_000_000));
        assert_eq!(best.saved_pull, Some(Bytes(50_000_000 - 3_846_153)));
        assert_eq!(best.dockerfile, "FROM scratch\n");
        assert!((1..=3).contains(&all.len()));
        assert_eq!(best.overlaps.len(), all.len() - 1);
        // Where it may open connections, a base with certificates comes first.
        let needs = Needs { ca_certificates: Proof::of("/app/server"), ..program() };
        let all = suggested(&needs, 130_000_000, None);
        assert!(all[0].title.contains("static"), "{}", all[0].title);
        assert_eq!(all[0].saved_pull, None);
        assert!(all[0].because.iter().any(|why| why.contains("about ")), "{:?}", all[0].because);
    }

    #[test]
    fn little_is_not_worth_a_change() {
        assert_eq!(suggested(&program(), 10_500_000, None), []);
        let large = Needs { own: Bytes(1_000_000_000), ..program() };
        assert_eq!(suggested(&large, 1_040_000_000, None), []);
        assert!(!suggested(&large, 1_060_000_000, None).is_empty());
        assert_eq!(suggested(&program(), 0, None), []);
    }
}
