//! RUNs that belong together: one that deletes what the one before it made, and one that fetches
//! lists for the one behind it.

use super::super::edit::Edit;
use super::change::{Change, edit};
use super::{Build, Improvement, Kind, Step};
use crate::advice::dockerfile::command::{Command, Operator};
use crate::advice::dockerfile::path::below;
use crate::advice::dockerfile::run::Script;
use crate::facts::evidence::Confidence;

/// Paths that package managers and compilers fill, whether or not a command names them.
const FILLED: [&str; 9] = [
    "/var/lib/apt",
    "/var/cache",
    "/var/log",
    "/var/tmp",
    "/tmp",
    "/root/.cache",
    "/root/.npm",
    "/root/.m2",
    "/usr/share/doc",
];
const APT: [&str; 3] = ["apt-get", "apt", "aptitude"];

/// Steps that are looked at for what made a path, and paths of one RUN that are looked for: bounds
/// the work, where a file of 1 MiB could ask for billions of comparisons.
const EARLIER_MAX: usize = 100;
const PATHS_MAX: usize = 20;

/// Looks at one step, the first RUN.
pub(super) fn find(build: &Build<'_>, at: usize, found: &mut Vec<Improvement>) {
    let step = &build.steps[at];
    let Some(script) = &step.script else { return };
    if let Some(next) = build.next(at)
        && let Some(behind) = &next.script
        && fetches_only(script)
        && behind.any(|command| is_apt(command, "install"))
        && !behind.any(|command| is_apt(command, "update"))
    {
        let what = "fetch apt's lists in the RUN that installs from them: in one of their own \
                    they are old whenever it is cached, and stay in its layer";
        let mut improvement = build.improvement(at, Kind::SeparateUpdate, Confidence::High, what);
        improvement.last_line = next.instruction.last;
        improvement.edit = joined(build, step, next);
        found.push(improvement);
    }
    if !script.commands.is_empty() && script.commands.iter().all(cleans) {
        let paths =
            script.commands.iter().flat_map(|command| deleted(command, step)).take(PATHS_MAX);
        let Some(maker) = paths.into_iter().filter_map(|path| made_by(build, at, &path)).max()
        else {
            return;
        };
        let what = "delete in the RUN that makes it: a later RUN hides files, and their bytes stay";
        let mut improvement = build.improvement(at, Kind::SeparateCleanup, Confidence::High, what);
        if maker + 1 == at {
            improvement.line = build.steps[maker].instruction.first;
            improvement.edit = joined(build, &build.steps[maker], step);
        }
        found.push(improvement);
    }
}

fn is_apt(command: &Command, verb: &str) -> bool {
    APT.contains(&command.name()) && command.verb(&[verb]).is_some()
}

fn fetches_only(script: &Script<'_>) -> bool {
    script.commands.iter().all(|command| is_apt(command, "update")) && !script.commands.is_empty()
}

/// Whether a command only deletes.
fn cleans(command: &Command) -> bool {
    match command.name() {
        "rm" => !command.redirected,
        "true" | ":" => true,
        "apt-get" | "apt" | "yum" | "dnf" | "microdnf" => {
            command.verb(&["clean", "autoclean"]).is_some()
        }
        _ => false,
    }
}

/// The paths that a command deletes, as far as they are plain.
fn deleted(command: &Command, step: &Step<'_>) -> Vec<String> {
    match command.name() {
        "rm" => command
            .arguments()
            .iter()
            .map(|word| word.text.as_str())
            .filter(|word| !word.starts_with('-') && !word.contains('$'))
            .filter_map(|word| {
                let plain = word.split(['*', '?', '[', '{']).next().unwrap_or(word);
                below(step.directory.as_deref(), plain)
            })
            .filter(|path| path != "/")
            .collect(),
        _ => vec!["/var/cache".to_owned()],
    }
}

/// The last RUN before a step that names a path, or fills it by what it does.
fn made_by(build: &Build<'_>, at: usize, path: &str) -> Option<usize> {
    let is_inside = |path: &str, directory: &str| {
        path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let names = |step: &Step<'_>, script: &Script<'_>| {
        script.any(|command| {
            let argument = |word: &str| {
                let value = word.split_once('=').map_or(word, |(_, value)| value);
                below(step.directory.as_deref(), value)
                    .is_some_and(|own| own != "/" && is_inside(&own, path))
            };
            !cleans(command) && command.arguments().iter().any(|word| argument(&word.text))
        })
    };
    let fills = |script: &Script<'_>| {
        let is_filled = FILLED.iter().any(|filled| is_inside(path, filled));
        is_filled
            && script.any(|command| {
                ["install", "update", "ci", "build", "package"]
                    .iter()
                    .any(|verb| command.verb(&[verb]).is_some())
            })
    };
    let stage = build.steps[at].stage;
    let mut earlier = build.steps[..at].iter().enumerate().rev().take(EARLIER_MAX);
    let made = earlier.find(|(_, step)| {
        step.stage == stage
            && step.script.as_ref().is_some_and(|script| names(step, script) || fills(script))
    });
    made.map(|(step, _)| step)
}

/// The edit that makes one RUN of two; `None` where that might change what they do.
fn joined(build: &Build<'_>, first: &Step<'_>, second: &Step<'_>) -> Option<Edit> {
    let (before, behind) = (first.script.as_ref()?, second.script.as_ref()?);
    // What the first does to its shell, the second would see.
    let leaves = |command: &Command| {
        ["cd", "set", "export", "trap", "exec", "exit", "umask", "unset", ".", "source", "alias"]
            .contains(&command.name())
            || command.words.is_empty()
    };
    let is_chain = |command: &Command| matches!(command.after, Operator::And | Operator::End);
    let fits = !before.any(leaves)
        && behind.commands.iter().all(is_chain)
        && !behind.is_heredoc()
        // A mount of one would be there for the other.
        && behind.run.flags.is_empty()
        && before.run.flags.is_empty();
    let end = before.end().filter(|_| fits)?;
    behind.end()?;
    let end = before.behind(end);
    let start = behind.start(second.instruction);
    // Comments between them stay; blank lines inside an instruction are refused some day.
    let text = build.file.text();
    let between = build.line_start(first.instruction.last + 1);
    let until = build.line_start(second.instruction.first);
    let comments: String = text
        .get(between..until)?
        .lines()
        .filter(|line| !line.trim().is_empty())
        .fold(String::new(), |all, line| all + line + "\n");
    let escape = build.file.escape;
    let joint = format!(" {escape}\n{comments}    && ");
    edit(text, vec![Change::replace(end, start, joint)])
}
