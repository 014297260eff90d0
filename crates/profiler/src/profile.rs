//! A run, watched from its start to its end.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bollard::container::LogOutput;
use futures_util::StreamExt as _;
use jettison_engine::Endpoint;

use crate::container::{Containers, Inspected};
use crate::error::{Error, Result};
use crate::fanotify::Queue;
use crate::process::mapped_with;
use crate::recording::Recording;
use crate::watch::{Seen, Target, Watch};

/// What is watched.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A container that is there, by name or ID. It is started where it does not run, and left as
    /// it is at the end.
    Container(String),
    /// An image, in a container that is made for it and removed at the end.
    Image(String, NewContainer),
}

/// How a container is made.
#[derive(Clone, Debug, Default)]
pub struct NewContainer {
    /// Takes the place of the image's own `CMD`; empty keeps that.
    pub command: Vec<String>,
    /// `NAME=VALUE`, beside the image's own.
    pub env: Vec<String>,
    /// The engine's name for a network; `None` for its default.
    pub network: Option<String>,
}

/// What to watch, and for how long.
#[derive(Clone, Debug)]
pub struct Request {
    /// The engine that runs the container.
    pub endpoint: Endpoint,
    /// The container.
    pub subject: Subject,
    /// The longest time, from the start; `None` until the container ends.
    pub time: Option<Duration>,
}

/// Where a container printed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// On its standard output.
    Out,
    /// On its standard error.
    Error,
}

/// What is given what a container prints.
pub type Print<'a> = &'a mut dyn FnMut(Stream, &[u8]);

/// How often it is looked whether the run is to end.
const TICK: Duration = Duration::from_millis(50);

/// Watches until the container ends, the time is over, or `end` is set. What a container that was
/// made for this prints goes to `print`.
///
/// The recording may be incomplete where the kernel lost events; it says so.
pub fn profile(request: &Request, end: &AtomicBool, print: Print<'_>) -> Result<Recording> {
    // Before anything is made: whoever may not watch leaves no container behind.
    let queue = Queue::open()?;
    let containers = Containers::at(&request.endpoint)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Io { path: PathBuf::from("the asynchronous runtime"), error })?;
    runtime.block_on(async {
        match &request.subject {
            Subject::Container(name) => {
                let inspected = containers.inspect(name).await?;
                Run { containers: &containers, name, end, time: request.time }
                    .watch(queue, &inspected, None)
                    .await
            }
            Subject::Image(image, new) => {
                let id = containers.create(image, new).await?;
                let watched = async {
                    let inspected = containers.inspect(&id).await?;
                    Run { containers: &containers, name: image, end, time: request.time }
                        .watch(queue, &inspected, Some(print))
                        .await
                };
                let watched = watched.await;
                let removed = containers.remove(&id).await;
                let recording = watched?;
                removed?;
                Ok(recording)
            }
        }
    })
}

struct Run<'a> {
    containers: &'a Containers,
    name: &'a str,
    end: &'a AtomicBool,
    time: Option<Duration>,
}

impl Run<'_> {
    /// A container with a `print` is ours: what it prints goes there, and it is stopped at the end.
    async fn watch(
        self,
        queue: Queue,
        inspected: &Inspected,
        print: Option<Print<'_>>,
    ) -> Result<Recording> {
        let id = &inspected.id;
        let watch = Watch::begin(queue, self.target(inspected)?)?;
        if inspected.pid.is_some() && !watch.is_marked() {
            return Err(self.unwatchable(format!(
                "its root file system is not an overlay that can be seen from here (its storage \
                 driver is {:?}): expected overlay2, or podman's overlay",
                inspected.driver
            )));
        }
        let mapped = inspected.pid.map(mapped_with);
        let mut first = None;
        if inspected.pid.is_none() {
            self.containers.start(id, self.name).await?;
            // `None` where it has ended already: podman then tells a state that Docker does not know.
            first = self.containers.inspect(id).await.ok().and_then(|inspected| inspected.pid);
        }
        let is_ours = print.is_some();
        let end = self.until_end(id, &watch, print).await?;
        if is_ours && end == End::Early {
            // Watched to its end: what it opens while it shuts down is used, too.
            self.containers.stop(id).await?;
        }
        let exit_code = match end {
            End::Own(code) => code,
            // One that is stopped for this ends with what the signal makes of it.
            End::Early => None,
        };
        let Seen { mut recording, executors } = watch.end()?;
        let is_first_seen = first
            .and_then(|first| i32::try_from(first).ok())
            .map_or(!executors.is_empty(), |first| executors.contains(&first));
        recording.exit_code = exit_code;
        recording.image.clone_from(&inspected.image);
        recording.from_start = mapped.is_none();
        if let Some(mapped) = mapped {
            recording.opened.extend(mapped.executed.iter().cloned());
            recording.executed.extend(mapped.executed);
            recording.opened.extend(mapped.opened);
        } else if !is_first_seen || recording.executed.is_empty() {
            return Err(Error::StartMissed(self.name.to_owned()));
        }
        Ok(recording)
    }

    fn target(&self, inspected: &Inspected) -> Result<Target> {
        let root = inspected.pid.map(|pid| PathBuf::from(format!("/proc/{pid}/root")));
        let is_overlay = inspected.driver.starts_with("overlay");
        match &inspected.merged {
            Some(merged) if is_overlay => {
                Ok(Target { merged: merged.clone(), root, lower: inspected.lower.clone() })
            }
            _ => Err(self.unwatchable(format!(
                "its root file system is kept by the storage driver {:?}, which gives containers \
                 no file system of their own: expected overlay2, or podman's overlay",
                inspected.driver
            ))),
        }
    }

    fn unwatchable(&self, because: String) -> Error {
        Error::Unwatchable { container: self.name.to_owned(), because }
    }

    /// Waits for the end of the container, of the time, or of the patience of the user.
    async fn until_end(
        &self,
        id: &str,
        watch: &Watch,
        mut print: Option<Print<'_>>,
    ) -> Result<End> {
        let mut output = std::pin::pin!(self.containers.output(id).fuse());
        let mut ended = std::pin::pin!(self.containers.wait(id));
        let deadline = self.time.map(|time| tokio::time::Instant::now() + time);
        let mut tick = tokio::time::interval(TICK);
        let mut prints = print.is_some();
        let code = loop {
            tokio::select! {
                piece = output.next(), if prints => match piece {
                    Some(Ok(piece)) => {
                        if let Some(print) = print.as_mut() {
                            pass_on(&piece, print);
                        }
                    }
                    // An engine that keeps no logs has nothing to pass on.
                    Some(Err(_)) | None => prints = false,
                },
                result = &mut ended => break result?,
                _ = tick.tick() => {
                    let is_over = deadline.is_some_and(|at| tokio::time::Instant::now() >= at);
                    if is_over || self.end.load(Ordering::Relaxed) || watch.has_failed() {
                        return Ok(End::Early);
                    }
                }
            }
        };
        // What it printed last may still be on its way.
        while let (true, Ok(Some(Ok(piece)))) =
            (prints, tokio::time::timeout(TICK * 20, output.next()).await)
        {
            if let Some(print) = print.as_mut() {
                pass_on(&piece, print);
            }
        }
        Ok(End::Own(code))
    }
}

/// How the watching ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With the container, whose command ended with this.
    Own(Option<i64>),
    /// Before it: the time was over, or somebody wanted no more.
    Early,
}

fn pass_on(piece: &LogOutput, print: &mut dyn FnMut(Stream, &[u8])) {
    match piece {
        LogOutput::StdErr { message } => print(Stream::Error, message),
        LogOutput::StdOut { message } | LogOutput::Console { message } => {
            print(Stream::Out, message);
        }
        LogOutput::StdIn { .. } => {}
    }
}
