//! `jettison analyze`.

use jettison_analyzer::advice::{Advice, Known};
use jettison_analyzer::report::{Analyzed, Detail, json, model, text};

use crate::args::{AdviceLevel, AnalyzeArgs, Format};
use crate::command::{Context, account, detail, facts, report};
use crate::exit::Code;
use crate::settings;

pub(crate) fn run(args: &AnalyzeArgs, context: &Context) -> anyhow::Result<Code> {
    report(&args.output, context, || {
        let config = &context.config.analyze;
        let profile = &args.facts.profile;
        let unused = args.facts.unused || !profile.is_empty() || config.unused;
        let level = args.advice.or(config.advice).unwrap_or_default();
        let is_advised = level != AdviceLevel::Off;
        let gather = unused || is_advised;
        let ignores = settings::ignores(context)?;
        let account = account(&args.image, args.base.as_deref(), &args.read, gather, context)?;
        let facts = gather.then(|| facts(profile, &account, context)).transpose()?;
        let known = Known { ignores: &ignores, dockerfile: None };
        let facts_of = facts.as_ref().filter(|_| is_advised);
        let advice = facts_of.map(|facts| Advice::of(&account, facts, known));
        let detail = Detail {
            unused,
            advice: level == AdviceLevel::Full,
            ..detail(&args.output, &context.config)
        };
        Ok(Box::new(move |format, style| {
            let of = Analyzed { account: &account, facts: facts.as_ref(), advice: advice.as_ref() };
            match format {
                Format::Text => text::render(of, detail, style),
                Format::Json => json::render(&model::analysis(of, detail)),
            }
        }))
    })
}
