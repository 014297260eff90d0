//! Which package brought which file, and why the package is there.

mod alternatives;
pub mod apk;
mod build;
pub mod dpkg;
mod java;
pub mod node;
pub mod python;
mod reason;
mod rpm;
mod ruby;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::content::{Body, Content};
use crate::error::Result;
use crate::facts::filesystem::Filesystem;
use crate::layer::index::NONE;
use crate::limits::PACKAGES_MAX;
use crate::tree::NodeId;

/// The kinds of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ecosystem {
    /// Debian's and Ubuntu's.
    Dpkg,
    /// Alpine's.
    Apk,
    /// Red Hat's and SUSE's.
    Rpm,
    /// A Python distribution.
    Python,
    /// A Node package.
    Node,
    /// A Ruby gem.
    Ruby,
    /// The main module of a Go program.
    Go,
    /// A Rust program.
    Rust,
    /// A Java archive.
    Java,
}

impl Ecosystem {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Apk => "apk",
            Self::Rpm => "rpm",
            Self::Python => "python",
            Self::Node => "node",
            Self::Ruby => "ruby",
            Self::Go => "go",
            Self::Rust => "rust",
            Self::Java => "java",
        }
    }

    /// Whether its packages are a distribution's, rather than a language's.
    pub const fn is_distribution(self) -> bool {
        matches!(self, Self::Dpkg | Self::Apk | Self::Rpm)
    }

    /// Whether what a package depends on is found from where it stands, rather than by name alone.
    const fn is_found_by_place(self) -> bool {
        matches!(self, Self::Node)
    }

    /// Whether a package of it is only a name for what one file says of itself.
    pub const fn is_one_file(self) -> bool {
        matches!(self, Self::Go | Self::Rust | Self::Java)
    }
}

/// Why a package is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Somebody asked for it, the distribution cannot do without it, or nothing depends on it and
    /// its database does not tell.
    Asked,
    /// Another package depends on it.
    Dependency,
    /// Others only recommend or suggest it, or what depends on it.
    Recommended,
    /// It was brought by another package that is gone, or for one that was.
    Orphan,
}

impl Reason {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Dependency => "dependency",
            Self::Recommended => "recommended",
            Self::Orphan => "orphan",
        }
    }
}

/// One installed package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its database.
    pub ecosystem: Ecosystem,
    /// Its name there.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Bytes that it takes by its own word.
    pub installed_size: Option<u64>,
    /// Whether the distribution cannot do without it.
    pub is_essential: bool,
    /// Why it is there.
    pub reason: Reason,
    /// Whether its database notes what was asked for, so that the reason is more than a guess.
    reason_is_told: bool,
    /// Names in its own database that it depends on, each a choice of alternatives.
    pub depends: Vec<Vec<String>>,
    /// The same for recommendations.
    pub recommends: Vec<Vec<String>>,
    /// Names in its own database that brought it, once all of them were there (apk's `install_if`).
    brought_by: Vec<String>,
    /// What it leads to from where it stands: a name alone does not tell which of several.
    by_place: Leads,
    /// Other names that it stands for.
    pub provides: Vec<String>,
    /// What it holds of others, `name version`: modules, crates and archives inside it.
    pub contains: Vec<String>,
    /// Its files and symlinks, by node.
    pub files: Vec<NodeId>,
}

impl Package {
    /// A package of which only the name is known.
    fn new(ecosystem: Ecosystem, name: String) -> Self {
        Self {
            ecosystem,
            name,
            version: String::new(),
            installed_size: None,
            is_essential: false,
            reason: Reason::Asked,
            reason_is_told: false,
            depends: Vec::new(),
            recommends: Vec::new(),
            brought_by: Vec::new(),
            by_place: Leads::default(),
            provides: Vec::new(),
            contains: Vec::new(),
            files: Vec::new(),
        }
    }
}

/// Positions of the packages that one leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Leads {
    depends: Vec<u32>,
    recommends: Vec<u32>,
}

/// The packages of an image.
#[derive(Debug, Default)]
pub struct Packages {
    /// Every package, in the order of its database.
    pub all: Vec<Package>,
    /// By node, its package; [`NONE`] where no package brought it.
    owners: Vec<u32>,
    alternatives: HashSet<NodeId>,
    dependants: Vec<Vec<u32>>,
    leads: Vec<Leads>,
    is_full: bool,
    /// What could not be read.
    pub warnings: Vec<String>,
}

impl Packages {
    /// Reads every database of the image.
    pub fn read(files: &Filesystem<'_>) -> Result<Self> {
        let mut packages = Self { owners: vec![NONE; files.tree().made()], ..Self::default() };
        dpkg::read(files, &mut packages)?;
        apk::read(files, &mut packages)?;
        rpm::read(files, &mut packages)?;
        packages.own(0);
        let listed = packages.all.len();
        python::read(files, &mut packages)?;
        node::read(files, &mut packages)?;
        ruby::read(files, &mut packages)?;
        packages.own(listed);
        // What no package brought may say itself what it is.
        let listed = packages.all.len();
        build::read(files, &mut packages)?;
        java::read(files, &mut packages)?;
        packages.own(listed);
        alternatives::read(files, &mut packages);
        reason::relate(&mut packages);
        Ok(packages)
    }

    /// Takes a package, up to a limit that no image comes near, and tells its position.
    fn push(&mut self, package: Package) -> Option<u32> {
        if self.all.len() < PACKAGES_MAX {
            self.all.push(package);
            return u32::try_from(self.all.len() - 1).ok();
        }
        if !self.is_full {
            self.is_full = true;
            self.warnings.push(format!("there are more than {PACKAGES_MAX} packages"));
        }
        None
    }

    fn extend(&mut self, packages: impl IntoIterator<Item = Package>) {
        for package in packages {
            self.push(package);
        }
    }

    /// The text of a database; `None` where there is none. One that is too large is named.
    fn database(&mut self, files: &Filesystem<'_>, path: &[u8]) -> Result<Option<Arc<Content>>> {
        let Some(found) = files.file(path) else { return Ok(None) };
        let Some(content) = files.content(found.node)? else { return Ok(None) };
        match &content.body {
            Body::Document(text) => {
                if !text.is_empty() && (text.contains(&0) || !text.ends_with(b"\n")) {
                    let what = "it is no text, or ends within a line: what can be read of it is";
                    self.warn(files, found.node, what);
                }
                Ok(Some(content))
            }
            Body::TooLarge => {
                self.warn(files, found.node, "too large a package database: it is not read");
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn warn(&mut self, files: &Filesystem<'_>, node: NodeId, what: &str) {
        self.warnings.push(files.warning(node, what));
    }

    /// The package that brought a node.
    pub fn owner(&self, node: NodeId) -> Option<&Package> {
        self.owner_position(node).map(|at| &self.all[at])
    }

    /// The same by position in [`Self::all`].
    pub fn owner_position(&self, node: NodeId) -> Option<usize> {
        let owner = self.owners.get(node.0 as usize).filter(|at| **at != NONE);
        owner.map(|at| *at as usize)
    }

    /// Positions of the packages that depend on the one at `position`.
    pub fn dependants(&self, position: usize) -> &[u32] {
        &self.dependants[position]
    }

    /// Positions of these packages and of all that they depend on.
    pub fn closure(&self, of: impl Iterator<Item = usize>) -> BTreeSet<usize> {
        let mut open: Vec<usize> = of.collect();
        let mut found: BTreeSet<usize> = open.iter().copied().collect();
        while let Some(at) = open.pop() {
            let depends = self.leads[at].depends.iter().map(|on| *on as usize);
            open.extend(depends.filter(|on| found.insert(*on)));
        }
        found
    }

    /// Whether a node is a link of the alternatives system: its owner is that of its target.
    pub fn is_alternative(&self, node: NodeId) -> bool {
        self.alternatives.contains(&node)
    }

    /// Makes the packages from `first` on the owners of their files, whoever was before: a
    /// language's package is closer to a file than the distribution's that holds it.
    fn own(&mut self, first: usize) {
        for (at, package) in (0_u32..).zip(&self.all).skip(first) {
            for node in &package.files {
                self.owners[node.0 as usize] = at;
            }
        }
    }
}
