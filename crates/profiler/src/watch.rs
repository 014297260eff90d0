//! The thread that watches: it marks the container's file system as soon as it is mounted, and
//! reads what is opened on it.

use std::collections::HashSet;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use fs_err::File;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::error::{Error, Result};
use crate::fanotify::{Event, Opened, Queue};
use crate::lower::Lower;
use crate::mounts::{Overlay, overlay_at};
use crate::recording::{Recording, container_path, without_deleted};

/// How long the end of a run may go unnoticed, in milliseconds.
const PATIENCE: u16 = 50;
const MOUNTINFO: &str = "/proc/self/mountinfo";

/// A container's root file system, and how to tell what is the image's in it.
pub(crate) struct Target {
    /// Where it is mounted, or will be.
    pub(crate) merged: PathBuf,
    /// A way to it that is mounted already, where `merged` cannot be seen from here.
    pub(crate) root: Option<PathBuf>,
    /// The directories of the image's layers, top first.
    pub(crate) lower: Vec<PathBuf>,
}

/// What a thread saw.
pub(crate) struct Seen {
    pub(crate) recording: Recording,
    /// Processes that executed something on the file system, by ID.
    pub(crate) executors: HashSet<i32>,
}

/// A thread that watches.
pub(crate) struct Watch {
    is_marked: bool,
    thread: Option<JoinHandle<Result<Seen>>>,
    end: Arc<AtomicBool>,
}

impl Watch {
    /// Begins, and returns when whatever is mounted from now on is seen.
    pub(crate) fn begin(queue: Queue, target: Target) -> Result<Self> {
        let end = Arc::new(AtomicBool::new(false));
        let (ready, began) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("jettison-watch".to_owned())
            .spawn({
                let end = end.clone();
                move || {
                    let mut watcher = Watcher::new(queue, target)?;
                    watcher.look_for_mount()?;
                    let _ = ready.send(watcher.is_marked());
                    watcher.watch(&end)
                }
            })
            .map_err(|error| Error::Io { path: MOUNTINFO.into(), error })?;
        match began.recv() {
            Ok(is_marked) => Ok(Self { is_marked, thread: Some(thread), end }),
            // The thread has ended with an error.
            Err(_) => Err(joined(thread).err().unwrap_or(Error::Fanotify(nix::Error::EIO))),
        }
    }

    /// Whether the file system was mounted, and is marked, from the beginning.
    pub(crate) const fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// Whether the thread has ended by itself, which it does for an error only.
    pub(crate) fn has_failed(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends it once the queue is empty.
    pub(crate) fn end(mut self) -> Result<Seen> {
        self.end.store(true, Ordering::Relaxed);
        self.thread.take().map_or(Err(Error::Fanotify(nix::Error::EIO)), joined)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

fn joined(thread: JoinHandle<Result<Seen>>) -> Result<Seen> {
    thread.join().unwrap_or(Err(Error::Fanotify(nix::Error::EIO)))
}

struct Watcher {
    queue: Queue,
    target: Target,
    lower: Option<Lower>,
    mountinfo: File,
    /// The overlays that are marked: a container that is started again gets a new one.
    marked: HashSet<Overlay>,
    root_marked: bool,
    own: i32,
    seen: Seen,
}

impl Watcher {
    fn new(queue: Queue, target: Target) -> Result<Self> {
        let mountinfo = File::open(MOUNTINFO).map_err(mountinfo_failed)?;
        Ok(Self {
            lower: Lower::open(&target.lower),
            queue,
            target,
            mountinfo,
            marked: HashSet::new(),
            root_marked: false,
            own: i32::try_from(std::process::id()).unwrap_or(-1),
            seen: Seen {
                recording: Recording { complete: true, ..Recording::default() },
                executors: HashSet::new(),
            },
        })
    }

    fn is_marked(&self) -> bool {
        self.root_marked || !self.marked.is_empty()
    }

    /// Marks the container's root where it is mounted and not marked yet.
    fn look_for_mount(&mut self) -> Result<()> {
        let mut text = Vec::new();
        self.mountinfo.seek(SeekFrom::Start(0)).map_err(mountinfo_failed)?;
        self.mountinfo.read_to_end(&mut text).map_err(mountinfo_failed)?;
        if let Some(overlay) = overlay_at(&text, &self.target.merged) {
            if !self.marked.contains(&overlay) && self.mark(&self.target.merged)? {
                self.marked.insert(overlay);
            }
        } else if let Some(root) = self.target.root.take() {
            self.root_marked = self.mark(&root)?;
        }
        Ok(())
    }

    /// Whether it could be marked: what is unmounted at this moment cannot.
    fn mark(&self, path: &Path) -> Result<bool> {
        match self.queue.mark(path) {
            Ok(()) => Ok(true),
            Err(nix::Error::ENOENT | nix::Error::ENOTDIR) => Ok(false),
            Err(error) => Err(Error::Fanotify(error)),
        }
    }

    fn watch(mut self, end: &AtomicBool) -> Result<Seen> {
        while !end.load(Ordering::Relaxed) {
            let (opened, mounted) = self.wait()?;
            if mounted {
                self.look_for_mount()?;
            }
            if opened {
                self.read();
            }
        }
        // Nothing is added any more: what waits is all there is.
        self.queue.unmark();
        while self.read() {}
        Ok(self.seen)
    }

    /// Waits until there is something to read, or something was mounted.
    fn wait(&self) -> Result<(bool, bool)> {
        let mut descriptors = [
            PollFd::new(self.queue.as_fd(), PollFlags::POLLIN),
            // proc_pid_mountinfo(5): a change is an error and a priority event.
            PollFd::new(self.mountinfo.as_fd(), PollFlags::POLLPRI),
        ];
        match poll(&mut descriptors, PollTimeout::from(PATIENCE)) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => return Err(Error::Fanotify(error)),
        }
        let [opened, mounted] =
            descriptors.map(|one| one.revents().is_some_and(|events| !events.is_empty()));
        Ok((opened, mounted))
    }

    /// Whether there was something to read.
    fn read(&mut self) -> bool {
        let events = self.queue.read();
        let read = !events.is_empty();
        for event in events {
            match event {
                Event::Opened(opened) => self.opened(&opened),
                Event::Lost => self.seen.recording.complete = false,
            }
        }
        read
    }

    fn opened(&mut self, opened: &Opened) {
        if opened.process() == self.own {
            return;
        }
        let Seen { recording, executors } = &mut self.seen;
        if opened.to_execute {
            executors.insert(opened.process());
        }
        let path = container_path(&opened.path, &self.target.merged);
        let is_of_image = |path: &[u8]| self.lower.as_ref().is_none_or(|lower| lower.has(path));
        // The kernel adds to the name of a file that is gone. How many names it has left does not
        // tell: overlayfs says that of the file below.
        let path = match without_deleted(path) {
            Some(name) if self.lower.is_none() || !is_of_image(path) => name,
            _ => path,
        };
        if is_of_image(path) {
            if opened.to_execute && !recording.executed.contains(path) {
                recording.executed.insert(path.to_vec());
            }
            if !recording.opened.contains(path) {
                recording.opened.insert(path.to_vec());
            }
        } else {
            recording.others += 1;
        }
        self.queue.ignore(opened);
    }
}

fn mountinfo_failed(error: std::io::Error) -> Error {
    Error::Io { path: MOUNTINFO.into(), error }
}
