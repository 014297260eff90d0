//! `jettison analyze`.

use jettison_analyzer::report::{json, model, text};

use crate::args::{AnalyzeArgs, Format};
use crate::command::{Context, account, detail, facts, report};
use crate::exit::Code;

pub(crate) fn run(args: &AnalyzeArgs, context: &Context) -> anyhow::Result<Code> {
    report(&args.output, context, || {
        let account =
            account(&args.image, args.base.as_deref(), &args.read, args.facts.unused, context)?;
        let facts = facts(&args.facts, &account, context)?;
        let detail = detail(&args.output, &context.config);
        Ok(Box::new(move |format, style| match format {
            Format::Text => text::render(&account, facts.as_ref(), detail, style),
            Format::Json => json::render(&model::analysis(&account, facts.as_ref(), detail)),
        }))
    })
}
