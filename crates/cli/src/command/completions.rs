//! `jettison completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Args;
use crate::exit::Code;
use crate::printer::Printer;

pub(crate) fn run(shell: Shell) -> anyhow::Result<Code> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "jettison", &mut script);
    Printer::result(&script)?;
    Ok(Code::Done)
}
