//! Paths in configurations: `load_module modules/x.so`, `root /srv/site`,
//! `include /etc/nginx/conf.d/*.conf`. Whatever the format, a path is a word of it.

use std::collections::BTreeSet;

use crate::content::document::is_configuration;
use crate::facts::evidence::Evidence;
use crate::facts::reach::{Reach, command};
use crate::limits::CONFIGURATION_ROWS_MAX;
use crate::tree::NodeId;

/// Directories of /etc whose files are for the tools of the distribution and for whoever logs in, or
/// are read by rules of their own.
const ASIDE: [&[u8]; 32] = [
    b"alternatives",
    b"apt",
    b"bash_completion.d",
    b"ca-certificates",
    b"cron.d",
    b"cron.daily",
    b"cron.hourly",
    b"cron.monthly",
    b"cron.weekly",
    b"cont-finish.d",
    b"cont-init.d",
    b"default",
    b"dpkg",
    b"init.d",
    b"kernel",
    b"logrotate.d",
    b"openrc",
    b"pam.d",
    b"php",
    b"profile.d",
    b"runit",
    b"s6-overlay",
    b"service",
    b"services.d",
    b"skel",
    b"ssl",
    b"supervisor",
    b"sv",
    b"systemd",
    b"terminfo",
    b"update-motd.d",
    b"X11",
];

/// Claims configurations that no package brought, in directories of /etc that no package owns or
/// one that is in use: somebody wrote them for what the image runs.
pub(super) fn own(reach: &mut Reach<'_>) {
    let Some(etc) = reach.files.find(b"etc") else { return };
    let tree = reach.files.tree();
    for directory in reach.files.sorted_children(etc.node) {
        if !reach.files.is_directory(directory) || ASIDE.contains(&tree.name(directory)) {
            continue;
        }
        let files: Vec<NodeId> = tree.walk(directory).filter(|n| reach.files.is_file(*n)).collect();
        let owners: BTreeSet<usize> =
            files.iter().filter_map(|node| reach.packages.owner_position(*node)).collect();
        let user = owners.iter().find_map(|at| user_of(reach, *at));
        if !owners.is_empty() && user.is_none() {
            continue;
        }
        for node in files {
            if reach.packages.owner_position(node).is_none() {
                let how = if user.is_some() { "configuration of" } else { "configuration" };
                reach.claim(node, Evidence::PackageMate, how, user);
            }
        }
    }
}

/// A file of the package that is in use.
fn user_of(reach: &Reach<'_>, package: usize) -> Option<NodeId> {
    let files = &reach.packages.all[package].files;
    files
        .iter()
        .copied()
        .find(|node| reach.claims.evidence(*node) >= Evidence::Named && reach.files.is_file(*node))
}

/// Claims what the words of a configuration lead to.
pub(super) fn visit(reach: &mut Reach<'_>, node: NodeId, text: &[u8]) {
    let path = reach.files.tree().path(node);
    if !is_configuration(&path) {
        return;
    }
    let mut parts = path.split(|b| *b == b'/');
    if parts.next() == Some(b"etc") {
        match (parts.next(), parts.next()) {
            // /etc/passwd names the shells of users, /etc/shells all that there are.
            (Some(_), None) if !path.ends_with(b".conf") => return,
            (Some(directory), Some(_)) if ASIDE.contains(&directory) => return,
            _ => {}
        }
    }
    let Some(directory) = reach.files.tree().parent(node) else { return };
    for word in words(text) {
        if word.contains(&b'*') {
            several(reach, directory, word, node);
        } else if word.ends_with(b".so") && !word.starts_with(b"/") {
            by_name(reach, word, node);
        } else if let Some(found) = reach.files.find_from(directory, word) {
            if reach.files.is_file(found.node) && found.node != node {
                reach.claim_found(&found, Evidence::Named, "path in", Some(node));
            } else if word.starts_with(b"/") && command::is_small(reach, found.node) {
                let how = "below a path in";
                reach.claim_below(found.node, Evidence::Named, how, Some(node));
            }
        }
    }
}

/// Words that may be paths: absolute ones, and those with a slash, a star or an ending.
fn words(text: &[u8]) -> BTreeSet<&[u8]> {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || b"/._-+@*?~".contains(b);
    text.split(|b| *b == b'\n')
        .filter(|line| !line.trim_ascii_start().starts_with(b"#"))
        .flat_map(|line| line.split(|b| !is_part(b)))
        .map(|word| word.strip_suffix(b".").unwrap_or(word))
        .filter(|word| word.len() > 2 && word.iter().any(|b| b"/.*".contains(b)))
        .take(CONFIGURATION_ROWS_MAX)
        .collect()
}

/// `conf.d/*.conf`, from the root or from the directory of the configuration.
fn several(reach: &mut Reach<'_>, directory: NodeId, word: &[u8], from: NodeId) {
    let front = word.iter().take_while(|b| !b"*?[".contains(b)).count();
    // A star alone, or at the root, stands for anything but a path.
    if !word[..front].iter().skip(1).any(|b| *b == b'/') {
        return;
    }
    let pattern = match word.first() {
        Some(b'/') => word.to_vec(),
        _ => [&reach.files.path(directory)[..], b"/", word].concat(),
    };
    for found in reach.files.matching(&pattern) {
        if reach.files.is_file(found.node) {
            reach.claim_found(&found, Evidence::Named, "included by", Some(from));
        }
    }
}

/// `modules/x.so`, below a directory that only the program knows.
fn by_name(reach: &mut Reach<'_>, word: &[u8], from: NodeId) {
    let (above, name) = crate::entry::split(word);
    let above = crate::entry::split(above).1;
    for node in reach.files.shared_objects(name).to_vec() {
        let parent = reach.files.tree().parent(node).map(|parent| reach.files.tree().name(parent));
        if (above.is_empty() || parent == Some(above)) && reach.files.is_file(node) {
            reach.claim(node, Evidence::Named, "named in", Some(from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_that_may_be_paths_are_found() {
        let text =
            b"# /no\nload_module \"modules/x.so\"; root=/srv/site;\n  include c.d/*.conf, a.\n\
            key: value\n path:/opt/x y\n";
        let found: Vec<_> = words(text).into_iter().map(String::from_utf8_lossy).collect();
        assert_eq!(found, ["/opt/x", "/srv/site", "c.d/*.conf", "modules/x.so"]);
    }
}
