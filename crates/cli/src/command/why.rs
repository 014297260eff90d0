//! `jettison why`.

use jettison_analyzer::entry::{Kind, clean_into};
use jettison_analyzer::report::{json, model, why_text};
use jettison_analyzer::why::why;
use jettison_oci::escape;

use crate::args::{Format, WhyArgs};
use crate::command::{Context, account_and_facts, detail, refuse_formats, report};
use crate::exit::{Code, UsageError};

/// The formats that have something to say of one path.
const FORMATS: [Format; 2] = [Format::Text, Format::Json];

pub(crate) fn run(args: &WhyArgs, context: &Context) -> anyhow::Result<Code> {
    refuse_formats("why", &FORMATS, &args.output)?;
    report(&args.output, context, || {
        let typed = escape::unescape(&args.path).unwrap_or_else(|| args.path.clone().into_bytes());
        let mut path = Vec::new();
        clean_into(&typed, &mut path)
            .map_err(|error| UsageError(format!("the path {:?} {error}", args.path)))?;
        let (account, facts) =
            account_and_facts(&args.image, None, &args.read, &args.profile, context)?;
        let node = account.tree.find(&path);
        // Files and links are led to, directories are not.
        let node = node.filter(|node| account.tree.kind(*node) != Kind::Directory);
        let use_of = node.map(|node| model::use_of(&account, &facts, node));
        let (why, detail) = (why(&account, &path), detail(&args.output, &context.config));
        Ok(Box::new(move |format, style| match format {
            Format::Text => why_text::render(&account, &why, use_of.as_ref(), detail, style),
            // What it does not have was refused.
            _ => json::render(&model::why(&account, &why, use_of.as_ref(), detail)),
        }))
    })
}
