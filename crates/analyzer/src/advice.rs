//! Changes that a person can make to how an image is built: what each saves, why, and the lines to
//! write.

pub mod suggestion;

use crate::finding::Findings;

use self::suggestion::Suggestion;

/// What to do about an image.
#[derive(Default)]
pub struct Advice {
    /// What rules found.
    pub findings: Findings,
    /// Changes that save bytes, those that save most first.
    pub suggestions: Vec<Suggestion>,
}
