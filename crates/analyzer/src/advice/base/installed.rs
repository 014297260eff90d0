//! The distribution's packages: what each would write where it is installed on another base.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jettison_oci::Bytes;

use crate::advice::base::gather::Workload;
use crate::advice::base::needs::Installed;
use crate::entry::split;
use crate::tree::{Fate, NodeId};

/// What slim images are set to leave out of every package that is installed on them.
const LEFT_OUT: [&[u8]; 6] = [
    b"/usr/share/doc/",
    b"/usr/share/info/",
    b"/usr/share/lintian/",
    b"/usr/share/locale/",
    b"/usr/share/man/",
    b"/usr/share/omf/",
];
/// Where dpkg keeps what it knows of each package: `NAME.list`, `NAME:amd64.md5sums`.
const DPKG_INFO: &[u8] = b"/var/lib/dpkg/info";
/// What package managers write anew with every installation.
const WRITTEN: [&[u8]; 9] = [
    b"/var/lib/dpkg/",
    b"/var/cache/debconf/",
    b"/var/cache/ldconfig/",
    b"/var/log/",
    b"/etc/ld.so.cache",
    b"/lib/apk/db/",
    b"/usr/lib/apk/db/",
    b"/var/lib/rpm/",
    b"/usr/lib/sysimage/rpm/",
];

impl Workload<'_> {
    /// The distribution's packages, with their bytes and what of the image they depend on, and the
    /// bytes that package managers write beside those.
    pub(super) fn installed(&mut self) {
        let packages = &self.facts.packages.all;
        let mut providers: HashMap<&str, &str> = HashMap::new();
        let distribution = || {
            packages.iter().enumerate().filter(|(_, package)| package.ecosystem.is_distribution())
        };
        for (_, package) in distribution() {
            for provided in &package.provides {
                providers.entry(provided).or_insert(&package.name);
            }
        }
        for (_, package) in distribution() {
            providers.insert(&package.name, &package.name);
        }
        let replaced = self.replaced();
        let mut installed = BTreeMap::new();
        for (at, package) in distribution() {
            let depends: BTreeSet<String> = package
                .depends
                .iter()
                .filter_map(|choice| choice.iter().find_map(|name| providers.get(name.as_str())))
                .map(|name| (*name).to_owned())
                .collect();
            let mut seen = HashSet::new();
            let files = package.files.iter().filter(|node| self.files.is_file(**node));
            let stays = files.filter(|node| {
                let path = self.files.path(**node);
                let is_text = LEFT_OUT.iter().any(|above| path.starts_with(above));
                !is_text && self.files.tree().payload(**node).is_none_or(|at| seen.insert(at))
            });
            let bytes = stays.map(|node| self.files.size(*node)).fold(0, u64::saturating_add);
            let row: &mut Installed = installed.entry(package.name.clone()).or_default();
            row.bytes = Bytes(row.bytes.get().saturating_add(bytes));
            row.depends = depends.into_iter().filter(|name| *name != package.name).collect();
            row.is_upgraded |= replaced.contains(&at) && self.origins.is_added(at);
        }
        self.needs.installed = installed;
        self.written();
    }

    /// Packages with files that stand where a lower layer had others.
    fn replaced(&self) -> HashSet<usize> {
        let account = self.files.account();
        let successors = account.payloads.iter().filter_map(|payload| match payload.fate {
            Fate::Wasted { successor, .. } => account.nodes.get(successor as usize).copied(),
            Fate::Live(_) => None,
        });
        successors.flatten().filter_map(|node| self.origins.package(node)).collect()
    }

    /// What a package manager noted of each package goes with the package; what it writes anew
    /// whatever is installed is counted once, where it did so above the base.
    fn written(&mut self) {
        let mut written = 0_u64;
        for &node in self.files.nodes() {
            let path = self.files.path(node);
            let is_written = WRITTEN.iter().any(|above| path.starts_with(above));
            if !is_written || !self.files.is_file(node) {
                continue;
            }
            let (directory, name) = split(&path);
            let package = (directory == DPKG_INFO).then(|| noted(name)).flatten();
            let size = self.files.size(node);
            if let Some(row) = package.and_then(|name| self.needs.installed.get_mut(name)) {
                row.bytes = Bytes(row.bytes.get().saturating_add(size));
            } else if self.is_above_base(node) {
                written = written.saturating_add(size);
            }
        }
        self.needs.written = Bytes(written);
    }

    fn is_above_base(&self, node: NodeId) -> bool {
        self.origins.layer(node).is_some_and(|layer| layer as usize >= self.origins.base_layers())
    }
}

/// The package that a file of [`DPKG_INFO`] is about.
fn noted(name: &[u8]) -> Option<&str> {
    let name = str::from_utf8(name).ok()?;
    let (package, _) = name.rsplit_once('.')?;
    Some(package.split_once(':').map_or(package, |(package, _)| package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dpkg_notes_is_of_a_package() {
        for (name, of) in [
            ("libc6:amd64.list", Some("libc6")),
            ("perl-modules-5.36.md5sums", Some("perl-modules-5.36")),
            ("format", None),
        ] {
            assert_eq!(noted(name.as_bytes()), of, "{name}");
        }
    }
}
