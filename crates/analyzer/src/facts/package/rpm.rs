//! rpm's package database, wherever a distribution keeps it.

use std::collections::{HashMap, HashSet};

use crate::content::Body;
use crate::content::rpm::{self, Recorded, RpmPackage};
use crate::error::Result;
use crate::facts::filesystem::Filesystem;
use crate::facts::package::{Ecosystem, Package, Packages, Reason};
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
                recorded(files, packages, read)?;
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

/// Where dnf of today, dnf before it and zypper record why they installed packages.
const DNF5: &[u8] = b"usr/lib/sysimage/libdnf5/packages.toml";
const DNF: &[u8] = b"var/lib/dnf/history.sqlite";
const ZYPPER: &[u8] = b"var/lib/zypp/AutoInstalled";

/// Takes the reasons of the packages from `first` on from the record of what installed them.
fn recorded(files: &Filesystem<'_>, packages: &mut Packages, first: usize) -> Result<()> {
    let mut found: Option<HashMap<String, Recorded>> = None;
    let readers: [(&[u8], Reader); 3] = [(DNF5, dnf5), (DNF, dnf), (ZYPPER, zypper)];
    for (path, read) in readers {
        let Some(document) = files.document(path)? else { continue };
        match read(document.text()) {
            Ok(rows) => {
                found = Some(rows.into_iter().collect());
                break;
            }
            Err(error) => {
                let path = String::from_utf8_lossy(path);
                packages
                    .warnings
                    .push(format!("/{path}: {error}: why packages are there is not known"));
            }
        }
    }
    let Some(found) = found else { return Ok(()) };
    for package in &mut packages.all[first..] {
        package.reason_is_told = true;
        // What no record names was there before.
        if found.get(&package.name) == Some(&Recorded::ForOthers) {
            package.reason = Reason::Dependency;
        }
    }
    Ok(())
}

/// Names of packages and why they were installed, or why that cannot be read.
type Record = std::result::Result<Vec<(String, Recorded)>, String>;
type Reader = fn(&[u8]) -> Record;

fn dnf(bytes: &[u8]) -> Record {
    rpm::history(bytes.to_vec())
}

/// `[packages."bash.x86_64"]` with `reason = "Dependency"`.
fn dnf5(text: &[u8]) -> Record {
    let text = String::from_utf8_lossy(text);
    let table: toml::Table = text.parse().map_err(|_| "it is no TOML".to_owned())?;
    let Some(rows) = table.get("packages").and_then(toml::Value::as_table) else {
        return Err("it has no table of packages".to_owned());
    };
    let row = |(name, row): (&String, &toml::Value)| {
        let reason = row.get("reason").and_then(toml::Value::as_str).unwrap_or_default();
        let recorded = match reason {
            "Dependency" | "Weak Dependency" | "Clean" => Recorded::ForOthers,
            _ => Recorded::Asked,
        };
        let name = name.rsplit_once('.').map_or(name.as_str(), |(name, _)| name);
        (name.to_owned(), recorded)
    };
    Ok(rows.iter().map(row).collect())
}

/// A name a line.
fn zypper(text: &[u8]) -> Record {
    if text.contains(&0) {
        return Err("it is no text".to_owned());
    }
    let text = String::from_utf8_lossy(text);
    let names = text.lines().map(str::trim);
    let names = names.filter(|name| !name.is_empty() && !name.starts_with('#'));
    Ok(names.map(|name| (name.to_owned(), Recorded::ForOthers)).collect())
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
