//! What a program or a library reads once it is there, told by its name: the configuration of a
//! supervisor, the tables of cron, the modules of an interpreter.

use crate::entry::Kind;
use crate::error::Result;
use crate::facts::configuration::supervisor as configuration;
use crate::facts::evidence::Evidence;
use crate::facts::reach::{
    Reach, convention, cron, init, java, openssl, pam, perl, php, ruby, script, service_directory,
    supervisor,
};
use crate::tree::NodeId;

/// A file that was claimed.
pub(super) fn visit(reach: &mut Reach<'_>, node: NodeId) -> Result<()> {
    let tree = reach.files.tree();
    let name = tree.name(node).to_vec();
    if is_library(&name) {
        return library(reach, &name, node);
    }
    // `/etc/init.d/cron` is not cron.
    let is_program = reach.files.is_executable(node) || tree.kind(node) == Kind::Symlink;
    if is_program && !tree.path(node).starts_with(b"etc/") {
        program(reach, &name, node)?;
    }
    Ok(())
}

fn is_library(name: &[u8]) -> bool {
    name.ends_with(b".so") || memchr::memmem::find(name, b".so.").is_some()
}

/// A program by its name; `node` is what is started, busybox for its applets.
pub(super) fn program(reach: &mut Reach<'_>, name: &[u8], node: NodeId) -> Result<()> {
    let starts = |front: &[u8]| {
        // `python3.11`, `php-fpm8.2`: a version follows, or nothing.
        name.strip_prefix(front)
            .is_some_and(|rest| rest.iter().all(|b| b.is_ascii_digit() || *b == b'.'))
    };
    match name {
        b"supervisord" => supervisor::started(reach, node),
        b"cron" | b"crond" | b"anacron" | b"fcron" | b"go-crond" => cron::started(reach, node)?,
        b"systemd" | b"init" | b"openrc" | b"openrc-init" | b"openrc-run" | b"rc" => {
            init::started(reach, node)?;
        }
        b"openssl" => openssl::started(reach, node)?,
        b"java" => java::started(reach, node)?,
        b"javac" | b"jlink" | b"jshell" | b"jmod" | b"jdeps" => java::development(reach, node),
        b"bundle" | b"bundler" => ruby::bundler(reach, node)?,
        b"frankenphp" | b"php-cgi" => php::server(reach, node)?,
        _ if starts(b"perl") => perl::started(reach, node),
        _ if starts(b"ruby") => ruby::started(reach, node)?,
        _ if starts(b"php-fpm") => php::server(reach, node)?,
        _ if starts(b"php") => php::started(reach, node)?,
        _ => {}
    }
    service_directory::started(reach, name, node);
    Ok(())
}

fn library(reach: &mut Reach<'_>, name: &[u8], node: NodeId) -> Result<()> {
    let starts = |front: &[u8]| name.starts_with(front);
    if starts(b"libpam.so") {
        pam::started(reach, node)?;
    } else if starts(b"libcrypto.so") {
        openssl::started(reach, node)?;
    } else if starts(b"libperl.so") {
        perl::started(reach, node);
    } else if starts(b"libruby") {
        ruby::started(reach, node)?;
    } else if starts(b"libphp") || starts(b"mod_php") {
        php::server(reach, node)?;
    } else if starts(b"libjvm.so") {
        java::library(reach, node);
    }
    convention::library(reach, name, node)
}

/// A document that was claimed.
pub(super) fn document(reach: &mut Reach<'_>, node: NodeId, text: &[u8]) -> Result<()> {
    // Data of a package is not yet what its programs are told to read.
    if reach.claims.evidence(node) < Evidence::Named {
        return Ok(());
    }
    if configuration::is_supervisor(text) {
        return supervisor::visit(reach, node, text);
    }
    let path = reach.files.tree().path(node);
    let name = reach.files.tree().name(node);
    if memchr::memmem::find(&path, b"s6-rc.d/").is_some() && matches!(name, b"up" | b"down") {
        script::text(reach, node, text, "run by")?;
    }
    Ok(())
}
