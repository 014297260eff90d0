//! `jettison man`: one page with every command, so that one file is all there is to install.

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::args::Args;
use crate::exit::Code;
use crate::printer::Printer;

pub(crate) fn run() -> anyhow::Result<Code> {
    let mut command = Args::command();
    command.build();
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let heading = format!("jettison {}", sub.get_name()).to_uppercase();
        page.extend(format!(".SH \"{heading}\"\n").into_bytes());
        let sub = Man::new(sub.clone());
        sub.render_description_section(&mut page)?;
        sub.render_options_section(&mut page)?;
        sub.render_extra_section(&mut page)?;
    }
    Printer::result(&page)?;
    Ok(Code::Done)
}
