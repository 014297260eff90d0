//! Bases in order: which of those that an application runs on is the best to start from.

use jettison_oci::Bytes;

use crate::account::Sizes;
use crate::advice::base::candidate::{Candidate, Class, Libc};
use crate::advice::base::compatible::{Verdict, check};
use crate::advice::base::needs::Needs;
use crate::advice::base::today::Today;
use crate::advice::base::version::Version;
use crate::facts::evidence::Confidence;

/// A candidate with what is known of it for one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// The candidate.
    pub candidate: Candidate,
    /// Whether the application runs on it, and what it takes.
    pub verdict: Verdict,
    /// How sure that is.
    pub confidence: Confidence,
    /// Bytes of what stands on top of it: the application's own and what is brought along.
    pub own: Bytes,
    /// Those and its own.
    pub total: Bytes,
    /// Bytes of files that are not there any more; `None` where there are more.
    pub saved: Option<Bytes>,
    /// Bytes that a registry does not send any more, about; `None` where they are not known or
    /// there are more.
    pub saved_pull: Option<Bytes>,
    /// Why another one comes first; `None` for the first, and for those that do not fit.
    pub behind: Option<String>,
}

impl Ranked {
    /// What stands there once everything is brought along.
    pub fn class(&self) -> Class {
        // Its companion comes with it everywhere, and Rust's programs need only that.
        let brings_cxx = ["libstdc++.so.6", "libgcc_s.so.1"]
            .iter()
            .any(|name| self.verdict.brings.libraries.contains_key(*name));
        let brought = if brings_cxx { Class::LibStdCxx } else { Class::Nothing };
        self.candidate.class().max(brought)
    }
}

/// Judges every candidate: those that fit come first, the best of them at the front.
pub fn rank(needs: &Needs, today: &Today, sizes: &Sizes, candidates: &[Candidate]) -> Vec<Ranked> {
    let mut all: Vec<Ranked> = candidates
        .iter()
        .filter(|candidate| !today.name.as_ref().is_some_and(|name| candidate.is_called(name)))
        .map(|candidate| judge(needs, sizes, candidate))
        .collect();
    all.sort_by_cached_key(|row| {
        let is_low = row.confidence == Confidence::Low;
        (
            !row.verdict.fits,
            // What has to be looked at first is no smaller for having less in it.
            is_low,
            has_idle_interpreter(needs, &row.candidate),
            row.class(),
            std::cmp::Reverse(row.confidence),
            // To bring something along is work, and one more thing to keep up to date.
            !row.verdict.brings.is_empty(),
            row.total,
            row.candidate.reference.clone(),
        )
    });
    let best = all.first().filter(|row| row.verdict.fits).cloned();
    if let Some(best) = best {
        for row in all.iter_mut().skip(1).filter(|row| row.verdict.fits) {
            row.behind = Some(behind(needs, row, &best));
        }
    }
    all
}

/// Whether a candidate is made for a language that nothing is in.
pub(super) fn has_idle_interpreter(needs: &Needs, candidate: &Candidate) -> bool {
    candidate.interpreter.as_ref().is_some_and(|provided| {
        needs.interpreters.iter().all(|needed| needed.language != provided.language)
    })
}

fn judge(needs: &Needs, sizes: &Sizes, candidate: &Candidate) -> Ranked {
    let verdict = check(needs, candidate);
    let own = needs.own.get().saturating_add(verdict.brings.bytes.get());
    let total = own.saturating_add(candidate.size.files.get());
    let saved = sizes.files.get().checked_sub(total).filter(|_| verdict.fits).map(Bytes);
    let saved_pull = pull(own, sizes, candidate).filter(|_| verdict.fits);
    Ranked {
        confidence: confidence(needs, candidate, &verdict),
        candidate: candidate.clone(),
        verdict,
        own: Bytes(own),
        total: Bytes(total),
        saved,
        saved_pull,
        behind: None,
    }
}

/// Bytes that are not sent any more, if the application's files compress as well as the image does
/// today.
fn pull(own: u64, sizes: &Sizes, candidate: &Candidate) -> Option<Bytes> {
    let today = sizes.compressed?.get();
    let base = candidate.size.compressed?.get();
    let files = sizes.files.get();
    if files == 0 {
        return None;
    }
    let own = u128::from(own) * u128::from(today) / u128::from(files);
    let total = u64::try_from(own).ok()?.checked_add(base)?;
    today.checked_sub(total).map(Bytes)
}

/// How sure it is that the application runs on a candidate that fits.
fn confidence(needs: &Needs, candidate: &Candidate, verdict: &Verdict) -> Confidence {
    let is_proven = needs.doubts.is_empty();
    if !verdict.caveats.is_empty() {
        return Confidence::Low;
    }
    if needs.is_static() {
        return if is_proven { Confidence::High } else { Confidence::Medium };
    }
    let Some((family, release)) = &needs.distribution else { return Confidence::Low };
    let is_family = *family == candidate.family;
    let is_release = is_family && *release == candidate.release;
    if is_release {
        return if is_proven { Confidence::High } else { Confidence::Medium };
    }
    let is_newer = match candidate.libc {
        // musl tells no versions: its distribution's releases do.
        Libc::Musl => is_family && Version::parse(&candidate.release) >= Version::parse(release),
        Libc::Glibc => match (&needs.libc_version, &candidate.libc_version) {
            (Some(today), Some(has)) => has >= today,
            _ => false,
        },
        Libc::None => false,
    };
    if is_newer { Confidence::Medium } else { Confidence::Low }
}

/// Why the best one comes before another that fits.
fn behind(needs: &Needs, row: &Ranked, best: &Ranked) -> String {
    let best_name = &best.candidate.reference;
    if row.confidence == Confidence::Low && best.confidence > Confidence::Low {
        return match row.verdict.caveats.first() {
            Some(caveat) => caveat.clone(),
            None => {
                format!("it is of another distribution or older than today's, {best_name} is not")
            }
        };
    }
    if has_idle_interpreter(needs, &row.candidate)
        && let Some(provided) = &row.candidate.interpreter
    {
        return format!("it has {}, which nothing needs", provided.language.name());
    }
    let (class, smallest): (Class, Class) = (row.class(), best.class());
    if class > smallest {
        return format!("it has {}, which nothing needs", class.name());
    }
    if row.confidence < best.confidence {
        return format!("it is less sure than {best_name}");
    }
    if !row.verdict.brings.is_empty() && best.verdict.brings.is_empty() {
        return format!("files have to be brought along, and none to {best_name}");
    }
    match row.total.get().checked_sub(best.total.get()) {
        Some(more) if more > 0 => format!("it is {} larger", Bytes(more)),
        _ => format!("nothing speaks for it rather than {best_name}"),
    }
}

#[cfg(test)]
mod tests;
