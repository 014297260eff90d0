//! `jettison analyze`.

use jettison_analyzer::report::{json, model, text};

use crate::args::{AnalyzeArgs, Format};
use crate::command::{account, detail, report};
use crate::exit::Code;
use crate::printer::Printer;

pub(crate) fn run(args: &AnalyzeArgs, printer: Printer) -> anyhow::Result<Code> {
    report(&args.output, printer, || {
        let account = account(&args.image, args.base.as_deref(), &args.read, printer)?;
        let detail = detail(&args.output);
        Ok(Box::new(move |format, style| match format {
            Format::Text => text::render(&account, detail, style),
            Format::Json => json::render(&model::analysis(&account, detail)),
        }))
    })
}
