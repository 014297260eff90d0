//! What each file is for: its package, what leads to it from what the image runs, and whether
//! anything does. Everything is read from the tree; nothing is run.

pub mod configuration;
pub(crate) mod contents;
pub mod evidence;
pub mod filesystem;
pub mod kind;
pub mod package;
pub mod profile;
pub mod reach;
pub mod unused;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use crate::error::Result;
use crate::tree::NodeId;

use evidence::Claims;
use filesystem::Filesystem;
use package::Packages;
use profile::Profile;
use reach::Blind;
use unused::Unused;

/// The facts of an image.
pub struct Facts {
    /// Its packages.
    pub packages: Packages,
    /// What leads to each file.
    pub claims: Claims,
    /// What could not be looked into.
    pub blind: BTreeSet<(Blind, NodeId)>,
    /// Live files that nothing leads to.
    pub unused: Unused,
    /// What was odd or missing.
    pub warnings: Vec<String>,
}

impl Facts {
    /// Gathers the facts of an account's files. Its layers must have been read with `gather`, or be
    /// ones whose contents can still be read: by `jobs` threads.
    pub fn of(
        files: &Filesystem<'_>,
        profile: Option<&Profile>,
        jobs: NonZeroUsize,
    ) -> Result<Self> {
        let contents = files.contents();
        let (mut packages, reached) = std::thread::scope(|scope| -> Result<_> {
            let _readers = contents.read_ahead(scope, jobs);
            let packages = Packages::read(files)?;
            let reached = reach::reach(files, &packages, profile)?;
            Ok((packages, reached))
        })?;
        let unused = unused::find(files, &packages, &reached);
        let mut warnings = std::mem::take(&mut packages.warnings);
        warnings.extend(reached.warnings);
        let endless = "this symlink leads in a circle, or through too many others";
        warnings.extend(files.endless_links().iter().map(|link| files.warning(*link, endless)));
        Ok(Self { packages, claims: reached.claims, blind: reached.blind, unused, warnings })
    }

    /// Whether a shell is started without a script: somebody may type anything.
    pub fn is_interactive(&self) -> bool {
        self.blind.iter().any(|(blind, _)| *blind == Blind::Shell)
    }
}
