//! `jettison diff`.

use jettison_analyzer::diff::diff;
use jettison_analyzer::report::{diff_text, json, model};

use crate::args::{DiffArgs, Format};
use crate::command::{account, detail, report};
use crate::exit::{Code, UsageError};
use crate::printer::Printer;
use crate::settings;

pub(crate) fn run(args: &DiffArgs, printer: Printer) -> anyhow::Result<Code> {
    if args.old == "-" && args.new == "-" {
        return Err(UsageError("only one image can be on standard input".to_owned()).into());
    }
    report(&args.output, printer, || {
        let old = account(&args.old, None, &args.read, printer)?;
        let new = account(&args.new, None, &args.read, printer)?;
        let detail = detail(&args.output);
        let diff = diff(&old, &new, settings::jobs(&args.read))?;
        let text = |style| diff_text::render(&diff, detail, style);
        let document = json::render(&model::diff(&diff, detail));
        let (plain, styled) =
            (text(jettison_analyzer::report::Style::default()), text(printer.style()));
        Ok(Box::new(move |format, style| match format {
            Format::Text if style.color => styled.clone(),
            Format::Text => plain.clone(),
            Format::Json => document.clone(),
        }))
    })
}
