//! The one door to standard output and standard error. Results go to the former, everything else
//! to the latter, and no byte of an image reaches a terminal as a control character.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use jettison_analyzer::report::Style;
use jettison_oci::escape;

use crate::args::{GlobalArgs, LogFormat, When};
use crate::settings;

/// Prints as the global flags say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    quiet: bool,
    verbose: bool,
    progress: bool,
    color: When,
    log_format: LogFormat,
}

impl Printer {
    pub(crate) fn new(args: &GlobalArgs) -> Self {
        Self {
            quiet: args.quiet,
            verbose: args.verbose,
            progress: !args.quiet && !args.no_progress && args.log_format == LogFormat::Text,
            color: args.color,
            log_format: args.log_format,
        }
    }

    /// How text on standard output is styled.
    pub(crate) fn style(self) -> Style {
        Style { color: self.has_color(), ..Style::default() }
    }

    /// Whether text on standard output has colours.
    pub(crate) fn has_color(self) -> bool {
        match self.color {
            When::Always => true,
            When::Never => false,
            When::Auto => io::stdout().is_terminal() && !settings::no_color(),
        }
    }

    /// Whether somebody is there to answer a question.
    #[cfg(feature = "prune")]
    pub(crate) fn can_ask() -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Asks a question that only a plain yes says yes to.
    #[cfg(feature = "prune")]
    pub(crate) fn ask(question: &str) -> anyhow::Result<bool> {
        let mut out = io::stdout().lock();
        write!(out, "\n{} [y/N] ", escape::line(question))?;
        out.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Whether progress may be shown, which takes a terminal.
    pub(crate) fn shows_progress(self) -> bool {
        self.progress && io::stderr().is_terminal()
    }

    /// Prints a result. A reader that went away has had enough, which is no error.
    pub(crate) fn result(bytes: &[u8]) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(anyhow::Error::new(error).context("standard output")),
            Ok(()) => Ok(()),
        }
    }

    /// Says how something was done, to those who asked for it.
    pub(crate) fn note(self, text: &str) {
        if self.verbose {
            self.message("note", text);
        }
    }

    /// Says what was done.
    #[cfg(any(feature = "engine", feature = "prune"))]
    pub(crate) fn done(self, text: &str) {
        if !self.quiet {
            self.message("done", text);
        }
    }

    /// Says what is odd.
    pub(crate) fn warning(self, text: &str) {
        if !self.quiet {
            self.message("warning", text);
        }
    }

    /// Says what is wrong with the command line, or prints the help or version that it asks for.
    /// How messages are to be written is not known yet, so the words are looked through for it.
    pub(crate) fn usage(error: &clap::Error) -> ExitCode {
        let words: Vec<_> = std::env::args_os().collect();
        let json = words.windows(2).any(|pair| pair[0] == "--log-format" && pair[1] == "json")
            || words.iter().any(|word| word == "--log-format=json");
        let odd = words.iter().find(|word| word.to_str().is_none());
        if let Some(odd) = odd.filter(|_| error.kind() == clap::error::ErrorKind::InvalidUtf8) {
            let format = if json { LogFormat::Json } else { LogFormat::Text };
            let because = "is not UTF-8, as arguments have to be: give the file another name, or \
                           hand it over as standard input (jettison analyze - <FILE)";
            Self::line(format, "error", &format!("\"{}\" {because}", odd.display()));
        } else if error.use_stderr() && json {
            Self::line(LogFormat::Json, "error", error.to_string().trim_end());
        } else {
            // Where nobody listens, there is nobody to tell.
            let _ = error.print();
        }
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    }

    /// Says why the run ends.
    pub(crate) fn error(self, error: &anyhow::Error) {
        self.message("error", &format!("{error:#}"));
    }

    #[cfg(feature = "engine")]
    /// Passes on what a container prints: as it is, but not to a terminal.
    pub(crate) fn pass_on(bytes: &[u8], to_stdout: bool) {
        let write = |out: &mut dyn io::Write, is_terminal: bool| {
            let _ = if is_terminal {
                let text = String::from_utf8_lossy(bytes);
                out.write_all(escape::lines(&text).as_bytes())
            } else {
                out.write_all(bytes)
            };
            let _ = out.flush();
        };
        if to_stdout {
            write(&mut io::stdout().lock(), io::stdout().is_terminal());
        } else {
            write(&mut io::stderr().lock(), io::stderr().is_terminal());
        }
    }

    /// Says what a watch does: as a JSON object a line with the time, or as sentences.
    #[cfg(feature = "prune")]
    pub(crate) fn event(self, event: &jettison_pruner::watch::Event<'_>) {
        use jettison_pruner::watch::Level;
        let (level, is_shown) = match event.level {
            Level::Debug => ("note", self.verbose),
            Level::Info => ("info", !self.quiet),
            Level::Warning => ("warning", !self.quiet),
            Level::Error => ("error", true),
        };
        if !is_shown {
            return;
        }
        if self.log_format == LogFormat::Text {
            self.message(level, &event.message);
            return;
        }
        let time = crate::clock::now().wall;
        let mut line = serde_json::json!({ "time": time.to_string() });
        if let (Some(line), Ok(serde_json::Value::Object(fields))) =
            (line.as_object_mut(), serde_json::to_value(event))
        {
            line.extend(fields);
        }
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    fn message(self, level: &str, text: &str) {
        Self::line(self.log_format, level, text);
    }

    fn line(format: LogFormat, level: &str, text: &str) {
        let line = match format {
            LogFormat::Text => format!("jettison: {level}: {}\n", escape::lines(text)),
            LogFormat::Json => {
                format!(
                    "{}\n",
                    serde_json::json!({ "level": level, "message": escape::lines(text) })
                )
            }
        };
        // Where standard error is gone, there is nobody to tell.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }
}
