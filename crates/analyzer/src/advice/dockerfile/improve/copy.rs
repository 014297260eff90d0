//! ADD where COPY or a download in a RUN does better, and COPY that may be linked.

use super::change::{Change, edit};
use super::{Build, Improvement, Kind};
use crate::advice::dockerfile::{Body, Copy, flag};
use crate::facts::evidence::Confidence;

/// Endings of archives, which ADD unpacks.
const ARCHIVES: [&str; 9] =
    [".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".tzst"];

/// Looks at one step.
pub(super) fn find(build: &Build<'_>, at: usize, found: &mut Vec<Improvement>) {
    let step = &build.steps[at];
    let Body::Copy(copy) = &step.instruction.body else { return };
    if step.instruction.keyword == "ADD" {
        if let Some(improvement) = unpacked(build, at, copy) {
            found.push(improvement);
        } else if is_plain(copy) {
            let what = "use COPY: ADD is for archives and downloads";
            let mut improvement =
                build.improvement(at, Kind::AddInsteadOfCopy, Confidence::High, what);
            let (start, end) =
                (step.instruction.joined.place(0), step.instruction.joined.behind(3));
            let is_small = build.file.text().get(start..end) == Some("add");
            let keyword = if is_small { "copy" } else { "COPY" };
            improvement.edit = edit(build.file.text(), vec![Change::replace(start, end, keyword)]);
            found.push(improvement);
        }
        return;
    }
    if build.links && flag(&copy.flags, "link").is_none() {
        let what = "let the cache keep it whatever changes before it (--link), if its destination \
                    is below no symbolic link";
        let mut improvement = build.improvement(at, Kind::Link, Confidence::Low, what);
        let behind = step.instruction.joined.behind(step.instruction.keyword.len());
        improvement.edit = edit(build.file.text(), vec![Change::insert(behind, " --link")]);
        found.push(improvement);
    }
}

/// An ADD of a remote archive that a later RUN unpacks.
fn unpacked(build: &Build<'_>, at: usize, copy: &Copy) -> Option<Improvement> {
    let is_remote = |source: &&String| source.contains("://");
    let source = copy.sources.iter().find(is_remote)?;
    let name = source.rsplit('/').next().unwrap_or(source);
    let target = copy.destination.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let names = |word: &str| {
        let own = word.rsplit('/').next().unwrap_or(word);
        !own.is_empty() && (own == name || (own == target && own.contains('.')))
    };
    let unpacks = build.later(at).filter_map(|step| step.script.as_ref()).any(|script| {
        script.any(|command| {
            matches!(command.name(), "tar" | "unzip" | "bsdtar" | "gunzip" | "unxz" | "bunzip2")
                && command.arguments().iter().any(|word| names(&word.text))
        })
    });
    let what = "download, unpack and delete the archive in one RUN: the ADD keeps it in a layer";
    unpacks.then(|| build.improvement(at, Kind::Archive, Confidence::High, what))
}

/// Whether all that an ADD adds stands in the context and is no archive.
fn is_plain(copy: &Copy) -> bool {
    let is_special = |source: &String| {
        let name = source.to_ascii_lowercase();
        source.contains("://")
            || source.starts_with("git@")
            || source.contains(['$', '*', '?', '['])
            || ARCHIVES.iter().any(|end| name.ends_with(end))
    };
    // Without an ending, it may be an archive all the same.
    let has_ending = |source: &String| {
        let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or(source);
        matches!(source.as_str(), "." | "./")
            || source.ends_with('/')
            || source.starts_with("<<")
            || name.contains('.')
    };
    !copy.sources.iter().any(is_special)
        && copy.sources.iter().all(has_ending)
        && copy.flags.iter().all(|flag| ["chown", "chmod", "link"].contains(&flag.name.as_str()))
}
