//! What is brought along to a base: shared objects that it does not have, and what those need.

use std::collections::BTreeSet;

use jettison_oci::Bytes;

use crate::advice::base::candidate::Libc;
use crate::advice::base::compatible::Check;
use crate::advice::base::needs::Library;
use crate::advice::base::version::Version;

impl Check<'_> {
    /// Follows what is needed through libraries that the candidate does not have.
    pub(super) fn libraries(&mut self) {
        let mut queue: Vec<(String, String)> =
            self.needs.sonames.iter().map(|(name, proof)| (name.clone(), proof.words())).collect();
        if let Some(needed) = &self.needs.glibcxx {
            let has = self.candidate.glibcxx.as_ref();
            if has.is_some_and(|has| needed.version > *has) {
                let from = needed.proof.words();
                self.newer_cxx(&needed.version, &from, &mut queue);
            }
        }
        let mut seen = BTreeSet::new();
        while let Some((name, from)) = queue.pop() {
            if !seen.insert(name.clone()) || is_loader(&name) {
                continue;
            }
            if self.candidate.sonames.contains(&name) {
                continue;
            }
            // What is not in the image today is not needed to run it.
            let Some(library) = self.needs.libraries.get(&name).cloned() else { continue };
            if is_of_glibc(&name) {
                if self.candidate.libc != Libc::Glibc {
                    self.miss(format!(
                        "{from} needs {name}, and the base has {}",
                        self.candidate.libc.name()
                    ));
                }
                continue;
            }
            self.bring(&name, &library, &from);
            let needed = library.needed.iter().map(|needed| (needed.clone(), library.path.clone()));
            queue.extend(needed);
        }
    }

    /// Brings libstdc++ along where the application needs a newer one.
    fn newer_cxx(&mut self, version: &Version, from: &str, queue: &mut Vec<(String, String)>) {
        let name = "libstdc++.so.6".to_owned();
        let Some(library) = self.needs.libraries.get(&name).cloned() else {
            self.miss(format!("{from} needs GLIBCXX_{version}, which the base does not have"));
            return;
        };
        if library.package.is_some() && !self.is_release() {
            self.copy(&name, &library);
            self.verdict.reasons.push(format!(
                "{from} needs GLIBCXX_{version}: {} has to be brought along",
                library.path
            ));
            queue.extend(library.needed.iter().map(|n| (n.clone(), library.path.clone())));
        }
    }

    fn bring(&mut self, name: &str, library: &Library, from: &str) {
        // It goes with the application's files.
        let Some(package) = &library.package else { return };
        if self.install(package, &format!("{from} needs {name}")) {
            return;
        }
        self.copy(name, library);
        self.verdict
            .reasons
            .push(format!("{from} needs {name}: {} has to be brought along", library.path));
    }

    fn copy(&mut self, name: &str, library: &Library) {
        if let (Some(needed), Libc::Glibc) = (&library.glibc, self.candidate.libc)
            && let Some(has) = self.candidate.libc_version.clone()
            && *needed > has
        {
            let path = &library.path;
            self.miss(format!("{path} needs GLIBC_{needed}, and the base has glibc {has}"));
        }
        let is_own_cxx = self.verdict.brings.libraries.contains_key("libstdc++.so.6");
        if let (Some(needed), Some(has)) = (&library.glibcxx, self.candidate.glibcxx.clone())
            && *needed > has
            && !is_own_cxx
        {
            let path = &library.path;
            self.miss(format!("{path} needs GLIBCXX_{needed}, and the base has GLIBCXX_{has}"));
        }
        let brings = &mut self.verdict.brings;
        if brings.libraries.insert(name.to_owned(), library.path.clone()).is_none() {
            brings.bytes = Bytes(brings.bytes.get().saturating_add(library.bytes.get()));
        }
    }
}

/// What the kernel starts or maps itself, and musl's one library.
fn is_loader(name: &str) -> bool {
    ["ld-linux", "ld-musl", "ld64.so", "libc.musl-", "linux-vdso", "linux-gate"]
        .iter()
        .any(|front| name.starts_with(front))
}

/// Libraries that belong to one glibc and cannot be taken from another.
fn is_of_glibc(name: &str) -> bool {
    [
        "libc.so.6",
        "libm.so.6",
        "libmvec.so.1",
        "libpthread.so.0",
        "libdl.so.2",
        "librt.so.1",
        "libresolv.so.2",
        "libutil.so.1",
        "libanl.so.1",
        "libnss_files.so.2",
        "libnss_dns.so.2",
        "libnss_compat.so.2",
        "libthread_db.so.1",
        "libBrokenLocale.so.1",
    ]
    .contains(&name)
}
