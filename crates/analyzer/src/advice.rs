//! Changes that a person can make to how an image is built: what each saves, why, and the lines to
//! write.

pub mod final_stage;
pub mod instructions;
pub mod multi_stage;
pub mod dockerfile;
pub mod suggestion;

use jettison_oci::Reference;

use crate::account::Account;
use crate::facts::Facts;
use crate::finding::{Findings, Ignore};
use crate::source::Transport;

use self::multi_stage::Today;
use self::suggestion::Suggestion;

/// What to do about an image.
#[derive(Default)]
pub struct Advice {
    /// What rules found.
    pub findings: Findings,
    /// Changes that save bytes, those that save most first.
    pub suggestions: Vec<Suggestion>,
}

/// What is known of an image beside its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// What is not to be told.
    pub ignores: &'a [Ignore],
    /// The Dockerfile that it is built by.
    pub dockerfile: Option<&'a str>,
}

impl Advice {
    /// Asks every rule, and finds the changes that save most.
    pub fn of(account: &Account, facts: &Facts, known: Known<'_>) -> Self {
        let findings = Findings::of(account, facts, known.ignores);
        let reference = reference(account);
        let today = Today { reference: &reference, dockerfile: known.dockerfile };
        let mut suggestions = multi_stage::suggest(account, facts, &today);
        suggestions.extend(instructions::suggest(account, &findings));
        suggestions.sort_by(|a, b| b.saved.cmp(&a.saved).then_with(|| a.title.cmp(&b.title)));
        Self { findings, suggestions }
    }
}

/// What a builder finds the image by: its name where it has one, else its ID.
fn reference(account: &Account) -> String {
    let origin = &account.image.origin;
    let text = origin.reference.as_str();
    let name = match origin.transport {
        Transport::Docker | Transport::DockerDaemon | Transport::ContainersStorage => Some(text),
        // `image.tar:example.test/shop:1`: what stands behind the file is a name.
        Transport::DockerArchive => text
            .match_indices(':')
            .map(|(at, _)| &text[at + 1..])
            .find(|rest| rest.contains(':') && rest.parse::<Reference>().is_ok()),
        _ => None,
    };
    let name = name.filter(|name| !name.chars().any(|c| c.is_control() || c.is_whitespace()));
    name.map_or_else(|| account.image.config_digest.to_string(), str::to_owned)
}
