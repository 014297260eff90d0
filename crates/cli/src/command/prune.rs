//! `jettison prune`.

use std::time::Instant;

use jettison_oci::Bytes;
use jettison_oci::count::counted;
use jettison_pruner::execute::{Executed, Means, execute};
use jettison_pruner::prune::{Kept, Look, Node};
use jettison_pruner::report::{Report, model, text};

use crate::args::{Format, NodeFormat, PruneArgs};
use crate::clock;
use crate::command::Context;
use crate::command::node::{bounds, node, state_dir, style};
use crate::command::{kubelet, watch};
use crate::exit::Code;
use crate::interrupt;
use crate::output;
use crate::printer::Printer;

/// What is to be done with a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intent {
    /// Show it.
    Show,
    /// Show it and ask.
    Ask,
    /// Carry it out.
    Execute,
}

pub(crate) fn run(args: &PruneArgs, context: &Context) -> anyhow::Result<Code> {
    if let Some(path) = &args.advise_kubelet {
        return kubelet::run(path, args, context);
    }
    if args.watch.watch {
        return watch::run(args, context);
    }
    let printer = context.printer;
    let intent = intent(args);
    let outputs = output::open(&args.output.output)?;
    let node = node(&args.node, bounds(args, context), context)?;
    let directory = state_dir(&args.node, context);
    let must_write = args.observe || intent == Intent::Execute;
    let (kept, warning) = Kept::take(&directory, &*node.runtime, must_write)?;
    let is_remembered = warning.is_none();
    if let Some(warning) = &warning {
        printer.warning(warning);
    }
    let mut look = node.look(&clock::now(), &kept)?;
    for warning in &look.warnings {
        printer.warning(warning);
    }
    if args.observe {
        let history = &look.history;
        printer.done(&format!(
            "{} looked at; the history has {} since {}",
            counted(look.inventory.images.len(), "image"),
            counted(usize::try_from(history.last.number).unwrap_or(usize::MAX), "look"),
            history.since
        ));
        return Ok(Code::Done);
    }
    let has_work = look.plan.removals().next().is_some();
    let wants = match intent {
        Intent::Execute => has_work,
        Intent::Ask if has_work && is_remembered => {
            Printer::result(&render(Format::Text, args, &node, &look, None, printer))?;
            ask(&look)?
        }
        Intent::Ask if has_work => {
            printer.warning("nothing is removed: what is removed has to be remembered");
            false
        }
        Intent::Ask | Intent::Show => false,
    };
    let executed = if wants {
        Some(carry_out(args, &node, &mut look, &kept, context))
    } else {
        if has_work && intent == Intent::Show && !args.dry_run {
            printer.warning(
                "nothing is removed: this is no terminal to ask on, and --yes was not given",
            );
        }
        None
    };
    for output in outputs {
        let bytes = render(output.format, args, &node, &look, executed.as_ref(), printer);
        output.file.write(&bytes)?;
    }
    // What was shown before the question needs no repeating.
    if executed.is_some() || intent != Intent::Ask || !has_work || !is_remembered {
        let format = args.output.format.into();
        Printer::result(&render(format, args, &node, &look, executed.as_ref(), printer))?;
    }
    Ok(executed.map_or(Code::Done, |executed| code(&executed)))
}

fn intent(args: &PruneArgs) -> Intent {
    if args.dry_run {
        Intent::Show
    } else if args.yes {
        Intent::Execute
    } else if args.output.format == NodeFormat::Text && Printer::can_ask() {
        Intent::Ask
    } else {
        Intent::Show
    }
}

fn ask(look: &Look) -> anyhow::Result<bool> {
    let count = counted(look.plan.removals().count(), "image");
    let bytes = Bytes(look.plan.predicted().bytes());
    Printer::ask(&format!("Remove {count}, {bytes}?"))
}

fn carry_out(
    args: &PruneArgs,
    node: &Node,
    look: &mut Look,
    kept: &Kept,
    context: &Context,
) -> Executed {
    let printer = context.printer;
    let begun = Instant::now();
    let timeout = args.timeout.or(context.config.prune.timeout);
    let means = Means {
        runtime: &*node.runtime,
        outlook: &*node.outlook,
        outside: &look.outside,
        keep: &node.keep,
        policy: &node.policy,
        storage: &look.inventory.storage,
        stop: interrupt::gently(),
        is_over: &|| timeout.is_some_and(|timeout| begun.elapsed() >= timeout),
        save: &|history| kept.save(history),
        warn: &|text| printer.warning(text),
    };
    execute(&look.plan, &mut look.history, &means, &mut |row, outcome| {
        printer.note(&format!("{}: {}", row.image.name(), outcome.code()));
    })
}

fn render(
    format: Format,
    args: &PruneArgs,
    node: &Node,
    look: &Look,
    executed: Option<&Executed>,
    printer: Printer,
) -> Vec<u8> {
    let report = Report { node, look, executed };
    match format {
        Format::Json => model::Document::of(&report).render(),
        _ => text::render(&report, style(&args.output, printer.has_color())),
    }
}

fn code(executed: &Executed) -> Code {
    let has_lost_sight = executed.has_lost_sight();
    if executed.has_failed() || (has_lost_sight && executed.removed() > 0) {
        Code::Failed
    } else if has_lost_sight {
        Code::Refused
    } else {
        Code::Done
    }
}
