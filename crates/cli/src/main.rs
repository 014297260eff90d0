//! The jettison command. Arguments become settings, settings a command, a command an exit code.

use std::process::ExitCode;

use clap::Parser as _;

mod args;
#[cfg(feature = "prune")]
mod clock;
mod command;
mod config;
mod exit;
mod interrupt;
mod output;
mod printer;
mod progress;
mod settings;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return printer::Printer::usage(&error),
    };
    let printer = printer::Printer::new(&args.global);
    interrupt::install();
    match command::run(&args, printer) {
        Ok(code) => code.into(),
        Err(error) => {
            let code = exit::Code::of(&error);
            printer.error(&error);
            code.into()
        }
    }
}
