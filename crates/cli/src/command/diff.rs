//! `jettison diff`.

use jettison_analyzer::diff::diff;
use jettison_analyzer::report::{briefing, diff_text, html, json, model};

use crate::args::{DiffArgs, Format};
use crate::command::{Context, account, detail, document, report};
use crate::exit::{Code, UsageError};
use crate::settings;

pub(crate) fn run(args: &DiffArgs, context: &Context) -> anyhow::Result<Code> {
    if args.old == "-" && args.new == "-" {
        return Err(UsageError("only one image can be on standard input".to_owned()).into());
    }
    report(&args.output, context, || {
        let old = account(&args.old, None, &args.read, false, context)?;
        let new = account(&args.new, None, &args.read, false, context)?;
        let detail = detail(&args.output, &context.config);
        let diff = diff(&old, &new, settings::jobs(&args.read))?;
        let text = |style| diff_text::render(&diff, detail, style);
        let json = json::render(&model::diff(&diff, detail));
        let page = args.output.wants(Format::Html).then(|| html::diff(&diff, detail));
        let page = page.unwrap_or_default();
        let briefing = briefing::diff(&diff, detail);
        let (plain, styled) =
            (text(jettison_analyzer::report::Style::default()), text(context.printer.style()));
        Ok(Box::new(move |format, style| {
            let text = if style.color { &styled } else { &plain };
            document(format, || text.clone(), || json.clone(), || page.clone(), || briefing.clone())
        }))
    })
}
