//! One suggested change.

use jettison_oci::Bytes;

use crate::facts::evidence::Confidence;

/// What kind of change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Build in a first stage, and copy what runs into a last one.
    MultiStage,
    /// Start from another base image.
    BaseImage,
    /// Write an instruction in another way.
    Instruction,
}

impl Kind {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MultiStage => "multi-stage",
            Self::BaseImage => "base-image",
            Self::Instruction => "instruction",
        }
    }
}

/// A change that makes the image smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What kind of change it is.
    pub kind: Kind,
    /// What to do, in one line without a full stop.
    pub title: String,
    /// Bytes of all layers' files (`size.files`) that are not there any more.
    pub saved: Bytes,
    /// Bytes that a registry neither stores nor sends any more; `None` where that is not known.
    pub saved_pull: Option<Bytes>,
    /// How sure it is that the image still does what it did.
    pub confidence: Confidence,
    /// Why it is thought so: sentences that name paths, packages and layers.
    pub because: Vec<String>,
    /// Lines of a Dockerfile to paste, or a whole one.
    pub dockerfile: String,
    /// The same as a unified diff of a file that was given.
    pub diff: Option<String>,
    /// The lines of the Dockerfile that was given, from 1.
    pub lines: Option<(usize, usize)>,
    /// Titles of other suggestions and rules of findings whose bytes are among these.
    pub overlaps: Vec<String>,
}
