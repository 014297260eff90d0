//! What the image runs, and what that reaches: claims spread from the configuration over files,
//! strongest first, each kind of file by its own rules.

mod command;
mod convention;
mod elf;
mod loader;
mod node;
mod path;
mod python;
mod script;

use std::collections::{BTreeSet, HashMap};

use crate::content::Body;
use crate::error::Result;
use crate::facts::evidence::{Claim, Claims, Evidence};
use crate::facts::filesystem::{Filesystem, Found};
use crate::facts::package::Packages;
use crate::facts::profile::Profile;
use crate::tree::NodeId;

use self::loader::Loader;
use self::path::Environment;
use self::python::Interpreters;

/// Something that the analysis cannot look into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blind {
    /// A shell that is given no script: anything may be typed.
    Shell,
    /// A shell script that builds commands while it runs.
    ShellEval,
    /// Python without a known entry.
    Python,
    /// Node without a known entry.
    Node,
    /// An interpreter of a language that is not looked into.
    OtherLanguage,
    /// A shared object that is opened by a name made while the program runs.
    Dlopen,
}

/// What was found.
pub struct Reached {
    /// The claims on every node.
    pub claims: Claims,
    /// What could not be looked into, each with the file that it is about.
    pub blind: BTreeSet<(Blind, NodeId)>,
    /// What is missing or odd.
    pub warnings: Vec<String>,
}

/// What is claimed of a directory as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whole {
    PythonPackage,
    PythonComputed,
    EntryPoints,
    NodeModules,
    NodeNatives,
}

/// The spreading of claims.
pub(crate) struct Reach<'a> {
    files: &'a Filesystem<'a>,
    packages: &'a Packages,
    environment: Environment,
    claims: Claims,
    /// Nodes to visit, by the evidence that they were claimed with, weakest first.
    queue: [Vec<NodeId>; 7],
    visited: Vec<Evidence>,
    /// The evidence that each directory was claimed with as a whole.
    wholes: HashMap<(Whole, NodeId), Evidence>,
    loader: Loader,
    interpreters: Interpreters,
    blind: BTreeSet<(Blind, NodeId)>,
    /// A file that converts between character sets of its user's choice.
    converter: Option<NodeId>,
    warnings: Vec<String>,
}

/// Spreads claims from the configuration, the profile and the conventions.
pub fn reach(
    files: &Filesystem<'_>,
    packages: &Packages,
    profile: Option<&Profile>,
) -> Result<Reached> {
    let mut reach = Reach {
        files,
        packages,
        environment: Environment::of(&files.account().image.config),
        claims: Claims::new(files.tree().made()),
        queue: Default::default(),
        visited: vec![Evidence::None; files.tree().made()],
        wholes: HashMap::new(),
        loader: Loader::read(files)?,
        interpreters: Interpreters::default(),
        blind: BTreeSet::new(),
        converter: None,
        warnings: Vec::new(),
    };
    if let Some(profile) = profile {
        reach.profiled(profile);
    }
    command::start(&mut reach)?;
    reach.spread()?;
    convention::packages_in_use(&mut reach)?;
    reach.spread()?;
    convention::always_kept(&mut reach);
    reach.spread()?;
    Ok(Reached { claims: reach.claims, blind: reach.blind, warnings: reach.warnings })
}

impl Reach<'_> {
    /// Visits every claimed file, the strongest claims first.
    fn spread(&mut self) -> Result<()> {
        while let Some(node) = self.queue.iter_mut().rev().find_map(Vec::pop) {
            let evidence = self.claims.evidence(node);
            // A stronger claim came meanwhile, and was visited with it.
            if self.visited[node.0 as usize] >= evidence {
                continue;
            }
            self.visited[node.0 as usize] = evidence;
            self.visit(node)?;
        }
        Ok(())
    }

    fn visit(&mut self, node: NodeId) -> Result<()> {
        // What is kept by rule alone leads nowhere: nothing says that it is used.
        if self.claims.evidence(node) <= Evidence::Convention {
            return Ok(());
        }
        let Some(content) = self.files.content(node)? else { return Ok(()) };
        if let Some(shebang) = &content.shebang {
            script::interpreter(self, node, shebang)?;
        }
        match &content.body {
            Body::Elf(file) => elf::visit(self, node, file)?,
            Body::Shell(words) => script::visit(self, node, words),
            Body::Python(module) => python::visit(self, node, module)?,
            Body::JavaScript(module) => node::visit(self, node, module)?,
            Body::Other => _ = self.blind.insert((Blind::OtherLanguage, node)),
            Body::Archive(_) | Body::Rpm(_) | Body::Document(_) | Body::TooLarge => {}
        }
        Ok(())
    }

    /// Claims a file, or all files of a directory, for the file `from`. The evidence is no
    /// stronger than that of `from`.
    fn claim(&mut self, node: NodeId, evidence: Evidence, how: &str, from: Option<NodeId>) {
        let evidence = match from {
            Some(from) => {
                // What a profile saw is seen for that file alone.
                let before = self.claims.evidence(from).min(Evidence::Needed);
                evidence.min(before)
            }
            None => evidence,
        };
        if self.claims.take(node, Claim { evidence, how: how.to_owned(), from }) {
            self.queue[evidence as usize].push(node);
        }
    }

    /// Claims what a path leads to, and the symlinks on the way.
    fn claim_found(&mut self, found: &Found, evidence: Evidence, how: &str, from: Option<NodeId>) {
        // The chain goes through the links: the first is for `from`, each next for the one before.
        let (mut before, mut reason) = (from, how);
        for link in &found.links {
            self.claim(*link, evidence, reason, before);
            before = Some(*link);
            reason = "target of";
        }
        self.claim(found.node, evidence, reason, before);
    }

    /// Whether a directory is to be claimed as a whole for `from`: not where it was, with the same
    /// evidence or stronger, for another file of the many that lead to it.
    fn begins(&mut self, whole: Whole, directory: NodeId, from: NodeId) -> bool {
        let evidence = self.claims.evidence(from);
        let before = self.wholes.entry((whole, directory)).or_default();
        let begins = *before < evidence;
        *before = evidence.max(*before);
        begins
    }

    /// Claims every file below a directory.
    fn claim_below(&mut self, top: NodeId, evidence: Evidence, how: &str, from: Option<NodeId>) {
        for node in self.files.tree().walk(top) {
            if !self.files.is_directory(node) {
                self.claim(node, evidence, how, from);
            }
        }
    }

    fn profiled(&mut self, profile: &Profile) {
        for (paths, evidence, how) in [
            (&profile.executed, Evidence::Executed, "executed in the profile"),
            (&profile.opened, Evidence::Opened, "opened in the profile"),
        ] {
            for path in paths {
                if let Some(found) = self.files.file(path) {
                    self.claim_found(&found, evidence, how, None);
                }
            }
        }
    }
}
