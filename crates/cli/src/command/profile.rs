//! `jettison profile`.

use anyhow::bail;
use jettison_analyzer::facts::profile::{Document, Run};
use jettison_analyzer::report::json;
use jettison_engine::Endpoint;
use jettison_profiler::{NewContainer, Recording, Request, Stream, Subject, profile};

use crate::args::{Format, ProfileArgs};
use crate::command::Context;
use crate::exit::{Code, UsageError};
use crate::output;
use crate::printer::Printer;
use crate::{interrupt, settings};

pub(crate) fn run(args: &ProfileArgs, context: &Context) -> anyhow::Result<Code> {
    let outputs: Vec<_> = args.output.iter().map(|path| (Format::Json, path.clone())).collect();
    let outputs = output::open(&outputs)?;
    let request = request(args)?;
    // What the container prints must not mix with the profile.
    let has_stdout = !outputs.is_empty();
    let mut print = |stream, bytes: &[u8]| {
        Printer::pass_on(bytes, has_stdout && stream == Stream::Out);
    };
    let recording = profile(&request, interrupt::gently(), &mut print)?;
    say(&recording, context);
    let document = json::render(&document(&recording));
    if outputs.is_empty() {
        Printer::result(&document)?;
    }
    for output in outputs {
        output.file.write(&document)?;
    }
    if !recording.complete {
        bail!(
            "events were lost: the profile is marked incomplete and will be refused; make it again"
        );
    }
    Ok(Code::Done)
}

fn request(args: &ProfileArgs) -> anyhow::Result<Request> {
    let (docker, podman) = (settings::docker_host(), settings::podman_host());
    let Some(endpoint) = Endpoint::choose(docker.as_deref(), podman.as_deref())? else {
        bail!("no engine runs here: start Docker, or say where it listens with DOCKER_HOST");
    };
    let subject = match (&args.container, &args.image) {
        (Some(name), _) => Subject::Container(name.clone()),
        (None, Some(image)) => {
            let image = image.strip_prefix("docker-daemon:").unwrap_or(image);
            let new = NewContainer {
                command: args.command.clone(),
                env: args.env.clone(),
                network: args.network.clone(),
            };
            Subject::Image(image.to_owned(), new)
        }
        (None, None) => return Err(UsageError("expected an image or --container".into()).into()),
    };
    Ok(Request { endpoint, subject, time: args.time })
}

fn say(recording: &Recording, context: &Context) {
    let printer = context.printer;
    if let Some(code) = recording.exit_code.filter(|code| *code != 0) {
        printer.warning(&format!(
            "the container's command ended with {code}: a run that fails shows less than one that \
             does not"
        ));
    }
    if !recording.from_start {
        printer.warning(
            "the container ran already: what it opened and closed before is not in the profile",
        );
    }
    printer.done(&format!(
        "{} files of the image opened, {} of them executed; {} times a file that is not of the \
         image was opened",
        recording.opened.len(),
        recording.executed.len(),
        recording.others
    ));
}

fn document(recording: &Recording) -> Document {
    Document::from(Run {
        image: Some(recording.image.as_str()).filter(|image| !image.is_empty()),
        complete: recording.complete,
        from_start: recording.from_start,
        exit_code: recording.exit_code,
        executed: &recording.executed,
        opened: &recording.opened,
    })
}
