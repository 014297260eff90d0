//! PAM: the modules that its services name. Which services a program asks for is in its code, so
//! the files of all of them are read.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::facts::configuration::pam;
use crate::facts::evidence::Evidence;
use crate::facts::filesystem::Found;
use crate::facts::reach::Reach;
use crate::tree::NodeId;

const SERVICES: [&[u8]; 4] =
    [b"etc/pam.d/*", b"usr/lib/pam.d/*", b"usr/share/pam.d/*", b"etc/pam.conf"];
/// Directories of modules, the one beside the library first.
const MODULES: [&[u8]; 5] = [
    b"lib/security",
    b"usr/lib/security",
    b"lib64/security",
    b"usr/lib64/security",
    b"usr/local/lib/security",
];
/// What the library falls back to where a service has no file.
const ALWAYS: [&[u8]; 3] = [b"pam_deny.so", b"pam_permit.so", b"pam_warn.so"];
/// Files of services, with those that are included by path.
const FILES_MAX: usize = 1000;

/// Claims the modules of services for the library at `node`; all modules, where no service is
/// configured.
pub(super) fn started(reach: &mut Reach<'_>, node: NodeId) -> Result<()> {
    let files = reach.files;
    let beside = files.tree().parent(node).and_then(|at| files.find_from(at, b"security"));
    let directories: Vec<NodeId> = beside
        .into_iter()
        .chain(MODULES.iter().filter_map(|path| files.find(path)))
        .map(|found| found.node)
        .collect();
    let mut open: Vec<Found> = SERVICES.iter().flat_map(|path| files.matching(path)).collect();
    open.retain(|found| files.is_file(found.node));
    if open.is_empty() {
        for directory in directories {
            reach.claim_below(directory, Evidence::Named, "plugin of", Some(node));
        }
        return Ok(());
    }
    let mut seen = BTreeSet::new();
    while let Some(service) = open.pop() {
        if seen.len() >= FILES_MAX || !seen.insert(service.node) {
            continue;
        }
        reach.claim_found(&service, Evidence::Named, "service of", Some(node));
        let Some(content) = files.content(service.node)? else { continue };
        let found = pam::read(content.text());
        for module in &found.modules {
            claim(reach, &directories, module, "module of", service.node);
        }
        for path in &found.paths {
            if let Some(found) = files.file(path) {
                reach.claim_found(&found, Evidence::Named, "path in", Some(service.node));
            }
        }
        // Those of the directory are read anyway.
        let paths = found.includes.iter().filter(|name| name.contains(&b'/'));
        open.extend(paths.filter_map(|path| files.file(path)));
    }
    for module in ALWAYS {
        claim(reach, &directories, module, "module of", node);
    }
    Ok(())
}

fn claim(reach: &mut Reach<'_>, directories: &[NodeId], module: &[u8], how: &str, from: NodeId) {
    for directory in directories {
        // A path leads to the same file from everywhere.
        let found = reach.files.find_from(*directory, module);
        if let Some(found) = found.filter(|found| reach.files.is_file(found.node)) {
            reach.claim_found(&found, Evidence::Named, how, Some(from));
        }
    }
}
