//! What is said of the Dockerfile that an image is built by: which of its lines made which layer,
//! what to write there instead, and what its `.dockerignore` lacks.

use std::collections::BTreeSet;

use jettison_oci::Bytes;

use crate::account::Account;
use crate::advice::dockerfile::align::align;
use crate::advice::dockerfile::edit::{Edit, apply, unified_diff};
use crate::advice::dockerfile::improve::{self, Improvement, improve};
use crate::advice::dockerfile::{Body, Copy, Dockerfile, ParseError, ignore};
use crate::advice::suggestion::{Kind, Suggestion};
use crate::finding::Findings;

/// A Dockerfile and what stands beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenFile {
    /// Its path, as diffs name it.
    pub path: String,
    /// Its text.
    pub text: String,
    /// The text of its `.dockerignore`, where there is one.
    pub ignore: Option<String>,
    /// The stage that the image is, by name or number; the last where it is `None`.
    pub target: Option<String>,
}

/// A Dockerfile, held against the image.
pub struct ReadFile<'a> {
    given: &'a GivenFile,
    parsed: Dockerfile,
    target: usize,
    /// By layer: the lines of the instruction that made it.
    lines: Vec<Option<(usize, usize)>>,
    /// By layer: what its COPY copies.
    copies: Vec<Option<Copy>>,
}

/// Why a Dockerfile is of no use.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is none.
    #[error("{path}: {error}")]
    Parse {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: ParseError,
    },
    /// The stage that was asked for is not there.
    #[error("{path} has no stage {wanted}")]
    Target {
        /// The file.
        path: String,
        /// The stage.
        wanted: String,
    },
}

impl<'a> ReadFile<'a> {
    /// Reads a Dockerfile, and finds the layers that its instructions made.
    pub fn of(account: &Account, given: &'a GivenFile) -> Result<Self, FileError> {
        let parsed = Dockerfile::parse(&given.text)
            .map_err(|error| FileError::Parse { path: given.path.clone(), error })?;
        let wanted = given.target.as_deref();
        let target = parsed.target(wanted).ok_or_else(|| FileError::Target {
            path: given.path.clone(),
            wanted: wanted.unwrap_or("at all").to_owned(),
        })?;
        let instructions: Vec<_> =
            account.layers.iter().map(|row| row.instruction.clone()).collect();
        let base = account.base.as_ref().and_then(|base| base.layers);
        let places = align(&parsed, target, &instructions, base);
        let instruction = |place: &Option<crate::advice::dockerfile::align::Place>| {
            let place = place.as_ref()?;
            parsed.stages.get(place.stage)?.instructions.get(place.instruction)
        };
        let lines =
            places.iter().map(|at| instruction(at).map(|one| (one.first, one.last))).collect();
        let copies = places
            .iter()
            .map(|at| match &instruction(at)?.body {
                Body::Copy(copy) => Some(copy.clone()),
                _ => None,
            })
            .collect();
        Ok(Self { given, parsed, target, lines, copies })
    }

    /// The lines of the instruction that made a layer, from 1.
    pub fn lines(&self, layer: usize) -> Option<(usize, usize)> {
        self.lines.get(layer).copied().flatten()
    }

    /// What is odd: hardly a layer was made by it.
    pub fn warning(&self) -> Option<String> {
        let instructions = self.parsed.chain(self.target).into_iter();
        let files: usize = instructions
            .filter_map(|stage| self.parsed.stages.get(stage))
            .flat_map(|stage| &stage.instructions)
            .filter(|one| matches!(one.body, Body::Run(_) | Body::Copy(_)))
            .count();
        let found = self.lines.iter().flatten().count();
        (files > 0 && found * 2 < files).then(|| {
            format!(
                "{}: only {found} of its {files} instructions made a layer of this image; is it \
                 the image's?",
                self.given.path
            )
        })
    }

    /// The Dockerfile with its target stage named, other stages at its end, and the diff to that.
    /// `more` is given the stage's name and makes the rest.
    pub(super) fn extended(&self, more: impl FnOnce(&str) -> String) -> Option<(String, String)> {
        let stage = self.parsed.stages.get(self.target)?;
        let text = self.given.text.as_str();
        let (name, edits) = if let Some(name) = &stage.from.name {
            (name.clone(), Vec::new())
        } else {
            let name = self.free_name("builder");
            let line = stage.from.last;
            let written = text.lines().nth(line.checked_sub(1)?)?.trim_end().to_owned();
            let lines = vec![format!("{written} AS {name}")];
            (name, vec![Edit { first: line, last: line, lines }])
        };
        let mut new = apply(text, &edits).ok()?;
        if !new.is_empty() && !new.ends_with('\n') {
            new.push('\n');
        }
        new.push('\n');
        new.push_str(&more(&name));
        Dockerfile::parse(&new).ok()?;
        let diff = unified_diff(&self.given.path, text, &new);
        Some((new, diff))
    }

    /// A name that no stage has.
    pub(super) fn free_name(&self, name: &str) -> String {
        let taken: BTreeSet<&str> =
            self.parsed.stages.iter().filter_map(|stage| stage.from.name.as_deref()).collect();
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|name| !taken.contains(name.as_str())).unwrap_or_default()
    }

    /// What to write in its lines instead, with the bytes that findings have there.
    pub(super) fn suggest(&self, findings: &Findings) -> Vec<Suggestion> {
        let mut found: Vec<Suggestion> = improve(&self.parsed, self.target)
            .into_iter()
            .map(|improvement| self.suggestion(&improvement, findings))
            .collect();
        found.extend(self.ignored(findings));
        found
    }

    fn suggestion(&self, improvement: &Improvement, findings: &Findings) -> Suggestion {
        let rules = rules(improvement.kind);
        let is_meant = |layer: usize| {
            self.lines(layer).is_some_and(|(first, last)| {
                first <= improvement.last_line && improvement.line <= last
            })
        };
        let meant = findings.all.iter().filter(|finding| {
            rules.contains(&finding.rule.id) && finding.layer.is_some_and(is_meant)
        });
        let (mut bytes, mut overlaps) = (0, BTreeSet::new());
        for finding in meant {
            bytes += finding.bytes.get();
            overlaps.insert(finding.rule.id.to_owned());
        }
        let lines = (improvement.line, improvement.last_line);
        let (dockerfile, diff) = match &improvement.edit {
            Some(edit) => {
                let new = apply(&self.given.text, std::slice::from_ref(edit));
                let diff =
                    new.ok().map(|new| unified_diff(&self.given.path, &self.given.text, &new));
                (edit.lines.iter().fold(String::new(), |all, line| all + line + "\n"), diff)
            }
            None => (String::new(), None),
        };
        Suggestion {
            kind: Kind::Instruction,
            title: format!("line {}: {}", improvement.line, improvement.what),
            saved: Bytes(bytes),
            saved_pull: None,
            confidence: improvement.confidence,
            because: Vec::new(),
            dockerfile,
            diff,
            lines: Some(lines),
            overlaps: overlaps.into_iter().collect(),
        }
    }

    /// What the `.dockerignore` lacks.
    fn ignored(&self, findings: &Findings) -> Option<Suggestion> {
        const RULES: [&str; 4] = ["vcs-directory", "ide-files", "host-junk", "secrets"];
        let junk = findings.all.iter().filter(|finding| RULES.contains(&finding.rule.id));
        let mut bytes = 0;
        let mut paths: Vec<String> = Vec::new();
        for finding in junk {
            let Some(copy) = finding.layer.and_then(|layer| self.copies.get(layer)?.as_ref())
            else {
                continue;
            };
            let before = paths.len();
            paths.extend(finding.places.iter().filter_map(|place| in_context(copy, &place.path)));
            if paths.len() > before {
                bytes += finding.bytes.get();
            }
        }
        let installs = improve::installs_node_modules(&self.parsed, self.target);
        let ignore = self.given.ignore.as_deref();
        let missing = ignore::missing(ignore, paths.iter().map(String::as_str), installs);
        if missing.is_empty() {
            return None;
        }
        let lines = missing.iter().fold(String::new(), |all, line| all + line + "\n");
        let old = ignore.unwrap_or_default();
        let separator = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
        let path = match self.given.path.rsplit_once('/') {
            Some((directory, _)) => format!("{directory}/.dockerignore"),
            None => ".dockerignore".to_owned(),
        };
        Some(Suggestion {
            kind: Kind::Instruction,
            title: format!("add {} to .dockerignore", missing.join(", ")),
            saved: Bytes(bytes),
            saved_pull: None,
            confidence: crate::facts::evidence::Confidence::High,
            because: vec![format!("they come along with COPY: {}", some(&paths))],
            dockerfile: format!("# .dockerignore\n{lines}"),
            diff: Some(unified_diff(&path, old, &format!("{old}{separator}{lines}"))),
            lines: None,
            overlaps: Vec::new(),
        })
    }
}

fn some(paths: &[String]) -> String {
    let first: Vec<&str> = paths.iter().take(3).map(String::as_str).collect();
    match paths.len().saturating_sub(3) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// The rules whose findings an improvement mends.
const fn rules(kind: improve::Kind) -> &'static [&'static str] {
    use improve::Kind;
    match kind {
        Kind::Recommends => &["recommended-only"],
        Kind::PackageCache => &[
            "apt-lists",
            "apt-cache",
            "apk-cache",
            "dnf-cache",
            "pip-cache",
            "conda-cache",
            "npm-cache",
            "yarn-cache",
            "composer-cache",
            "gem-cache",
        ],
        Kind::DevelopmentPackages => &["node-dev-dependencies"],
        Kind::Owner => &["metadata-only-rewrite"],
        Kind::SeparateCleanup => &["removed-later"],
        Kind::UserNumber => &["sparse-giants"],
        Kind::Archive => &["unpacked-archive", "removed-later"],
        Kind::SeparateUpdate
        | Kind::CopyOrder
        | Kind::Documentation
        | Kind::BuildCache
        | Kind::AddInsteadOfCopy
        | Kind::Link => &[],
    }
}

/// The path in the build's context of a file that a COPY brought to `path`. `None` where it is
/// from another stage, or the COPY has several sources.
fn in_context(copy: &Copy, path: &[u8]) -> Option<String> {
    if copy.flags.iter().any(|flag| flag.name == "from") {
        return None;
    }
    let [source] = &copy.sources[..] else { return None };
    let path = std::str::from_utf8(path).ok()?;
    // Where the destination is relative, its last names tell as much.
    let destination = copy.destination.trim_matches('/').trim_start_matches("./");
    let rest = match destination {
        "" | "." => path,
        destination => {
            let at = path.find(destination)?;
            path[at + destination.len()..].trim_start_matches('/')
        }
    };
    let source = source.trim_start_matches("./").trim_matches('/');
    Some(match source {
        "" | "." => rest.to_owned(),
        source => format!("{source}/{rest}"),
    })
}
