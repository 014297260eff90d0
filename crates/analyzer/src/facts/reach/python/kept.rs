//! What is kept of a library beyond what is imported by name: its whole package, what it imports by
//! names that it computes, what others offer it.

use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::reach::{Reach, Whole};
use crate::tree::NodeId;

use super::module::{import, in_directory};
use super::working;

/// Modules below one package that are taken at once.
pub(super) const MODULES_MAX: usize = 100_000;

/// Modules by which libraries find what other distributions offer them.
pub(super) const ENTRY_POINTS: [&str; 4] =
    ["importlib.metadata", "importlib_metadata", "pkg_resources", "stevedore"];

/// The records of distributions that are read when somebody asks for what they offer.
const RECORDS: [&[u8]; 5] =
    [b"METADATA", b"PKG-INFO", b"entry_points.txt", b"requires.txt", b"top_level.txt"];

/// Rows of the `entry_points.txt` of every distribution that an interpreter finds
/// (<https://packaging.python.org/specifications/entry-points/>).
struct EntryPoint {
    group: String,
    name: String,
    module: String,
}

fn all_entry_points(reach: &Reach<'_>, interpreter: usize) -> Result<Vec<EntryPoint>> {
    let tree = reach.files.tree();
    let mut rows = Vec::new();
    for site in &reach.interpreters.paths[interpreter].directories {
        for child in records(reach, *site) {
            let Some(file) = tree.child(child, b"entry_points.txt") else { continue };
            let Some(content) = reach.files.content(file)? else { continue };
            let mut group = String::new();
            for line in String::from_utf8_lossy(content.text()).lines().map(str::trim) {
                if let Some(title) = line.strip_prefix('[') {
                    title.trim_end_matches(']').clone_into(&mut group);
                } else if let Some((name, target)) = line.split_once('=') {
                    let module = target.split([':', '[']).next().unwrap_or_default().trim();
                    rows.push(EntryPoint {
                        group: group.clone(),
                        name: name.trim().to_owned(),
                        module: module.to_owned(),
                    });
                }
            }
        }
    }
    Ok(rows)
}

/// The directories of distributions' records in a site.
fn records(reach: &Reach<'_>, site: NodeId) -> Vec<NodeId> {
    let is_record = |node: &NodeId| {
        let name = reach.files.tree().name(*node);
        name.ends_with(b".dist-info") || name.ends_with(b".egg-info")
    };
    reach.files.sorted_children(site).into_iter().filter(is_record).collect()
}

/// Claims what distributions offer to others, commands and what only serves to build and install
/// aside, and the records that tell.
pub(super) fn entry_points(reach: &mut Reach<'_>, interpreter: usize, from: NodeId) -> Result<()> {
    const ASIDE: [&str; 6] =
        ["console_scripts", "gui_scripts", "distutils.", "setuptools.", "egg_info.", "pip."];
    let Some(first) = reach.interpreters.paths[interpreter].directories.first().copied() else {
        return Ok(());
    };
    if !reach.begins(Whole::EntryPoints, first, from) {
        return Ok(());
    }
    for row in all_entry_points(reach, interpreter)? {
        if !ASIDE.iter().any(|aside| row.group.starts_with(aside)) {
            let how = "offered to those that ask, as";
            import(reach, interpreter, &row.module, None, from, how)?;
        }
    }
    for site in reach.interpreters.paths[interpreter].directories.clone() {
        for record in records(reach, site) {
            for name in RECORDS {
                if let Some(file) = reach.files.tree().child(record, name) {
                    reach.claim(file, Evidence::PackageMate, "record read by", Some(from));
                }
            }
        }
    }
    Ok(())
}

/// Claims the module that a command of a distribution starts: the script finds it by its own name.
pub(super) fn console_script(
    reach: &mut Reach<'_>,
    interpreter: usize,
    script: NodeId,
) -> Result<()> {
    let name = String::from_utf8_lossy(reach.files.tree().name(script)).into_owned();
    for row in all_entry_points(reach, interpreter)? {
        if row.name == name && matches!(&*row.group, "console_scripts" | "gui_scripts") {
            import(reach, interpreter, &row.module, None, script, "entry point of")?;
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
        let how = "may be imported by name by";
        reach.keep_below(top, MODULES_MAX, Evidence::Named, how, module);
    }
}

/// Keeps all of a top-level package that is not the standard library's, its tests aside, with its
/// shared objects and its distribution's records.
pub(super) fn whole_package(reach: &mut Reach<'_>, place: NodeId, top: &str, module: NodeId) {
    // What is in a site is not the standard library's, although it may stand below it.
    if !reach.files.place(module).is_in_site() {
        return;
    }
    let tree = reach.files.tree();
    for directory in [top.to_owned(), format!("{top}.libs")] {
        let Some(found) = tree.child(place, directory.as_bytes()) else { continue };
        if !reach.begins(Whole::PythonPackage, found, module) {
            continue;
        }
        let how = "of the same package as";
        reach.keep_below(found, MODULES_MAX, Evidence::PackageMate, how, module);
    }
    if let Some(owner) = reach.packages.owner(module)
        && let Some(first) = owner.files.first()
        && reach.begins(Whole::PythonRecords, *first, module)
    {
        for node in &owner.files {
            let parent = tree.parent(*node).map(|parent| tree.name(parent)).unwrap_or_default();
            if parent.ends_with(b".dist-info") || parent.ends_with(b".egg-info") {
                reach.claim(*node, Evidence::PackageMate, "record of the package of", Some(module));
            }
        }
    }
}
