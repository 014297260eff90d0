//! What rules are shown: directories, files, packages, wasted payloads, and the image around them.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::account::Account;
use crate::content::script::is_shell;
use crate::content::{Body, Content};
use crate::entry::split;
use crate::facts::Facts;
use crate::facts::evidence::{Confidence, Evidence};
use crate::facts::filesystem::Filesystem;
use crate::facts::package::python::normal;
use crate::facts::package::{Ecosystem, Package};
use crate::tree::{Cause, NodeId};

/// The image, with what is known of it.
pub struct Image<'a> {
    /// Its account, which the filesystem is of.
    pub account: &'a Account,
    /// Its facts.
    pub facts: &'a Facts,
    /// Its final filesystem.
    pub files: &'a Filesystem<'a>,
    names: OnceCell<HashMap<String, Vec<Ecosystem>>>,
    strongest: OnceCell<Vec<Evidence>>,
}

impl<'a> Image<'a> {
    // Covariant: what is kept here borrows nothing.
    pub(crate) fn new(facts: &'a Facts, files: &'a Filesystem<'a>) -> Self {
        let account = files.account();
        Self { account, facts, files, names: OnceCell::new(), strongest: OnceCell::new() }
    }

    /// Whether there is a package of that name, or of Python one of that normal name.
    pub fn has_package(&self, ecosystem: Ecosystem, name: &str) -> bool {
        let names = self.names.get_or_init(|| {
            let mut names: HashMap<String, Vec<Ecosystem>> = HashMap::new();
            for package in &self.facts.packages.all {
                names.entry(package.name.clone()).or_default().push(package.ecosystem);
                if package.ecosystem == Ecosystem::Python {
                    names.entry(normal(&package.name)).or_default().push(package.ecosystem);
                }
            }
            names
        });
        names.get(name).is_some_and(|ecosystems| ecosystems.contains(&ecosystem))
    }

    /// The strongest evidence on a file of the package.
    pub fn evidence_of(&self, package: usize) -> Evidence {
        let strongest = self.strongest.get_or_init(|| {
            let all = self.facts.packages.all.iter();
            let of = |package: &Package| {
                package.files.iter().map(|node| self.facts.claims.evidence(*node)).max()
            };
            all.map(|package| of(package).unwrap_or_default()).collect()
        });
        strongest.get(package).copied().unwrap_or_default()
    }

    /// Whether a shell script that is sure to run names a file of the package.
    fn is_called(&self, package: &Package) -> bool {
        let claims = &self.facts.claims;
        let is_script = |node: NodeId| {
            let content = self.files.content(node).ok().flatten();
            let body = content.as_ref().map(|content| &content.body);
            is_shell(self.files.tree().name(node)) || matches!(body, Some(Body::Shell(_)))
        };
        package
            .files
            .iter()
            .filter_map(|node| claims.get(*node)?.from)
            .any(|from| claims.evidence(from) >= Evidence::Needed && is_script(from))
    }

    /// Whether a shell is started without a script: somebody may type anything.
    pub fn is_interactive(&self) -> bool {
        self.facts.is_interactive()
    }

    /// Every package with what leads to it.
    pub fn installed(&self) -> impl Iterator<Item = Installed<'a>> {
        (0..self.facts.packages.all.len()).filter_map(|at| self.installed_at(at))
    }

    /// The package at a position.
    pub fn installed_at(&self, position: usize) -> Option<Installed<'a>> {
        let package = self.facts.packages.all.get(position)?;
        Some(Installed { package, position, evidence: self.evidence_of(position) })
    }

    /// Whether it runs an interpreter that no package brought, as official images of languages do.
    pub fn runs_other_runtime(&self) -> bool {
        const PLACES: [&[u8]; 5] = [
            b"usr/local/bin/python3",
            b"usr/local/bin/node",
            b"usr/local/bin/ruby",
            b"usr/local/bin/php",
            b"opt/java/openjdk/bin/java",
        ];
        PLACES.iter().any(|path| {
            self.files.file(path).is_some_and(|found| {
                self.facts.packages.owner(found.node).is_none()
                    && self.facts.claims.evidence(found.node) >= Evidence::Named
            })
        })
    }

    /// The value of a variable of the image's environment.
    pub fn variable(&self, name: &str) -> Option<&'a str> {
        let variables = self.account.image.config.env.iter();
        variables.rev().find_map(|row| row.strip_prefix(name)?.strip_prefix('='))
    }
}

/// A directory of the final filesystem.
pub struct Directory<'a> {
    /// Its path, with a slash in front and none behind; empty for the root.
    pub path: &'a [u8],
    pub(crate) node: NodeId,
    pub(crate) image: &'a Image<'a>,
}

impl Directory<'_> {
    /// Whether it is the one at `path`.
    pub fn is(&self, path: &str) -> bool {
        self.path == path.as_bytes()
    }

    /// Whether its path ends with these names: `/.cache/pip`.
    pub fn ends(&self, names: &str) -> bool {
        self.path.ends_with(names.as_bytes())
    }

    /// Whether its name is one of these.
    pub fn is_called(&self, names: &[&str]) -> bool {
        let name = split(self.path).1;
        names.iter().any(|one| one.as_bytes() == name)
    }

    /// Whether there is something of this name in it.
    pub fn has(&self, name: &str) -> bool {
        self.image.files.tree().child(self.node, name.as_bytes()).is_some()
    }

    /// Whether there is something of this name beside it.
    pub fn is_beside(&self, name: &str) -> bool {
        let tree = self.image.files.tree();
        tree.parent(self.node).is_some_and(|parent| tree.child(parent, name.as_bytes()).is_some())
    }
}

/// Directories of packages of languages.
pub(crate) const PUBLISHED: [&str; 5] =
    ["node_modules", "site-packages", "dist-packages", "gems", "vendor"];

/// A regular file of the final filesystem.
pub struct File<'a> {
    /// Its path, with a slash in front.
    pub path: &'a [u8],
    /// Its name.
    pub name: &'a [u8],
    /// Bytes of its content.
    pub size: u64,
    /// The package that brought it.
    pub owner: Option<&'a Package>,
    /// What leads to it.
    pub evidence: Evidence,
    pub(crate) node: NodeId,
    pub(crate) image: &'a Image<'a>,
}

impl<'a> File<'a> {
    /// The file at `path`, which is that of the node.
    pub(crate) fn new(image: &'a Image<'a>, node: NodeId, path: &'a [u8]) -> Self {
        Self {
            path,
            name: split(path).1,
            size: image.files.size(node),
            owner: image.facts.packages.owner(node),
            evidence: image.facts.claims.evidence(node),
            node,
            image,
        }
    }

    /// Whether its name ends so.
    pub fn ends(&self, ends: &[&str]) -> bool {
        ends.iter().any(|end| self.name.ends_with(end.as_bytes()))
    }

    /// Whether it stands below `directory`, which ends with a slash.
    pub fn is_below(&self, directory: &str) -> bool {
        self.path.starts_with(directory.as_bytes())
    }

    /// Whether one of the directories above it has this name.
    pub fn is_in(&self, name: &str) -> bool {
        let (directory, _) = split(self.path);
        directory.split(|b| *b == b'/').any(|part| part == name.as_bytes())
    }

    /// Whether there is something of this name beside it.
    pub fn is_beside(&self, name: &[u8]) -> bool {
        self.beside(name).is_some()
    }

    /// Whether a package of a distribution brought it.
    pub fn is_of_distribution(&self) -> bool {
        self.owner.is_some_and(|package| package.ecosystem.is_distribution())
    }

    /// Whether it stands among packages of a language, which come as they were published.
    pub fn is_published(&self) -> bool {
        self.owner.is_some() || PUBLISHED.iter().any(|name| self.is_in(name))
    }

    /// What its content says; `None` where it says nothing, or cannot be read.
    pub fn content(&self) -> Option<Arc<Content>> {
        self.image.files.content(self.node).ok().flatten()
    }

    /// The file or directory called `name` beside it.
    pub fn beside(&self, name: &[u8]) -> Option<NodeId> {
        let tree = self.image.files.tree();
        tree.child(tree.parent(self.node)?, name)
    }
}

/// An installed package, of a distribution or of a language.
pub struct Installed<'a> {
    /// The package.
    pub package: &'a Package,
    /// Its position.
    pub position: usize,
    /// The strongest evidence on one of its files.
    pub evidence: Evidence,
}

impl Installed<'_> {
    /// Whether a distribution brought it.
    pub fn is_of_distribution(&self) -> bool {
        self.package.ecosystem.is_distribution()
    }

    /// How sure it is that the package can go where it is of a kind that nothing needs while the
    /// image runs: not at all where something leads to it that does.
    pub fn unneeded(&self, image: &Image<'_>, sure: Confidence) -> Option<Confidence> {
        match self.evidence {
            Evidence::Needed | Evidence::Opened | Evidence::Executed => None,
            Evidence::Named if image.is_called(self.package) => None,
            Evidence::Named => Some(Confidence::Low),
            _ if image.is_interactive() => Some(Confidence::Low),
            _ => Some(sure),
        }
    }
}

/// A payload that no path of the final filesystem leads to.
pub struct Wasted<'a> {
    /// Its path when it was there, without a slash in front.
    pub path: &'a [u8],
    /// Why it is wasted.
    pub cause: Cause,
    /// The package of the file that stands in its place.
    pub successor: Option<&'a Package>,
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is of the file: the name of a section.
    pub of: &'static str,
    /// Its bytes.
    pub bytes: u64,
}

/// Bytes that a rule has found of each payload.
pub struct Taken {
    pub(crate) bytes: Vec<u64>,
}

impl Taken {
    /// Bytes of a payload that no rule has found yet.
    pub fn left(&self, account: &Account, payload: u32) -> u64 {
        let all = account.payloads[payload as usize].size;
        all.saturating_sub(self.bytes[payload as usize])
    }
}

/// What a rule found that looks at the whole.
#[derive(Debug, Default)]
pub struct Group {
    /// Files, with the bytes of each that can go; each payload once.
    pub payloads: Vec<(u32, u64)>,
    /// How sure that is; the rule's own where it says nothing.
    pub confidence: Option<Confidence>,
    /// The layer that brought it.
    pub layer: Option<usize>,
    /// What exactly was found, in a sentence.
    pub evidence: String,
    /// Names of packages.
    pub packages: Vec<String>,
    /// Places that are no files of the final filesystem, to be shown as they are.
    pub places: Vec<String>,
    /// How much attention it asks for by itself, whatever its bytes.
    pub is_grave: bool,
}
