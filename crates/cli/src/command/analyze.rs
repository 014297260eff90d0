//! `jettison analyze`.

use jettison_analyzer::report::{json, model, text};

use crate::args::{AnalyzeArgs, Format};
use crate::command::{Context, account, detail, facts, report};
use crate::exit::Code;

pub(crate) fn run(args: &AnalyzeArgs, context: &Context) -> anyhow::Result<Code> {
    report(&args.output, context, || {
        let profile = &args.facts.profile;
        let unused = args.facts.unused || !profile.is_empty() || context.config.analyze.unused;
        let account = account(&args.image, args.base.as_deref(), &args.read, unused, context)?;
        let facts = unused.then(|| facts(profile, &account, context)).transpose()?;
        let detail = detail(&args.output, &context.config);
        Ok(Box::new(move |format, style| match format {
            Format::Text => text::render(&account, facts.as_ref(), detail, style),
            Format::Json => json::render(&model::analysis(&account, facts.as_ref(), detail)),
        }))
    })
}
