//! Which package brought which file, and why the package is there.

pub mod apk;
pub mod dpkg;
pub mod node;
pub mod python;

use std::collections::HashMap;

use crate::error::Result;
use crate::facts::filesystem::Filesystem;
use crate::tree::NodeId;

/// The kinds of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ecosystem {
    /// Debian's and Ubuntu's.
    Dpkg,
    /// Alpine's.
    Apk,
    /// A Python distribution.
    Python,
    /// A Node package.
    Node,
}

impl Ecosystem {
    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Apk => "apk",
            Self::Python => "python",
            Self::Node => "node",
        }
    }
}

/// Why a package is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Somebody asked for it, or its database does not tell.
    Asked,
    /// Another package depends on it.
    Dependency,
    /// Others only recommend or suggest it.
    Recommended,
    /// It was brought by another package that is gone.
    Orphan,
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
    /// Names in its own database that it depends on, each a choice of alternatives.
    pub depends: Vec<Vec<String>>,
    /// The same for recommendations.
    pub recommends: Vec<Vec<String>>,
    /// Other names that it stands for.
    pub provides: Vec<String>,
    /// Its files and symlinks, by node.
    pub files: Vec<NodeId>,
}

/// The packages of an image.
#[derive(Debug, Default)]
pub struct Packages {
    /// Every package, in the order of its database.
    pub all: Vec<Package>,
    owners: HashMap<NodeId, u32>,
    dependants: Vec<Vec<u32>>,
    /// What could not be read.
    pub warnings: Vec<String>,
}

impl Packages {
    /// Reads every database of the image.
    pub fn read(files: &Filesystem<'_>) -> Result<Self> {
        let mut packages = Self::default();
        dpkg::read(files, &mut packages)?;
        apk::read(files, &mut packages)?;
        python::read(files, &mut packages)?;
        node::read(files, &mut packages)?;
        packages.settle();
        Ok(packages)
    }

    /// The package that brought a node.
    pub fn owner(&self, node: NodeId) -> Option<&Package> {
        self.owners.get(&node).map(|at| &self.all[*at as usize])
    }

    /// The same by position in [`Self::all`].
    pub fn owner_position(&self, node: NodeId) -> Option<usize> {
        self.owners.get(&node).map(|at| *at as usize)
    }

    /// Positions of the packages that depend on the one at `position`.
    pub fn dependants(&self, position: usize) -> &[u32] {
        &self.dependants[position]
    }

    /// Owners are settled last: a language's package is closer to a file than the distribution's
    /// that holds it.
    fn settle(&mut self) {
        for (at, package) in (0_u32..).zip(&self.all) {
            for node in &package.files {
                self.owners.insert(*node, at);
            }
        }
        let mut by_name: HashMap<(Ecosystem, &str), Vec<u32>> = HashMap::new();
        for (at, package) in (0_u32..).zip(&self.all) {
            for name in std::iter::once(&package.name).chain(&package.provides) {
                by_name.entry((package.ecosystem, name.as_str())).or_default().push(at);
            }
        }
        let mut dependants: Vec<Vec<u32>> = vec![Vec::new(); self.all.len()];
        let mut recommended = vec![false; self.all.len()];
        for (at, package) in (0_u32..).zip(&self.all) {
            let found = |names: &'_ [Vec<String>]| -> Vec<u32> {
                let names = names.iter().flatten();
                names
                    .filter_map(|name| by_name.get(&(package.ecosystem, name.as_str())))
                    .flatten()
                    .copied()
                    .collect()
            };
            for on in &found(&package.depends) {
                if *on != at && dependants[*on as usize].last() != Some(&at) {
                    dependants[*on as usize].push(at);
                }
            }
            for on in &found(&package.recommends) {
                recommended[*on as usize] = true;
            }
        }
        for (at, package) in self.all.iter_mut().enumerate() {
            // Databases that tell what was asked for leave the rest as dependencies.
            if package.reason == Reason::Dependency && dependants[at].is_empty() {
                package.reason = if recommended[at] { Reason::Recommended } else { Reason::Orphan };
            }
        }
        self.dependants = dependants;
    }
}
