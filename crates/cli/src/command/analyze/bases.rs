//! Bases, measured where they are to be had.

use std::sync::Arc;

use jettison_analyzer::advice::base::BaseAdvice;
use jettison_analyzer::advice::base::catalogue::{Catalogue, Measured};
use jettison_analyzer::analyze::{Options, analyze};
use jettison_analyzer::facts::Facts;
use jettison_analyzer::facts::filesystem::Filesystem;
use jettison_analyzer::progress::Shared;
use jettison_analyzer::source::OpenOptions;

use crate::args::AnalyzeArgs;
use crate::command::Context;
use crate::progress::Bars;
use crate::settings;

/// How many of the bases that fit are read: the best stand first.
const RESOLVED_MAX: usize = 5;

/// Reads the best bases from their registries, and puts their sizes into the table. One that
/// cannot be read keeps the size that the table has.
pub(super) fn resolve(
    catalogue: &mut Catalogue,
    files: &Filesystem<'_>,
    facts: &Facts,
    args: &AnalyzeArgs,
    context: &Context,
) -> anyhow::Result<()> {
    let today = settings::today();
    let base = BaseAdvice::of(files, facts, catalogue)?;
    let fitting = base.ranked.iter().filter(|row| row.verdict.fits);
    let references = fitting.map(|row| row.candidate.reference.clone());
    let cache = settings::cache(&args.read.cache, &context.config.analyze);
    for reference in references.filter(|reference| reference != "scratch").take(RESOLVED_MAX) {
        let bars = Arc::new(Bars::new(context.printer.shows_progress()));
        let options = Options {
            open: OpenOptions {
                progress: Shared(bars.clone()),
                ..settings::open_options(&args.read, &context.config.analyze)
            },
            jobs: settings::jobs(&args.read),
            verify: args.read.verify,
            base: None,
            cache: cache.as_ref(),
        };
        let word = format!("docker://{reference}");
        let read = analyze(&word, &mut || Box::new(std::io::empty()), &options);
        bars.clear();
        match read {
            Ok(account) => {
                let sizes = account.sizes;
                let measured = Measured { files: Some(sizes.files), compressed: sizes.compressed };
                catalogue.with_measured(&reference, measured, &today);
            }
            Err(error) => context.printer.warning(&format!(
                "--resolve-bases: {reference}: {error}; the size in the table stands"
            )),
        }
    }
    Ok(())
}
