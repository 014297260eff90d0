//! What is kept although nothing names it: data of packages that are in use, plugins that libraries
//! open by names made while they run, and what every program may read.

use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::facts::kind::{FileKind, Form};
use crate::facts::reach::Reach;
use crate::tree::NodeId;

/// Data of packages with a file that is named or needed may be read by it.
pub(super) fn packages_in_use(reach: &mut Reach<'_>) {
    let mut mates: Vec<(NodeId, NodeId)> = Vec::new();
    for package in &reach.packages.all {
        let user = package
            .files
            .iter()
            .copied()
            .filter(|node| reach.claims.evidence(*node) >= Evidence::Named)
            .filter(|node| reach.files.is_file(*node))
            .max_by_key(|node| reach.claims.evidence(*node));
        let Some(user) = user else { continue };
        for node in &package.files {
            if reach.files.is_file(*node) && is_data(reach, *node) {
                mates.push((*node, user));
            }
        }
    }
    for (node, user) in mates {
        reach.claim(node, Evidence::PackageMate, "data of the package of", Some(user));
    }
}

/// Whether a file is data that programs read, rather than a program, a module or a document.
fn is_data(reach: &Reach<'_>, node: NodeId) -> bool {
    reach.files.kind(node) == FileKind::Other
        && matches!(reach.files.form(node), Form::Data | Form::Java | Form::Php)
}

/// Libraries by the front of their names, and the directories that they open plugins from.
const PLUGINS: [(&[u8], &[u8]); 16] = [
    (b"libsasl2.so", b"sasl2"),
    (b"libcrypto.so", b"engines-3"),
    (b"libcrypto.so", b"engines-1.1"),
    (b"libcrypto.so", b"ossl-modules"),
    (b"libgio-2.0.so", b"gio/modules"),
    (b"libgdk_pixbuf-2.0.so", b"gdk-pixbuf-2.0"),
    (b"libkrb5.so", b"krb5/plugins"),
    (b"libp11-kit.so", b"pkcs11"),
    (b"libgstreamer-1.0.so", b"gstreamer-1.0"),
    (b"libQt5Core.so", b"qt5/plugins"),
    (b"libQt6Core.so", b"qt6/plugins"),
    (b"libaprutil-1.so", b"apr-util-1"),
    (b"libldap", b"ldap"),
    (b"libcurl.so", b"curl"),
    (b"libMagickCore", b"ImageMagick-6"),
    (b"libodbc.so", b"odbc"),
];

/// Claims what a library opens by names made while it runs: plugins in directories beside it, name
/// services and character sets of the C library.
pub(super) fn library(reach: &mut Reach<'_>, name: &[u8], library: NodeId) -> Result<()> {
    let Some(directory) = reach.files.tree().parent(library) else { return Ok(()) };
    for (wanted, below) in PLUGINS {
        if name.starts_with(wanted)
            && let Some(found) = reach.files.find_from(directory, below)
        {
            reach.claim_below(found.node, Evidence::Named, "plugin of", Some(library));
        }
    }
    if !name.starts_with(b"libc.so") && !name.starts_with(b"libc-2.") {
        return Ok(());
    }
    let services = name_services(reach)?;
    for child in reach.files.sorted_children(directory) {
        let child_name = reach.files.tree().name(child).to_vec();
        if is_name_service(&child_name, &services)
            && let Some(found) = reach.files.find_from(directory, &child_name)
            && reach.files.is_file(found.node)
        {
            reach.claim_found(&found, Evidence::Named, "name service of", Some(library));
        }
    }
    for gconv in character_set_directories(reach, directory) {
        for module in CHARACTER_SETS {
            if let Some(found) = reach.files.find_from(gconv, module) {
                let how = "character set of";
                reach.claim_found(&found, Evidence::PackageMate, how, Some(library));
            }
        }
        character_set_of_locale(reach, gconv, library);
    }
    Ok(())
}

/// Every character set, where something converts between those of its user's choice.
pub(super) fn character_sets(reach: &mut Reach<'_>) {
    let Some(converter) = reach.converter else { return };
    let tree = reach.files.tree();
    let sets: Vec<NodeId> = reach
        .files
        .nodes()
        .iter()
        .copied()
        .filter(|node| reach.files.is_file(*node))
        .filter(|node| tree.parent(*node).is_some_and(|parent| tree.name(parent) == b"gconv"))
        .collect();
    for node in sets {
        reach.claim(node, Evidence::Named, "character set of", Some(converter));
    }
}

/// The directories of character sets of a C library: beside it, and below `/usr` where the system's
/// directories are not merged.
fn character_set_directories(reach: &Reach<'_>, directory: NodeId) -> Vec<NodeId> {
    let files = reach.files;
    let below_usr = files.find(&[b"usr", &files.path(directory)[..]].concat());
    let above = [Some(directory), below_usr.map(|found| found.node)];
    let mut all: Vec<NodeId> = Vec::new();
    for above in above.into_iter().flatten() {
        if let Some(found) = files.find_from(above, b"gconv")
            && !all.contains(&found.node)
        {
            all.push(found.node);
        }
    }
    all
}

/// `LANG=ja_JP.eucJP` converts by `EUC-JP.so`, and by what shares letters and digits with it.
fn character_set_of_locale(reach: &mut Reach<'_>, gconv: NodeId, library: NodeId) {
    let plain = |name: &[u8]| -> Vec<u8> {
        name.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect()
    };
    let sets: Vec<Vec<u8>> = reach
        .environment
        .all()
        .filter(|(name, _)| *name == b"LANG" || name.starts_with(b"LC_"))
        .filter_map(|(_, value)| value.split(|b| matches!(b, b'.' | b'@')).nth(1).map(plain))
        .filter(|set| !set.is_empty())
        .collect();
    if sets.is_empty() {
        return;
    }
    for child in reach.files.sorted_children(gconv) {
        let name = reach.files.tree().name(child);
        let Some(stem) = name.strip_suffix(b".so") else { continue };
        if sets.contains(&plain(stem)) {
            let how = "character set of";
            reach.claim(child, Evidence::Named, how, Some(library));
        }
    }
}

/// Character sets that texts of today come in, and what lists all of them.
const CHARACTER_SETS: [&[u8]; 10] = [
    b"gconv-modules",
    b"gconv-modules.cache",
    b"gconv-modules.d",
    b"UTF-16.so",
    b"UTF-32.so",
    b"UTF-7.so",
    b"UNICODE.so",
    b"ISO8859-1.so",
    b"ISO8859-15.so",
    b"CP1252.so",
];

/// Services that `nsswitch.conf` names; where it is missing, glibc's own defaults.
fn name_services(reach: &Reach<'_>) -> Result<Vec<Vec<u8>>> {
    let mut services: Vec<Vec<u8>> =
        [&b"files"[..], b"dns", b"compat"].map(<[u8]>::to_vec).to_vec();
    if let Some(document) = reach.files.document(b"etc/nsswitch.conf")? {
        for line in document.text().split(|b| *b == b'\n') {
            let line = line.split(|b| *b == b'#').next().unwrap_or_default();
            let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
            let words = line[colon + 1..].split(u8::is_ascii_whitespace);
            services.extend(words.filter(|word| !word.is_empty()).map(<[u8]>::to_vec));
        }
    }
    Ok(services)
}

/// `libnss_dns.so.2`, `libnss_files-2.31.so`.
fn is_name_service(name: &[u8], services: &[Vec<u8>]) -> bool {
    let Some(rest) = name.strip_prefix(b"libnss_") else { return false };
    services.iter().any(|service| {
        rest.strip_prefix(&service[..])
            .is_some_and(|rest| matches!(rest.first(), Some(b'.' | b'-')))
    })
}

/// Trees that are kept whole: small, and read by rules that no file names.
const KEPT: [(&[u8], &str); 14] = [
    (b"etc", "kept: configuration"),
    (b"usr/share/zoneinfo", "kept: time zones"),
    (b"usr/share/ca-certificates", "kept: certificate authorities"),
    (b"usr/local/share/ca-certificates", "kept: certificate authorities"),
    (b"usr/lib/ssl", "kept: certificate authorities"),
    (b"usr/lib/locale/C.utf8", "kept: the locale that needs no package"),
    (b"usr/lib/os-release", "kept: what scanners read"),
    (b"usr/share/terminfo/x", "kept: terminals"),
    (b"lib/terminfo", "kept: terminals"),
    (b"var/lib/dpkg", "kept: the package database"),
    (b"lib/apk/db", "kept: the package database"),
    (b"var/lib/rpm", "kept: the package database"),
    (b"usr/lib/sysimage/rpm", "kept: the package database"),
    (b"run", "kept: state of the running system"),
];

fn is_in_use(reach: &Reach<'_>, path: &[u8]) -> bool {
    let found = reach.files.file(path);
    found.is_some_and(|found| reach.claims.evidence(found.node) >= Evidence::PackageMate)
}

/// Claims what every program may read.
pub(super) fn always_kept(reach: &mut Reach<'_>) {
    for (path, how) in KEPT {
        let Some(found) = reach.files.find(path) else { continue };
        // What only dpkg reads is kept with dpkg.
        let is_alone = path == b"var/lib/dpkg" && !is_in_use(reach, b"usr/bin/dpkg");
        for node in reach.files.tree().walk(found.node) {
            let is_tooling = || is_alone && reach.files.kind(node) == FileKind::PackageTooling;
            if !reach.files.is_directory(node) && !is_tooling() {
                reach.claim(node, Evidence::Convention, how, None);
            }
        }
    }
    let volumes = reach.files.account().image.config.volumes.clone();
    for volume in volumes {
        if let Some(found) = reach.files.find(volume.as_bytes()) {
            reach.claim_below(found.node, Evidence::Convention, "kept: below VOLUME", None);
        }
    }
    let tree = reach.files.tree();
    for &node in reach.files.nodes() {
        if tree.kind(node) == crate::entry::Kind::Symlink {
            // `/etc/ssl/certs/x.pem` leads to where the file is.
            let path = tree.path(node);
            // Alternatives are commands: who runs them leads to them.
            if path.starts_with(b"etc/")
                && !path.starts_with(b"etc/alternatives/")
                && let Some(found) = reach.files.file(&path)
            {
                reach.claim(
                    found.node,
                    Evidence::Convention,
                    "kept: configuration leads to it",
                    None,
                );
            }
            continue;
        }
        if !reach.files.is_file(node) {
            continue;
        }
        let name = tree.name(node);
        let rule = if reach.files.size(node) == 0 {
            Some("kept: empty")
        } else if name == b"cacert.pem" {
            Some("kept: certificate authorities")
        } else if name == b"copyright" && tree.path(node).starts_with(b"usr/share/doc/") {
            Some("kept: licence")
        } else if name.ends_with(b".pth") {
            Some("kept: read by every Python")
        } else {
            None
        };
        if let Some(rule) = rule {
            reach.claim(node, Evidence::Convention, rule, None);
        }
    }
    locales(reach);
}

/// The locales that the environment names.
fn locales(reach: &mut Reach<'_>) {
    let named: Vec<Vec<u8>> = reach
        .environment
        .all()
        .filter(|(name, _)| *name == b"LANG" || *name == b"LANGUAGE" || name.starts_with(b"LC_"))
        .map(|(_, value)| value.to_vec())
        .collect();
    for value in named {
        let language = value.split(|b| matches!(b, b'.' | b'@' | b':')).next().unwrap_or_default();
        if language.is_empty() || language == b"C" || language == b"POSIX" {
            continue;
        }
        for (directory, short) in [(&b"usr/lib/locale"[..], false), (b"usr/share/locale", true)] {
            let Some(found) = reach.files.find(directory) else { continue };
            for child in reach.files.sorted_children(found.node) {
                let name = reach.files.tree().name(child);
                let fits = name.starts_with(language)
                    || short && language.split(|b| *b == b'_').next() == Some(name)
                    || name == b"locale-archive";
                if fits {
                    reach.claim_below(
                        child,
                        Evidence::Convention,
                        "kept: the locale of LANG",
                        None,
                    );
                }
            }
        }
    }
}
