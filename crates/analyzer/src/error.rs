//! Everything that can keep an image from being read, each with what it was and what to do.

use std::path::PathBuf;

use jettison_oci::{Bytes, Digest, Platform};

/// Result of the analyzer's own functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an image could not be read or measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The argument itself is malformed: a usage error.
    #[error("{0}")]
    Usage(String),
    /// A file or socket of this machine failed; the message names it.
    #[error("{}", plainly(.0))]
    Io(std::io::Error),
    /// Nothing stands at the path that was named.
    #[error("{path}: no such file or directory", path = .0.display())]
    NoSuchFile(PathBuf),
    /// The input exists, but is not an image of the kind that was asked for.
    #[error("{what} is not {expected}: {because}")]
    NotAnImage {
        /// The file, directory or stream.
        what: String,
        /// The kind of image it should be.
        expected: &'static str,
        /// What was found, and what to do.
        because: String,
    },
    /// The input holds several images and the reference names none of them.
    #[error("{what} holds {} images: name one of\n{}", .found.len(), indented(.found))]
    Ambiguous {
        /// The archive or layout.
        what: String,
        /// Every name that would tell one from the others.
        found: Vec<String>,
    },
    /// The tag or name is not in the input.
    #[error("{what} has no image {wanted}{}", listed(.found, "it holds"))]
    NoSuchImage {
        /// Where it was looked for.
        what: String,
        /// The tag, name or digest.
        wanted: String,
        /// What is there instead.
        found: Vec<String>,
    },
    /// The image has no manifest for the platform.
    #[error("{what} has no image for {wanted}{}", listed(.found, "it has"))]
    NoSuchPlatform {
        /// The image.
        what: String,
        /// The platform that was asked for, or the host's.
        wanted: Platform,
        /// The platforms it has.
        found: Vec<String>,
    },
    /// A manifest, index or config is not the JSON that it should be.
    #[error("{what} is malformed: {because}")]
    Malformed {
        /// The document: its name or digest, and where it stands.
        what: String,
        /// The parser's words.
        because: String,
    },
    /// A manifest or index names a blob that is not there.
    #[error("{what} names {blob}, which is missing: the copy is incomplete, make it again")]
    MissingBlob {
        /// The image or document that names it.
        what: String,
        /// The blob's digest or name.
        blob: String,
    },
    /// A layer that its image leaves to be fetched from elsewhere.
    #[error(
        "layer {index} ({digest}) is a foreign layer ({media_type}): its image leaves it to be \
         fetched from elsewhere, and it is not here; pull the image where its layers are allowed, \
         or save it together with them"
    )]
    ForeignLayer {
        /// Position in the manifest, from 0.
        index: usize,
        /// Its digest.
        digest: Digest,
        /// Its media type.
        media_type: String,
    },
    /// A layer that only the holders of a key can read.
    #[error(
        "layer {index} ({digest}) is encrypted ({media_type}): decrypt a copy with \
         `skopeo copy --decryption-key KEY SOURCE oci:DIRECTORY` and analyze that"
    )]
    EncryptedLayer {
        /// Position in the manifest, from 0.
        index: usize,
        /// Its digest.
        digest: Digest,
        /// Its media type.
        media_type: String,
    },
    /// Bytes do not hash to the digest under which they were named.
    #[error("{what} is corrupt: its bytes hash to {computed}, expected {expected}")]
    DigestMismatch {
        /// The blob or layer.
        what: String,
        /// The digest named by its descriptor or config.
        expected: Digest,
        /// The digest of what was read.
        computed: Digest,
    },
    /// A blob is shorter or longer than its descriptor says.
    #[error("{what} has {found} bytes, its descriptor says {expected}: the copy is damaged")]
    SizeMismatch {
        /// The blob.
        what: String,
        /// Bytes by the descriptor.
        expected: u64,
        /// Bytes that were there.
        found: u64,
    },
    /// A layer or archive cannot be decoded.
    #[error("{what} cannot be read: {because}")]
    Corrupt {
        /// The blob, archive or layer.
        what: String,
        /// What was expected, and where.
        because: String,
    },
    /// A limit of this program was passed: hostile input, or a reason to raise it.
    #[error("{what}: {limit} is beyond the limit of {max}{}", hint(.remedy))]
    Limit {
        /// The layer or document.
        what: String,
        /// What was counted, with the value that was reached.
        limit: String,
        /// The limit.
        max: String,
        /// The flag that raises it; empty where there is none.
        remedy: &'static str,
    },
    /// An engine or registry does not answer, refuses, or answers with an error.
    #[error("{what}: {because}")]
    Remote {
        /// The endpoint and image.
        what: String,
        /// Its own words, and what to do.
        because: String,
    },
    /// A registry has no such image.
    #[error("{what}: {because}")]
    Absent {
        /// The image.
        what: String,
        /// Its own words, and what to do.
        because: String,
    },
    /// The user interrupted the run.
    #[error("interrupted")]
    Interrupted,
    /// This build leaves the transport out.
    #[error("this build of jettison cannot read {0}: build it with the feature {1}")]
    NotBuilt(&'static str, &'static str),
}

// Not by `#[from]`, which would make the inner error a source too: its words would be told twice.
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

#[cfg(feature = "engine")]
impl From<jettison_engine::Error> for Error {
    fn from(error: jettison_engine::Error) -> Self {
        match error {
            jettison_engine::Error::Usage(because) => Self::Usage(because),
            jettison_engine::Error::Remote { what, because } => Self::Remote { what, because },
        }
    }
}

impl Error {
    /// Whether the argument was wrong, rather than what it names.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_))
    }

    /// Whether there is nothing under the name that was asked for, rather than something that cannot
    /// be read.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. } | Self::NoSuchImage { .. } | Self::NoSuchFile(_))
    }

    pub(crate) fn corrupt(what: impl Into<String>, because: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into(), because: because.into() }
    }

    pub(crate) fn malformed(what: impl Into<String>, because: impl std::fmt::Display) -> Self {
        Self::Malformed { what: what.into(), because: because.to_string() }
    }

    /// What a reader's error means: our own error if one was carried through `std::io`, else
    /// that the bytes of `what` cannot be decoded.
    pub(crate) fn reading(what: &str, error: std::io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::corrupt(what, format!("it is truncated: {error}"))
            }
            Err(error) => Self::corrupt(what, error.to_string()),
        }
    }

    pub(crate) fn size_limit(what: impl Into<String>, limit: &str, got: u64, max: u64) -> Self {
        Self::Limit {
            what: what.into(),
            limit: format!("{limit} of {}", Bytes(got)),
            max: Bytes(max).to_string(),
            remedy: "",
        }
    }
}

/// The system's words, with what to do where it refuses.
fn plainly(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        format!("{error}: run jettison as a user who may read it")
    } else {
        error.to_string()
    }
}

fn indented(rows: &[String]) -> String {
    rows.iter().map(|row| format!("  {row}")).collect::<Vec<_>>().join("\n")
}

fn listed(rows: &[String], verb: &str) -> String {
    match rows {
        [] => String::new(),
        rows => format!("; {verb}\n{}", indented(rows)),
    }
}

fn hint(remedy: &str) -> String {
    match remedy {
        "" => String::new(),
        remedy => format!(" ({remedy} raises it)"),
    }
}
