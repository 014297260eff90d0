//! Archives beside what was unpacked from them.

use crate::facts::evidence::Confidence;
use crate::facts::package::Ecosystem;
use crate::facts::package::python::normal;
use crate::rule::seen::File;
use crate::rule::{Look, Rule, Used};

pub(super) const RULE: Rule = Rule {
    id: "unpacked-archive",
    title: "archives that were unpacked",
    what: "Archives (`*.tar.*`, `*.tgz`, `*.zip`, …) beside a directory of their name, or where one \
           is in `/opt`, `/usr/local`, `/usr/src` or `/usr/local/src`; `*.deb` and `*.rpm` outside of caches whose \
           package is installed; `*.whl` whose distribution is; `*.jar.orig`.",
    why: "Everything in them is there twice.",
    fix: "unpack it in the RUN that downloads it, without keeping it",
    example: "RUN curl -fsSL https://example.com/tool-1.2.tar.gz | tar -xz -C /opt",
    confidence: Confidence::Medium,
    used: Used::Matters,
    looks: &[Look::Files(is_unpacked)],
};

fn is_unpacked(file: &File<'_>) -> bool {
    if file.is_of_distribution() {
        return false;
    }
    if file.ends(&[".jar.orig"]) {
        return true;
    }
    if let Some(stem) = ENDS.iter().find_map(|end| file.name.strip_suffix(end.as_bytes())) {
        return !stem.is_empty() && is_directory(file, stem);
    }
    let has = |ecosystem, separator: char| {
        let name = std::str::from_utf8(file.name).unwrap_or_default();
        let name = name.split(separator).next().unwrap_or_default();
        let is_there = |name: &str| file.image.has_package(ecosystem, name);
        is_there(name) || ecosystem == Ecosystem::Python && is_there(&normal(name))
    };
    if file.ends(&[".deb"]) {
        return has(Ecosystem::Dpkg, '_');
    }
    if file.ends(&[".rpm"]) {
        // `name-version-release.arch.rpm`, where the name has dashes, too.
        let mut rest = file.name;
        while let Some(at) = rest.iter().rposition(|b| *b == b'-') {
            rest = &rest[..at];
            let name = std::str::from_utf8(rest).unwrap_or_default();
            if file.image.has_package(Ecosystem::Rpm, name) {
                return true;
            }
        }
        return false;
    }
    file.ends(&[".whl"]) && has(Ecosystem::Python, '-')
}

const ENDS: [&str; 14] = [
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tar.lz",
    ".zip", ".7z", ".cpio", ".war.zip", ".tar.Z",
];

/// Where archives are unpacked to, wherever they lie.
const PLACES: [&str; 4] = ["/opt", "/usr/local", "/usr/src", "/usr/local/src"];

fn is_directory(file: &File<'_>, stem: &[u8]) -> bool {
    let files = file.image.files;
    let is_there = |above: &[u8]| {
        let path = [above, b"/", stem].concat();
        files
            .tree()
            .find(path.strip_prefix(b"/").unwrap_or(&path))
            .is_some_and(|at| files.is_directory(at))
    };
    is_there(crate::entry::split(file.path).0)
        || PLACES.iter().any(|place| is_there(place.as_bytes()))
}
