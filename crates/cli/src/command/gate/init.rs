//! `jettison gate --init`: settings to start with.

use std::path::PathBuf;

use jettison_analyzer::gate::init::settings;

use crate::args::GateArgs;
use crate::command::Context;
use crate::command::gate::before::DEFAULT;
use crate::command::gate::dive;
use crate::command::gate::read::Reader;
use crate::exit::{Code, UsageError};
use crate::output::OutputFile;
use crate::printer::Printer;

/// Where settings are written.
const FILE: &str = "jettison.toml";

pub(super) fn run(args: &GateArgs, context: &Context) -> anyhow::Result<Code> {
    let path = context.config_path.clone().unwrap_or_else(|| PathBuf::from(FILE));
    if path.exists() {
        let error = format!(
            "{} is there already: --init overwrites nothing (move it away, or name another with \
             --config)",
            path.display()
        );
        return Err(UsageError(error).into());
    }
    let dive = dive(args, context)?;
    let file = OutputFile::open("--init", &path)?;
    let reader = Reader::new(&args.of, &args.read, context)?;
    let mut images = Vec::new();
    for word in &args.images {
        for platform in reader.platforms(word)? {
            images.push(reader.read(word, platform.as_ref())?.snapshot());
        }
    }
    let text = settings(&images, dive.as_ref(), DEFAULT);
    file.write(text.as_bytes())?;
    Printer::result(
        format!(
            "{} is written. Next: `jettison baseline update {}`, and commit both.\n",
            path.display(),
            args.images.join(" ")
        )
        .as_bytes(),
    )?;
    Ok(Code::Done)
}
