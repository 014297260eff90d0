//! `jettison baseline`.

use std::path::PathBuf;

use jettison_analyzer::gate::baseline::Update;
use jettison_analyzer::gate::snapshot::Accepted;
use jettison_analyzer::gate::{Baseline, Snapshot};
use jettison_oci::Bytes;

use crate::args::{BaselineArgs, BaselineCommand, BaselineUpdateArgs};
use crate::command::Context;
use crate::command::gate::before::{DEFAULT, Named, path};
use crate::command::gate::read::Reader;
use crate::exit::{Code, UsageError};
use crate::output::OutputFile;
use crate::printer::Printer;

pub(crate) fn run(args: &BaselineArgs, context: &Context) -> anyhow::Result<Code> {
    match &args.command {
        BaselineCommand::Update(args) => update(args, context),
    }
}

fn update(args: &BaselineUpdateArgs, context: &Context) -> anyhow::Result<Code> {
    let path = path(args.baseline.as_deref(), context).unwrap_or_else(|| PathBuf::from(DEFAULT));
    let named = Named::read(path.clone())?;
    let mut baseline = named.baseline.unwrap_or_default();
    let words = if args.images.is_empty() { all(&baseline) } else { args.images.clone() };
    if words.is_empty() {
        let error = format!("{} has no image yet: name one", path.display());
        return Err(UsageError(error).into());
    }
    let file = OutputFile::open("--baseline", &path)?;
    let reader = Reader::new(&args.of, &args.read, context)?;
    let mut told = String::new();
    for word in &words {
        for platform in reader.platforms(word)? {
            let read = reader.read(word, platform.as_ref())?;
            let mut snapshot = read.snapshot();
            snapshot.accepted =
                args.allow_increase.as_ref().map(|reason| Accepted { reason: reason.clone() });
            told.push_str(&tell(&mut baseline, snapshot, |metric| read.asked().tolerance(metric)));
        }
    }
    // The images are the file's, all else is this program's.
    let baseline = Baseline { images: baseline.images, ..Baseline::default() };
    file.write(&baseline.render())?;
    Printer::result(told.as_bytes())?;
    Ok(Code::Done)
}

/// The images of a baseline, each once.
fn all(baseline: &Baseline) -> Vec<String> {
    let mut words: Vec<String> = baseline.images.iter().map(|one| one.image.clone()).collect();
    words.dedup();
    words
}

fn tell(
    baseline: &mut Baseline,
    new: Snapshot,
    tolerance: impl Fn(jettison_analyzer::gate::Metric) -> u64,
) -> String {
    let effective = |one: &Snapshot| {
        let metric =
            jettison_analyzer::gate::Metric::whole(jettison_analyzer::gate::Measure::Effective);
        Bytes(one.metrics.get(&metric).copied().unwrap_or(0))
    };
    let (image, platform, now) = (new.image.clone(), new.platform.clone(), effective(&new));
    let was = baseline.find(&image, &platform).map(effective);
    let word = match (baseline.update(new, tolerance), was) {
        (Update::Kept, _) => "kept".to_owned(),
        (Update::Moved, Some(was)) => format!("moved from {was}"),
        (Update::Moved, None) | (Update::Added, _) => "added".to_owned(),
    };
    format!("{image} ({platform}): {now}, {word}\n")
}
