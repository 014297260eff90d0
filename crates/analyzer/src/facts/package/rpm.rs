//! rpm's package database, wherever a distribution keeps it.

use std::collections::{HashMap, HashSet};

use crate::content::Body;
use crate::content::rpm::RpmPackage;
use crate::error::Result;
use crate::facts::filesystem::Filesystem;
use crate::facts::package::{Ecosystem, Package, Packages};
use crate::tree::NodeId;

const DIRECTORIES: [&[u8]; 3] = [b"usr/lib/sysimage/rpm/", b"var/lib/rpm/", b"usr/share/rpm/"];
const NAMES: [&[u8]; 3] = [b"rpmdb.sqlite", b"Packages.db", b"Packages"];

/// Reads every database: one that was converted may still stand beside the new one, and one
/// directory may be a symlink to the other.
pub(super) fn read(files: &Filesystem<'_>, packages: &mut Packages) -> Result<()> {
    let mut seen = HashSet::new();
    for directory in DIRECTORIES {
        for name in NAMES {
            let path = [directory, name].concat();
            let Some(found) = files.file(&path).filter(|found| seen.insert(found.node)) else {
                continue;
            };
            let Some(content) = files.content(found.node)? else { continue };
            let read = packages.all.len();
            match &content.body {
                Body::Rpm(database) => {
                    if let Some(problem) = &database.problem {
                        let what = format!("{problem}; files of it count as unowned");
                        packages.warn(files, found.node, &what);
                    }
                    if let Some(log) = files.file(&[&path[..], b"-wal"].concat())
                        && files.size(log.node) > 0
                    {
                        packages.warn(files, log.node, "changes that stand only here are not read");
                    }
                    for package in &database.packages {
                        packages.push(self::package(files, package));
                    }
                }
                Body::TooLarge => {
                    let what = "too large a package database: it is not read; \
                                files of it count as unowned";
                    packages.warn(files, found.node, what);
                }
                _ => {}
            }
            if packages.all.len() > read {
                by_path(files, packages, read);
                return Ok(());
            }
        }
    }
    Ok(())
}

fn package(files: &Filesystem<'_>, of: &RpmPackage) -> Package {
    let texts = |names: &[Box<str>]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut package = Package {
        version: of.version.to_string(),
        installed_size: of.size,
        depends: texts(&of.requires).iter().map(|name| choices(name)).collect(),
        recommends: texts(&of.recommends).iter().map(|name| choices(name)).collect(),
        provides: texts(&of.provides),
        ..Package::new(Ecosystem::Rpm, of.name.to_string())
    };
    // `/bin/ls` of a header is `/usr/bin/ls` where `/bin` is a symlink.
    let directories: Vec<Option<NodeId>> =
        of.directories.iter().map(|path| files.find(path).map(|found| found.node)).collect();
    for (directory, name) in &of.files {
        let Some(Some(directory)) = directories.get(*directory as usize) else { continue };
        let node = files.tree().child(*directory, name);
        package.files.extend(node.filter(|node| !files.is_directory(*node)));
    }
    package
}

/// The names that a relation is met by: one, or those of a condition, `(a >= 1 or b)`. What stands
/// behind an `if` decides only whether it holds.
fn choices(relation: &str) -> Vec<String> {
    if !relation.starts_with('(') {
        return vec![relation.to_owned()];
    }
    let mut names = Vec::new();
    let mut is_version = false;
    for word in relation.split(' ') {
        // Names have brackets of their own: `libc.so.6()(64bit)`.
        let word = word.trim_start_matches('(');
        let extra = word.matches(')').count().saturating_sub(word.matches('(').count());
        let word = &word[..word.len() - extra];
        match word {
            "if" | "unless" | "else" => break,
            "and" | "or" | "with" | "without" => is_version = false,
            "<" | "<=" | "=" | ">=" | ">" => is_version = true,
            "" => {}
            _ if is_version => is_version = false,
            name => names.push(name.to_owned()),
        }
    }
    names
}

/// What requires a path requires the package that brought it.
fn by_path(files: &Filesystem<'_>, packages: &mut Packages, first: usize) {
    let mut owners: HashMap<NodeId, String> = HashMap::new();
    for package in &packages.all[first..] {
        owners.extend(package.files.iter().map(|node| (*node, package.name.clone())));
    }
    for package in &mut packages.all[first..] {
        for name in package.depends.iter_mut().chain(&mut package.recommends).flatten() {
            if !name.starts_with('/') {
                continue;
            }
            let (directory, file) = crate::entry::split(name.as_bytes());
            let node = files
                .find(directory)
                .and_then(|directory| files.tree().child(directory.node, file));
            if let Some(owner) = node.and_then(|node| owners.get(&node)) {
                name.clone_from(owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::choices;

    #[test]
    fn conditions_are_the_names_that_meet_them() {
        for (relation, names) in [
            ("libc.so.6()(64bit)", &["libc.so.6()(64bit)"][..]),
            ("(a >= 1 or b)", &["a", "b"]),
            ("((libx.so.1()(64bit) and c) if systemd)", &["libx.so.1()(64bit)", "c"]),
            ("(d = 1:2-3 unless e)", &["d"]),
            ("(", &[]),
        ] {
            assert_eq!(choices(relation), names, "{relation}");
        }
    }
}
