//! What is told of an image, a comparison or a gate, before it is known in which format: figures,
//! notices and tables. Formats that speak to other programs and people are renderings of this one
//! value; `text`, `json` and `html` have documents of their own.
//!
//! All texts are escaped already (`jettison_oci::escape`): none holds a control character, a line
//! end or a mark that turns the direction of writing. What a format takes for markup is the
//! format's to escape.

mod analysis;
mod diff;
mod gate;
#[cfg(test)]
pub(crate) mod sample;

pub use analysis::analysis;
pub use diff::diff;
pub use gate::gate;

use std::cmp::Reverse;

use jettison_oci::Digest;

pub use crate::gate::Verdict as State;

/// What a briefing is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// One image.
    Analysis,
    /// Two images, compared.
    Diff,
    /// Images held to their budgets.
    Gate,
}

impl About {
    /// The command that makes it, which is its word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Analysis => "analyze",
            Self::Diff => "diff",
            Self::Gate => "gate",
        }
    }
}

/// All that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Briefing {
    /// What it is about.
    pub about: About,
    /// The whole in one line without a full stop: `failed: 1 of 2 images is over budget`.
    pub headline: String,
    /// The images, each on its platform, in the order they were asked for.
    pub subjects: Vec<Subject>,
    /// What to do next, a line each; commands stand between backticks.
    pub next: Vec<String>,
}

impl Briefing {
    /// The state of the whole: the gravest of its subjects; `None` where nothing is judged.
    pub fn state(&self) -> Option<State> {
        self.subjects.iter().filter_map(|subject| subject.state).max()
    }

    /// Whether there is nothing that anyone has to read.
    pub fn is_quiet(&self) -> bool {
        self.subjects.iter().all(|subject| subject.is_quiet)
    }

    /// The notices of all subjects, the gravest and largest first.
    pub fn gravest(&self) -> Vec<(&Subject, &Notice)> {
        let subjects = self.subjects.iter();
        let mut all: Vec<(&Subject, &Notice)> = subjects
            .flat_map(|subject| subject.notices.iter().map(move |notice| (subject, notice)))
            .collect();
        all.sort_by_key(|(_, notice)| notice.weight());
        all
    }
}

/// An image on one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The image's name.
    pub image: String,
    /// `linux/amd64`.
    pub platform: String,
    /// Its state; `None` where nothing is judged.
    pub state: Option<State>,
    /// The most important in one line without a full stop.
    pub headline: String,
    /// Whether there is nothing that anyone has to read: nothing changed, nothing is over budget.
    pub is_quiet: bool,
    /// Its figures.
    pub measures: Vec<Measured>,
    /// What is worth telling, the gravest and largest first.
    pub notices: Vec<Notice>,
    /// Lists, the most important first.
    pub tables: Vec<Table>,
    /// Where the figures come from: digests, commits, baselines; a line each.
    pub origin: Vec<String>,
}

impl Subject {
    /// `ghcr.io/acme/app (linux/amd64)`.
    pub fn name(&self) -> String {
        format!("{} ({})", self.image, self.platform)
    }

    /// The image's name without a digest, which every build changes: what reports of one image
    /// have in common over time.
    pub fn lasting_name(&self) -> &str {
        lasting_name(&self.image)
    }
}

/// A name without the digest at its end.
pub(crate) fn lasting_name(image: &str) -> &str {
    match image.rsplit_once('@') {
        Some((name, digest)) if !name.is_empty() && digest.parse::<Digest>().is_ok() => name,
        _ => image,
    }
}

impl Level {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things.
    Count,
    /// Millionths of one: an efficiency.
    Millionths,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Its name in reports and settings: `own-effective`.
    pub name: String,
    /// What it counts.
    pub unit: Unit,
    /// What it was; `None` where there is nothing to compare with.
    pub base: Option<u64>,
    /// What it is; `None` where the source does not tell.
    pub value: Option<u64>,
    /// What was asked of it: `<= 80.0 MiB`; `None` where nothing was.
    pub budget: Option<String>,
    /// How it stands to that; `None` where nothing was asked.
    pub state: Option<State>,
}

impl Measured {
    /// How much it changed; `None` where either side is missing.
    pub fn delta(&self) -> Option<i64> {
        let (base, value) = (self.base?, self.value?);
        Some(crate::diff::delta(base, value))
    }
}

/// How grave a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Note,
    /// Worth a look.
    Warning,
    /// What fails a gate.
    Error,
}

/// One thing worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// A stable word: a rule's id, `gate-max-increase`.
    pub id: String,
    /// What such notices are about, in a few words without a full stop.
    pub title: String,
    /// How grave it is.
    pub level: Level,
    /// What is so, in one line without a full stop; names the image.
    pub message: String,
    /// What to do, in one line without a full stop.
    pub help: Option<String>,
    /// The lines of a Dockerfile that it is about.
    pub lines: Option<Lines>,
    /// Paths of the image, without a slash in front, the largest first; perhaps none.
    pub paths: Vec<String>,
    /// Bytes that it is about.
    pub bytes: u64,
    /// The figure whose budget it is about, by name.
    pub figure: Option<String>,
    /// What makes it the same notice in another run, whatever its size: rule, image, path.
    pub fingerprint: Vec<String>,
}

impl Notice {
    /// What is so and what to do, in a line.
    pub fn sentence(&self) -> String {
        match &self.help {
            Some(help) => format!("{}. What to do: {help}", self.message),
            None => self.message.clone(),
        }
    }

    /// What sorts notices: the gravest first, then those of most bytes.
    pub(crate) fn weight(&self) -> Reverse<(Level, u64)> {
        Reverse((self.level, self.bytes))
    }
}

/// Lines of a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// The file as it was named, relative to where the program ran.
    pub file: String,
    /// The first, from 1.
    pub first: usize,
    /// The last.
    pub last: usize,
}

/// A list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it lists.
    pub title: String,
    /// A word for it, for files and names: `who-grew`.
    pub name: &'static str,
    /// The heads of its columns.
    pub columns: Vec<&'static str>,
    /// Its rows, each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
    /// What is left out, so that columns sum: `12 more: 3.4 MiB`.
    pub rest: Option<String>,
    /// Whether it is shown unfolded.
    pub is_open: bool,
}

/// One cell of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// Something to be copied: a path, a command, an instruction.
    Code(String),
    /// Bytes.
    Bytes(u64),
    /// A change of bytes.
    Delta(i64),
    /// A number.
    Count(u64),
    /// Nothing.
    Empty,
}
