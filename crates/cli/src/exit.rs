//! What the exit code says, the same for every command.

use std::process::ExitCode;

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// Done.
    Done = 0,
    /// A gate failed, or a removal.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// Something could not be read, measured or written.
    Unreadable = 3,
    /// Nothing was done, because that is safer.
    #[cfg(feature = "prune")]
    Refused = 4,
}

/// A mistake in arguments or configuration that the command found, after they were parsed.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

impl Code {
    /// What an error means for the caller.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let analyzer = error.downcast_ref::<jettison_analyzer::Error>();
        #[cfg(feature = "engine")]
        if error.downcast_ref().is_some_and(jettison_profiler::Error::is_usage) {
            return Self::Usage;
        }
        #[cfg(feature = "prune")]
        if let Some(error) = error.downcast_ref::<jettison_pruner::Error>() {
            return match error {
                jettison_pruner::Error::Usage(_) => Self::Usage,
                jettison_pruner::Error::Unreadable(_) => Self::Unreadable,
                jettison_pruner::Error::Refused(_) => Self::Refused,
            };
        }
        if error.is::<UsageError>() || analyzer.is_some_and(jettison_analyzer::Error::is_usage) {
            Self::Usage
        } else {
            Self::Unreadable
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}
