//! Debian's package database: `status`, the lists of files beside it, and the form of it that
//! images without dpkg carry (`status.d`).

use std::collections::HashSet;

use hashbrown::HashMap;

use crate::content::Body;
use crate::error::Result;
use crate::facts::filesystem::Filesystem;
use crate::facts::package::{Ecosystem, Package, Packages, Reason};
use crate::tree::NodeId;

/// By path: where the file went instead, and the package whose file stays.
type Diversions = HashMap<Vec<u8>, (Vec<u8>, Vec<u8>)>;

const ADMIN: &str = "var/lib/dpkg";
const INFO: &str = "var/lib/dpkg/info";

/// Reads the database, if there is one.
pub(super) fn read(files: &Filesystem<'_>, packages: &mut Packages) -> Result<()> {
    let automatic = automatic(files, packages)?;
    if let Some(status) = packages.database(files, b"var/lib/dpkg/status")? {
        let diversions = diversions(files, packages)?;
        let info = files.find(INFO.as_bytes()).map(|found| found.node);
        for node in info.into_iter().flat_map(|info| files.tree().children(info)) {
            if files.tree().name(node).ends_with(b".list") {
                files.announce(node);
            }
        }
        let mut nameless = 0;
        for fields in paragraphs(&String::from_utf8_lossy(status.text())) {
            nameless += usize::from(!fields.is_empty && fields.get("Package").is_empty());
            let Some(mut package) = package(&fields) else { continue };
            // Where apt keeps no record, nobody can tell what was asked for.
            package.reason_is_told = automatic.is_some();
            if automatic.as_ref().is_some_and(|names| names.contains(package.name.as_str())) {
                package.reason = Reason::Dependency;
            }
            let architecture = fields.get("Architecture");
            let records =
                [format!("{}:{architecture}.", package.name), format!("{}.", package.name)];
            let mut list = None;
            for stem in &records {
                let name = format!("{stem}list");
                let found = info.and_then(|info| files.find_from(info, name.as_bytes()));
                if let Some(found) = found
                    && let Some(content) = files.content(found.node)?
                    && matches!(content.body, Body::Document(_))
                {
                    list = Some(content);
                    break;
                }
            }
            match list {
                Some(list) => own(files, list.text(), &diversions, &mut package),
                None => packages.warnings.push(format!(
                    "/{ADMIN}: the package {} has no list of files",
                    jettison_oci::escape::line(&package.name)
                )),
            }
            if let Some(info) = info {
                own_records(files, info, &records, &mut package);
            }
            packages.push(package);
        }
        if nameless > 0 {
            packages.warnings.push(format!(
                "/{ADMIN}/status: {nameless} paragraphs of it name no package: they are not read"
            ));
        }
    }
    if let Some(directory) = files.find(b"var/lib/dpkg/status.d") {
        for node in files.sorted_children(directory.node) {
            let name = files.tree().name(node);
            if name.ends_with(b".md5sums") {
                continue;
            }
            let Some(document) = files.content(node)? else { continue };
            for fields in paragraphs(&String::from_utf8_lossy(document.text())) {
                let Some(mut package) = package(&fields) else { continue };
                // distroless writes the checksums, and so the files, beside the paragraph.
                let sums = [&files.path(node)[..], b".md5sums"].concat();
                if let Some(sums) = files.document(&sums)? {
                    let list: Vec<u8> = sums
                        .text()
                        .split(|b| *b == b'\n')
                        .filter_map(|line| line.splitn(2, |b| *b == b' ').nth(1))
                        .flat_map(|path| [b"/", path.trim_ascii_start(), b"\n"].concat())
                        .collect();
                    own(files, &list, &HashMap::new(), &mut package);
                }
                package.files.push(node);
                packages.push(package);
            }
        }
    }
    Ok(())
}

/// The fields of one paragraph of a control file, as far as anybody asks for them. Continued lines
/// are joined by line ends.
struct Fields<'a> {
    values: [&'a str; FIELDS.len()],
    is_empty: bool,
}

/// The fields that are asked for.
const FIELDS: [&str; 12] = [
    "Package",
    "Status",
    "Version",
    "Architecture",
    "Installed-Size",
    "Essential",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Provides",
    "Auto-Installed",
];

impl<'a> Fields<'a> {
    fn of(paragraph: &'a str) -> Self {
        let values = [""; FIELDS.len()];
        let mut fields = Self { values, is_empty: paragraph.trim().is_empty() };
        let bytes = paragraph.as_bytes();
        let ends = memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]);
        let mut start = 0;
        for end in ends.filter(|end| !matches!(bytes.get(end + 1), Some(b' ' | b'\t'))) {
            if let Some((name, value)) = paragraph[start..end].split_once(':')
                && let Some(at) = FIELDS.iter().position(|field| *field == name)
            {
                fields.values[at] = value.trim();
            }
            start = (end + 1).min(bytes.len());
        }
        fields
    }

    /// The value of one of [`FIELDS`]; empty where the paragraph does not have it.
    fn get(&self, name: &str) -> &'a str {
        FIELDS.iter().position(|field| *field == name).map_or("", |at| self.values[at])
    }
}

/// The paragraphs of a control file.
fn paragraphs(text: &str) -> impl Iterator<Item = Fields<'_>> {
    let mut from = 0;
    let ends = memchr::memmem::find_iter(text.as_bytes(), b"\n\n").chain([text.len()]);
    ends.map(move |end| {
        let paragraph = &text[from..end];
        from = (end + 2).min(text.len());
        Fields::of(paragraph.trim_matches('\n'))
    })
}

fn package(fields: &Fields<'_>) -> Option<Package> {
    let field = |name: &str| fields.get(name);
    let name = Some(field("Package")).filter(|name| !name.is_empty())?;
    // `status.d` has no Status field: what stands there is installed.
    let status = field("Status");
    if !status.is_empty()
        && !matches!(
            status.split_whitespace().last(),
            Some(
                "installed"
                    | "triggers-awaited"
                    | "triggers-pending"
                    | "half-configured"
                    | "unpacked"
            )
        )
    {
        return None;
    }
    let relations =
        |one: &str, other: &str| [relations(field(one)), relations(field(other))].concat();
    Some(Package {
        version: field("Version").to_owned(),
        // In units of 1,024 bytes.
        installed_size: field("Installed-Size")
            .parse::<u64>()
            .ok()
            .map(|kib| kib.saturating_mul(1024)),
        is_essential: field("Essential") == "yes",
        depends: relations("Depends", "Pre-Depends"),
        recommends: relations("Recommends", "Suggests"),
        provides: self::relations(field("Provides")).concat(),
        ..Package::new(Ecosystem::Dpkg, name.to_owned())
    })
}

/// `a (>= 1) | b, c:any` as names: alternatives of each.
fn relations(text: &str) -> Vec<Vec<String>> {
    text.split(',')
        .map(|choice| {
            choice
                .split('|')
                .filter_map(|one| {
                    one.split([' ', '\t', '\n', '(', ':', '[']).find(|w| !w.is_empty())
                })
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|choice| !choice.is_empty())
        .collect()
}

/// Packages that apt installed for others.
fn automatic(files: &Filesystem<'_>, packages: &mut Packages) -> Result<Option<HashSet<String>>> {
    let states = packages.database(files, b"var/lib/apt/extended_states")?;
    let Some(states) = states else { return Ok(None) };
    let names = paragraphs(&String::from_utf8_lossy(states.text()))
        .filter(|fields| fields.get("Auto-Installed") == "1")
        .map(|fields| fields.get("Package").to_owned())
        .collect();
    Ok(Some(names))
}

/// Files that another package made dpkg put elsewhere.
fn diversions(files: &Filesystem<'_>, packages: &mut Packages) -> Result<Diversions> {
    let Some(document) = packages.database(files, b"var/lib/dpkg/diversions")? else {
        return Ok(HashMap::new());
    };
    let lines: Vec<&[u8]> = document.text().split(|b| *b == b'\n').collect();
    Ok(lines
        .chunks_exact(3)
        .map(|row| (row[0].to_vec(), (row[1].to_vec(), row[2].to_vec())))
        .collect())
}

/// Gives the package the files of its list. Directories belong to nobody.
fn own(files: &Filesystem<'_>, list: &[u8], diversions: &Diversions, package: &mut Package) {
    // Lists name a directory before what is in it: where the last of them led.
    let mut known: Option<(&[u8], Option<NodeId>)> = None;
    let mut from = 0;
    for end in memchr::memchr_iter(b'\n', list).chain([list.len()]) {
        let line = &list[from..end];
        from = (end + 1).min(list.len());
        if line.len() <= 1 {
            continue;
        }
        let line = match diversions.get(line) {
            Some((to, by)) if by != package.name.as_bytes() => &to[..],
            _ => line,
        };
        let path = line.strip_prefix(b"/").unwrap_or(line);
        let (directory, name) = crate::entry::split(path);
        // `/bin/ls` of a list is `/usr/bin/ls` where `/bin` is a symlink.
        let found = match known {
            Some((path, found)) if path == directory => found,
            _ => files.find(directory).map(|found| found.node),
        };
        known = Some((directory, found));
        let Some(node) = found.and_then(|found| files.tree().child(found, name)) else { continue };
        if files.is_directory(node) {
            known = Some((path, Some(node)));
        } else {
            package.files.push(node);
        }
    }
}

/// The package's own records beside its list.
fn own_records(files: &Filesystem<'_>, info: NodeId, stems: &[String], package: &mut Package) {
    const KINDS: [&str; 12] = [
        "list",
        "md5sums",
        "conffiles",
        "preinst",
        "postinst",
        "prerm",
        "postrm",
        "triggers",
        "symbols",
        "shlibs",
        "templates",
        "config",
    ];
    for stem in stems {
        let mut name = stem.clone();
        for kind in KINDS {
            name.truncate(stem.len());
            name.push_str(kind);
            package.files.extend(files.tree().child(info, name.as_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        paragraphs(text).filter_map(|fields| package(&fields)).map(|package| package.name).collect()
    }

    #[test]
    fn paragraphs_are_read() {
        let text = "Package: a\nStatus: install ok installed\nDescription: one\n two\nDepends: b (>= 1) | c, d:any\n\n\
                     Package: gone\nStatus: deinstall ok config-files\n\nPackage: z\nInstalled-Size: 3\n";
        assert_eq!(names(text), ["a", "z"]);
        let fields = paragraphs(text).next().unwrap();
        assert_eq!(
            relations(fields.get("Depends")),
            [vec!["b".to_owned(), "c".to_owned()], vec!["d".to_owned()]]
        );
        assert_eq!(names("\u{fffd}"), [] as [&str; 0]);
        let continued = paragraphs("\nDepends:\n a,\n\tb\nPackage: x\n\n\n\nPackage: y");
        let fields: Vec<_> = continued.map(|f| (f.get("Package"), f.get("Depends"))).collect();
        assert_eq!(fields, [("x", "a,\n\tb"), ("", ""), ("y", "")]);
        assert_eq!(relations("a(>= 1)|b [amd64]"), [["a", "b"]]);
    }
}
