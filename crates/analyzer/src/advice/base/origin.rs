//! Whose a file is: the distribution's, an interpreter's, the base's own state, or the
//! application's, which every base has to carry.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use crate::advice::base::install::Install;
use crate::content::Body;
use crate::entry::split;
use crate::error::Result;
use crate::facts::Facts;
use crate::facts::evidence::{Confidence, Evidence};
use crate::facts::filesystem::Filesystem;
use crate::tree::NodeId;

/// Whose a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The application's.
    Application,
    /// A package's of the distribution, by position.
    Package(usize),
    /// An interpreter's, by position.
    Interpreter(usize),
    /// State of the base, which another base has its own of.
    System,
}

/// What started a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Starter {
    /// The configuration.
    Configuration,
    /// A file of the application.
    File(NodeId),
    /// The distribution's own files: whoever brings those brings it.
    Distribution,
}

/// Lists and caches of package managers, accounts, and what is made of packages while they are
/// installed.
const SYSTEM: [&[u8]; 24] = [
    b"/var/lib/dpkg/",
    b"/var/lib/apt/",
    b"/var/lib/rpm/",
    b"/var/lib/dnf/",
    b"/usr/lib/sysimage/",
    b"/usr/lib/apk/",
    b"/lib/apk/",
    b"/etc/apk/",
    b"/etc/apt/",
    b"/etc/alternatives/",
    b"/etc/ssl/certs/",
    b"/etc/pki/ca-trust/",
    b"/etc/pam.d/",
    b"/etc/dpkg/",
    b"/var/cache/",
    b"/var/log/",
    b"/etc/ld.so.cache",
    b"/etc/passwd",
    b"/etc/group",
    b"/etc/shadow",
    b"/etc/gshadow",
    b"/etc/sub",
    b"/etc/os-release",
    b"/dev/",
];

/// Tells whose each file is.
pub(super) struct Origins<'a> {
    files: &'a Filesystem<'a>,
    facts: &'a Facts,
    brought: HashMap<NodeId, usize>,
    dropped: HashSet<NodeId>,
    installs: Vec<Install>,
    base_layers: usize,
    known: RefCell<HashMap<NodeId, Origin>>,
}

/// Files of the application that stay, links included.
pub(super) fn own(files: &Filesystem<'_>, facts: &Facts, base_layers: usize) -> HashSet<NodeId> {
    let origins = Origins::new(files, facts, base_layers);
    let nodes = files.nodes().iter().copied().filter(|node| !files.is_directory(*node));
    nodes
        .filter(|node| origins.is_kept(*node) && origins.of(*node) == Origin::Application)
        .collect()
}

impl<'a> Origins<'a> {
    /// For an image of which the lowest `base_layers` layers are its base's.
    pub(super) fn new(files: &'a Filesystem<'a>, facts: &'a Facts, base_layers: usize) -> Self {
        let mut brought = HashMap::new();
        for (at, package) in facts.packages.all.iter().enumerate() {
            if package.ecosystem.is_distribution() {
                brought.extend(package.files.iter().map(|node| (*node, at)));
            }
        }
        let sure = facts.unused.groups.iter().filter(|g| g.confidence >= Confidence::Medium);
        let dropped = sure.flat_map(|group| group.files.iter().copied()).collect();
        let mut origins = Self {
            files,
            facts,
            brought,
            dropped,
            installs: Vec::new(),
            base_layers,
            known: RefCell::default(),
        };
        origins.installs = origins.interpreters();
        origins
    }

    /// Every interpreter that is reached, by path.
    fn interpreters(&self) -> Vec<Install> {
        let mut installs: Vec<Install> = Vec::new();
        let variables = &self.files.account().image.config.env;
        for &node in self.files.nodes() {
            if !self.files.is_executable(node) || self.evidence(node) < Evidence::Named {
                continue;
            }
            let package = self.brought.get(&node).map(|at| &self.facts.packages.all[*at]);
            let version = package.map(|package| package.version.as_str());
            let Some(install) = Install::of(&self.files.path(node), variables, version) else {
                continue;
            };
            let same = |other: &Install| {
                other.language == install.language && other.prefix == install.prefix
            };
            match installs.iter_mut().find(|other| same(other)) {
                Some(other) => other.version = other.version.take().or(install.version),
                None => installs.push(install),
            }
        }
        installs
    }

    /// The interpreters that are reached.
    pub(super) fn installs(&self) -> &[Install] {
        &self.installs
    }

    /// How strongly a file is tied to what runs.
    pub(super) fn evidence(&self, node: NodeId) -> Evidence {
        self.facts.claims.evidence(node)
    }

    /// Whether it stays: nothing says surely enough that it is unused.
    pub(super) fn is_kept(&self, node: NodeId) -> bool {
        !self.dropped.contains(&node)
    }

    /// The package of the distribution that brought a file.
    pub(super) fn package(&self, node: NodeId) -> Option<usize> {
        self.brought.get(&node).copied()
    }

    /// Whose a file is.
    pub(super) fn of(&self, node: NodeId) -> Origin {
        *self.known.borrow_mut().entry(node).or_insert_with(|| self.look(node))
    }

    fn look(&self, node: NodeId) -> Origin {
        let path = self.files.path(node);
        if let Some(at) = self.installs.iter().position(|install| install.owns(&path)) {
            return Origin::Interpreter(at);
        }
        if let Some(at) = self.brought.get(&node)
            && !(path.starts_with(b"/etc/") && self.is_rewritten(node, *at))
        {
            return Origin::Package(*at);
        }
        let is_state = SYSTEM.iter().any(|front| path.starts_with(front));
        let is_idle_base = self.is_of_base(node) && self.evidence(node) < Evidence::Named;
        if is_state || is_idle_base { Origin::System } else { Origin::Application }
    }

    /// The layer that brought a file or a link; `None` for what no entry of a layer names.
    pub(super) fn layer(&self, node: NodeId) -> Option<u32> {
        let id = self.files.tree().entry(node);
        id.is_explicit().then_some(id.layer)
    }

    /// The layer that brought most files of a package.
    fn package_layer(&self, package: usize) -> Option<u32> {
        let mut layers: HashMap<u32, usize> = HashMap::new();
        let files = &self.facts.packages.all[package].files;
        for of in files.iter().filter_map(|node| self.layer(*node)) {
            *layers.entry(of).or_default() += 1;
        }
        let most = layers.into_iter().max_by_key(|(layer, count)| (*count, *layer));
        most.map(|(layer, _)| layer)
    }

    /// How many layers the base has, which is taken to be the first where nobody says.
    pub(super) fn base_layers(&self) -> usize {
        self.base_layers.max(1)
    }

    /// Whether a package came on top of the base.
    pub(super) fn is_added(&self, package: usize) -> bool {
        self.package_layer(package).is_some_and(|layer| layer as usize >= self.base_layers())
    }

    /// Whether a later layer than its package's wrote a file.
    fn is_rewritten(&self, node: NodeId, package: usize) -> bool {
        match (self.package_layer(package), self.layer(node)) {
            (Some(most), Some(own)) => own > most,
            _ => false,
        }
    }

    /// Whether the base image's layers brought a file.
    pub(super) fn is_of_base(&self, node: NodeId) -> bool {
        let id = self.files.tree().entry(node);
        id.is_explicit() && (id.layer as usize) < self.base_layers
    }

    /// What started a program, through the wrappers and shells of the distribution before it.
    pub(super) fn starter(&self, node: NodeId) -> Result<Starter> {
        let mut at = node;
        for _ in 0..STARTERS_MAX {
            let Some(claim) = self.facts.claims.get(at) else { return Ok(Starter::Distribution) };
            let Some(from) = claim.from else { return Ok(Starter::Configuration) };
            if self.of(from) == Origin::Application {
                let is_module = claim.how == "#! of" && !self.is_program(from);
                return Ok(if is_module { Starter::Distribution } else { Starter::File(from) });
            }
            let passes = matches!(claim.how, "command of" | "run by" | "argument of" | "script of");
            let content = self.files.content(from)?;
            let is_elf = content.is_some_and(|content| matches!(content.body, Body::Elf(_)));
            // A link in front of a wrapper passes on what the wrapper starts.
            if !passes || (!is_elf && self.files.is_file(from)) {
                return Ok(Starter::Distribution);
            }
            at = from;
        }
        Ok(Starter::Distribution)
    }

    /// Whether a script is one that is started, rather than a module that begins like one.
    pub(super) fn is_program(&self, node: NodeId) -> bool {
        let path = self.files.path(node);
        let folders: [&[u8]; 3] = [b"site-packages", b"dist-packages", b"node_modules"];
        self.files.is_executable(node)
            && !path.split(|b| *b == b'/').any(|part| folders.contains(&part))
    }

    /// A script that an official image puts in front of its language's program, and that another
    /// base has its own of or does not need.
    pub(super) fn is_wrapper(&self, node: NodeId) -> bool {
        const WRAPPERS: [&[u8]; 3] =
            [b"docker-entrypoint.sh", b"docker-php-entrypoint", b"__cacert_entrypoint.sh"];
        let path = self.files.path(node);
        !self.installs.is_empty() && self.is_of_base(node) && WRAPPERS.contains(&split(&path).1)
    }
}

/// Wrappers in front of each other.
const STARTERS_MAX: usize = 16;
