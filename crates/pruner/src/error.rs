//! Everything that can keep a node from being looked at, each with what to do.

/// Result of the pruner's own functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An argument or a setting is wrong.
    #[error("{0}")]
    Usage(String),
    /// Something could not be read or written that no removal depends on.
    #[error("{0}")]
    Unreadable(String),
    /// A view of the node failed, is partial or contradicts itself, so nothing was removed.
    #[error("{0}")]
    Refused(String),
}

impl Error {
    /// Whether an argument was wrong, rather than what it names.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_))
    }

    /// Whether nothing was done because that is safer.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

impl From<jettison_engine::Error> for Error {
    /// An engine that does not answer as it should tells nothing of what is in use.
    fn from(error: jettison_engine::Error) -> Self {
        match error {
            jettison_engine::Error::Usage(because) => Self::Usage(because),
            error @ jettison_engine::Error::Remote { .. } => Self::Refused(error.to_string()),
        }
    }
}
