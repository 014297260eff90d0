//! Changes that a person can make to how an image is built: what each saves, why, and the lines to
//! write.

pub mod base;
pub mod dockerfile;
pub mod file;
pub mod final_stage;
pub mod instructions;
pub mod multi_stage;
pub mod suggestion;
mod zstd;

use jettison_oci::Reference;

use crate::account::Account;
use crate::error::{Error, Result};
use crate::facts::Facts;
use crate::facts::filesystem::Filesystem;
use crate::finding::{Findings, Ignore};
use crate::source::Transport;

use self::base::BaseAdvice;
use self::base::catalogue::Catalogue;
use self::file::{GivenFile, ReadFile};
use self::multi_stage::Built;
use self::suggestion::{Kind, Suggestion};

/// What to do about an image.
#[derive(Default)]
pub struct Advice {
    /// What rules found.
    pub findings: Findings,
    /// Changes that save bytes, those that save most first.
    pub suggestions: Vec<Suggestion>,
    /// By layer: the lines of the Dockerfile that made it, where one was given.
    pub lines: Vec<Option<(usize, usize)>>,
    /// What was odd.
    pub warnings: Vec<String>,
}

/// What is known of an image beside its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What is not to be told.
    pub ignores: &'a [Ignore],
    /// The Dockerfile that it is built by.
    pub file: Option<&'a GivenFile>,
    /// Bases to start from.
    pub catalogue: &'a Catalogue,
    /// Bytes of each layer as zstd, where they were measured.
    pub zstd: &'a [Option<u64>],
}

impl Advice {
    /// Asks every rule, and finds the changes that save most. Fails where the Dockerfile is none,
    /// and where contents cannot be read.
    pub fn of(files: &Filesystem<'_>, facts: &Facts, known: Known<'_>) -> Result<Self> {
        let account = files.account();
        let findings = Findings::of(files, facts, known.ignores);
        let file = known.file.map(|given| ReadFile::of(account, given)).transpose();
        let file = file.map_err(|error| Error::Usage(error.to_string()))?;
        let reference = reference(account);
        let built = Built { reference: &reference, file: file.as_ref() };
        let mut suggestions = Vec::new();
        let config = &account.image.config;
        // Of an image that runs nothing by itself nobody can tell what it needs.
        if !config.entrypoint.is_empty() || !config.cmd.is_empty() {
            suggestions.extend(multi_stage::suggest(files, facts, &built));
            let base = BaseAdvice::of(files, facts, known.catalogue)?;
            suggestions.extend(base.suggestions(files, facts, &built));
        }
        match &file {
            Some(file) => {
                let of_file = file.suggest(&findings);
                // What the file itself says is closer to what has to be written.
                let said: Vec<(usize, usize)> =
                    of_file.iter().filter_map(|one| one.lines).collect();
                let of_layers = instructions::suggest(account, &findings, &|layer| {
                    file.lines(layer).is_some_and(|(first, last)| {
                        said.iter().any(|(from, to)| *from <= last && first <= *to)
                    })
                });
                suggestions.extend(of_file);
                suggestions.extend(of_layers);
            }
            None => suggestions.extend(instructions::suggest(account, &findings, &|_| false)),
        }
        suggestions.extend(zstd::suggest(account, known.zstd, &reference));
        suggestions.sort_by(|a, b| {
            b.saved.cmp(&a.saved).then(a.lines.cmp(&b.lines)).then_with(|| a.title.cmp(&b.title))
        });
        let lines = file
            .as_ref()
            .map(|file| (0..account.layers.len()).map(|layer| file.lines(layer)).collect());
        let warnings = file.as_ref().and_then(ReadFile::warning).into_iter().collect();
        Ok(Self { findings, suggestions, lines: lines.unwrap_or_default(), warnings })
    }

    /// The whole Dockerfile that saves most: the best of the suggestions to build in stages.
    pub fn best_dockerfile(&self) -> Option<&str> {
        let mut best = self.suggestions.iter().filter(|one| one.kind == Kind::MultiStage);
        best.next().map(|one| one.dockerfile.as_str())
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
