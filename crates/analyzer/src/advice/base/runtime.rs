//! Interpreters that run what the image is made for, and what binds the application to one version.

use std::collections::BTreeSet;

use crate::advice::base::candidate::Language;
use crate::advice::base::gather::Workload;
use crate::advice::base::install::Install;
use crate::advice::base::linkage::libc_of;
use crate::advice::base::needs::{Interpreter, Proof};
use crate::advice::base::origin::{Origin, Starter};
use crate::content::Body;
use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::tree::NodeId;

/// Node's module versions by its own (`process.versions.modules`,
/// <https://nodejs.org/en/about/previous-releases>).
const NODE_MODULES: [(u32, &str); 6] =
    [(14, "83"), (16, "93"), (18, "108"), (20, "115"), (22, "127"), (24, "137")];

/// Finds all of them.
pub(super) fn find(workload: &mut Workload<'_>) -> Result<()> {
    let installs: Vec<Install> = workload.origins.installs().to_vec();
    for (at, install) in installs.iter().enumerate() {
        let proof = runs(workload, at, install)?;
        if proof.is_empty() {
            continue;
        }
        let mut interpreter = Interpreter {
            language: install.language,
            version: install.version.clone(),
            path: jettison_oci::escape::path(&install.path),
            packages: packages(workload, at),
            modules: Proof::default(),
            natives: Proof::default(),
            abi: None,
            proof,
        };
        modules(workload, install, &mut interpreter)?;
        needs_of(workload, at, install);
        workload.needs.interpreters.push(interpreter);
    }
    Ok(())
}

/// The distribution's packages with a file of an interpreter that is reached.
fn packages(workload: &Workload<'_>, at: usize) -> BTreeSet<String> {
    let nodes = workload.files.nodes().iter();
    nodes
        .filter(|node| {
            // Links among them: `python3` is another package's than what it leads to.
            workload.origins.evidence(**node) >= Evidence::Named
                && workload.origins.of(**node) == Origin::Interpreter(at)
        })
        .filter_map(|node| workload.package_name(*node).map(str::to_owned))
        .collect()
}

/// What an interpreter runs: the configuration starts it, or a file of the application is in its
/// language.
fn runs(workload: &Workload<'_>, at: usize, install: &Install) -> Result<Proof> {
    let files = workload.files;
    let mut proof = Proof::default();
    for &node in files.nodes() {
        if !files.is_file(node) || workload.origins.evidence(node) < Evidence::Named {
            continue;
        }
        match workload.origins.of(node) {
            Origin::Application if is_in(workload, node, install.language)? => {
                proof.add(workload.path(node));
            }
            Origin::Interpreter(other)
                if other == at
                    && Install::of(&files.path(node), &[], None).is_some()
                    && workload.origins.starter(node)? == Starter::Configuration =>
            {
                let chain = workload.facts.claims.chain(node);
                proof.add(chain.last().map_or("the configuration", |(_, how)| *how));
            }
            _ => {}
        }
    }
    Ok(proof)
}

/// Whether a file is of a language.
fn is_in(workload: &Workload<'_>, node: NodeId, language: Language) -> Result<bool> {
    let Some(content) = workload.files.content(node)? else { return Ok(false) };
    Ok(matches!(
        (&content.body, language),
        (Body::Python(_), Language::Python)
            | (Body::JavaScript(_), Language::Node)
            | (Body::Archive(_), Language::Java)
            | (Body::Ruby(_), Language::Ruby)
            | (Body::Php(_), Language::Php)
            | (Body::Perl(_), Language::Perl)
    ))
}

/// What binds the application to the interpreter's version.
fn modules(
    workload: &Workload<'_>,
    install: &Install,
    interpreter: &mut Interpreter,
) -> Result<()> {
    let files = workload.files;
    for &node in files.nodes() {
        if !files.is_file(node)
            || !workload.origins.is_kept(node)
            || workload.origins.of(node) != Origin::Application
        {
            continue;
        }
        let path = files.path(node);
        let name = files.tree().name(node);
        if install.is_module(&path) {
            interpreter.modules.add(workload.path(node));
        }
        let Some(abi) = native(install.language, &path, name) else { continue };
        let Some(content) = files.content(node)? else { continue };
        let Body::Elf(elf) = &content.body else { continue };
        // Builds for the other C library lie beside those that are loaded.
        let is_reached = workload.origins.evidence(node) >= Evidence::Named;
        if !is_reached && libc_of(elf).is_none() {
            continue;
        }
        interpreter.natives.add(workload.path(node));
        interpreter.abi = interpreter.abi.take().or(Some(abi).filter(|abi| !abi.is_empty()));
    }
    if interpreter.abi.is_none() && !interpreter.natives.is_empty() {
        interpreter.abi = abi_of(install);
    }
    Ok(())
}

/// Whether a file is a native module that fits one version of a language, and what its name says of
/// that, which may be nothing; `None` where it is none.
fn native(language: Language, path: &[u8], name: &[u8]) -> Option<String> {
    match language {
        Language::Python => {
            // `x.cpython-311-x86_64-linux-gnu.so`; those of the stable interface are `x.abi3.so`.
            let at = memchr::memmem::find(name, b".cpython-")?;
            let rest = &name[at + 1..];
            let end = rest.iter().skip(b"cpython-".len()).position(|b| !b.is_ascii_digit())?;
            let tag = &rest[..b"cpython-".len() + end];
            Some(String::from_utf8_lossy(tag).into_owned())
        }
        Language::Node => {
            // Those with N-API in their names fit every version.
            let is_stable = memchr::memmem::find(path, b"napi").is_some();
            (name.ends_with(b".node") && !is_stable).then(String::new)
        }
        Language::Php => {
            let at = memchr::memmem::find(path, b"/php/extensions/")?;
            let folder = path[at + b"/php/extensions/".len()..].split(|b| *b == b'/').next()?;
            let number = folder.rsplit(|b| *b == b'-').next()?;
            Some(String::from_utf8_lossy(number).into_owned())
        }
        Language::Ruby => {
            let is_gem = memchr::memmem::find(path, b"/gems/").is_some()
                || memchr::memmem::find(path, b"/extensions/").is_some();
            (is_gem && name.ends_with(b".so")).then(String::new)
        }
        Language::Java | Language::Perl => None,
    }
}

/// What native modules of an interpreter are built for, by its version.
fn abi_of(install: &Install) -> Option<String> {
    let version = install.version.as_ref()?;
    match install.language {
        Language::Node => {
            let row = NODE_MODULES.iter().find(|(major, _)| *major == version.major())?;
            Some(row.1.to_owned())
        }
        _ => None,
    }
}

/// What the interpreter's own modules read of the base.
fn needs_of(workload: &mut Workload<'_>, at: usize, install: &Install) {
    let files = workload.files;
    for &node in files.nodes() {
        if workload.origins.evidence(node) < Evidence::Named
            || workload.origins.of(node) != Origin::Interpreter(at)
        {
            continue;
        }
        let name = files.tree().name(node);
        if install.language == Language::Python && name.starts_with(b"_ssl.") {
            workload.needs.ca_certificates.add(workload.path(node));
        }
        if install.language == Language::Python && name.starts_with(b"_zoneinfo.") {
            workload.needs.time_zones.add(workload.path(node));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_modules_say_what_they_are_built_for() {
        let abi = |language, path: &str| {
            let bytes = path.as_bytes();
            native(language, bytes, crate::entry::split(bytes).1)
        };
        let some = |text: &str| Some(text.to_owned());
        let python = "/app/lib/python3.11/site-packages/x/_y.cpython-311-x86_64-linux-gnu.so";
        assert_eq!(abi(Language::Python, python), some("cpython-311"));
        assert_eq!(abi(Language::Python, "/app/x.abi3.so"), None);
        assert_eq!(abi(Language::Python, "/app/x.cpython-311"), None);
        assert_eq!(abi(Language::Node, "/app/node_modules/x/build/Release/x.node"), some(""));
        assert_eq!(abi(Language::Node, "/app/node_modules/x/napi-v3/x.node"), None);
        let php = "/usr/local/lib/php/extensions/no-debug-non-zts-20230831/gd.so";
        assert_eq!(abi(Language::Php, php), some("20230831"));
        assert_eq!(abi(Language::Ruby, "/usr/local/bundle/gems/pg-1/lib/pg_ext.so"), some(""));
    }

    #[test]
    fn nodes_module_version_follows_from_its_own() {
        let install = |variables: &str| {
            Install::of(b"/usr/local/bin/node", &[variables.to_owned()], None).unwrap()
        };
        assert_eq!(abi_of(&install("NODE_VERSION=20.11.0")).as_deref(), Some("115"));
        assert_eq!(abi_of(&install("NODE_VERSION=99.0.0")), None);
        assert_eq!(abi_of(&install("X=1")), None);
    }
}
