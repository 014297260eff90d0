//! `jettison explain`.

use jettison_pruner::policy::Bounds;
use jettison_pruner::prune::Kept;
use jettison_pruner::report::{Report, explain};

use crate::args::{ExplainArgs, Format};
use crate::clock;
use crate::command::Context;
use crate::command::node::{node, state_dir, style};
use crate::exit::Code;
use crate::output;
use crate::printer::Printer;

pub(crate) fn run(args: &ExplainArgs, context: &Context) -> anyhow::Result<Code> {
    let printer = context.printer;
    let outputs = output::open(&args.output.output)?;
    let node = node(&args.node, Bounds::default(), context)?;
    let directory = state_dir(&args.node, context);
    let (kept, warning) = Kept::take(&directory, &*node.runtime, false)?;
    if let Some(warning) = &warning {
        printer.warning(warning);
    }
    let look = node.look(&clock::now(), &kept)?;
    for warning in &look.warnings {
        printer.warning(warning);
    }
    let row = look.find(&args.image)?;
    let report = Report { node: &node, look: &look, executed: None };
    let render = |format, color| match format {
        Format::Json => explain::render_json(&report, row),
        _ => explain::render(&report, row, style(&args.output, color)),
    };
    for output in outputs {
        output.file.write(&render(output.format, false))?;
    }
    Printer::result(&render(args.output.format.into(), printer.has_color()))?;
    Ok(Code::Done)
}
