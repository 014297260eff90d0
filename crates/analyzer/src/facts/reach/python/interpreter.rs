//! Interpreters of Python, and where each looks for modules.

use hashbrown::HashMap;

use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::filesystem::Found;
use crate::facts::reach::{Reach, application};
use crate::tree::NodeId;

use super::module::import;

/// The interpreters that were reached, with where each looks for modules.
#[derive(Default)]
pub(in crate::facts::reach) struct Interpreters {
    pub(super) paths: Vec<SearchPath>,
    by_node: HashMap<NodeId, usize>,
    /// By interpreter and where the search starts, what an import of each module finds, and where.
    pub(super) located: HashMap<(usize, Option<NodeId>), Located>,
}

type Located = HashMap<Box<str>, Option<(NodeId, Found)>>;

/// Where one interpreter looks.
pub(super) struct SearchPath {
    /// `lib/python3.11`.
    pub(super) standard: Option<NodeId>,
    /// In order: the standard library, its extensions, the packages of the site.
    pub(super) directories: Vec<NodeId>,
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

/// The interpreter that runs a module: the one whose library it stands in, else the first reached.
pub(super) fn interpreter_for(reach: &mut Reach<'_>, node: NodeId) -> Result<usize> {
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

pub(super) fn is_standard(reach: &Reach<'_>, interpreter: usize, node: NodeId) -> bool {
    let Some(standard) = reach.interpreters.paths[interpreter].standard else { return false };
    is_below(reach, node, standard) && !reach.files.place(node).is_in_site()
}

/// Where the interpreter at a node looks, read once; what it imports at its start is claimed.
pub(in crate::facts::reach) fn interpreter(
    reach: &mut Reach<'_>,
    program: NodeId,
) -> Result<usize> {
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
    path_code(reach, at, program)?;
    application::of_working_directory(reach, program);
    Ok(at)
}

/// Claims what the lines of code in the `.pth` files of every site import, at every start.
fn path_code(reach: &mut Reach<'_>, at: usize, program: NodeId) -> Result<()> {
    for site in reach.interpreters.paths[at].directories.clone() {
        for line in path_lines(reach, site)?.iter().filter(|line| line.starts_with(b"import")) {
            for name in &crate::content::python::scan(line).modules {
                import(reach, at, name, Some(site), program, "imported at the start of")?;
            }
        }
    }
    Ok(())
}

/// Directories that the `.pth` files of a site add.
fn path_files(reach: &Reach<'_>, site: NodeId) -> Result<Vec<NodeId>> {
    let mut added = Vec::new();
    for line in path_lines(reach, site)? {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") || line.starts_with(b"import") {
            continue;
        }
        let found = reach.files.find_from(site, line).map(|found| found.node);
        added.extend(found.filter(|node| reach.files.is_directory(*node)));
    }
    Ok(added)
}

/// The lines of the `.pth` files of a site.
fn path_lines(reach: &Reach<'_>, site: NodeId) -> Result<Vec<Vec<u8>>> {
    let mut lines = Vec::new();
    for child in reach.files.sorted_children(site) {
        if reach.files.tree().name(child).ends_with(b".pth")
            && let Some(content) = reach.files.content(child)?
        {
            lines.extend(content.text().split(|b| *b == b'\n').map(<[u8]>::to_vec));
        }
    }
    Ok(lines)
}
