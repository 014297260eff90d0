//! Ruby gems: a gemspec in a `specifications` directory, as `RubyGems` writes it, and the gem's files
//! beside that directory. Default gems come with Ruby and stand in its own library. What was asked
//! for is known of gems that an application's `Gemfile.lock` holds.

use std::collections::{HashMap, HashSet};

use crate::content::Body;
use crate::error::Result;
use crate::facts::configuration::gem::{Lock, LockedGem};
use crate::facts::filesystem::Filesystem;
use crate::facts::package::{Ecosystem, Package, Packages, Reason};
use crate::tree::NodeId;

/// Directories of platforms that are looked into for each gem: an image has one.
const PLATFORMS_MAX: usize = 16;

/// Reads every gem.
pub(super) fn read(files: &Filesystem<'_>, packages: &mut Packages) -> Result<()> {
    let tree = files.tree();
    let listed = packages.all.len();
    let mut locks = Vec::new();
    for &specifications in files.nodes() {
        match tree.name(specifications) {
            b"specifications" if files.is_directory(specifications) => {}
            b"Gemfile.lock" | b"gems.locked" => {
                locks.push(specifications);
                continue;
            }
            _ => continue,
        }
        let Some(home) = tree.parent(specifications) else { continue };
        let default = tree.child(specifications, b"default");
        for (directory, is_default) in [(Some(specifications), false), (default, true)] {
            let Some(directory) = directory else { continue };
            for node in files.sorted_children(directory) {
                let Some(full_name) = tree.name(node).strip_suffix(b".gemspec") else { continue };
                let Some(content) = files.content(node)? else { continue };
                let Body::Document(text) = &content.body else { continue };
                let text = String::from_utf8_lossy(text);
                let mut package = package(&text, full_name);
                package.files.push(node);
                own(files, home, full_name, &mut package);
                if is_default {
                    own_default(files, home, &text, &mut package);
                }
                packages.push(package);
            }
        }
    }
    if locks.is_empty() {
        return Ok(());
    }
    // Gems bring the locks that they were developed with.
    let gems = &packages.all[listed..];
    let of_gems: HashSet<NodeId> = gems.iter().flat_map(|gem| &gem.files).copied().collect();
    let is_own =
        |lock: &NodeId| packages.owner_position(*lock).is_none() && !of_gems.contains(lock);
    locks.retain(is_own);
    reasons(files, &locks, &mut packages.all[listed..])
}

/// Tells of the gems that applications locked which of them they ask for.
fn reasons(files: &Filesystem<'_>, locks: &[NodeId], gems: &mut [Package]) -> Result<()> {
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, gem) in gems.iter().enumerate() {
        by_name.entry(&gem.name).or_default().push(at);
    }
    let mut reasons: HashMap<usize, Reason> = HashMap::new();
    for lock in locks {
        let Some(content) = files.content(*lock)? else { continue };
        for (at, is_asked) in locked(&Lock::read(content.text()), gems, &by_name) {
            let reason = if is_asked { Reason::Asked } else { Reason::Dependency };
            // What one of several applications asks for was asked for.
            let known = reasons.entry(at).or_insert(reason);
            *known = reason.min(*known);
        }
    }
    for (at, reason) in reasons {
        (gems[at].reason, gems[at].reason_is_told) = (reason, true);
    }
    Ok(())
}

/// Which gems one application locked, and whether it asks for them.
fn locked(
    lock: &Lock,
    gems: &[Package],
    by_name: &HashMap<&str, Vec<usize>>,
) -> Vec<(usize, bool)> {
    let mut installed: HashMap<&str, usize> = HashMap::new();
    let mut by_path: HashMap<&str, &LockedGem> = HashMap::new();
    for locked in &lock.gems {
        let is_it = |at: &&usize| {
            let platform = locked.version.strip_prefix(gems[**at].version.as_str());
            platform.is_some_and(|platform| platform.is_empty() || platform.starts_with('-'))
        };
        let found = by_name.get(locked.name.as_str()).into_iter().flatten().find(is_it);
        match found {
            Some(at) => _ = installed.insert(&locked.name, *at),
            // At a path or in a repository.
            None => _ = by_path.insert(&locked.name, locked),
        }
    }
    let mut open: Vec<&str> = lock.asked.iter().map(String::as_str).collect();
    let mut asked: HashSet<&str> = open.iter().copied().collect();
    // What such a gem needs, nothing installed asks for.
    while let Some(name) = open.pop() {
        if let Some(gem) = by_path.get(name) {
            open.extend(gem.depends.iter().map(String::as_str).filter(|on| asked.insert(on)));
        }
    }
    installed.into_iter().map(|(name, at)| (at, asked.contains(name))).collect()
}

fn package(text: &str, full_name: &[u8]) -> Package {
    let full_name = String::from_utf8_lossy(full_name);
    let (by_name, by_version) = full_name.rsplit_once('-').unwrap_or((&full_name, ""));
    let value = |key: &str| {
        text.lines()
            .find_map(|line| literal(line.trim_start().strip_prefix(key)?))
            .map(str::to_owned)
    };
    let mut package = Package {
        version: value("s.version = ").unwrap_or_else(|| by_version.to_owned()),
        ..Package::new(Ecosystem::Ruby, value("s.name = ").unwrap_or_else(|| by_name.to_owned()))
    };
    // What follows an `else` is for `RubyGems` of before 1.2, which took what is needed for
    // development as needed.
    for line in text.lines().take_while(|line| line.trim() != "else") {
        for call in ["s.add_runtime_dependency(", "s.add_dependency("] {
            let name = line.trim_start().strip_prefix(call).and_then(literal);
            package.depends.extend(name.map(|name| vec![name.to_owned()]));
        }
    }
    package
}

/// The text at the start: `"a".freeze`, `'a'`, `%q<a>`.
fn literal(text: &str) -> Option<&str> {
    let (rest, end) = match text.as_bytes().first()? {
        b'"' => (&text[1..], '"'),
        b'\'' => (&text[1..], '\''),
        _ => (text.strip_prefix("%q<")?, '>'),
    };
    rest.split_once(end).map(|(text, _)| text)
}

/// The files of a gem: its directory, what was compiled for it, and what was noted of it.
fn own(files: &Filesystem<'_>, home: NodeId, full_name: &[u8], package: &mut Package) {
    let tree = files.tree();
    let child = |directory: NodeId, name: &[u8]| tree.child(directory, name);
    let under = |directory: &[u8]| child(home, directory).and_then(|at| child(at, full_name));
    let mut whole: Vec<NodeId> = [&b"gems"[..], b"doc"].iter().filter_map(|at| under(at)).collect();
    // `extensions/x86_64-linux/3.3.0/NAME-VERSION`.
    let platforms = child(home, b"extensions").into_iter().flat_map(|at| tree.children(at));
    let versions = platforms.flat_map(|platform| tree.children(platform));
    whole.extend(versions.take(PLATFORMS_MAX).filter_map(|version| child(version, full_name)));
    for top in whole {
        package.files.extend(tree.walk(top).filter(|node| !files.is_directory(*node)));
    }
    for (directory, end) in [(&b"cache"[..], &b".gem"[..]), (b"build_info", b".info")] {
        let name = [full_name, end].concat();
        package.files.extend(child(home, directory).and_then(|at| child(at, &name)));
    }
}

/// A default gem's files, which its gemspec lists, in Ruby's library: `…/ruby/3.3.0` beside
/// `…/ruby/gems/3.3.0`. Native ones are in a directory of the platform there.
fn own_default(files: &Filesystem<'_>, home: NodeId, text: &str, package: &mut Package) {
    let tree = files.tree();
    let library = tree.parent(home).and_then(|gems| tree.parent(gems));
    let Some(library) = library.and_then(|ruby| tree.child(ruby, tree.name(home))) else { return };
    let Some(list) = text.lines().find_map(|line| line.trim_start().strip_prefix("s.files = ["))
    else {
        return;
    };
    let mut platforms: Vec<NodeId> = files.sorted_children(library);
    platforms.retain(|node| files.is_directory(*node) && tree.name(*node).contains(&b'-'));
    platforms.truncate(PLATFORMS_MAX);
    for path in list.split(", ").filter_map(literal) {
        let path = path.strip_prefix("lib/").unwrap_or(path);
        for directory in std::iter::once(&library).chain(&platforms) {
            let found = files.find_from(*directory, path.as_bytes());
            package.files.extend(found.map(|found| found.node).filter(|node| files.is_file(*node)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gemspecs_are_read() {
        let text = "Gem::Specification.new do |s|\n  s.name = \"rack-x\".freeze\n  s.version = \"2.2\"\n\
                    \x20 if s.respond_to? :specification_version then\n\
                    \x20   s.add_runtime_dependency(%q<base64>.freeze, [\">= 0.1\"])\n\
                    \x20   s.add_development_dependency(%q<rake>.freeze)\n\
                    \x20   s.add_dependency('nio', \"~> 2\")\n\
                    \x20 else\n    s.add_dependency(%q<rake>.freeze, [\">= 0\"])\n  end\nend\n";
        let package = package(text, b"rack-x-2.2");
        assert_eq!((&*package.name, &*package.version), ("rack-x", "2.2"));
        assert_eq!(package.depends, [["base64"], ["nio"]]);
        let bare = self::package("\"", b"a-b-1.0-x86_64-linux");
        assert_eq!((&*bare.name, &*bare.version), ("a-b-1.0-x86_64", "linux"));
        assert_eq!((literal("%q<a"), literal(""), literal("'")), (None, None, None));
    }
}
