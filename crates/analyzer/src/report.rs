//! The account for people and for machines: one model, one file a format.

mod advice_text;
mod amount;
pub mod bar;
pub mod briefing;
pub mod csv;
pub mod diff_text;
mod fingerprint;
pub mod gate_text;
pub mod github;
pub mod gitlab;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod model;
pub mod openmetrics;
pub mod page;
mod rows;
pub mod sarif;
pub mod text;
pub mod unused_text;
pub mod why_text;

use crate::account::Account;
use crate::advice::Advice;
use crate::facts::Facts;

pub use page::Style;

/// All that is known of an image, to be told.
#[derive(Clone, Copy)]
pub struct Analyzed<'a> {
    /// Its account.
    pub account: &'a Account,
    /// What its files are for; `None` where that was not asked for.
    pub facts: Option<&'a Facts>,
    /// What to do about it; `None` where that was not asked for.
    pub advice: Option<&'a Advice>,
}

/// How much of an account is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Rows of each list.
    pub top: usize,
    /// Rows with fewer bytes are left out.
    pub min_bytes: jettison_oci::Bytes,
    /// Whether files that nothing uses are listed.
    pub unused: bool,
    /// Whether findings and suggestions are told in full.
    pub advice: bool,
}

impl Default for Detail {
    fn default() -> Self {
        Self { top: 10, min_bytes: jettison_oci::Bytes(1), unused: false, advice: false }
    }
}
