//! Interpreters that are there beside the one that runs.

use crate::facts::evidence::Confidence;
use crate::facts::evidence::Evidence;
use crate::facts::package::Ecosystem;
use crate::rule::seen::Image;
use crate::rule::seen::Installed;
use crate::rule::{Look, Rule, Used};
use std::collections::BTreeMap;

pub(super) const RULE: Rule = Rule {
    id: "several-runtimes",
    title: "runtimes beside the one that runs",
    what: "Packages of Python, Node, Java, Ruby, PHP, Perl, Tcl and Lua runtimes (`perl-base` aside) \
           that nothing the image runs leads to, in an image that has another runtime, or another \
           version, in use.",
    why: "One application mostly needs one runtime; another came along with some package, or \
           from another time.",
    fix: "find out what brings it (jettison why), and leave that out",
    example: "RUN apt-get update && apt-get install -y --no-install-recommends …",
    confidence: Confidence::Medium,
    used: Used::Matters,
    looks: &[Look::PackageSets(unused)],
};

/// `python3-requests` is a library; `python3-minimal` is the runtime.
const PARTS: [&str; 18] = [
    "",
    "-minimal",
    "-stdlib",
    "-libs",
    "-dev",
    "-distutils",
    "-venv",
    "-jre",
    "-jre-headless",
    "-jdk",
    "-jdk-headless",
    "-openjdk",
    "-openjdk-headless",
    "-openjdk-devel",
    "-cli",
    "-common",
    "-fpm",
    "-opcache",
];

/// A language with the version in a package's name.
type Runtime = (&'static str, String);

fn unused(image: &Image<'_>) -> Vec<(usize, Confidence)> {
    let mut runtimes: BTreeMap<Runtime, (Evidence, Vec<usize>)> = BTreeMap::new();
    for installed in image.installed().filter(Installed::is_of_distribution) {
        let package = installed.package;
        let Some(runtime) = runtime(package.ecosystem, &package.name) else { continue };
        let row = runtimes.entry(runtime).or_default();
        row.0 = row.0.max(installed.evidence);
        row.1.push(installed.position);
    }
    // One that no package brought is in use where its language's files are needed.
    let is_used = runtimes.values().any(|(evidence, _)| *evidence >= Evidence::Named)
        || image.runs_other_runtime();
    if !is_used {
        return Vec::new();
    }
    let idle = runtimes.into_values().filter(|(evidence, _)| *evidence < Evidence::Named);
    let sure = if image.is_interactive() { Confidence::Low } else { Confidence::Medium };
    idle.flat_map(|(_, packages)| packages).map(|package| (package, sure)).collect()
}

fn runtime(ecosystem: Ecosystem, name: &str) -> Option<Runtime> {
    const STARTS: [(&str, &str); 14] = [
        ("python", "Python"),
        ("libpython", "Python"),
        ("nodejs", "Node"),
        ("libnode", "Node"),
        ("openjdk-", "Java"),
        ("openjdk", "Java"),
        ("java-", "Java"),
        ("ruby", "Ruby"),
        ("libruby", "Ruby"),
        ("php", "PHP"),
        ("perl-modules-", "Perl"),
        ("libperl", "Perl"),
        ("tcl", "Tcl"),
        ("lua", "Lua"),
    ];
    if name == "perl" {
        return Some(("Perl", String::new()));
    }
    let (rest, language) =
        STARTS.iter().find_map(|(start, language)| Some((name.strip_prefix(start)?, *language)))?;
    let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (version, part) = rest.split_at(digits);
    // Debian's Perl is one runtime in three packages.
    let version = if language == "Perl" { String::new() } else { version.to_owned() };
    // Debian's `python3` only leads to `python3.11`.
    let is_leader = ecosystem == Ecosystem::Dpkg && language == "Python" && !version.contains('.');
    (PARTS.contains(&part) && !is_leader).then_some((language, version))
}

#[cfg(test)]
mod tests {
    use super::{Ecosystem, runtime};

    #[test]
    fn runtimes_are_told_from_libraries() {
        let of = |ecosystem, name: &str| {
            runtime(ecosystem, name).map(|(language, version)| format!("{language} {version}"))
        };
        let told = |name: &str| of(Ecosystem::Dpkg, name);
        assert_eq!(told("python3.11-minimal").as_deref(), Some("Python 3.11"));
        assert_eq!(told("libpython3.11-stdlib").as_deref(), Some("Python 3.11"));
        assert_eq!(told("openjdk-17-jre-headless").as_deref(), Some("Java 17"));
        assert_eq!(told("php8.2-cli").as_deref(), Some("PHP 8.2"));
        assert_eq!(told("perl-modules-5.36").as_deref(), Some("Perl "));
        for library in ["python3-requests", "python3", "perl-base", "php8.2-gd", "rubygems"] {
            assert_eq!(told(library), None, "{library}");
        }
        // Where the package of that name is the runtime itself.
        assert_eq!(of(Ecosystem::Apk, "python3").as_deref(), Some("Python 3"));
        assert_eq!(of(Ecosystem::Rpm, "python3-libs").as_deref(), Some("Python 3"));
        assert_eq!(of(Ecosystem::Apk, "py3-requests"), None);
    }
}
