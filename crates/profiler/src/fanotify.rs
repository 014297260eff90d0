//! The kernel's queue of opened files, fanotify(7).

use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::sys::fanotify::{EventFFlags, Fanotify, FanotifyEvent, InitFlags, MarkFlags, MaskFlags};

use crate::error::{Error, Result};

/// A queue without a bound: the kernel's default of 16,384 events loses most paths of a busy
/// start.
pub(crate) struct Queue {
    group: Fanotify,
    /// Whether the kernel can be told not to tell again (Linux 5.19).
    can_ignore: bool,
}

/// What was read from the queue.
pub(crate) enum Event {
    /// A file was opened.
    Opened(Opened),
    /// Events were lost.
    Lost,
}

/// One opened file. It stays open until this is dropped.
pub(crate) struct Opened {
    event: FanotifyEvent,
    /// Its path, as its opener sees it.
    pub(crate) path: PathBuf,
    /// Whether it was opened to be executed.
    pub(crate) to_execute: bool,
}

impl Opened {
    /// The process that opened it.
    pub(crate) fn process(&self) -> i32 {
        self.event.pid()
    }
}

impl Queue {
    /// Opens a queue that nothing is marked for yet.
    pub(crate) fn open() -> Result<Self> {
        Self::with(InitFlags::FAN_UNLIMITED_QUEUE)
    }

    fn with(bound: InitFlags) -> Result<Self> {
        let flags = InitFlags::FAN_CLASS_NOTIF
            | InitFlags::FAN_CLOEXEC
            | InitFlags::FAN_NONBLOCK
            | InitFlags::FAN_UNLIMITED_MARKS
            | bound;
        // Without O_NONBLOCK, the kernel would wait for somebody to write to a pipe that it opens
        // for us.
        let files = EventFFlags::O_RDONLY
            | EventFFlags::O_LARGEFILE
            | EventFFlags::O_CLOEXEC
            | EventFFlags::O_NONBLOCK;
        let group = Fanotify::init(flags, files).map_err(Error::Fanotify)?;
        Ok(Self { group, can_ignore: true })
    }

    /// Tells from now on of every file that is opened on the file system at `path`.
    pub(crate) fn mark(&self, path: &Path) -> nix::Result<()> {
        let flags = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_FILESYSTEM;
        let mask = MaskFlags::FAN_OPEN | MaskFlags::FAN_OPEN_EXEC;
        self.group.mark(flags, mask, AT_FDCWD, Some(path))
    }

    /// Tells of nothing more.
    pub(crate) fn unmark(&self) {
        for kind in [MarkFlags::FAN_MARK_FILESYSTEM, MarkFlags::empty()] {
            let flags = MarkFlags::FAN_MARK_FLUSH | kind;
            let _ = self.group.mark::<_, Path>(flags, MaskFlags::empty(), AT_FDCWD, None);
        }
    }

    /// Tells no more of what is known of a file now. A container that opens the same files over and
    /// over is not slowed down for it. The kernel may forget this, and tells again then.
    pub(crate) fn ignore(&mut self, opened: &Opened) {
        let Some(fd) = opened.event.fd().filter(|_| self.can_ignore) else { return };
        let mut mask = MaskFlags::FAN_OPEN;
        if opened.to_execute {
            mask |= MaskFlags::FAN_OPEN_EXEC;
        }
        let flags = MarkFlags::FAN_MARK_ADD
            | MarkFlags::FAN_MARK_IGNORED_MASK
            | MarkFlags::FAN_MARK_IGNORED_SURV_MODIFY
            | MarkFlags::FAN_MARK_EVICTABLE;
        if self.group.mark::<_, Path>(flags, mask, fd, None) == Err(Errno::EINVAL) {
            self.can_ignore = false;
        }
    }

    /// Reads what waits in the queue; nothing where it is empty.
    pub(crate) fn read(&self) -> Vec<Event> {
        loop {
            match self.group.read_events() {
                Ok(events) => return events.into_iter().map(event).collect(),
                Err(Errno::EAGAIN | Errno::EINTR) => return Vec::new(),
                // The file of the first event cannot be opened for us: a device without a driver,
                // or a file that is gone. The kernel leaves that event out and goes on.
                Err(Errno::ENXIO | Errno::ENODEV | Errno::ENOENT | Errno::ESTALE) => {}
                Err(_) => return vec![Event::Lost],
            }
        }
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.group.as_fd()
    }
}

fn event(event: FanotifyEvent) -> Event {
    let lost = !event.check_version() || event.mask().contains(MaskFlags::FAN_Q_OVERFLOW);
    let Some(fd) = event.fd().filter(|_| !lost) else { return Event::Lost };
    let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let Ok(path) = fs_err::read_link(link) else { return Event::Lost };
    let to_execute = event.mask().contains(MaskFlags::FAN_OPEN_EXEC);
    Event::Opened(Opened { event, path, to_execute })
}

#[cfg(test)]
mod tests {
    use jettison_testkit::require::{Part, root, unless_skipped};

    use super::*;

    #[test]
    fn a_queue_with_a_bound_overflows_and_ours_has_none() {
        if unless_skipped(Part::Root, root).is_none() {
            return;
        }
        let bound = fs_err::read_to_string("/proc/sys/fs/fanotify/max_queued_events").unwrap();
        let files = bound.trim().parse::<usize>().unwrap() + 1_000;
        let room = tempfile::tempdir().unwrap();
        let queues = [Queue::with(InitFlags::empty()).unwrap(), Queue::open().unwrap()];
        for queue in &queues {
            queue.mark(room.path()).unwrap();
        }
        for at in 0..files {
            fs_err::File::create(room.path().join(at.to_string())).unwrap();
        }
        let [bounded, ours] = queues.map(|queue| {
            queue.unmark();
            let (mut opened, mut is_lost) = (0, false);
            loop {
                let events = queue.read();
                if events.is_empty() {
                    return (opened, is_lost);
                }
                for event in events {
                    match event {
                        Event::Opened(event) if event.path.starts_with(room.path()) => opened += 1,
                        Event::Opened(_) => {}
                        Event::Lost => is_lost = true,
                    }
                }
            }
        });
        assert!(bounded.1 && bounded.0 < files, "{bounded:?} of {files}");
        assert_eq!(ours, (files, false));
    }
}
