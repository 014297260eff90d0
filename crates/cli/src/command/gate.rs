//! `jettison gate`.

pub(super) mod before;
mod init;
pub(super) mod read;

use std::cell::Cell;

use jettison_analyzer::diff::diff;
use jettison_analyzer::gate::dive_ci::{self, DiveRules};
use jettison_analyzer::gate::gated::{Before, Candidate, Gated};
use jettison_analyzer::gate::{Against, Snapshot, Verdict};
use jettison_analyzer::report::model::gate::verdict;
use jettison_analyzer::report::{briefing, gate_text, html, json, model};

use crate::args::GateArgs;
use crate::command::{Context, detail, document, report};
use crate::exit::{Code, UsageError};
use crate::settings;

use before::Named;
use read::{Read, Reader};

pub(crate) fn run(args: &GateArgs, context: &Context) -> anyhow::Result<Code> {
    if args.init {
        return init::run(args, context);
    }
    if !args.against.is_empty() && args.against.len() != args.images.len() {
        let error = format!(
            "--against is given {} times, and there are {} images: each has to have its own",
            args.against.len(),
            args.images.len()
        );
        return Err(UsageError(error).into());
    }
    let judged = Cell::new(Verdict::Pass);
    report(&args.output, context, || {
        let all = gate(args, context)?;
        judged.set(verdict(&all));
        let detail = detail(&args.output, &context.config);
        let threshold = args.comment_threshold.get();
        Ok(Box::new(move |format, style| {
            document(
                format,
                || gate_text::render(&all, detail, style),
                || json::render(&model::gate(&all, detail)),
                || html::gate(&all, detail),
                || briefing::gate(&all, detail, threshold),
            )
        }))
    })?;
    Ok(if judged.get() == Verdict::Fail && !args.exit_zero { Code::Failed } else { Code::Done })
}

fn gate(args: &GateArgs, context: &Context) -> anyhow::Result<Vec<Gated>> {
    let mut reader = Reader::new(&args.of, &args.read, context)?;
    reader.asked.require_baseline |= args.require_baseline;
    if let Some(rules) = dive(args, context)? {
        reader.asked.budgets.extend(rules.budgets);
    }
    if reader.asked.budgets.is_empty() && reader.asked.denials.is_empty() {
        context
            .printer
            .warning("there are no budgets: nothing can fail (`jettison gate --init` writes some)");
    }
    let path = before::path(args.baseline.as_deref(), context);
    let named = path.filter(|_| args.against.is_empty()).map(Named::read).transpose()?;
    let mut all = Vec::new();
    for (at, word) in args.images.iter().enumerate() {
        for platform in reader.platforms(word)? {
            let read = reader.read(word, platform.as_ref())?;
            let ask = Ask { args, read: &read, update: update(args, word) };
            all.push(match (args.against.get(at), &named) {
                (Some(other), _) => ask.against_image(&reader, other)?,
                (None, Some(named)) => {
                    let platform = &read.account().image.config.platform.to_string();
                    let (found, against) = named.find(read.name(), platform)?;
                    let before = found.map(|one| Before { snapshot: one.clone(), image: None });
                    ask.judge(before, against)?
                }
                (None, None) => ask.judge(None, Against::Nothing)?,
            });
        }
    }
    Ok(all)
}

/// Reads the rules of dive's gate, where they were named.
fn dive(args: &GateArgs, context: &Context) -> anyhow::Result<Option<DiveRules>> {
    let Some(path) = &args.dive_config else { return Ok(None) };
    let text = fs_err::read_to_string(path).map_err(|error| UsageError(error.to_string()))?;
    let name = path.display().to_string();
    let rules =
        dive_ci::parse(&name, &text).map_err(|error| UsageError(format!("{name}: {error}")))?;
    for note in &rules.notes {
        context.printer.warning(&format!("{name}: {note}"));
    }
    Ok(Some(rules))
}

/// The command that notes the present state of an image.
fn update(args: &GateArgs, word: &str) -> String {
    let baseline = args.baseline.as_ref().map(|path| format!(" --baseline {}", path.display()));
    format!("jettison baseline update {word}{}", baseline.unwrap_or_default())
}

/// One image, and how it is to be judged.
struct Ask<'a> {
    args: &'a GateArgs,
    read: &'a Read<'a>,
    update: String,
}

impl Ask<'_> {
    fn against_image(self, reader: &Reader<'_>, other: &str) -> anyhow::Result<Gated> {
        let Some(old) = reader.other(other, self.read)? else {
            return self.judge(None, Against::Missing(other.to_owned()));
        };
        let diff = diff(old.account(), self.read.account(), settings::jobs(&self.args.read))?;
        // The commit that was given is the new image's.
        let snapshot = Snapshot { commit: None, ..old.snapshot() };
        let before = Before { snapshot, image: Some((old.side(), &diff)) };
        self.judge(Some(before), Against::Image(old.account().image.origin.to_string()))
    }

    fn judge(self, before: Option<Before<'_>>, against: Against) -> anyhow::Result<Gated> {
        let Self { args, read, update } = self;
        let candidate = Candidate {
            side: read.side(),
            snapshot: read.snapshot(),
            findings: read.findings(),
            built_by: read.built_by()?,
            update,
        };
        let accepted = args.allow_increase.as_deref();
        Ok(Gated::of(candidate, before, against, read.asked(), accepted)?)
    }
}
