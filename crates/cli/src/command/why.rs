//! `jettison why`.

use jettison_analyzer::entry::clean_into;
use jettison_analyzer::report::{json, model, why_text};
use jettison_analyzer::why::why;
use jettison_oci::escape;

use crate::args::{Format, WhyArgs};
use crate::command::{Context, account, detail, facts, report};
use crate::exit::{Code, UsageError};

pub(crate) fn run(args: &WhyArgs, context: &Context) -> anyhow::Result<Code> {
    report(&args.output, context, || {
        let typed = escape::unescape(&args.path).unwrap_or_else(|| args.path.clone().into_bytes());
        let mut path = Vec::new();
        clean_into(&typed, &mut path)
            .map_err(|error| UsageError(format!("the path {:?} {error}", args.path)))?;
        let account = account(&args.image, None, &args.read, args.facts.unused, context)?;
        let facts = facts(&args.facts, &account, context)?;
        let node = account.tree.find(&path);
        let use_of = facts.zip(node).map(|(facts, node)| model::use_of(&account, &facts, node));
        let (why, detail) = (why(&account, &path), detail(&args.output, &context.config));
        Ok(Box::new(move |format, style| match format {
            Format::Text => why_text::render(&account, &why, use_of.as_ref(), detail, style),
            Format::Json => json::render(&model::why(&account, &why, use_of.as_ref(), detail)),
        }))
    })
}
