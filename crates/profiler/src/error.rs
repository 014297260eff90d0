//! Everything that can keep a run from being watched, each with what to do.

use std::path::PathBuf;

/// Result of the profiler's own functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The argument itself is malformed: a usage error.
    #[error("{0}")]
    Usage(String),
    /// The engine cannot be reached, refuses, or answers with an error.
    #[error(transparent)]
    Engine(#[from] jettison_engine::Error),
    /// The kernel refuses to tell who opens what.
    #[error(
        "fanotify: {0}: a container is watched by root of the machine itself (CAP_SYS_ADMIN in \
         the first user namespace), with Linux 5.1 or later"
    )]
    Fanotify(nix::Error),
    /// The container's root file system is not one that can be watched by itself.
    #[error("container {container}: {because}")]
    Unwatchable {
        /// Its name or ID.
        container: String,
        /// What was found, and what to do.
        because: String,
    },
    /// The container started before its file system was marked.
    #[error(
        "container {0}: its start was not seen, so the profile would lack what it opened first; \
         nothing is written: try again"
    )]
    StartMissed(String),
    /// A file of this machine could not be read.
    #[error("{path}: {error}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
}

impl Error {
    /// Whether the argument was wrong, rather than what it names.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::Engine(jettison_engine::Error::Usage(_)))
    }
}
