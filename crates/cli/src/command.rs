//! One file a command.

mod analyze;
mod cache;
mod diff;
mod why;

use std::io::Read;
use std::sync::Arc;

use jettison_analyzer::account::Account;
use jettison_analyzer::analyze::{BaseArgument, Options};
use jettison_analyzer::progress::Shared;
use jettison_analyzer::report::{Detail, Style};
use jettison_analyzer::source::OpenOptions;

use crate::args::{Args, Command, Format, OutputArgs, ReadArgs};
use crate::exit::Code;
use crate::output;
use crate::printer::Printer;
use crate::progress::Bars;
use crate::settings;

/// Runs what was asked for.
pub(crate) fn run(args: Args, printer: Printer) -> anyhow::Result<Code> {
    match args.command {
        Command::Analyze(args) => analyze::run(&args, printer),
        Command::Why(args) => why::run(&args, printer),
        Command::Diff(args) => diff::run(&args, printer),
        Command::Cache(args) => cache::run(&args),
    }
}

/// Reads an image and says what was odd about it.
fn account(
    image: &str,
    base: Option<&str>,
    args: &ReadArgs,
    printer: Printer,
) -> anyhow::Result<Account> {
    let bars = Arc::new(Bars::new(printer.shows_progress()));
    let cache = settings::cache(&args.cache);
    let options = Options {
        open: OpenOptions { progress: Shared(bars.clone()), ..settings::open_options(args) },
        jobs: settings::jobs(args),
        verify: args.verify,
        base: base.map(|base| match base.parse() {
            Ok(layers) => BaseArgument::Count(layers),
            Err(_) => BaseArgument::Image(base.to_owned()),
        }),
        cache: cache.as_ref(),
    };
    let mut stdin = || -> Box<dyn Read> { Box::new(std::io::stdin()) };
    let result = jettison_analyzer::analyze::analyze(image, &mut stdin, &options);
    bars.clear();
    let account = result?;
    for warning in &account.warnings {
        printer.warning(warning);
    }
    Ok(account)
}

fn detail(args: &OutputArgs) -> Detail {
    Detail { top: args.top, min_bytes: args.min_bytes }
}

/// Does the work and writes its result to standard output and to every output file.
fn report(
    args: &OutputArgs,
    printer: Printer,
    render: impl FnOnce() -> anyhow::Result<Box<dyn Fn(Format, Style) -> Vec<u8>>>,
) -> anyhow::Result<Code> {
    let outputs = output::open(&args.output)?;
    let render = render()?;
    for output in outputs {
        let bytes = render(output.format, Style::default());
        output.write(&bytes)?;
    }
    Printer::result(&render(args.format, printer.style()))?;
    Ok(Code::Done)
}
