//! What the application's programs and shared objects are linked against.

use crate::advice::base::candidate::Libc;
use crate::advice::base::gather::Workload;
use crate::advice::base::needs::{Library, Newest, Proof};
use crate::advice::base::origin::Origin;
use crate::advice::base::today::Today;
use crate::advice::base::version::Version;
use crate::content::{Body, Elf};
use crate::entry::split;
use crate::error::Result;
use crate::facts::evidence::Evidence;
use crate::tree::NodeId;

/// Files with the certificates of authorities, in the places that programs look in.
const CERTIFICATES: [&[u8]; 5] = [
    b"/etc/ssl/certs/ca-certificates.crt",
    b"/etc/ssl/cert.pem",
    b"/etc/pki/tls/certs/ca-bundle.crt",
    b"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    b"/etc/ssl/ca-bundle.pem",
];
/// The directory of time zones.
const ZONES: &[u8] = b"/usr/share/zoneinfo";

/// Which C library a file is linked against; `None` where its own data does not tell.
pub(super) fn libc_of(elf: &Elf) -> Option<Libc> {
    if let Some(interpreter) = &elf.interpreter {
        let name = split(interpreter).1;
        return Some(if name.starts_with(b"ld-musl-") { Libc::Musl } else { Libc::Glibc });
    }
    let needs = |front: &[u8]| elf.needed.iter().any(|name| name.starts_with(front));
    if needs(b"libc.musl-") {
        Some(Libc::Musl)
    } else if needs(b"libc.so.6") || elf.versions.iter().any(|v| v.starts_with(b"GLIBC_")) {
        Some(Libc::Glibc)
    } else if elf.needed.is_empty() {
        Some(Libc::None)
    } else {
        None
    }
}

fn newest(elf: &Elf, family: &str) -> Option<Version> {
    elf.versions.iter().filter_map(|symbol| Version::of_symbol(symbol, family)).max()
}

fn text(name: &[u8]) -> String {
    jettison_oci::escape::path(name)
}

/// Notes every shared object of the image by name: what an application needs is found among them.
pub(super) fn libraries(workload: &mut Workload<'_>) -> Result<()> {
    let files = workload.files;
    for &node in files.nodes() {
        let name = files.tree().name(node);
        let is_shared = name.ends_with(b".so") || memchr::memmem::find(name, b".so.").is_some();
        if !files.is_file(node) || !is_shared {
            continue;
        }
        let origin = workload.origins.of(node);
        if matches!(origin, Origin::Interpreter(_) | Origin::System) {
            continue;
        }
        let Some(content) = files.content(node)? else { continue };
        let Body::Elf(elf) = &content.body else { continue };
        let library = Library {
            path: workload.path(node),
            bytes: jettison_oci::Bytes(files.size(node)),
            package: workload.package_name(node).map(str::to_owned),
            glibc: newest(elf, "GLIBC"),
            glibcxx: newest(elf, "GLIBCXX"),
            needed: elf.needed.iter().map(|name| text(name)).collect(),
        };
        let soname = text(elf.soname.as_deref().unwrap_or(name));
        let libraries = &mut workload.needs.libraries;
        match libraries.get(&soname) {
            // Variants for better processors stand below the plain one; an application's own copy
            // is found before the distribution's.
            Some(known) if known.package.is_none() || library.package.is_some() => {
                let is_plain = |library: &Library| !library.path.contains("hwcaps");
                if !is_plain(known) && is_plain(&library) {
                    libraries.insert(soname, library);
                }
            }
            _ => _ = libraries.insert(soname, library),
        }
    }
    Ok(())
}

/// Notes what one file of the application is linked against.
pub(super) fn application(workload: &mut Workload<'_>, node: NodeId, today: &Today) -> Result<()> {
    let files = workload.files;
    if !workload.origins.is_kept(node) {
        return Ok(());
    }
    let Some(content) = files.content(node)? else { return Ok(()) };
    let Body::Elf(elf) = &content.body else { return Ok(()) };
    let is_reached = workload.origins.evidence(node) >= Evidence::Named;
    let libc = libc_of(elf);
    // Packages bring their native parts for several C libraries; those that nothing leads to count
    // where they are for this image's.
    if !elf.is_loadable || (!is_reached && (libc != today.libc || libc == Some(Libc::None))) {
        return Ok(());
    }
    let path = workload.path(node);
    let needs = &mut workload.needs;
    if let Some(libc) = libc {
        needs.linked.entry(libc).or_default().add(&path);
    }
    if let Some(version) = newest(elf, "GLIBC") {
        Newest::raise(&mut needs.glibc, &version, &path);
    }
    if let Some(version) = newest(elf, "GLIBCXX") {
        Newest::raise(&mut needs.glibcxx, &version, &path);
    }
    for name in &elf.needed {
        needs.sonames.entry(text(name)).or_default().add(&path);
    }
    let is_shared = elf.soname.is_some();
    if is_shared && ["/usr/local/lib/", "/usr/local/lib64/"].iter().any(|d| path.starts_with(d)) {
        needs.configured_libraries.add(&path);
    }
    if !is_reached {
        return Ok(());
    }
    // What it opens by name, as far as that is in the image.
    for name in elf
        .sonames
        .iter()
        .map(|name| text(name))
        .chain(elf.dlopen.iter().flatten().map(|name| text(name.as_bytes())))
    {
        let is_brought = needs.libraries.get(&name).is_some_and(|l| l.package.is_some());
        if is_brought {
            needs.sonames.entry(name).or_default().add(&path);
        }
    }
    let names = |wanted: &[u8]| elf.paths.iter().any(|path| path.starts_with(wanted));
    // Go's linker puts texts side by side without ends, so that paths in them are not found.
    let is_go = elf.go.is_some();
    let is_native = elf.crates.iter().any(|name| {
        ["rustls-native-certs", "native-tls", "openssl-probe", "rustls-platform-verifier"]
            .iter()
            .any(|crate_name| name.starts_with(crate_name))
    });
    let opens_tls = elf.needed.iter().any(|name| {
        [&b"libssl.so"[..], b"libgnutls.so", b"libcurl"].iter().any(|tls| name.starts_with(tls))
    });
    if is_go || is_native || opens_tls || CERTIFICATES.iter().any(|path| names(path)) {
        needs.ca_certificates.add(&path);
    }
    if is_go || names(ZONES) {
        needs.time_zones.add(&path);
    }
    if elf.paths.iter().any(|path| matches!(&**path, b"/bin/sh" | b"/bin/bash")) {
        needs.doubts.insert(format!("{path} may start a shell: its data names one"));
    }
    Ok(())
}

/// Keeps the needs of certificates and time zones only where the image has them today, and takes
/// the configuration's word for them.
pub(super) fn trust(workload: &mut Workload<'_>) {
    let files = workload.files;
    let variables = &files.account().image.config.env;
    let is_set = |name: &str| variables.iter().find_map(|row| row.strip_prefix(name));
    if is_set("TZ=").is_some_and(|zone| !matches!(zone, "" | "UTC" | "Etc/UTC" | "GMT")) {
        workload.needs.time_zones.add("ENV TZ");
    }
    for name in ["SSL_CERT_FILE=", "SSL_CERT_DIR=", "REQUESTS_CA_BUNDLE=", "NODE_EXTRA_CA_CERTS="] {
        if is_set(name).is_some() {
            workload.needs.ca_certificates.add(format!("ENV {}", name.trim_end_matches('=')));
        }
    }
    // What the distribution's programs connect with reads them, too, and its package only recommends
    // theirs.
    for &node in files.nodes() {
        let name = files.tree().name(node);
        if (name.starts_with(b"libssl.so.") || name.starts_with(b"libgnutls.so."))
            && workload.origins.evidence(node) >= Evidence::Named
        {
            let path = workload.path(node);
            workload.needs.ca_certificates.add(path);
        }
    }
    if !CERTIFICATES
        .iter()
        .any(|path| files.file(path).is_some_and(|found| files.size(found.node) > 0))
    {
        workload.needs.ca_certificates = Proof::default();
    }
    if files.find(ZONES).is_none_or(|found| files.tree().children(found.node).next().is_none()) {
        workload.needs.time_zones = Proof::default();
    }
}
