//! `jettison analyze`.

mod bases;

use jettison_analyzer::account::Account;
use jettison_analyzer::advice::base::catalogue::Catalogue;
use jettison_analyzer::advice::{Advice, Known};
use jettison_analyzer::facts::filesystem::Filesystem;
use jettison_analyzer::layer::recompress;
use jettison_analyzer::report::{Analyzed, Detail, briefing, html, json, model, text};

use crate::args::{AdviceLevel, AnalyzeArgs};
use crate::command::{Context, account, account_and_facts, detail, document, given, report};
use crate::exit::{Code, UsageError};
use crate::output::OutputFile;
use crate::settings;

pub(crate) fn run(args: &AnalyzeArgs, context: &Context) -> anyhow::Result<Code> {
    let config = &context.config.analyze;
    let level = args.advice.or(config.advice).unwrap_or_default();
    let is_advised = level != AdviceLevel::Off;
    if !is_advised && (args.dockerfile.is_some() || args.write_dockerfile.is_some()) {
        let error = "--advice off: there is nothing to say of a Dockerfile then";
        return Err(UsageError(error.to_owned()).into());
    }
    let file =
        args.dockerfile.as_deref().map(|path| given(path, args.target.clone())).transpose()?;
    let written = args.write_dockerfile.as_deref();
    let written = written.map(|path| OutputFile::open("--write-dockerfile", path)).transpose()?;
    report(&args.output, context, || {
        let profile = &args.facts.profile;
        let unused = args.facts.unused || !profile.is_empty() || config.unused;
        let gather = unused || is_advised;
        let ignores = settings::ignores(context)?;
        let (image, base) = (&args.image, args.base.as_deref());
        let (account, facts) = if gather {
            let (account, facts) = account_and_facts(image, base, &args.read, profile, context)?;
            (account, Some(facts))
        } else {
            (account(image, base, &args.read, false, context)?, None)
        };
        let files = Filesystem::new(&account);
        let advice = match facts.as_ref().filter(|_| is_advised) {
            Some(facts) => {
                let mut catalogue = catalogue(args)?;
                if args.resolve_bases {
                    bases::resolve(&mut catalogue, &files, facts, args, context)?;
                }
                let zstd = zstd(args, &account, context)?;
                let known = Known {
                    ignores: &ignores,
                    file: file.as_ref(),
                    catalogue: &catalogue,
                    zstd: &zstd,
                };
                Some(Advice::of(&files, facts, known)?)
            }
            None => None,
        };
        for warning in advice.iter().flat_map(|advice| &advice.warnings) {
            context.printer.warning(warning);
        }
        if let (Some(written), Some(advice)) = (written, &advice) {
            match advice.best_dockerfile() {
                Some(dockerfile) => written.write(dockerfile.as_bytes())?,
                None => context.printer.warning(
                    "--write-dockerfile: no plan to build in stages is known to save bytes: \
                     nothing is written",
                ),
            }
        }
        let detail = Detail {
            unused,
            advice: level == AdviceLevel::Full,
            ..detail(&args.output, &context.config)
        };
        let path = file.map(|file| file.path);
        // As the account itself, to the end of the program.
        std::mem::forget(files);
        Ok(Box::new(move |format, style| {
            let of = Analyzed { account: &account, facts: facts.as_ref(), advice: advice.as_ref() };
            document(
                format,
                || text::render(of, detail, style),
                || json::render(&model::analysis(of, detail)),
                || html::analysis(of, detail),
                || briefing::analysis(of, detail, path.as_deref()),
            )
        }))
    })
}

/// The bases that are suggested.
fn catalogue(args: &AnalyzeArgs) -> anyhow::Result<Catalogue> {
    let mut catalogue = Catalogue::builtin();
    if let Some(path) = &args.bases {
        let failed = |error: String| UsageError(format!("--bases {}: {error}", path.display()));
        let text = fs_err::read_to_string(path).map_err(|error| UsageError(error.to_string()))?;
        catalogue.add(&text).map_err(failed)?;
    }
    Ok(catalogue)
}

/// What each layer would take as zstd, where that was asked for.
fn zstd(
    args: &AnalyzeArgs,
    account: &Account,
    context: &Context,
) -> anyhow::Result<Vec<Option<u64>>> {
    if !args.measure_zstd {
        return Ok(Vec::new());
    }
    let expansion = settings::open_options(&args.read, &context.config.analyze).expansion;
    let sizes = recompress::measure(&account.image, settings::jobs(&args.read), expansion)?;
    if sizes.contains(&None) {
        context.printer.warning(
            "--measure-zstd: layers that do not stand in a file of this machine are not measured",
        );
    }
    Ok(sizes)
}
