//! Python: which interpreter runs what, where it looks for modules, and what those import.
//!
//! Modules of the standard library are taken one by one, as they are imported. Of everything else
//! the whole top-level package is kept once one of its modules is imported: libraries import their
//! own parts in too many ways.

use std::collections::HashMap;

use crate::content::Python;
use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::filesystem::Found;
use crate::facts::kind::{FileKind, is_in_site, kind_of};
use crate::facts::reach::{Blind, Reach, Whole, command};
use crate::tree::NodeId;

/// Modules below one package that are taken at once.
const MODULES_MAX: usize = 100_000;

/// The interpreters that were reached, with where each looks for modules.
#[derive(Default)]
pub(super) struct Interpreters {
    paths: Vec<SearchPath>,
    by_node: HashMap<NodeId, usize>,
}

/// Where one interpreter looks.
struct SearchPath {
    /// `lib/python3.11`.
    standard: Option<NodeId>,
    /// In order: the standard library, its extensions, the packages of the site.
    directories: Vec<NodeId>,
}

/// What every interpreter imports while it starts (`python -v`), and what C code of the standard
/// library imports without an import statement.
const AT_START: [&str; 28] = [
    "encodings",
    "codecs",
    "io",
    "abc",
    "site",
    "os",
    "stat",
    "posixpath",
    "genericpath",
    "ntpath",
    "_collections_abc",
    "_sitebuiltins",
    "_bootlocale",
    "importlib",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "importlib.machinery",
    "importlib.util",
    "importlib.abc",
    "types",
    "warnings",
    "linecache",
    "traceback",
    "runpy",
    "pkgutil",
    "zipimport",
    "sitecustomize",
    "usercustomize",
];

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

/// What `python ARGUMENTS` runs.
pub(super) fn command(reach: &mut Reach<'_>, arguments: &[Vec<u8>], program: NodeId) -> Result<()> {
    let interpreter = interpreter(reach, program)?;
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match &word[..] {
            b"-m" => {
                let Some(module) = rest.next() else { break };
                let module = String::from_utf8_lossy(module).into_owned();
                let from = working(reach);
                import(reach, interpreter, &module, Some(from), program, "-m of")?;
                let main = format!("{module}.__main__");
                import(reach, interpreter, &main, Some(from), program, "-m of")?;
                let rest: Vec<Vec<u8>> = rest.cloned().collect();
                self::arguments(reach, &rest, program);
                return Ok(());
            }
            b"-c" => {
                let Some(text) = rest.next() else { break };
                let module = crate::content::python::scan(text);
                let from = working(reach);
                for name in &module.modules {
                    import(reach, interpreter, name, Some(from), program, "imported by -c of")?;
                }
                return Ok(());
            }
            b"-W" | b"-X" => _ = rest.next(),
            option if option.starts_with(b"-") => {}
            _ => {
                let found = reach.environment.path(reach.files, word);
                if let Some(found) = found {
                    let main = reach.files.find_from(found.node, b"__main__.py");
                    let found =
                        main.filter(|_| reach.files.is_directory(found.node)).unwrap_or(found);
                    reach.claim_found(&found, Evidence::Needed, "script of", Some(program));
                }
                let rest: Vec<Vec<u8>> = rest.cloned().collect();
                self::arguments(reach, &rest, program);
                return Ok(());
            }
        }
    }
    // Nothing to run: whoever starts it types anything.
    reach.blind.insert((Blind::Python, program));
    if let Some(standard) = reach.interpreters.paths[interpreter].standard {
        keep_below(reach, standard, Evidence::PackageMate, "may be imported by", program);
    }
    Ok(())
}

/// Arguments that are paths, or name a module: `app:app`, `project.wsgi:application`.
pub(super) fn arguments(reach: &mut Reach<'_>, words: &[Vec<u8>], program: NodeId) {
    for word in words {
        command::argument(reach, word, Some(program));
        let module = word.split(|b| *b == b':').next().unwrap_or_default();
        let module = module.rsplit(|b| *b == b'=').next().unwrap_or_default();
        let is_name = !module.is_empty()
            && module.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
            && !module[0].is_ascii_digit();
        if !is_name {
            continue;
        }
        let module = String::from_utf8_lossy(module).into_owned();
        let from = working(reach);
        // Only what stands in the working directory: `serve` may be anything else, too.
        if let Some(found) = in_directory(reach, from, &module) {
            reach.claim_found(&found, Evidence::Named, "argument of", Some(program));
        }
    }
}

fn working(reach: &Reach<'_>) -> NodeId {
    reach.environment.working_directory(reach.files)
}

/// Claims what a module imports.
pub(super) fn visit(reach: &mut Reach<'_>, node: NodeId, module: &Python) -> Result<()> {
    let interpreter = interpreter_for(reach, node)?;
    let Some(directory) = reach.files.tree().parent(node) else { return Ok(()) };
    twins(reach, node);
    // What is kept beside modules that are imported is not imported itself, as far as is known.
    if reach.claims.evidence(node) <= Evidence::PackageMate {
        return Ok(());
    }
    if !is_standard(reach, interpreter, node) {
        if is_in_site(&reach.files.path(node)) {
            if module.computes_imports {
                // A library imports its own parts so, drivers and back ends, and they import theirs.
                computed_imports(reach, interpreter, node);
            }
            if module.modules.iter().any(|name| ENTRY_POINTS.contains(&&**name)) {
                entry_points(reach, interpreter, node)?;
            }
        } else {
            if module.computes_imports || module.evaluates {
                reach.blind.insert((Blind::Python, node));
            }
            for name in &module.names {
                text_import(reach, interpreter, name, node)?;
            }
        }
    }
    for name in &module.modules {
        let (dots, rest) = name.split_at(name.len() - name.trim_start_matches('.').len());
        if dots.is_empty() {
            import(reach, interpreter, rest, Some(directory), node, "imported by")?;
            continue;
        }
        // `..x` starts two directories up from the file: one dot is its own package.
        let mut from = Some(directory);
        for _ in 1..dots.len() {
            from = from.and_then(|at| reach.files.tree().parent(at));
        }
        let Some(from) = from else { continue };
        if rest.is_empty() {
            claim_init(reach, from, node, "package of");
        } else if let Some(found) = in_directory(reach, from, rest) {
            claim_module(reach, &found, node, "imported by");
        }
    }
    // The packages above are imported first.
    let mut above = Some(directory);
    while let Some(directory) = above {
        if !claim_init(reach, directory, node, "package of") {
            break;
        }
        above = reach.files.tree().parent(directory);
    }
    Ok(())
}

/// The interpreter that runs a module: the one whose library it stands in, else the first reached.
fn interpreter_for(reach: &mut Reach<'_>, node: NodeId) -> Result<usize> {
    let inside =
        |path: &SearchPath| path.standard.is_some_and(|standard| is_below(reach, node, standard));
    if let Some(at) = reach.interpreters.paths.iter().position(inside) {
        return Ok(at);
    }
    if !reach.interpreters.paths.is_empty() {
        return Ok(0);
    }
    for name in [&b"python3"[..], b"python"] {
        if let Some(found) = reach.environment.command(reach.files, name) {
            return interpreter(reach, found.node);
        }
    }
    reach.interpreters.paths.push(SearchPath { standard: None, directories: Vec::new() });
    Ok(0)
}

fn is_below(reach: &Reach<'_>, node: NodeId, directory: NodeId) -> bool {
    let tree = reach.files.tree();
    std::iter::successors(Some(node), |at| tree.parent(*at)).any(|at| at == directory)
}

fn is_standard(reach: &Reach<'_>, interpreter: usize, node: NodeId) -> bool {
    let Some(standard) = reach.interpreters.paths[interpreter].standard else { return false };
    is_below(reach, node, standard) && !is_in_site(&reach.files.path(node))
}

/// Where the interpreter at a node looks, read once; what it imports at its start is claimed.
pub(super) fn interpreter(reach: &mut Reach<'_>, program: NodeId) -> Result<usize> {
    if let Some(at) = reach.interpreters.by_node.get(&program) {
        return Ok(*at);
    }
    let files = reach.files;
    let tree = files.tree();
    let name = tree.name(program).to_vec();
    let version = name.strip_prefix(b"python").unwrap_or_default();
    let bin = tree.parent(program);
    let prefix = bin.and_then(|bin| tree.parent(bin));
    let prefixes =
        [prefix, files.find(b"usr").map(|f| f.node), files.find(b"usr/local").map(|f| f.node)];
    let mut standard = None;
    for prefix in prefixes.into_iter().flatten() {
        let Some(lib) = files.find_from(prefix, b"lib") else { continue };
        for child in files.sorted_children(lib.node) {
            let Some(rest) = tree.name(child).strip_prefix(b"python") else { continue };
            let fits = version.is_empty() || version == b"3" || rest == version;
            if fits && rest.contains(&b'.') && tree.child(child, b"os.py").is_some() {
                standard = standard.or(Some(child));
            }
        }
    }
    let mut directories: Vec<NodeId> = Vec::new();
    for path in reach.environment.list("PYTHONPATH") {
        directories.extend(files.find(&path).map(|found| found.node));
    }
    if let Some(standard) = standard {
        directories.push(standard);
        directories.extend(tree.child(standard, b"lib-dynload"));
    }
    let mut sites = Vec::new();
    let leaf = standard.map(|standard| tree.name(standard).to_vec()).unwrap_or_default();
    for root in [
        &b"usr/local/lib/"[..],
        b"usr/lib/",
        b"opt/venv/lib/",
        b"venv/lib/",
        b"app/venv/lib/",
        b"app/.venv/lib/",
    ] {
        for site in [&b"site-packages"[..], b"dist-packages"] {
            sites.push([root, &leaf, b"/", site].concat());
        }
    }
    sites.push(b"usr/lib/python3/dist-packages".to_vec());
    if let Some(prefix) = prefix {
        sites.push([&files.path(prefix)[..], b"/lib/", &leaf, b"/site-packages"].concat());
    }
    if let Some(root) = reach.environment.get("VIRTUAL_ENV") {
        sites.push([root, b"/lib/", &leaf, b"/site-packages"].concat());
    }
    for site in sites {
        if let Some(found) = files.find(&site)
            && files.is_directory(found.node)
            && !directories.contains(&found.node)
        {
            directories.push(found.node);
            directories.extend(path_files(reach, found.node)?);
        }
    }
    let at = reach.interpreters.paths.len();
    reach.interpreters.paths.push(SearchPath { standard, directories });
    reach.interpreters.by_node.insert(program, at);
    for module in AT_START {
        import(reach, at, module, None, program, "imported at the start of")?;
    }
    if let Some(found) = standard.and_then(|standard| tree.child(standard, b"encodings")) {
        reach.claim_below(found, Evidence::Named, "encoding of", Some(program));
    }
    Ok(at)
}

/// Directories that the `.pth` files of a site add.
fn path_files(reach: &Reach<'_>, site: NodeId) -> Result<Vec<NodeId>> {
    let mut added = Vec::new();
    for child in reach.files.sorted_children(site) {
        if !reach.files.tree().name(child).ends_with(b".pth") {
            continue;
        }
        let Some(content) = reach.files.content(child)? else { continue };
        for line in content.text().split(|b| *b == b'\n') {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"import") {
                continue;
            }
            let found = reach.files.find_from(site, line);
            added.extend(
                found.map(|found| found.node).filter(|node| reach.files.is_directory(*node)),
            );
        }
    }
    Ok(added)
}

/// Claims the module that an import finds: beside the importer, then on the search path.
fn import(
    reach: &mut Reach<'_>,
    interpreter: usize,
    module: &str,
    directory: Option<NodeId>,
    from: NodeId,
    how: &str,
) -> Result<()> {
    let path = &reach.interpreters.paths[interpreter];
    // The directory of the script is on the path; that of a module of a package is not, but its
    // top-level package's is.
    let mut places: Vec<NodeId> = Vec::new();
    if let Some(mut directory) = directory {
        while reach.files.tree().child(directory, b"__init__.py").is_some() {
            match reach.files.tree().parent(directory) {
                Some(parent) => directory = parent,
                None => break,
            }
        }
        places.push(directory);
    }
    places.push(working(reach));
    places.extend(&path.directories);
    let top = module.split('.').next().unwrap_or_default();
    for place in places {
        // The first place that has the top-level package decides.
        if in_directory(reach, place, top).is_none() {
            continue;
        }
        let mut name = module;
        loop {
            if let Some(found) = in_directory(reach, place, name) {
                claim_module(reach, &found, from, how);
                whole_package(reach, place, top, found.node);
                break;
            }
            // `a.b.c` may be the name `c` of the module `a.b`.
            match name.rsplit_once('.') {
                Some((front, _)) => name = front,
                None => break,
            }
        }
        break;
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

/// The file of a module below a directory: a package's `__init__`, a source, an extension, or a
/// directory without `__init__` (a namespace).
fn in_directory(reach: &Reach<'_>, directory: NodeId, module: &str) -> Option<Found> {
    let files = reach.files;
    let plain = |node| Found { node, links: Vec::new() };
    let tree = files.tree();
    let mut at = directory;
    let mut parts = module.split('.').peekable();
    while let Some(part) = parts.next() {
        let package = files.find_from(at, part.as_bytes()).map(|found| found.node);
        let package = package.filter(|node| files.is_directory(*node));
        if parts.peek().is_some() {
            at = package?;
            continue;
        }
        if let Some(package) = package
            && let Some(init) = tree.child(package, b"__init__.py")
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
        let extension = files.sorted_children(at).into_iter().find(|child| {
            let name = tree.name(*child);
            name.starts_with(prefix.as_bytes()) && name.ends_with(b".so")
        });
        return extension.or(package).map(plain);
    }
    None
}

fn claim_module(reach: &mut Reach<'_>, module: &Found, from: NodeId, how: &str) {
    if reach.files.is_directory(module.node) {
        return;
    }
    reach.claim_found(module, Evidence::Needed, how, Some(from));
    // The compiled form stands beside the name that was imported, which may be a symlink.
    for node in module.links.iter().copied().chain([module.node]) {
        twins(reach, node);
    }
}

/// The compiled forms of a source.
fn twins(reach: &mut Reach<'_>, module: NodeId) {
    let tree = reach.files.tree();
    let Some(stem) = tree.name(module).strip_suffix(b".py") else { return };
    let Some(cache) = tree.parent(module).and_then(|parent| tree.child(parent, b"__pycache__"))
    else {
        return;
    };
    let prefix = [stem, b"."].concat();
    for child in reach.files.sorted_children(cache) {
        if tree.name(child).starts_with(&prefix) {
            let evidence = reach.claims.evidence(module).min(Evidence::Needed);
            reach.claim(child, evidence, "compiled form of", Some(module));
        }
    }
}

fn claim_init(reach: &mut Reach<'_>, directory: NodeId, from: NodeId, how: &str) -> bool {
    let Some(init) = reach.files.tree().child(directory, b"__init__.py") else { return false };
    if init != from {
        reach.claim(init, Evidence::Needed, how, Some(from));
        twins(reach, init);
    }
    true
}

/// Modules by which libraries find what other distributions offer them.
const ENTRY_POINTS: [&str; 4] =
    ["importlib.metadata", "importlib_metadata", "pkg_resources", "stevedore"];

/// Claims what distributions offer to others in their `entry_points.txt`
/// (<https://packaging.python.org/specifications/entry-points/>), commands and what only serves
/// to build and install aside.
fn entry_points(reach: &mut Reach<'_>, interpreter: usize, from: NodeId) -> Result<()> {
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
fn text_import(reach: &mut Reach<'_>, interpreter: usize, name: &str, from: NodeId) -> Result<()> {
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
fn computed_imports(reach: &mut Reach<'_>, interpreter: usize, module: NodeId) {
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
fn keep_below(reach: &mut Reach<'_>, top: NodeId, evidence: Evidence, how: &str, from: NodeId) {
    for node in reach.files.tree().walk(top).take(MODULES_MAX).collect::<Vec<_>>() {
        if reach.files.is_file(node) && kind_of(&reach.files.path(node)) == FileKind::Other {
            reach.claim(node, evidence, how, Some(from));
        }
    }
}

/// Keeps all of a top-level package that is not the standard library's, its tests aside, with its
/// shared objects and its distribution's records.
fn whole_package(reach: &mut Reach<'_>, place: NodeId, top: &str, module: NodeId) {
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
