//! Fills the needs of an image from what is known of its files.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jettison_oci::{Bytes, escape};

use crate::account::Account;
use crate::advice::base::linkage;
use crate::advice::base::needs::{Needs, Proof};
use crate::advice::base::origin::{Origin, Origins, Starter};
use crate::advice::base::programs;
use crate::advice::base::runtime;
use crate::advice::base::today::Today;
use crate::content::Body;
use crate::error::Result;
use crate::facts::Facts;
use crate::facts::evidence::Evidence;
use crate::facts::filesystem::Filesystem;
use crate::facts::package::Reason;
use crate::facts::reach::Blind;
use crate::tree::NodeId;

/// What every rule looks at, and what it adds to.
pub(super) struct Workload<'a> {
    pub(super) files: &'a Filesystem<'a>,
    pub(super) facts: &'a Facts,
    pub(super) origins: Origins<'a>,
    pub(super) needs: Needs,
}

impl Needs {
    /// What an image needs of its base.
    pub fn of(
        account: &Account,
        facts: &Facts,
        files: &Filesystem<'_>,
        today: &Today,
    ) -> Result<Self> {
        let mut needs = Self {
            distribution: today
                .distribution
                .clone()
                .map(|family| (family, today.version.clone().unwrap_or_default())),
            libc_version: today.libc_version.clone(),
            ..Self::default()
        };
        let config = &account.image.config;
        let user = config.user.split(':').next().unwrap_or_default();
        let is_name = !user.is_empty() && user != "root" && user.parse::<u32>().is_err();
        needs.user = is_name.then(|| user.to_owned());
        let origins = Origins::new(files, facts, today.layers.unwrap_or(0));
        let mut workload = Workload { files, facts, origins, needs };
        workload.installed();
        linkage::libraries(&mut workload)?;
        for &node in files.nodes() {
            if !files.is_file(node) {
                continue;
            }
            match workload.origins.of(node) {
                Origin::Application => linkage::application(&mut workload, node, today)?,
                Origin::Package(_) => workload.package_file(node)?,
                Origin::Interpreter(_) | Origin::System => {}
            }
        }
        programs::find(&mut workload)?;
        runtime::find(&mut workload)?;
        linkage::trust(&mut workload);
        workload.asked();
        workload.own();
        workload.doubts()?;
        Ok(workload.needs)
    }
}

impl Workload<'_> {
    /// The path of a node for people.
    pub(super) fn path(&self, node: NodeId) -> String {
        escape::path(&self.files.path(node))
    }

    /// The name of the distribution's package that brought a file.
    pub(super) fn package_name(&self, node: NodeId) -> Option<&str> {
        let at = self.origins.package(node)?;
        Some(&self.facts.packages.all[at].name)
    }

    /// A file of the distribution that the application reads: data, modules of a language.
    fn package_file(&mut self, node: NodeId) -> Result<()> {
        if self.origins.evidence(node) < Evidence::Named || self.files.is_executable(node) {
            return Ok(());
        }
        let Some(from) = self.facts.claims.get(node).and_then(|claim| claim.from) else {
            return Ok(());
        };
        if self.origins.of(from) != Origin::Application {
            return Ok(());
        }
        let path = self.files.path(node);
        // Certificates and zones are needs of their own, and libraries are found by name.
        let is_own_need = [&b"/etc/ssl"[..], b"/usr/share/zoneinfo", b"/usr/share/ca-certificates"]
            .iter()
            .any(|front| path.starts_with(front));
        let is_code = match self.files.content(node)? {
            Some(content) => matches!(content.body, Body::Elf(_)),
            None => false,
        };
        // Every base has these few.
        let is_everywhere = [&b"/etc/hosts"[..], b"/etc/resolv.conf", b"/etc/nsswitch.conf"];
        if is_own_need || is_code || is_everywhere.contains(&&path[..]) {
            return Ok(());
        }
        let Some(package) = self.package_name(node).map(str::to_owned) else { return Ok(()) };
        let path = escape::path(&path);
        let size = self.files.size(node);
        let data = self.needs.data.entry(package).or_default();
        data.paths.push(path);
        data.bytes = Bytes(data.bytes.get().saturating_add(size));
        Ok(())
    }

    /// Packages that somebody asked for, and that are in use by more than their libraries.
    fn asked(&mut self) {
        // What these bring is a need of its own, or every base's.
        const OWN: [&str; 5] =
            ["base-files", "base-passwd", "ca-certificates", "netbase", "tzdata"];
        let packages = self.facts.packages.all.iter().enumerate();
        let others = packages.filter(|(at, package)| {
            package.ecosystem.is_distribution()
                && self.origins.is_added(*at)
                && !package.is_essential
                && !OWN.contains(&package.name.as_str())
        });
        let libraries: HashSet<&str> =
            self.needs.libraries.values().map(|library| library.path.as_str()).collect();
        let mut found: BTreeMap<String, Proof> = BTreeMap::new();
        let mut used = BTreeSet::new();
        for (_, package) in others {
            for &node in &package.files {
                if self.files.is_file(node)
                    && self.origins.evidence(node) >= Evidence::Named
                    && matches!(self.origins.of(node), Origin::Package(_))
                {
                    let path = self.path(node);
                    if !libraries.contains(path.as_str()) {
                        if package.reason == Reason::Asked {
                            found.entry(package.name.clone()).or_default().add(path);
                        } else {
                            used.insert(package.name.clone());
                        }
                    }
                }
            }
        }
        self.needs.asked = found;
        self.needs.used = used;
    }

    /// Adds up the application's files, each content once.
    fn own(&mut self) {
        let mut seen = HashSet::new();
        let mut bytes = 0_u64;
        for &node in self.files.nodes() {
            if self.files.is_file(node)
                && self.origins.is_kept(node)
                && self.origins.of(node) == Origin::Application
                && self.files.tree().payload(node).is_none_or(|at| seen.insert(at))
            {
                bytes = bytes.saturating_add(self.files.size(node));
            }
        }
        self.needs.own = Bytes(bytes);
    }

    /// What could not be looked into, as far as it is about more than the distribution's own files.
    fn doubts(&mut self) -> Result<()> {
        let mut doubts = BTreeSet::new();
        for (blind, node) in &self.facts.blind {
            let matters = match (blind, self.origins.of(*node)) {
                (Blind::ShellEval, Origin::Package(_)) => {
                    // A shell's own text is the configuration's.
                    self.needs.shells.values().any(|proof| !proof.is_empty())
                        && self.origins.starter(*node)? == Starter::Configuration
                }
                (Blind::Dlopen, origin) => origin == Origin::Application,
                // Whoever types into a shell may start anything; an interpreter without a known
                // entry is the same.
                (Blind::Shell, _) | (_, Origin::Interpreter(_)) => true,
                (_, origin) => origin == Origin::Application,
            };
            if matters {
                doubts.insert(format!("{} ({})", blind.words(), self.path(*node)));
            }
        }
        self.needs.doubts.extend(doubts);
        Ok(())
    }
}
