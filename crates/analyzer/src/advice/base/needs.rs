//! What the part of an image that is not its base's needs of a base, each need with the files that
//! have it.

use std::collections::{BTreeMap, BTreeSet};

use jettison_oci::Bytes;

use crate::advice::base::candidate::{Language, Libc};
use crate::advice::base::version::Version;

/// Paths kept for one need.
pub const PATHS_MAX: usize = 5;

/// The files that have a need: some of them by path, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The first of them by path, escaped; no more than [`PATHS_MAX`].
    pub paths: Vec<String>,
    /// How many there are.
    pub count: usize,
}

impl Proof {
    /// Of one file.
    pub fn of(path: impl Into<String>) -> Self {
        let mut proof = Self::default();
        proof.add(path);
        proof
    }

    /// Takes one more file; each counts once as long as it is among those that are kept.
    pub fn add(&mut self, path: impl Into<String>) {
        let path = path.into();
        if self.paths.contains(&path) {
            return;
        }
        self.count += 1;
        if self.paths.len() < PATHS_MAX {
            self.paths.push(path);
        }
    }

    /// Whether nothing has the need.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// In a sentence: `/app/server`, `/app/server and 3 more`.
    pub fn words(&self) -> String {
        match (self.paths.first(), self.count) {
            (None, _) => "nothing".to_owned(),
            (Some(first), 1) => first.clone(),
            (Some(first), count) => format!("{first} and {} more", count - 1),
        }
    }
}

/// The newest version of something that files need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// The version.
    pub version: Version,
    /// The files that need it.
    pub proof: Proof,
}

impl Newest {
    /// Takes what one more file needs.
    pub fn raise(newest: &mut Option<Self>, version: &Version, path: &str) {
        match newest {
            Some(now) if now.version > *version => {}
            Some(now) if now.version == *version => now.proof.add(path),
            _ => *newest = Some(Self { version: version.clone(), proof: Proof::of(path) }),
        }
    }
}

/// A shared object of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// Where it stands, links followed, escaped.
    pub path: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// The distribution's package that brought it; `None` where it goes with the application.
    pub package: Option<String>,
    /// The newest `GLIBC_` that it needs.
    pub glibc: Option<Version>,
    /// The newest `GLIBCXX_` that it needs.
    pub glibcxx: Option<Version>,
    /// Shared objects that it needs.
    pub needed: Vec<String>,
}

/// A program of the distribution that is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its name.
    pub name: String,
    /// The package that brought it.
    pub package: String,
    /// What starts it.
    pub proof: Proof,
}

/// An interpreter that runs what the image is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// Its language.
    pub language: Language,
    /// Its version, as many numbers as tell what fits; `None` where nothing tells it.
    pub version: Option<Version>,
    /// Where it stands, escaped.
    pub path: String,
    /// The distribution's packages that brought what is used of it; none where somebody else did.
    pub packages: BTreeSet<String>,
    /// Modules outside of it that stay with the application.
    pub modules: Proof,
    /// Native modules that are built for one version of it.
    pub natives: Proof,
    /// What those are built for: `cpython-311`, `115`.
    pub abi: Option<String>,
    /// What it runs.
    pub proof: Proof,
}

/// Files of a distribution's package that the application names and that are neither libraries nor
/// programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// The files, escaped.
    pub paths: Vec<String>,
    /// Their bytes.
    pub bytes: Bytes,
}

/// A distribution's package of the image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installed {
    /// Bytes of its live files, documents and translations aside.
    pub bytes: Bytes,
    /// Packages of the image that it depends on.
    pub depends: Vec<String>,
    /// Whether it came with the base and another package needed it newer: a base of the same
    /// release has it, and it is written anew all the same.
    pub is_upgraded: bool,
}

/// What the image needs of its base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Today's distribution and release, as tables of images have them.
    pub distribution: Option<(String, String)>,
    /// The version of today's C library.
    pub libc_version: Option<Version>,
    /// Files of the application that are linked against each C library.
    pub linked: BTreeMap<Libc, Proof>,
    /// The newest `GLIBC_` that the application's files need.
    pub glibc: Option<Newest>,
    /// The newest `GLIBCXX_` that they need.
    pub glibcxx: Option<Newest>,
    /// Shared objects that they need, by name.
    pub sonames: BTreeMap<String, Proof>,
    /// What those and what they need are in the image, by name.
    pub libraries: BTreeMap<String, Library>,
    /// Shells by name, with what needs them.
    pub shells: BTreeMap<String, Proof>,
    /// The package of each of those shells.
    pub shell_packages: BTreeMap<String, String>,
    /// Programs of the distribution.
    pub commands: Vec<Command>,
    /// Interpreters.
    pub interpreters: Vec<Interpreter>,
    /// Package managers that are used while the image runs.
    pub package_managers: BTreeMap<String, Proof>,
    /// Files that read the certificates of authorities.
    pub ca_certificates: Proof,
    /// Files that read time zones.
    pub time_zones: Proof,
    /// `USER`, where it is a name that `/etc/passwd` has to explain.
    pub user: Option<String>,
    /// Packages of the distribution that somebody asked for and that are in use, with files of theirs
    /// that something leads to. What is only linked against is told by its name alone.
    pub asked: BTreeMap<String, Proof>,
    /// Other packages of the distribution with such files.
    pub used: BTreeSet<String>,
    /// Other files of the distribution that are read, by package.
    pub data: BTreeMap<String, Data>,
    /// The distribution's packages by name.
    pub installed: BTreeMap<String, Installed>,
    /// Bytes that a package manager writes whatever it installs.
    pub written: Bytes,
    /// Whether libraries of the application stand where only the loader's cache tells of them.
    pub configured_libraries: Proof,
    /// Scripts of today's base that are not taken along.
    pub left_behind: Proof,
    /// What could not be looked into, in words.
    pub doubts: BTreeSet<String>,
    /// Bytes of the application's files.
    pub own: Bytes,
}

impl Needs {
    /// Whether all of it is static programs and data.
    pub fn is_static(&self) -> bool {
        self.linked.keys().all(|libc| *libc == Libc::None)
            && self.sonames.is_empty()
            && self.interpreters.is_empty()
            && self.shells.is_empty()
            && self.commands.is_empty()
            && self.package_managers.is_empty()
            && self.data.is_empty()
            && self.asked.is_empty()
    }

    /// Bytes of packages and of what they depend on, without those that are there already as they
    /// have to be.
    pub fn with_dependencies(
        &self,
        packages: &BTreeSet<String>,
        there: &BTreeSet<String>,
    ) -> BTreeMap<String, Bytes> {
        let mut all = BTreeMap::new();
        let mut queue: Vec<&String> = packages.iter().collect();
        while let Some(name) = queue.pop() {
            let Some(package) = self.installed.get(name) else { continue };
            if (there.contains(name) && !package.is_upgraded) || all.contains_key(name) {
                continue;
            }
            all.insert(name.clone(), package.bytes);
            queue.extend(&package.depends);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proof_is_bounded_and_counts_each_file_once() {
        let mut proof = Proof::default();
        assert_eq!((proof.is_empty(), proof.words().as_str()), (true, "nothing"));
        for name in ["/a", "/a", "/b", "/c", "/d", "/e", "/f"] {
            proof.add(name);
        }
        assert_eq!((proof.paths.len(), proof.count), (5, 6));
        assert_eq!(proof.words(), "/a and 5 more");
    }

    #[test]
    fn the_newest_version_counts() {
        let version = |text: &str| Version::parse(text).unwrap();
        let mut newest = None;
        for (number, path) in [("2.17", "/a"), ("2.34", "/b"), ("2.9", "/c"), ("2.34", "/d")] {
            Newest::raise(&mut newest, &version(number), path);
        }
        let newest = newest.unwrap();
        assert_eq!(newest.version, version("2.34"));
        assert_eq!(newest.proof.paths, ["/b", "/d"]);
    }

    #[test]
    fn packages_bring_what_they_depend_on() {
        let package = |bytes, depends: &[&str]| Installed {
            bytes: Bytes(bytes),
            depends: depends.iter().map(|name| (*name).to_owned()).collect(),
            is_upgraded: false,
        };
        let mut needs = Needs {
            installed: [
                ("curl".to_owned(), package(1, &["libcurl4", "libc6"])),
                ("libcurl4".to_owned(), package(2, &["libc6", "curl"])),
                ("libc6".to_owned(), package(4, &[])),
            ]
            .into(),
            ..Needs::default()
        };
        let there = BTreeSet::from(["libc6".to_owned()]);
        let all = needs.with_dependencies(&BTreeSet::from(["curl".to_owned()]), &there);
        assert_eq!(all.values().map(|bytes| bytes.get()).sum::<u64>(), 3);
        needs.installed.get_mut("libc6").unwrap().is_upgraded = true;
        let all = needs.with_dependencies(&BTreeSet::from(["curl".to_owned()]), &there);
        assert_eq!(all.values().map(|bytes| bytes.get()).sum::<u64>(), 7);
    }
}
