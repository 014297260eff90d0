//! A RUN that only changes the mode or the owner of what the COPY before it brought.

use super::change::{Change, edit};
use super::{Build, Improvement, Kind};
use crate::advice::dockerfile::path::below;
use crate::advice::dockerfile::{Body, Copy, flag};
use crate::facts::evidence::Confidence;

/// Looks at one step, the COPY.
pub(super) fn find(build: &Build<'_>, at: usize, found: &mut Vec<Improvement>) {
    let step = &build.steps[at];
    let Body::Copy(copy) = &step.instruction.body else { return };
    let Some(next) = build.next(at) else { return };
    let Some(script) = &next.script else { return };
    let [command] = script.commands.as_slice() else { return };
    let name = command.name();
    if !["chmod", "chown"].contains(&name) || command.nested || command.redirected {
        return;
    }
    let (flags, words): (Vec<&str>, Vec<&str>) = command
        .arguments()
        .iter()
        .map(|word| word.text.as_str())
        .partition(|word| word.starts_with('-'));
    let Some((wanted, paths)) = words.split_first() else { return };
    let is_recursive = flags.iter().any(|flag| ["-R", "--recursive"].contains(flag));
    let has_others = flags.iter().any(|flag| !["-R", "--recursive", "-v", "-f"].contains(flag));
    let targets = targets(copy, step.directory.as_deref());
    let touches = |path: &&str| {
        let path = below(next.directory.as_deref(), path);
        path.is_some_and(|path| {
            targets.iter().any(|(target, is_file)| *target == path && (is_recursive || *is_file))
        })
    };
    // One mode for all that is copied, and for nothing else.
    if paths.is_empty() || has_others || !paths.iter().all(touches) || !covers(copy, paths.len()) {
        return;
    }
    if flag(&copy.flags, name).is_some() {
        return;
    }
    let value = if name == "chmod" { mode(wanted) } else { owner(wanted) };
    let keyword = step.instruction.keyword;
    let whole = if is_recursive && name == "chown" {
        "; a directory that was there before keeps its own owner"
    } else {
        ""
    };
    let what = format!(
        "use {keyword} --{name} instead of a RUN that keeps a second copy of what it changes{whole}"
    );
    let confidence = if is_recursive { Confidence::Low } else { Confidence::Medium };
    let mut improvement = build.improvement(at, Kind::Owner, confidence, &what);
    improvement.last_line = next.instruction.last;
    improvement.edit = value.and_then(|value| {
        let behind = step.instruction.joined.behind(keyword.len());
        let start = build.line_start(next.instruction.first);
        let end = build.line_start(next.instruction.last + 1);
        let changes = vec![
            Change::insert(behind, format!(" --{name}={value}")),
            Change::replace(start, end, ""),
        ];
        edit(build.file.text(), changes)
    });
    found.push(improvement);
}

/// The paths that a COPY makes, and whether each is surely a file.
fn targets(copy: &Copy, directory: Option<&str>) -> Vec<(String, bool)> {
    let mut targets = Vec::new();
    let destination = copy.destination.as_str();
    let whole = below(directory, destination);
    for source in &copy.sources {
        let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
        let is_file = looks_like_file(name) && !source.ends_with('/');
        if is_file && let Some(whole) = &whole {
            targets.push((below(Some(whole), name).unwrap_or_default(), true));
        }
    }
    if let (Some(whole), [source]) = (whole, copy.sources.as_slice()) {
        let is_file = !destination.ends_with(['/', '.'])
            && (looks_like_file(source.rsplit('/').next().unwrap_or(source))
                || source.starts_with("<<"));
        targets.push((whole, is_file));
    }
    targets
}

/// A name with an ending, and one for all.
fn looks_like_file(name: &str) -> bool {
    name.rfind('.').is_some_and(|at| at > 0 && at + 1 < name.len())
        && !name.contains(['*', '?', '[', '$'])
}

/// Whether paths of this number are all that a COPY brings.
fn covers(copy: &Copy, paths: usize) -> bool {
    copy.sources.len() == 1 || paths == copy.sources.len()
}

/// A mode in octal.
fn mode(mode: &str) -> Option<String> {
    let is_octal =
        (3..=4).contains(&mode.len()) && mode.bytes().all(|b| (b'0'..=b'7').contains(&b));
    is_octal.then(|| mode.to_owned())
}

/// A user, or a user and a group. Alone, chown leaves the group as it is, which is root's, where
/// COPY would take the one of the user's number.
fn owner(owner: &str) -> Option<String> {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
    };
    match owner.split_once(':') {
        Some((user, group)) => (is_name(user) && is_name(group)).then(|| owner.to_owned()),
        None => is_name(owner).then(|| format!("{owner}:0")),
    }
}
