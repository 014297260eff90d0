//! One file a command.

mod analyze;
mod baseline;
mod cache;
mod completions;
mod diff;
#[cfg(feature = "prune")]
mod explain;
mod gate;
#[cfg(feature = "prune")]
mod kubelet;
mod man;
#[cfg(feature = "prune")]
mod node;
#[cfg(feature = "engine")]
mod profile;
#[cfg(feature = "prune")]
mod prune;
mod rules;
#[cfg(feature = "prune")]
mod watch;
mod why;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jettison_analyzer::account::Account;
use jettison_analyzer::advice::file::GivenFile;
use jettison_analyzer::analyze::{BaseArgument, Options, analyze_beside};
use jettison_analyzer::facts::Facts;
use jettison_analyzer::facts::filesystem::Filesystem;
use jettison_analyzer::facts::profile::Profile;
use jettison_analyzer::progress::Shared;
use jettison_analyzer::report::briefing::Briefing;
use jettison_analyzer::report::{
    Detail, Style, csv, github, gitlab, junit, markdown, openmetrics, sarif,
};
use jettison_analyzer::source::OpenOptions;

use crate::args::{Args, Command, Format, GlobalArgs, OutputArgs, ReadArgs};
use crate::config::Config;
use crate::exit::{Code, UsageError};
use crate::output;
use crate::printer::Printer;
use crate::progress::Bars;
use crate::settings;

/// Runs what was asked for.
pub(crate) fn run(args: &Args, printer: Printer) -> anyhow::Result<Code> {
    let context = || Context::new(&args.global, printer);
    match &args.command {
        Command::Analyze(args) => analyze::run(args, &context()?),
        Command::Why(args) => why::run(args, &context()?),
        Command::Diff(args) => diff::run(args, &context()?),
        Command::Gate(args) => gate::run(args, &context()?),
        Command::Baseline(args) => baseline::run(args, &context()?),
        #[cfg(feature = "prune")]
        Command::Prune(args) => prune::run(args, &context()?),
        #[cfg(feature = "prune")]
        Command::Explain(args) => explain::run(args, &context()?),
        #[cfg(feature = "engine")]
        Command::Profile(args) => profile::run(args, &context()?),
        #[cfg(not(feature = "engine"))]
        Command::Profile(_) => {
            Err(jettison_analyzer::Error::NotBuilt("containers", "engine").into())
        }
        Command::Rules(args) => rules::run(args),
        Command::Cache(args) => cache::run(args),
        Command::Completions { shell } => completions::run(*shell),
        Command::Man => man::run(),
    }
}

/// What every command that reads images is given.
pub(crate) struct Context {
    pub(crate) printer: Printer,
    pub(crate) config: Config,
    /// The file that the configuration is from.
    pub(crate) config_path: Option<PathBuf>,
}

impl Context {
    fn new(args: &GlobalArgs, printer: Printer) -> anyhow::Result<Self> {
        let (config, path) = settings::config(args)?;
        if let Some(path) = &path {
            printer.note(&format!("settings of {}", path.display()));
        }
        Ok(Self { printer, config, config_path: path })
    }
}

/// Reads an image and says what was odd about it.
fn account(
    image: &str,
    base: Option<&str>,
    args: &ReadArgs,
    gather: bool,
    context: &Context,
) -> anyhow::Result<Account> {
    read(base, args, gather, context, |stdin, options| {
        Ok((jettison_analyzer::analyze::analyze(image, stdin, options)?, ()))
    })
    .map(|(account, ())| account)
}

/// The same, and what the image's files are for.
fn account_and_facts(
    image: &str,
    base: Option<&str>,
    args: &ReadArgs,
    profiles: &[PathBuf],
    context: &Context,
) -> anyhow::Result<(Account, Facts)> {
    let mut profile = Profile::default();
    for path in profiles {
        let bytes = fs_err::read(path).map_err(|error| UsageError(error.to_string()))?;
        profile.add(&path.display().to_string(), &bytes)?;
    }
    let given = (!profiles.is_empty()).then_some(&profile);
    let (account, facts) = read(base, args, true, context, |stdin, options| {
        analyze_beside(image, stdin, options, |account| {
            Facts::of(&Filesystem::new(account), given, options.jobs)
        })
    })?;
    let id = account.image.config_digest.to_string();
    for other in profile.images.iter().filter(|image| **image != id) {
        context.printer.warning(&format!("a profile is of the image {other}, not of {id}"));
    }
    let facts = facts?;
    for warning in &facts.warnings {
        context.printer.warning(warning);
    }
    Ok((account, facts))
}

/// Where an image is read from that stands on standard input.
type Stdin<'a> = &'a mut dyn FnMut() -> Box<dyn Read>;

/// Reads an image as `analyze` does, given what was asked for.
fn read<T>(
    base: Option<&str>,
    args: &ReadArgs,
    gather: bool,
    context: &Context,
    analyze: impl FnOnce(Stdin<'_>, &Options<'_>) -> jettison_analyzer::Result<(Account, T)>,
) -> anyhow::Result<(Account, T)> {
    let Context { printer, config, .. } = context;
    if base == Some("-") {
        let error = "--base -: the base cannot be on standard input: save it to a file";
        return Err(UsageError(error.to_owned()).into());
    }
    let bars = Arc::new(Bars::new(printer.shows_progress()));
    let cache = settings::cache(&args.cache, &config.analyze);
    let options = Options {
        open: OpenOptions {
            gather,
            progress: Shared(bars.clone()),
            ..settings::open_options(args, &config.analyze)
        },
        jobs: settings::jobs(args),
        verify: args.verify,
        base: base.map(|base| match base.parse() {
            Ok(layers) => BaseArgument::Count(layers),
            Err(_) => BaseArgument::Image(base.to_owned()),
        }),
        cache: cache.as_ref(),
    };
    let result = analyze(&mut || Box::new(std::io::stdin()), &options);
    bars.clear();
    let (account, told) = result?;
    for note in &account.image.notes {
        printer.note(note);
    }
    for warning in &account.warnings {
        printer.warning(warning);
    }
    Ok((account, told))
}

fn detail(args: &OutputArgs, config: &Config) -> Detail {
    let default = Detail::default();
    Detail {
        top: args.top.or(config.analyze.top).unwrap_or(default.top),
        min_bytes: args.min_bytes.or(config.analyze.min_bytes).unwrap_or(default.min_bytes),
        ..default
    }
}

/// Refuses formats that a command does not have; `has` are those that it does.
fn refuse_formats(command: &str, has: &[Format], args: &OutputArgs) -> anyhow::Result<()> {
    let mut asked = args.output.iter().map(|(format, _)| *format).chain([args.format]);
    let Some(format) = asked.find(|format| !has.contains(format)) else { return Ok(()) };
    let has: Vec<String> = has.iter().map(|format| format.name()).collect();
    let (name, has) = (format.name(), has.join(" and "));
    let error = format!("{name} is no format of jettison {command}: it has {has}");
    Err(UsageError(error).into())
}

/// Does the work and writes its result to standard output and to every output file.
fn report(
    args: &OutputArgs,
    context: &Context,
    render: impl FnOnce() -> anyhow::Result<Box<dyn Fn(Format, Style) -> Vec<u8>>>,
) -> anyhow::Result<Code> {
    let outputs = output::open(&args.output)?;
    let render = render()?;
    for output in outputs {
        let bytes = render(output.format, Style::default());
        output.file.write(&bytes)?;
    }
    Printer::result(&render(args.format, context.printer.style()))?;
    // The program ends here: an image's many parts are not handed back one by one.
    std::mem::forget(render);
    Ok(Code::Done)
}

/// A Dockerfile, and the `.dockerignore` that builders take for it.
fn given(path: &Path, target: Option<String>) -> anyhow::Result<GivenFile> {
    let text = fs_err::read_to_string(path)
        .map_err(|error| UsageError(format!("--dockerfile: {error}")))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let own = path.with_file_name(format!("{name}.dockerignore"));
    let shared = path.with_file_name(".dockerignore");
    let mut ignore = None;
    for path in [own, shared] {
        if path.is_file() {
            ignore =
                Some(fs_err::read_to_string(&path).map_err(|error| UsageError(error.to_string()))?);
            break;
        }
    }
    // Diffs are relative to where the user stands.
    let path = path.display().to_string();
    let path = path.trim_start_matches("./").to_owned();
    Ok(GivenFile { path, text, ignore, target })
}

/// A result in one of the formats: text, JSON and pages have documents of their own, all others
/// render one briefing.
fn document(
    format: Format,
    text: impl FnOnce() -> Vec<u8>,
    json: impl FnOnce() -> Vec<u8>,
    page: impl FnOnce() -> Vec<u8>,
    briefing: impl FnOnce() -> Briefing,
) -> Vec<u8> {
    match format {
        Format::Text => text(),
        Format::Json => json(),
        Format::Html => page(),
        Format::Markdown => markdown::render(&briefing()),
        Format::Github => github::render(&briefing()),
        Format::Sarif => sarif::render(&briefing()),
        Format::Gitlab => gitlab::render(&briefing()),
        Format::Openmetrics => openmetrics::render(&briefing()),
        Format::Junit => junit::render(&briefing()),
        Format::Csv => csv::render(&briefing()),
    }
}
