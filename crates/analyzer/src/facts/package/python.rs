//! Python distributions: `*.dist-info` with its RECORD, and `*.egg-info`.

use hashbrown::HashMap;

use crate::content::Body;
use crate::error::Result;
use crate::facts::filesystem::Filesystem;
use crate::facts::package::{Ecosystem, Package, Packages, Reason};
use crate::tree::NodeId;

/// Reads every distribution.
pub(super) fn read(files: &Filesystem<'_>, packages: &mut Packages) -> Result<()> {
    let tree = files.tree();
    let mut compiled = Compiled::default();
    // By directory of packages, the positions of its distributions, and whether one is marked as
    // asked for: pip marks those alone.
    let mut sites: HashMap<NodeId, (Vec<usize>, bool)> = HashMap::new();
    for &node in files.nodes() {
        let name = tree.name(node);
        let is_info = name.ends_with(b".dist-info") || name.ends_with(b".egg-info");
        if !is_info || !files.is_directory(node) {
            continue;
        }
        let Some(site) = tree.parent(node) else { continue };
        let text = |child: &[u8]| -> Result<Vec<u8>> {
            let Some(child) = tree.child(node, child) else { return Ok(Vec::new()) };
            let content = files.content(child)?;
            Ok(match content.as_deref().map(|content| &content.body) {
                Some(Body::Document(text)) => text.clone(),
                _ => Vec::new(),
            })
        };
        let mut metadata = text(b"METADATA")?;
        if metadata.is_empty() {
            metadata = text(b"PKG-INFO")?;
        }
        if field(&metadata, "Name").next().is_none() && !metadata.is_empty() {
            packages.warn(
                files,
                node,
                "its metadata names no distribution: its directory's name is taken",
            );
        }
        let field = |name: &'static str| field(&metadata, name);
        let stem = name
            [..name.len() - b".dist-info".len() + usize::from(name.ends_with(b".egg-info"))]
            .to_vec();
        let stem = String::from_utf8_lossy(&stem).into_owned();
        let (by_name, by_version) = stem.split_once('-').unwrap_or((&stem, ""));
        let requirements = |of_extras: bool| {
            let all = field("Requires-Dist");
            let some = all.filter(move |text| text.contains("extra ==") == of_extras);
            some.map(|requirement| vec![normal(requirement_name(&requirement))])
        };
        let is_asked = tree.child(node, b"REQUESTED").is_some();
        let mut package = Package {
            reason: if is_asked { Reason::Asked } else { Reason::Dependency },
            version: field("Version").next().unwrap_or_else(|| by_version.to_owned()),
            depends: requirements(false).collect(),
            // Of extras, which may have been chosen or not.
            recommends: requirements(true).collect(),
            files: tree.children(node).collect(),
            ..Package::new(
                Ecosystem::Python,
                field("Name").next().unwrap_or_else(|| by_name.to_owned()),
            )
        };
        package.provides.push(normal(&package.name));
        for line in text(b"RECORD")?.split(|b| *b == b'\n') {
            own(files, site, record_path(line), &mut compiled, &mut package);
        }
        for line in text(b"installed-files.txt")?.split(|b| *b == b'\n') {
            own(files, node, line, &mut compiled, &mut package);
        }
        let known = sites.entry(site).or_default();
        known.0.push(packages.all.len());
        known.1 |= is_asked;
        packages.push(package);
    }
    for (positions, _) in sites.into_values().filter(|(_, is_marked)| *is_marked) {
        for at in positions {
            if let Some(package) = packages.all.get_mut(at) {
                package.reason_is_told = true;
            }
        }
    }
    Ok(())
}

/// By directory and module, its compiled forms: they are written later, and named by no record.
type Compiled = HashMap<NodeId, HashMap<Vec<u8>, Vec<NodeId>>>;

fn own(
    files: &Filesystem<'_>,
    from: NodeId,
    path: &[u8],
    compiled: &mut Compiled,
    package: &mut Package,
) {
    if path.is_empty() {
        return;
    }
    let found = files.find_from(from, path).filter(|found| files.is_file(found.node));
    if let Some(found) = found {
        package.files.push(found.node);
        let (directory, name) = crate::entry::split(path);
        if let Some(stem) = name.strip_suffix(b".py")
            && let Some(parent) = files.find_from(from, directory)
            && let Some(cache) = files.tree().child(parent.node, b"__pycache__")
        {
            let forms = compiled.entry(cache).or_insert_with(|| compiled_in(files, cache));
            package.files.extend(forms.get(stem).into_iter().flatten());
        }
    }
}

fn compiled_in(files: &Filesystem<'_>, cache: NodeId) -> HashMap<Vec<u8>, Vec<NodeId>> {
    let mut forms: HashMap<Vec<u8>, Vec<NodeId>> = HashMap::new();
    for node in files.tree().children(cache) {
        let name = files.tree().name(node);
        if let Some(end) = memchr::memmem::find(name, b".cpython-") {
            forms.entry(name[..end].to_vec()).or_default().push(node);
        }
    }
    forms
}

/// The values of a field of the metadata's header.
fn field<'a>(metadata: &'a [u8], name: &'a str) -> impl Iterator<Item = String> + 'a {
    metadata.split(|b| *b == b'\n').take_while(|line| !line.trim_ascii().is_empty()).filter_map(
        move |line| {
            let rest = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
            Some(String::from_utf8_lossy(rest.trim_ascii()).into_owned())
        },
    )
}

/// The first field of a CSV row, which may be quoted.
fn record_path(line: &[u8]) -> &[u8] {
    match line.strip_prefix(b"\"") {
        Some(rest) => rest.split(|b| *b == b'"').next().unwrap_or_default(),
        None => line.split(|b| *b == b',').next().unwrap_or_default(),
    }
}

fn requirement_name(requirement: &str) -> &str {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    requirement.split(|c| !is_name(c)).next().unwrap_or_default()
}

/// Names are compared without case, and with `-`, `_` and `.` alike (PEP 503).
pub(crate) fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normal.is_empty() {
            normal.push('-');
        }
        normal.push_str(&part.to_ascii_lowercase());
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_and_records_are_read() {
        let metadata = b"Name: Flask\nRequires-Dist: Jinja2 (>=3)\nRequires-Dist: a>=1; extra == \"x\"\n\nName: no";
        assert_eq!(field(metadata, "Name").collect::<Vec<_>>(), ["Flask"]);
        assert_eq!(requirement_name("Jinja2 (>=3)"), "Jinja2");
        assert_eq!(requirement_name("ruamel.yaml[x]>1"), "ruamel.yaml");
        assert_eq!(normal("Ruamel._Yaml"), "ruamel-yaml");
        assert_eq!(record_path(b"\"a,b.py\",sha256=x,1"), b"a,b.py");
        assert_eq!(record_path(b"a.py,sha256=x,1"), b"a.py");
    }
}
