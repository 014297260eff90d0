//! Whether an application runs on another base: computed from what it needs and what the base has.

use std::collections::{BTreeMap, BTreeSet};

use jettison_oci::Bytes;

use crate::advice::base::candidate::{Candidate, Language, Libc};
use crate::advice::base::needs::{Command, Interpreter, Needs, Proof};
use crate::advice::base::version::Version;

/// What a base says to an application's needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether everything that is needed is there or can be brought along.
    pub fits: bool,
    /// What is missing, or has to be brought along, in sentences without a full stop.
    pub reasons: Vec<String>,
    /// What fits, as far as is known, and yet has to be looked at.
    pub caveats: Vec<String>,
    /// What has to be brought along.
    pub brings: Brings,
}

/// What is brought along to a base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brings {
    /// Packages to install, without those that they depend on.
    pub packages: BTreeSet<String>,
    /// Shared objects to copy, by name, with where each stands today.
    pub libraries: BTreeMap<String, String>,
    /// Other files and directories to copy.
    pub files: BTreeSet<String>,
    /// Bytes of all that, dependencies included.
    pub bytes: Bytes,
}

impl Brings {
    /// Whether it is nothing.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.libraries.is_empty() && self.files.is_empty()
    }
}

/// Bundles of certificates as they are copied, and their bytes, about.
const CERTIFICATES: (&str, u64) = ("/etc/ssl/certs/ca-certificates.crt", 220_000);
/// Time zones, and their bytes, about.
const ZONES: (&str, u64) = ("/usr/share/zoneinfo", 1_400_000);

/// Whether what needs `needs` runs on a candidate.
pub fn check(needs: &Needs, candidate: &Candidate) -> Verdict {
    let mut check = Check { needs, candidate, verdict: Verdict::default(), misses: Vec::new() };
    check.libc();
    check.shells();
    check.commands();
    check.asked();
    check.interpreters();
    check.package_managers();
    check.libraries();
    check.files();
    check.used();
    check.packages();
    let Check { mut verdict, misses, .. } = check;
    verdict.fits = misses.is_empty();
    if !verdict.fits {
        // What it would take beside that is of no use.
        verdict.reasons = misses;
        verdict.brings = Brings::default();
    }
    verdict
}

/// The rules at work on one candidate.
pub(super) struct Check<'a> {
    pub(super) needs: &'a Needs,
    pub(super) candidate: &'a Candidate,
    pub(super) verdict: Verdict,
    /// Why it does not fit.
    misses: Vec<String>,
}

impl Check<'_> {
    /// Notes why it does not fit.
    pub(super) fn miss(&mut self, text: String) {
        if !self.misses.contains(&text) {
            self.misses.push(text);
        }
    }

    /// Whether packages are named as today's are.
    fn is_family(&self) -> bool {
        self.needs.distribution.as_ref().is_some_and(|(family, _)| *family == self.candidate.family)
    }

    /// Whether packages are today's: their libraries have the same names and versions.
    pub(super) fn is_release(&self) -> bool {
        let today = self.needs.distribution.as_ref();
        self.is_family() && today.is_some_and(|(_, release)| *release == self.candidate.release)
    }

    /// Whether today's packages can be installed on it.
    fn installs(&self) -> bool {
        let managers = ["apt", "apk", "dnf", "microdnf", "yum"];
        self.is_release()
            && managers.iter().any(|name| self.candidate.package_managers.contains(*name))
    }

    /// Whether one of today's packages can be installed on it.
    fn can_install(&self, package: &str) -> bool {
        self.installs() && self.needs.installed.contains_key(package)
    }

    /// Brings a package along, where that is possible, and says why.
    pub(super) fn install(&mut self, package: &str, why: &str) -> bool {
        let can = self.can_install(package);
        if can && self.verdict.brings.packages.insert(package.to_owned()) {
            self.verdict.reasons.push(format!("{why}: the package {package} has to be installed"));
        }
        can
    }

    fn libc(&mut self) {
        for libc in [Libc::Glibc, Libc::Musl] {
            let Some(proof) = self.needs.linked.get(&libc) else { continue };
            if self.candidate.libc != libc {
                self.miss(format!(
                    "{} is linked against {}, and the base has {}",
                    proof.words(),
                    libc.name(),
                    self.candidate.libc.name()
                ));
            }
        }
        if let (Some(needed), Libc::Glibc) = (&self.needs.glibc, self.candidate.libc)
            && let Some(has) = self.candidate.libc_version.clone()
            && needed.version > has
        {
            let (version, proof) = (&needed.version, needed.proof.words());
            self.miss(format!("{proof} needs GLIBC_{version}, and the base has glibc {has}"));
        }
    }

    fn shells(&mut self) {
        for (shell, proof) in &self.needs.shells {
            // `sh` is all that a script of dash's or ash's asks for.
            let names: &[&str] = match shell.as_str() {
                "sh" | "dash" | "ash" => &["sh"],
                other => &[other],
            };
            if names.iter().any(|name| self.candidate.shells.contains(*name)) {
                continue;
            }
            let package = self.needs.shell_packages.get(shell);
            let why = format!("{} needs the shell {shell}", proof.words());
            if package.is_some_and(|package| self.install(package, &why)) {
                continue;
            }
            let has = if self.candidate.shells.is_empty() { "none" } else { "another one" };
            self.miss(format!("{} needs the shell {shell}, and the base has {has}", proof.words()));
        }
    }

    fn commands(&mut self) {
        for Command { name, package, proof } in &self.needs.commands {
            let is_there = self.candidate.commands.contains(name)
                || (self.is_family() && self.candidate.packages.contains(package));
            let why = format!("{} starts {name}", proof.words());
            if !is_there && !self.install(package, &why) {
                self.miss(format!("{why} of the package {package}, which the base does not have"));
            }
        }
    }

    /// Whoever asked for a package wants it whole.
    fn asked(&mut self) {
        for (package, proof) in &self.needs.asked {
            let is_there = self.is_family() && self.candidate.packages.contains(package);
            // Of an interpreter the base may have one of its own.
            let of = self.needs.interpreters.iter().find(|one| one.packages.contains(package));
            let provided = self.candidate.interpreter.as_ref();
            let is_provided = of.zip(provided).is_some_and(|(of, has)| of.language == has.language);
            // Busybox has what one of its own packages would bring.
            let mut commands = self.needs.commands.iter().filter(|one| one.package == *package);
            let is_command = commands.clone().count() > 0
                && commands.all(|one| self.candidate.commands.contains(&one.name));
            if is_there || is_provided || is_command {
                continue;
            }
            let why = format!("{} is in use", proof.words());
            if !self.install(package, &why) {
                self.miss(format!("{why}, of the package {package}, which the base does not have"));
            }
        }
    }

    /// What is in use and comes along with nothing else: `postgresql-client-15` where somebody asked
    /// for `postgresql-client`. A base that installs nothing has its libraries copied.
    fn used(&mut self) {
        for package in &self.needs.used {
            let there = &self.candidate.packages;
            let brought = self.needs.with_dependencies(&self.verdict.brings.packages, there);
            if !there.contains(package)
                && !brought.contains_key(package)
                && self.can_install(package)
                && !self.verdict.brings.packages.is_empty()
            {
                self.verdict.brings.packages.insert(package.clone());
            }
        }
    }

    fn interpreters(&mut self) {
        for interpreter in &self.needs.interpreters {
            let name = interpreter.language.name();
            let made_for = self.candidate.interpreter.as_ref();
            let made_for = made_for.filter(|provided| provided.language == interpreter.language);
            if made_for.is_none() && !interpreter.packages.is_empty() {
                // The distribution's own, which the base has or can install.
                let (is_release, candidate) = (self.is_release(), self.candidate);
                let packages = interpreter.packages.iter();
                let missing: Vec<&String> = packages
                    .filter(|package| !(is_release && candidate.packages.contains(*package)))
                    .collect();
                if missing.iter().all(|package| self.can_install(package)) {
                    for package in missing {
                        self.install(
                            package,
                            &format!("{} needs {name}", interpreter.proof.words()),
                        );
                    }
                    continue;
                }
            }
            let Some(provided) = made_for else {
                let proof = interpreter.proof.words();
                self.miss(format!("{proof} needs {name}, and the base does not have it"));
                continue;
            };
            self.interpreter(interpreter, &provided.version, provided.abi.as_deref());
            if provided.path != interpreter.path && !self.misses.iter().any(|m| m.contains(name)) {
                self.verdict.caveats.push(format!(
                    "{name} stands at {} rather than {}: what names the old path has to change",
                    provided.path, interpreter.path
                ));
            }
        }
    }

    fn interpreter(&mut self, needed: &Interpreter, has: &Version, abi: Option<&str>) {
        let name = needed.language.name();
        let Some(version) = &needed.version else {
            self.miss(format!("which version of {name} the image has is not known"));
            return;
        };
        if !needed.natives.is_empty() {
            let built = needed.abi.as_deref().or(abi);
            let differs = match (built, abi) {
                (Some(built), Some(abi)) => built != abi,
                _ => version != has,
            };
            if differs {
                self.miss(format!(
                    "{} is built for {name} {version}{}, and the base has {has}{}",
                    needed.natives.words(),
                    needed.abi.as_ref().map(|abi| format!(" ({abi})")).unwrap_or_default(),
                    abi.map(|abi| format!(" ({abi})")).unwrap_or_default()
                ));
                return;
            }
        }
        if version == has {
            return;
        }
        if !needed.modules.is_empty() {
            let proof = needed.modules.words();
            self.miss(format!("{proof} is installed for {name} {version}, and the base has {has}"));
        } else if has < version {
            let proof = needed.proof.words();
            self.miss(format!("{proof} runs on {name} {version}, and the base has only {has}"));
        } else if needed.language != Language::Perl {
            // Perl keeps its scripts running from release to release.
            self.verdict.caveats.push(format!("it brings {name} {has} instead of {version}"));
        }
        if self.candidate.is_rolling {
            self.verdict.caveats.push(format!("its name stands for ever newer versions of {name}"));
        }
    }

    fn package_managers(&mut self) {
        for (manager, proof) in &self.needs.package_managers {
            let is_distributions = matches!(
                manager.as_str(),
                "apt" | "dpkg" | "apk" | "dnf" | "microdnf" | "yum" | "rpm" | "zypper"
            );
            let has = self.candidate.package_managers.contains(manager);
            if !has || (is_distributions && !self.is_family()) {
                self.miss(format!(
                    "{} uses {manager} while it runs, which the base does not have for the same \
                     distribution",
                    proof.words()
                ));
            }
        }
    }

    fn files(&mut self) {
        let candidate = self.candidate;
        self.trust(
            &self.needs.ca_certificates,
            candidate.has_ca_certificates,
            "ca-certificates",
            CERTIFICATES,
        );
        self.trust(&self.needs.time_zones, candidate.has_time_zones, "tzdata", ZONES);
        if let Some(user) = &self.needs.user
            && !candidate.users.contains(user)
        {
            self.verdict.brings.files.extend(["/etc/group".to_owned(), "/etc/passwd".to_owned()]);
            self.verdict.reasons.push(format!("the user {user} is not one of the base's"));
        }
        for (package, data) in &self.needs.data {
            if self.is_family() && self.candidate.packages.contains(package) {
                continue;
            }
            let first = data.paths.first().cloned().unwrap_or_default();
            let why = format!("{first} of the package {package} is read");
            if !self.install(package, &why) {
                let brings = &mut self.verdict.brings;
                brings.files.extend(data.paths.iter().cloned());
                brings.bytes = Bytes(brings.bytes.get().saturating_add(data.bytes.get()));
                self.verdict.reasons.push(format!("{why}: it has to be brought along"));
            }
        }
        if !self.needs.left_behind.is_empty() && self.candidate.interpreter.is_some() {
            self.verdict.reasons.push(format!(
                "today's base starts {}, which is not taken along",
                self.needs.left_behind.words()
            ));
        }
    }

    /// Brings certificates or time zones along: their package, or the files and about their bytes.
    fn trust(&mut self, proof: &Proof, has: bool, package: &str, (path, bytes): (&str, u64)) {
        if proof.is_empty() || has {
            return;
        }
        let why = format!("{} may read {path}", proof.words());
        if !self.install(package, &why) {
            let brings = &mut self.verdict.brings;
            brings.files.insert(path.to_owned());
            brings.bytes = Bytes(brings.bytes.get().saturating_add(bytes));
            self.verdict.reasons.push(format!("{why}: it has to be brought along"));
        }
    }

    /// Adds up what is installed, with everything that comes with it.
    fn packages(&mut self) {
        let all =
            self.needs.with_dependencies(&self.verdict.brings.packages, &self.candidate.packages);
        let written = if all.is_empty() { 0 } else { self.needs.written.get() };
        let bytes = all.values().map(|bytes| bytes.get()).fold(written, u64::saturating_add);
        let brings = &mut self.verdict.brings;
        brings.bytes = Bytes(brings.bytes.get().saturating_add(bytes));
    }
}

#[cfg(test)]
mod tests;
