//! Watches from the host which files of its image a container executes and opens.
//!
//! fanotify marks the container's root file system, its merged overlay, before the entrypoint
//! runs. The container is not changed: its user, its seccomp profile and its capabilities stay,
//! and nothing is put into it. What fanotify cannot tell is not told: paths that are only looked
//! up (`stat`, `readlink`, `access`), and files of volumes and other mounts.

mod container;
mod error;
mod fanotify;
mod lower;
mod mounts;
mod process;
mod profile;
mod recording;
mod watch;

pub use error::{Error, Result};
pub use profile::{NewContainer, Print, Request, Stream, Subject, profile};
pub use recording::Recording;
