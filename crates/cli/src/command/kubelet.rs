//! `jettison prune --advise-kubelet`: no runtime and no kubelet is asked, only a file is read.

use std::io::Read;
use std::path::Path;

use anyhow::Context as _;
use jettison_pruner::Error;
use jettison_pruner::kubelet::configuration::SIZE_MAX;
use jettison_pruner::kubelet::report::Report;
use jettison_pruner::kubelet::{Configuration, Intent, advise};
use jettison_pruner::policy::Bounds;
use jettison_pruner::watch::Thresholds;

use crate::args::{Format, PruneArgs};
use crate::command::Context;
use crate::command::node::{policy, style, thresholds};
use crate::exit::{Code, UsageError};
use crate::output;
use crate::printer::Printer;

pub(crate) fn run(path: &Path, args: &PruneArgs, context: &Context) -> anyhow::Result<Code> {
    let outputs = output::open(&args.output.output)?;
    let name = path.to_string_lossy();
    if name.contains("://") {
        return Err(UsageError(format!(
            "--advise-kubelet {name}: a file is read, and no kubelet is asked, as that takes a \
             right to everything on its node. Save its answer: kubectl get --raw \
             /api/v1/nodes/NODE/proxy/configz >configz.json"
        ))
        .into());
    }
    let source = if name == "-" { "standard input" } else { &*name };
    let configuration = Configuration::read(&bytes(path)?).with_context(|| source.to_owned())?;
    let policy = policy(&args.node, Bounds::default(), context);
    let intent = Intent {
        older_than: policy.older_than,
        min_age: policy.min_age,
        thresholds: thresholds(args, context)?.map(Thresholds::percent),
    };
    let advice = advise(&configuration, &intent);
    let report = Report { source, configuration: &configuration, intent: &intent, advice: &advice };
    let render = |format, color| match format {
        Format::Json => report.json(),
        _ => report.text(style(&args.output, color)),
    };
    for output in outputs {
        output.file.write(&render(output.format, false))?;
    }
    Printer::result(&render(args.output.format.into(), context.printer.has_color()))?;
    Ok(Code::Done)
}

/// The file, or standard input; one byte more than is ever taken, so that a longer one is noticed.
fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let unreadable = |error: std::io::Error| Error::Unreadable(error.to_string());
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(fs_err::File::open(path).map_err(unreadable)?)
    };
    source.take(SIZE_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}
