//! The base image: what an image starts from today, what its own part needs of it, and which other
//! base has that for fewer bytes.
//!
//! - [`candidate`], [`catalogue`]: images to start from, and the table of them
//! - [`today`]: what the image starts from
//! - [`needs`]: what its own part needs, each need with the files that have it
//! - [`compatible`]: whether a candidate has that
//! - [`rank`]: candidates in order
//! - [`suggest`]: the best of them as suggestions
//!
//! All but the filling of needs are functions over plain values.

mod brought;
pub mod candidate;
pub mod catalogue;
pub mod compatible;
pub mod dockerfile;
mod gather;
mod history;
mod install;
mod installed;
mod linkage;
pub mod needs;
mod origin;
mod programs;
pub mod rank;
pub mod release;
mod runtime;
pub mod suggest;
pub mod today;
pub mod version;

use crate::advice::multi_stage::{self, Built};
use crate::advice::suggestion::Suggestion;
use crate::error::Result;
use crate::facts::Facts;
use crate::facts::filesystem::Filesystem;

use catalogue::Catalogue;
use needs::Needs;
use rank::Ranked;
use today::Today;

/// What is known of an image's base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseAdvice {
    /// What it starts from today.
    pub today: Today,
    /// What it needs.
    pub needs: Needs,
    /// Candidates, those that fit first, the best of them at the front.
    pub ranked: Vec<Ranked>,
}

impl BaseAdvice {
    /// The best bases as suggestions, each with a whole Dockerfile where one can be written.
    pub fn suggestions(
        &self,
        files: &Filesystem<'_>,
        facts: &Facts,
        built: &Built<'_>,
    ) -> Vec<Suggestion> {
        let account = files.account();
        let chosen = suggest::chosen(&self.needs, &account.sizes, &self.ranked);
        let mut suggestions = suggest::suggest(&self.needs, &self.today, &chosen);
        let own = origin::own(files, facts, self.today.layers.unwrap_or(0));
        let Some(own) = multi_stage::own(files, facts, &own) else { return suggestions };
        for (suggestion, row) in suggestions.iter_mut().zip(chosen) {
            let lines = |builder: &str| {
                dockerfile::lines(&self.needs, &row.candidate, &row.verdict.brings, builder)
                    + &dockerfile::cleared(&row.candidate, &account.image.config)
            };
            if let Some((text, diff)) = multi_stage::rebased(account, built, &own, &lines) {
                suggestion.dockerfile = text;
                suggestion.diff = diff;
            }
        }
        suggestions
    }

    /// Looks for a better base of an image.
    pub fn of(files: &Filesystem<'_>, facts: &Facts, catalogue: &Catalogue) -> Result<Self> {
        let account = files.account();
        let today = Today::of(account, facts, files)?;
        let needs = Needs::of(account, facts, files, &today)?;
        let ranked = rank::rank(&needs, &today, &account.sizes, &catalogue.candidates);
        Ok(Self { today, needs, ranked })
    }
}
