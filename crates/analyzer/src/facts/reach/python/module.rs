//! Modules: where an import finds one, and what comes with it.

use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::filesystem::Found;
use crate::facts::reach::Reach;
use crate::tree::NodeId;

use super::kept::whole_package;
use super::working;

/// Modules that C code imports, by the module that is written in C.
const HIDDEN: [(&str, &[&str]); 16] = [
    ("datetime", &["_strptime", "zoneinfo", "_pydatetime"]),
    ("time", &["_strptime"]),
    ("pickle", &["copyreg", "_compat_pickle"]),
    ("decimal", &["numbers", "collections", "_pydecimal"]),
    ("json", &["json.decoder", "json.scanner", "json.encoder"]),
    ("ssl", &["socket"]),
    ("sqlite3", &["sqlite3.dbapi2", "sqlite3.dump", "datetime"]),
    ("ctypes", &["ctypes._endian"]),
    ("asyncio", &["asyncio.base_events", "asyncio.unix_events", "asyncio.selector_events"]),
    ("xml.etree.ElementTree", &["xml.etree.ElementPath", "copy"]),
    ("unittest", &["unittest.main"]),
    (
        "multiprocessing",
        &[
            "multiprocessing.popen_fork",
            "multiprocessing.popen_spawn_posix",
            "multiprocessing.resource_tracker",
        ],
    ),
    ("concurrent.futures", &["concurrent.futures.thread", "concurrent.futures.process"]),
    ("dbm", &["dbm.dumb", "dbm.gnu", "dbm.ndbm"]),
    ("curses", &["curses.has_key"]),
    ("readline", &["rlcompleter"]),
];

/// Claims the module that an import finds: beside the importer, then on the search path.
pub(super) fn import(
    reach: &mut Reach<'_>,
    interpreter: usize,
    module: &str,
    directory: Option<NodeId>,
    from: NodeId,
    how: &str,
) -> Result<()> {
    if let Some((place, found)) = locate(reach, interpreter, module, directory) {
        claim_module(reach, &found, from, how);
        let top = module.split('.').next().unwrap_or_default();
        whole_package(reach, place, top, found.node);
    }
    if module == "sysconfig"
        && let Some(standard) = reach.interpreters.paths[interpreter].standard
    {
        // `_sysconfigdata__x86_64-linux-gnu`: its name is made of the platform's.
        for child in reach.files.sorted_children(standard) {
            if reach.files.tree().name(child).starts_with(b"_sysconfigdata_") {
                let found = Found { node: child, links: Vec::new() };
                claim_module(reach, &found, from, how);
            }
        }
    }
    for (public, hidden) in HIDDEN {
        if public == module {
            for module in hidden {
                import(reach, interpreter, module, None, from, how)?;
            }
        }
    }
    Ok(())
}

/// Where an import finds a module, and the place on the search path that has its top-level package.
fn locate(
    reach: &mut Reach<'_>,
    interpreter: usize,
    module: &str,
    directory: Option<NodeId>,
) -> Option<(NodeId, Found)> {
    // The directory of the script is on the path; that of a module of a package is not, but its
    // top-level package's is.
    let tree = reach.files.tree();
    let start = directory.map(|mut directory| {
        while init_of(reach, directory).is_some() {
            let Some(parent) = tree.parent(directory) else { break };
            directory = parent;
        }
        directory
    });
    let located = &reach.interpreters.located;
    if let Some(known) = located.get(&(interpreter, start)).and_then(|known| known.get(module)) {
        return known.clone();
    }
    let found = match module.split_once('.') {
        None => {
            let path = &reach.interpreters.paths[interpreter].directories;
            let mut places = start.into_iter().chain([working(reach)]).chain(path.iter().copied());
            // A directory alone is one only where no later place has a module or package.
            let mut namespace = None;
            let module = places.find_map(|place| {
                let found = in_directory(reach, place, module)?;
                if reach.files.is_directory(found.node) {
                    namespace.get_or_insert((place, found));
                    return None;
                }
                Some((place, found))
            });
            module.or(namespace)
        }
        // The first place that has the top-level package decides.
        Some((top, _)) => locate(reach, interpreter, top, directory).map(|(place, found)| {
            // `a.b.c` may be the name `c` of the module `a.b`.
            let mut names = std::iter::successors(Some(module), |name| {
                name.rsplit_once('.').map(|(front, _)| front).filter(|front| front.contains('.'))
            });
            // A namespace, which is a directory alone, is in all places that have it.
            let mut places = vec![place];
            if reach.files.is_directory(found.node) {
                let path = &reach.interpreters.paths[interpreter].directories;
                places.extend(path.iter().copied().filter(|other| *other != place));
            }
            let below = names.find_map(|name| {
                places.iter().find_map(|place| Some((*place, in_directory(reach, *place, name)?)))
            });
            below.unwrap_or((place, found))
        }),
    };
    let known = reach.interpreters.located.entry((interpreter, start)).or_default();
    known.insert(module.into(), found.clone());
    found
}

/// What makes a directory a package: its source, or the compiled form where there is no source.
fn init_of(reach: &Reach<'_>, directory: NodeId) -> Option<NodeId> {
    let tree = reach.files.tree();
    let names = [&b"__init__.py"[..], b"__init__.pyc"];
    names.into_iter().find_map(|name| tree.child(directory, name))
}

/// The file of a module below a directory: a package's `__init__`, a source, an extension, or a
/// directory without `__init__` (a namespace).
pub(super) fn in_directory(reach: &Reach<'_>, directory: NodeId, module: &str) -> Option<Found> {
    let files = reach.files;
    let plain = |node| Found { node, links: Vec::new() };
    let tree = files.tree();
    let mut at = directory;
    let mut parts = module.split('.').peekable();
    while let Some(part) = parts.next() {
        // Most places have nothing of that name.
        if !files.has_stem(at, part.as_bytes()) {
            return None;
        }
        let package = files.find_from(at, part.as_bytes()).map(|found| found.node);
        let package = package.filter(|node| files.is_directory(*node));
        if parts.peek().is_some() {
            at = package?;
            continue;
        }
        if let Some(package) = package
            && let Some(init) = init_of(reach, package)
        {
            return Some(plain(init));
        }
        for end in [".py", ".pyc", ".so"] {
            let found = files.find_from(at, format!("{part}{end}").as_bytes());
            if let Some(found) = found.filter(|found| files.is_file(found.node)) {
                return Some(found);
            }
        }
        let prefix = format!("{part}.");
        let mut extensions = files.children_starting_with(at, prefix.as_bytes()).into_iter();
        let extension = extensions.find(|child| tree.name(*child).ends_with(b".so"));
        return extension.or(package).map(plain);
    }
    None
}

pub(super) fn claim_module(reach: &mut Reach<'_>, module: &Found, from: NodeId, how: &str) {
    if reach.files.is_directory(module.node) {
        return;
    }
    let before = reach.claims.evidence(module.node);
    reach.claim_found(module, Evidence::Needed, how, Some(from));
    // The compiled form stands beside the name that was imported, which may be a symlink.
    for link in &module.links {
        twins(reach, *link);
    }
    if reach.claims.evidence(module.node) > before {
        twins(reach, module.node);
    }
}

/// The compiled forms of a source.
pub(super) fn twins(reach: &mut Reach<'_>, module: NodeId) {
    let tree = reach.files.tree();
    let Some(stem) = tree.name(module).strip_suffix(b".py") else { return };
    let Some(cache) = tree.parent(module).and_then(|parent| tree.child(parent, b"__pycache__"))
    else {
        return;
    };
    let prefix = [stem, b"."].concat();
    for child in reach.files.children_starting_with(cache, &prefix) {
        let evidence = reach.claims.evidence(module).min(Evidence::Needed);
        reach.claim(child, evidence, "compiled form of", Some(module));
    }
}

pub(super) fn claim_init(
    reach: &mut Reach<'_>,
    directory: NodeId,
    from: NodeId,
    how: &str,
) -> bool {
    let Some(init) = init_of(reach, directory) else { return false };
    if init != from {
        reach.claim(init, Evidence::Needed, how, Some(from));
        twins(reach, init);
    }
    true
}
