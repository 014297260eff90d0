//! What is kept of a library beyond what is imported by name: its whole package, what it imports by
//! names that it computes, what others offer it.

use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::kind::{FileKind, is_in_site, kind_of};
use crate::facts::reach::{Reach, Whole};
use crate::tree::NodeId;

use super::module::{import, in_directory};
use super::working;

/// Modules below one package that are taken at once.
pub(super) const MODULES_MAX: usize = 100_000;

/// Modules by which libraries find what other distributions offer them.
pub(super) const ENTRY_POINTS: [&str; 4] =
    ["importlib.metadata", "importlib_metadata", "pkg_resources", "stevedore"];

/// Claims what distributions offer to others in their `entry_points.txt`
/// (<https://packaging.python.org/specifications/entry-points/>), commands and what only serves
/// to build and install aside.
pub(super) fn entry_points(reach: &mut Reach<'_>, interpreter: usize, from: NodeId) -> Result<()> {
    const ASIDE: [&str; 6] =
        ["console_scripts", "gui_scripts", "distutils.", "setuptools.", "egg_info.", "pip."];
    let tree = reach.files.tree();
    for site in reach.interpreters.paths[interpreter].directories.clone() {
        if !reach.begins(Whole::EntryPoints, site, from) {
            continue;
        }
        for child in reach.files.sorted_children(site) {
            let name = tree.name(child);
            if !name.ends_with(b".dist-info") && !name.ends_with(b".egg-info") {
                continue;
            }
            let Some(file) = tree.child(child, b"entry_points.txt") else { continue };
            let Some(content) = reach.files.content(file)? else { continue };
            let text = String::from_utf8_lossy(content.text()).into_owned();
            let mut is_offered = false;
            for line in text.lines().map(str::trim) {
                if let Some(group) = line.strip_prefix('[') {
                    is_offered = !ASIDE.iter().any(|aside| group.starts_with(aside));
                } else if let Some((_, target)) = line.split_once('=').filter(|_| is_offered) {
                    let module = target.split([':', '[']).next().unwrap_or_default().trim();
                    let how = "offered to those that ask, as";
                    import(reach, interpreter, module, None, from, how)?;
                }
            }
        }
    }
    Ok(())
}

/// Claims the module that a text of the application names, where it is not the standard library's
/// or is written with dots: `"rest_framework"`, `"logging.handlers.QueueHandler"`.
pub(super) fn text_import(
    reach: &mut Reach<'_>,
    interpreter: usize,
    name: &str,
    from: NodeId,
) -> Result<()> {
    let directory = reach.files.tree().parent(from);
    if !name.contains('.') {
        let path = &reach.interpreters.paths[interpreter];
        let standard = path.standard;
        let mut places = path.directories.clone();
        places.retain(|place| Some(*place) != standard);
        places.extend(directory);
        places.push(working(reach));
        if !places.into_iter().any(|place| in_directory(reach, place, name).is_some()) {
            return Ok(());
        }
    }
    import(reach, interpreter, name, directory, from, "named in a text of")
}

/// Claims all modules of the package of a module that imports by computed names, as if it had
/// named each.
pub(super) fn computed_imports(reach: &mut Reach<'_>, interpreter: usize, module: NodeId) {
    let tree = reach.files.tree();
    let sites = &reach.interpreters.paths[interpreter].directories;
    let above = std::iter::successors(Some(module), |at| tree.parent(*at));
    let top = above.take_while(|at| !sites.contains(at)).last();
    let Some(top) = top.filter(|top| reach.files.is_directory(*top)) else { return };
    if reach.begins(Whole::PythonComputed, top, module) {
        keep_below(reach, top, Evidence::Named, "may be imported by name by", module);
    }
}

/// Claims the files below a directory, tests, documents and headers aside.
pub(super) fn keep_below(
    reach: &mut Reach<'_>,
    top: NodeId,
    evidence: Evidence,
    how: &str,
    from: NodeId,
) {
    for node in reach.files.tree().walk(top).take(MODULES_MAX).collect::<Vec<_>>() {
        if reach.files.is_file(node) && kind_of(&reach.files.path(node)) == FileKind::Other {
            reach.claim(node, evidence, how, Some(from));
        }
    }
}

/// Keeps all of a top-level package that is not the standard library's, its tests aside, with its
/// shared objects and its distribution's records.
pub(super) fn whole_package(reach: &mut Reach<'_>, place: NodeId, top: &str, module: NodeId) {
    // What is in a site is not the standard library's, although it may stand below it.
    if !is_in_site(&reach.files.path(module)) {
        return;
    }
    let tree = reach.files.tree();
    for directory in [top.to_owned(), format!("{top}.libs")] {
        let Some(found) = tree.child(place, directory.as_bytes()) else { continue };
        if !reach.begins(Whole::PythonPackage, found, module) {
            continue;
        }
        keep_below(reach, found, Evidence::PackageMate, "of the same package as", module);
    }
    if let Some(owner) = reach.packages.owner(module) {
        for node in &owner.files {
            let parent = tree.parent(*node).map(|parent| tree.name(parent)).unwrap_or_default();
            if parent.ends_with(b".dist-info") || parent.ends_with(b".egg-info") {
                reach.claim(*node, Evidence::PackageMate, "record of the package of", Some(module));
            }
        }
    }
}
