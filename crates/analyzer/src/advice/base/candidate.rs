//! An image to start from: what it holds, and how large it is.

use std::collections::BTreeSet;

use jettison_oci::Bytes;
use serde::Deserialize;

use crate::advice::base::version::Version;

/// A C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Libc {
    /// There is none: only static programs run.
    None,
    /// GNU's.
    Glibc,
    /// musl.
    Musl,
}

impl Libc {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "no C library",
            Self::Glibc => "glibc",
            Self::Musl => "musl",
        }
    }
}

/// A language with an interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// Python.
    Python,
    /// JavaScript on Node.
    Node,
    /// Java and what else runs on its machine.
    Java,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// Perl.
    Perl,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 6] =
        [Self::Python, Self::Node, Self::Java, Self::Ruby, Self::Php, Self::Perl];

    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Node => "Node",
            Self::Java => "Java",
            Self::Ruby => "Ruby",
            Self::Php => "PHP",
            Self::Perl => "Perl",
        }
    }

    /// How many numbers of a version tell what modules fit: Python 3.11, Node 22.
    pub const fn numbers(self) -> usize {
        match self {
            Self::Python | Self::Ruby | Self::Php | Self::Perl => 2,
            Self::Node | Self::Java => 1,
        }
    }
}

/// The interpreter that an image is made for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Provided {
    /// Its language.
    pub language: Language,
    /// Its version, as many numbers as tell what fits.
    pub version: Version,
    /// What native modules must be built for: `cpython-311`, `115`.
    pub abi: Option<String>,
    /// Where it stands.
    pub path: String,
}

/// How large an image is, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// Bytes of the files of all its layers.
    pub files: Bytes,
    /// Bytes as a registry sends them; `None` where that is not known.
    pub compressed: Option<Bytes>,
    /// Whether the numbers are approximate.
    pub is_approximate: bool,
    /// Where they are from.
    pub source: String,
    /// The day that they are of, `2026-09-18`.
    pub date: String,
}

/// What an image that one can start from brings, smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// No library at all.
    Nothing,
    /// A C library.
    Libc,
    /// C++'s as well.
    LibStdCxx,
    /// An interpreter.
    Interpreter,
    /// A shell.
    Shell,
    /// A package manager.
    PackageManager,
}

impl Class {
    /// The words in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing but files",
            Self::Libc => "a C library",
            Self::LibStdCxx => "a C++ library",
            Self::Interpreter => "an interpreter",
            Self::Shell => "a shell",
            Self::PackageManager => "a package manager",
        }
    }
}

/// An image to start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name, as a Dockerfile has it behind `FROM`.
    pub reference: String,
    /// Other names that stand for the same image today.
    pub aliases: Vec<String>,
    /// The distribution's id in `os-release`; empty where it has none.
    pub family: String,
    /// Its release; empty where it has no releases.
    pub release: String,
    /// Its C library.
    pub libc: Libc,
    /// The version of that.
    pub libc_version: Option<Version>,
    /// The newest `GLIBCXX_` of its C++ library, where it has one.
    pub glibcxx: Option<Version>,
    /// Shared objects by name.
    pub sonames: BTreeSet<String>,
    /// The distribution's packages.
    pub packages: BTreeSet<String>,
    /// Shells by name.
    pub shells: BTreeSet<String>,
    /// Programs that scripts start, by name.
    pub commands: BTreeSet<String>,
    /// Package managers, the distribution's and languages'.
    pub package_managers: BTreeSet<String>,
    /// Whether it has the certificates of authorities.
    pub has_ca_certificates: bool,
    /// Whether it has time zones.
    pub has_time_zones: bool,
    /// Users besides root that it knows by name.
    pub users: Vec<String>,
    /// The directory that its loader looks in for more libraries, where that is not Debian's.
    pub library_directory: Option<String>,
    /// The interpreter that it is made for.
    pub interpreter: Option<Provided>,
    /// Whether its name stands for ever newer versions of what it holds.
    pub is_rolling: bool,
    /// The entrypoint that it sets.
    pub entrypoint: Option<String>,
    /// How large it is.
    pub size: Size,
}

impl Candidate {
    /// What it brings.
    pub fn class(&self) -> Class {
        if !self.package_managers.is_empty() {
            Class::PackageManager
        } else if !self.shells.is_empty() {
            Class::Shell
        } else if self.interpreter.is_some() {
            Class::Interpreter
        } else if self.sonames.contains("libstdc++.so.6") {
            Class::LibStdCxx
        } else if self.libc != Libc::None {
            Class::Libc
        } else {
            Class::Nothing
        }
    }

    /// Whether a name in a Dockerfile means it.
    pub fn is_called(&self, name: &str) -> bool {
        let name = short(name);
        name == self.reference || self.aliases.iter().any(|alias| alias == name)
    }
}

/// A name without what Docker Hub's official images leave out, and without a digest.
pub fn short(name: &str) -> &str {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").filter(|official| !official.contains('/')).unwrap_or(name)
}
