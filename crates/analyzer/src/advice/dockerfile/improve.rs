//! What a Dockerfile tells by itself that makes an image larger or its build slower.
//!
//! A rule looks at one instruction and those around it. What it would change it says in bytes of
//! the file, of which [`change`] makes an edit of whole lines: nothing else of a line changes.

mod change;
mod copy;
mod dependencies;
mod habit;
mod join;
mod order;
mod owner;
mod user;

#[cfg(test)]
mod tests;

use super::edit::{self, Edit};
use super::path::below;
use super::run::Script;
use super::variable::{self, Variables};
use super::{Body, Dockerfile, Instruction, ParseError};
use crate::facts::evidence::Confidence;

/// What an improvement is about; what moves whole instructions comes first, so that
/// [`rewrite`] sees the rest as it will stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Lists of packages are fetched in a layer of their own, and are old when it is cached.
    SeparateUpdate,
    /// A RUN deletes what an earlier layer holds for good.
    SeparateCleanup,
    /// Any change of a source installs all dependencies again.
    CopyOrder,
    /// A RUN changes the mode or owner of what a COPY brought: a second copy of it.
    Owner,
    /// `apt-get install` brings packages that nobody asked for.
    Recommends,
    /// A package manager's lists, index or downloads stay in the layer.
    PackageCache,
    /// Packages that only development needs are installed.
    DevelopmentPackages,
    /// Documentation is installed.
    Documentation,
    /// Each build compiles or downloads everything anew.
    BuildCache,
    /// A high user number makes a huge sparse file.
    UserNumber,
    /// An ADD keeps an archive that a RUN unpacks.
    Archive,
    /// An ADD does what COPY does.
    AddInsteadOfCopy,
    /// A COPY could be kept in the cache whatever stands before it.
    Link,
}

impl Kind {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recommends => "recommends",
            Self::PackageCache => "package-cache",
            Self::DevelopmentPackages => "development-packages",
            Self::Documentation => "documentation",
            Self::BuildCache => "build-cache",
            Self::Owner => "owner",
            Self::SeparateCleanup => "separate-cleanup",
            Self::SeparateUpdate => "separate-update",
            Self::CopyOrder => "copy-order",
            Self::UserNumber => "user-number",
            Self::Archive => "archive",
            Self::AddInsteadOfCopy => "add-instead-of-copy",
            Self::Link => "link",
        }
    }
}

/// A way to write instructions better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Improvement {
    /// The first line that it is about, from 1.
    pub line: usize,
    /// The last one.
    pub last_line: usize,
    /// What it is about.
    pub kind: Kind,
    /// What to do and why, in a sentence without a full stop.
    pub what: String,
    /// How sure it is that the image still does what it did.
    pub confidence: Confidence,
    /// The lines to write; `None` where only a person can tell.
    pub edit: Option<Edit>,
}

/// Improvements of a target stage and the stages that it starts from, in order of lines. Edits of
/// the same lines exclude each other: [`rewrite`] makes them one after the other.
pub fn improve(file: &Dockerfile, target: usize) -> Vec<Improvement> {
    let build = Build::of(file, target);
    let mut found = Vec::new();
    for at in 0..build.steps.len() {
        habit::find(&build, at, &mut found);
        dependencies::find(&build, at, &mut found);
        owner::find(&build, at, &mut found);
        join::find(&build, at, &mut found);
        order::find(&build, at, &mut found);
        user::find(&build, at, &mut found);
        copy::find(&build, at, &mut found);
    }
    found.sort_by_key(|improvement| (improvement.line, improvement.kind));
    found
}

/// Rounds of edits: each settles what does not overlap, and an instruction has a few.
const ROUNDS_MAX: usize = 12;

/// Makes the edits of all improvements that `accept` takes, and says which those were, with the
/// lines that they had when they were made.
pub fn rewrite(
    text: &str,
    target: Option<&str>,
    accept: impl Fn(&Improvement) -> bool,
) -> Result<(String, Vec<Improvement>), ParseError> {
    let mut text = text.to_owned();
    let mut made = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let file = Dockerfile::parse(&text)?;
        let Some(target) = file.target(target) else { break };
        let mut edits: Vec<Edit> = Vec::new();
        let mut done = 0;
        let mut round = Vec::new();
        for improvement in improve(&file, target).into_iter().filter(&accept) {
            if let Some(edit) = &improvement.edit
                && edit.first > done
            {
                done = edit.last.max(edit.first);
                edits.push(edit.clone());
                round.push(improvement);
            }
        }
        let Ok(next) = edit::apply(&text, &edits) else { break };
        if edits.is_empty() || Dockerfile::parse(&next).is_err() {
            break;
        }
        text = next;
        made.append(&mut round);
    }
    Ok((text, made))
}

/// Whether a stage or one that it starts from installs its own `node_modules`.
pub fn installs_node_modules(file: &Dockerfile, target: usize) -> bool {
    Build::of(file, target).steps.iter().filter_map(|step| step.script.as_ref()).any(|script| {
        script.any(|command| match command.name() {
            "npm" | "pnpm" => command.verb(&["ci", "install", "i", "clean-install"]).is_some(),
            "yarn" => command.arguments().is_empty() || command.verb(&["install"]).is_some(),
            _ => false,
        })
    })
}

/// The instructions of a target and its ancestors, as they are carried out.
struct Build<'a> {
    file: &'a Dockerfile,
    steps: Vec<Step<'a>>,
    /// Names that ENV or ARG set, and the step that does.
    names: Vec<(usize, String, Option<String>)>,
    /// The step that configures apt not to install recommended packages.
    recommends_off: Option<usize>,
    /// BuildKit builds it, and its frontend knows `--mount`.
    mounts: bool,
    /// Its frontend knows `COPY --link`.
    links: bool,
}

/// An instruction in its place.
struct Step<'a> {
    stage: usize,
    instruction: &'a Instruction,
    /// The script of a RUN that a POSIX shell reads.
    script: Option<Script<'a>>,
    /// The working directory, if it is known.
    directory: Option<String>,
    /// Whether RUNs are root's, as far as the Dockerfile says.
    is_root: bool,
}

impl<'a> Build<'a> {
    fn of(file: &'a Dockerfile, target: usize) -> Self {
        let global = variable::global(file);
        let (mut variables, mut names) = (Variables::default(), Vec::new());
        let (mut directory, mut is_root, mut is_posix) = (None, true, file.escape == '\\');
        let mut steps: Vec<Step<'a>> = Vec::new();
        for stage in file.chain(target) {
            for instruction in &file.stages[stage].instructions {
                variables.set(instruction, &global);
                if let Body::Other(words) = &instruction.body {
                    match instruction.keyword {
                        "ENV" | "ARG" => names.extend(
                            variable::assigned(instruction.keyword, words)
                                .map(|(name, value)| (steps.len(), name, value)),
                        ),
                        "WORKDIR" => {
                            let path = variables.resolve(words.trim_matches(['"', '\'']));
                            directory = path.and_then(|path| below(directory.as_deref(), &path));
                        }
                        "USER" => is_root = matches!(words.split(':').next(), Some("root" | "0")),
                        "SHELL" => is_posix = is_posix_shell(words),
                        _ => {}
                    }
                }
                let script = if is_posix { Script::of(instruction) } else { None };
                let directory = directory.clone();
                steps.push(Step { stage, instruction, script, directory, is_root });
            }
        }
        let configures = |step: &Step<'_>| {
            let text = &step.instruction.text;
            // As a flag it is for one command only.
            text.contains(habit::RECOMMENDS) && !text.contains("-o ")
        };
        let recommends_off = steps.iter().position(configures);
        let is_new = |minor| file.uses_buildkit() && frontend_is(file, minor);
        Self { file, steps, names, recommends_off, mounts: is_new(2), links: is_new(4) }
    }

    /// Whether a name is set before a step.
    fn sets(&self, at: usize, name: &str) -> bool {
        self.names.iter().any(|(step, own, _)| *step < at && own == name)
    }

    /// Whether a name is set to a value before a step.
    fn sets_to(&self, at: usize, name: &str, value: &str) -> bool {
        let is_it = |(step, own, set): &(usize, String, Option<String>)| {
            *step < at && own == name && set.as_deref() == Some(value)
        };
        self.names.iter().any(is_it)
    }

    /// An improvement of one step.
    fn improvement(
        &self,
        at: usize,
        kind: Kind,
        confidence: Confidence,
        what: &str,
    ) -> Improvement {
        let Instruction { first, last, .. } = *self.steps[at].instruction;
        let what = what.to_owned();
        Improvement { line: first, last_line: last, kind, what, confidence, edit: None }
    }

    /// The step behind a step, of the same stage.
    fn next(&self, at: usize) -> Option<&Step<'a>> {
        self.steps.get(at + 1).filter(|next| next.stage == self.steps[at].stage)
    }

    /// The same stage's steps behind a step, and those of the stages that start from it, with
    /// their numbers.
    fn later(&self, at: usize) -> impl Iterator<Item = &Step<'a>> {
        self.steps[at + 1..].iter()
    }
}

/// Whether the words of SHELL are a POSIX shell's.
fn is_posix_shell(words: &str) -> bool {
    let program = words.trim_start_matches(['[', ' ']).split(',').next().unwrap_or_default();
    let name = program.trim().trim_matches('"').rsplit('/').next().unwrap_or_default();
    ["sh", "bash", "dash", "ash", "ksh", "zsh"].contains(&name)
}

/// Whether the frontend is at least version 1 of this minor number; one that names no such version
/// is new.
fn frontend_is(file: &Dockerfile, minor: u32) -> bool {
    let version = file.syntax.as_deref().and_then(|syntax| {
        let image = syntax.split('@').next().unwrap_or(syntax);
        image.rsplit_once(':')?.1.strip_prefix("1.")
    });
    let number = version.and_then(|version| {
        let end = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
        version[..end].parse::<u32>().ok()
    });
    number.is_none_or(|number| number >= minor)
}
