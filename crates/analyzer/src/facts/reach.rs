//! What the image runs, and what that reaches: claims spread from the configuration over files,
//! strongest first, each kind of file by its own rules.

mod application;
mod command;
mod convention;
mod cron;
mod elf;
mod init;
mod java;
mod loader;
mod node;
mod npm;
mod openssl;
mod pam;
mod path;
mod perl;
mod php;
mod python;
mod ruby;
mod script;
mod service_directory;
mod settings;
mod started;
mod steps;
mod supervisor;
mod texts;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hashbrown::HashMap;
use serde_json::Value;

use crate::content::{self, Body, Content};
use crate::entry::Kind;
use crate::error::Result;
use crate::facts::evidence::{Claims, Evidence};
use crate::facts::filesystem::{Filesystem, Found};
use crate::facts::kind::{FileKind, Form};
use crate::facts::package::Packages;
use crate::facts::profile::Profile;
use crate::limits::BELOW_MAX;
use crate::tree::NodeId;

use self::loader::Loader;
use self::path::Environment;
use self::php::Applications;
use self::python::Interpreters;
use self::ruby::Gems;

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
    /// Perl that requires by computed names, or without a known entry.
    Perl,
    /// Ruby that requires by computed names, or without a known entry.
    Ruby,
    /// PHP that includes by computed names, or without a known entry.
    Php,
    /// Java with a class path that only a run can tell.
    Java,
    /// An interpreter of a language that is not looked into.
    OtherLanguage,
    /// A shared object that is opened by a name made while the program runs.
    Dlopen,
    /// A file that is used, and is damaged.
    Damaged,
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

/// How often packages that come into use may bring others into use.
const ROUNDS_MAX: usize = 8;

/// What is claimed of a directory as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whole {
    PythonPackage,
    PythonRecords,
    PythonComputed,
    EntryPoints,
    NodeModules,
    NodeNatives,
    PerlModules,
    Gem,
    Application,
    Vendor,
    JavaHome,
    Sourced,
    Programs,
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
    /// Directories that Perl takes modules from, once it is reached.
    perl: Option<Vec<NodeId>>,
    gems: Option<Gems>,
    /// Node's manifests, by the package's directory.
    manifests: RefCell<HashMap<NodeId, Option<Rc<Value>>>>,
    applications: Applications,
    /// Interpreters that were reached, by what they are blind to without an entry.
    languages: BTreeMap<Blind, NodeId>,
    /// Documents that a shell takes in as scripts, still to be read.
    sourced: Vec<NodeId>,
    /// Command lines inside command lines.
    depth: usize,
    /// Languages with a program that is known to run.
    entered: BTreeSet<Blind>,
    blind: BTreeSet<(Blind, NodeId)>,
    /// A file that converts between character sets of its user's choice.
    converter: Option<NodeId>,
    /// Whether Node reads the maps of sources.
    source_maps: bool,
    warnings: Vec<String>,
}

/// Spreads claims from the configuration, the profile and the conventions.
pub fn reach(
    files: &Filesystem<'_>,
    packages: &Packages,
    profile: Option<&Profile>,
) -> Result<Reached> {
    let mut warnings = Vec::new();
    let mut reach = Reach {
        files,
        packages,
        environment: Environment::of(&files.account().image.config),
        claims: Claims::new(files.tree().made()),
        queue: Default::default(),
        visited: vec![Evidence::None; files.tree().made()],
        wholes: HashMap::new(),
        loader: Loader::read(files, &mut warnings)?,
        interpreters: Interpreters::default(),
        perl: None,
        gems: None,
        manifests: RefCell::default(),
        applications: Applications::default(),
        languages: BTreeMap::new(),
        sourced: Vec::new(),
        depth: 0,
        entered: BTreeSet::new(),
        blind: BTreeSet::new(),
        converter: None,
        source_maps: false,
        warnings,
    };
    if let Some(profile) = profile {
        reach.profiled(profile);
    }
    command::start(&mut reach)?;
    reach.spread()?;
    // What configurations of packages in use name brings more packages into use.
    for _ in 0..ROUNDS_MAX {
        let before = reach.claims.count();
        convention::packages_in_use(&mut reach);
        convention::character_sets(&mut reach);
        settings::own(&mut reach);
        reach.spread()?;
        if reach.claims.count() == before {
            break;
        }
    }
    convention::always_kept(&mut reach);
    reach.spread()?;
    for (blind, interpreter) in std::mem::take(&mut reach.languages) {
        if !reach.entered.contains(&blind) {
            reach.blind.insert((blind, interpreter));
        }
    }
    Ok(Reached { claims: reach.claims, blind: reach.blind, warnings: reach.warnings })
}

/// Whether a file of such evidence is looked into. What is kept by rule alone leads nowhere: nothing
/// says that it is used.
fn leads_on(evidence: Evidence) -> bool {
    evidence > Evidence::Convention
}

impl Reach<'_> {
    /// Visits every claimed file, the strongest claims first.
    fn spread(&mut self) -> Result<()> {
        loop {
            let Some(node) = self.queue.iter_mut().rev().find_map(Vec::pop) else {
                let Some(node) = self.sourced.pop() else { return Ok(()) };
                script::sourced(self, node)?;
                continue;
            };
            let evidence = self.claims.evidence(node);
            // A stronger claim came meanwhile, and was visited with it.
            if self.visited[node.0 as usize] >= evidence {
                continue;
            }
            self.visited[node.0 as usize] = evidence;
            self.visit(node)?;
        }
    }

    fn visit(&mut self, node: NodeId) -> Result<()> {
        if !leads_on(self.claims.evidence(node)) {
            return Ok(());
        }
        started::visit(self, node)?;
        python::compiled(self, node);
        let Some(content) = self.files.content(node)? else { return Ok(()) };
        if let Body::Document(text) = &content.body {
            // Configurations are kept as they are, scripts among them.
            if let Some(script) = content::script(text) {
                return self.visit_content(node, &script);
            }
            settings::visit(self, node, text);
            return started::document(self, node, text);
        }
        self.visit_content(node, &content)
    }

    fn visit_content(&mut self, node: NodeId, content: &Content) -> Result<()> {
        if let Some(shebang) = &content.shebang {
            script::interpreter(self, node, shebang)?;
        }
        if let Some(texts) = &content.texts {
            texts::visit(self, node, texts);
        }
        match &content.body {
            Body::Elf(file) => {
                elf::visit(self, node, file)?;
                if file.is_cut {
                    self.damaged(node, "it ends before what is to be loaded of it");
                }
                if file.is_partial {
                    self.blind.insert((Blind::Dlopen, node));
                }
            }
            Body::Shell(shell) => script::visit(self, node, shell)?,
            Body::Python(module) => python::visit(self, node, module)?,
            Body::JavaScript(module) => node::visit(self, node, module)?,
            Body::Perl(module) => perl::visit(self, node, module),
            Body::Ruby(module) => ruby::visit(self, node, module)?,
            Body::Php(file) => php::visit(self, node, file)?,
            Body::Other => {
                if content.shebang.as_ref().is_none_or(|line| script::may_run(self.files, line)) {
                    self.blind.insert((Blind::OtherLanguage, node));
                }
            }
            Body::Archive(archive) => java::archive(self, node, archive),
            Body::Damaged => self.damaged(node, "it is no whole program, library or archive"),
            Body::TooLarge => self.too_large(node),
            Body::Rpm(_) | Body::Document(_) | Body::Secret(_) | Body::CoreDump => {}
        }
        Ok(())
    }

    /// Says that a file cannot be read that something names: what it leads to is not known. Data of
    /// packages may be damaged on purpose, as that of tests is.
    fn damaged(&mut self, node: NodeId, what: &str) {
        if self.claims.evidence(node) >= Evidence::Named {
            self.warn(node, &format!("{what}: what it leads to is not known"));
            self.blind.insert((Blind::Damaged, node));
        }
    }

    /// Says that a script or module is larger than is looked at.
    fn too_large(&mut self, node: NodeId) {
        let form = self.files.form(node);
        let blind = Blind::of_language(form).unwrap_or(match form {
            Form::SharedObject => Blind::Dlopen,
            _ => Blind::ShellEval,
        });
        self.warn(node, "it is too large to be looked into: what it leads to is not known");
        self.blind.insert((blind, node));
    }

    fn warn(&mut self, node: NodeId, what: &str) {
        self.warnings.push(self.files.warning(node, what));
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
        if self.claims.take(node, evidence, how, from) {
            self.queue[evidence as usize].push(node);
            if leads_on(evidence) {
                self.files.announce(node);
            }
        }
    }

    /// Claims what a path leads to, and the symlinks on the way.
    fn claim_found(&mut self, found: &Found, evidence: Evidence, how: &str, from: Option<NodeId>) {
        // Not each for the one before: a link such as `/lib` is on the way to many files, and its
        // own chain is that of the first.
        for link in &found.links {
            self.claim(*link, evidence, how, from);
        }
        self.claim(found.node, evidence, how, from);
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

    /// Claims the files among the first `most` nodes below a directory, tests, documents and headers
    /// aside.
    fn keep_below(
        &mut self,
        top: NodeId,
        most: usize,
        evidence: Evidence,
        how: &str,
        from: NodeId,
    ) {
        for node in self.files.tree().walk(top).take(most) {
            if self.files.is_file(node) && self.files.kind(node) == FileKind::Other {
                self.claim(node, evidence, how, Some(from));
            }
        }
    }

    /// Claims every file below a directory and what symlinks there lead to, unless that is a part
    /// of the system.
    fn claim_below_linked(&mut self, top: NodeId, evidence: Evidence, how: &str, from: NodeId) {
        let tree = self.files.tree();
        for node in tree.walk(top).take(BELOW_MAX).collect::<Vec<_>>() {
            if self.files.is_directory(node) {
                continue;
            }
            self.claim(node, evidence, how, Some(from));
            if tree.kind(node) != Kind::Symlink {
                continue;
            }
            let Some(found) = self.files.find(&tree.path(node)) else { continue };
            if self.files.is_file(found.node) {
                self.claim_found(&found, evidence, how, Some(from));
            } else if command::is_small(self, found.node) {
                for below in tree.walk(found.node).take(BELOW_MAX).collect::<Vec<_>>() {
                    if self.files.is_file(below) {
                        self.claim(below, evidence, "target of", Some(node));
                    }
                }
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
