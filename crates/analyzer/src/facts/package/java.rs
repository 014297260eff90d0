//! Java archives that no package brought, named by what they say of themselves.

use jettison_oci::escape;

use crate::content::Body;
use crate::content::archive::{Archive, is_archive};
use crate::entry::split;
use crate::error::Result;
use crate::facts::filesystem::Filesystem;
use crate::facts::package::{Ecosystem, Package, Packages};
use crate::tree::NodeId;

/// Reads every archive.
pub(super) fn read(files: &Filesystem<'_>, packages: &mut Packages) -> Result<()> {
    for &node in files.nodes() {
        let name = files.tree().name(node);
        if !is_archive(name) || !files.is_file(node) || packages.owner(node).is_some() {
            continue;
        }
        let Some(content) = files.content(node)? else { continue };
        let Body::Archive(archive) = &content.body else {
            if content.body == Body::Damaged {
                packages.warn(files, node, "it is no whole archive: it is not looked into");
            }
            continue;
        };
        damage(files, node, archive, "", packages);
        if archive.is_damaged {
            continue;
        }
        let (name, version) = identity(archive, name);
        let mut package =
            Package { version, files: vec![node], ..Package::new(Ecosystem::Java, name) };
        contents(archive, &mut package);
        packages.push(package);
    }
    Ok(())
}

/// Names archives that cannot be read, those inside others included.
fn damage(
    files: &Filesystem<'_>,
    node: NodeId,
    archive: &Archive,
    inside: &str,
    packages: &mut Packages,
) {
    if archive.is_damaged {
        let what = format!("{inside}it is no whole archive: it is not looked into");
        packages.warn(files, node, &what);
    }
    for nested in &archive.nested {
        let inside = format!("{inside}{} inside: ", escape::path(&nested.path));
        damage(files, node, &nested.archive, &inside, packages);
    }
}

/// The name and version of an archive: by Maven's coordinates, its manifest, or its file's name.
fn identity(archive: &Archive, file_name: &[u8]) -> (String, String) {
    let stem = &file_name[..file_name.len() - b".jar".len()];
    let (by_name, by_version) = by_file_name(&String::from_utf8_lossy(stem));
    // Of several, the others were merged into it.
    let own = match &archive.poms[..] {
        [only] => Some(only),
        several => several
            .iter()
            .filter(|pom| by_name == *pom.artifact)
            .max_by_key(|pom| pom.version.len()),
    };
    if let Some(pom) = own {
        return (format!("{}:{}", pom.group, pom.artifact), pom.version.to_string());
    }
    let value = |names: &[&str]| {
        let values = names.iter().filter_map(|name| archive.attribute(name));
        // `org.example.shop;singleton:=true`
        let mut values = values.map(|value| value.split(|b| *b == b';').next().unwrap_or_default());
        values
            .find(|value| !value.is_empty())
            .map(|value| String::from_utf8_lossy(value).into_owned())
    };
    let name = value(&["Bundle-SymbolicName", "Automatic-Module-Name", "Implementation-Title"]);
    let version = value(&["Implementation-Version", "Bundle-Version", "Specification-Version"]);
    (name.unwrap_or(by_name), version.unwrap_or(by_version))
}

/// `commons-lang3-3.12.0` is version 3.12.0 of commons-lang3.
fn by_file_name(stem: &str) -> (String, String) {
    let mut dashes = stem.match_indices('-').map(|(at, _)| at);
    match dashes.find(|at| stem[at + 1..].starts_with(|c: char| c.is_ascii_digit())) {
        Some(at) => (stem[..at].to_owned(), stem[at + 1..].to_owned()),
        None => (stem.to_owned(), String::new()),
    }
}

/// What was merged into an archive, and the archives in it.
fn contents(archive: &Archive, package: &mut Package) {
    if archive.poms.len() > 1 {
        for pom in &archive.poms {
            let name = format!("{}:{}", pom.group, pom.artifact);
            if name != package.name {
                package.contains.push(format!("{name} {}", pom.version));
            }
        }
    }
    for nested in &archive.nested {
        let (name, version) = identity(&nested.archive, split(&nested.path).1);
        package.contains.push(if version.is_empty() { name } else { format!("{name} {version}") });
        contents(&nested.archive, package);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::archive::Pom;

    #[test]
    fn archives_are_named_by_the_surest_of_what_they_say() {
        let pom = |artifact: &str| Pom {
            group: "g".into(),
            artifact: artifact.into(),
            version: "1".into(),
        };
        let manifest =
            b"Bundle-SymbolicName: org.x;a:=b\nImplementation-Title: X\nBundle-Version: 3";
        let mut archive = Archive { manifest: manifest.to_vec(), ..Archive::default() };
        let named = |archive: &Archive| identity(archive, b"shop-2.0.jar");
        assert_eq!(named(&archive), ("org.x".to_owned(), "3".to_owned()));
        archive.poms = vec![pom("other"), pom("shop")];
        assert_eq!(named(&archive), ("g:shop".to_owned(), "1".to_owned()));
        let mut package = Package::new(Ecosystem::Java, "g:shop".to_owned());
        contents(&archive, &mut package);
        assert_eq!(package.contains, ["g:other 1"]);
        assert_eq!(named(&Archive::default()), ("shop".to_owned(), "2.0".to_owned()));
    }
}
