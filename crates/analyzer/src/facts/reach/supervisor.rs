//! supervisord: its configuration, what that includes and starts.

use crate::entry::split;
use crate::error::Result;
use crate::facts::configuration::supervisor;
use crate::facts::evidence::Evidence;
use crate::facts::reach::{Reach, script};
use crate::tree::NodeId;

/// Where it looks when nothing is said, and where distributions have it.
const PLACES: [&[u8]; 5] = [
    b"etc/supervisord.conf",
    b"etc/supervisor/supervisord.conf",
    b"etc/supervisor.conf",
    b"usr/etc/supervisord.conf",
    b"usr/local/etc/supervisord.conf",
];

/// Claims the configuration of the supervisor at `node`.
pub(super) fn started(reach: &mut Reach<'_>, node: NodeId) {
    let working = reach.environment.working_directory(reach.files);
    let own = [&b"supervisord.conf"[..], b"etc/supervisord.conf"];
    let own = own.iter().filter_map(|path| reach.files.find_from(working, path));
    let places = PLACES.iter().filter_map(|path| reach.files.file(path));
    for found in own.chain(places).collect::<Vec<_>>() {
        if reach.files.is_file(found.node) {
            reach.claim_found(&found, Evidence::Named, "configuration of", Some(node));
        }
    }
}

/// Claims what a configuration includes and starts.
pub(super) fn visit(reach: &mut Reach<'_>, node: NodeId, text: &[u8]) -> Result<()> {
    let path = reach.files.path(node);
    let here = split(&path).0;
    let found = supervisor::read(text, here);
    for pattern in &found.includes {
        // A relative pattern starts at the file.
        let pattern = if pattern.starts_with(b"/") {
            pattern.clone()
        } else {
            [here, b"/", pattern].concat()
        };
        for found in reach.files.matching(&pattern) {
            if reach.files.is_file(found.node) {
                reach.claim_found(&found, Evidence::Named, "included by", Some(node));
            }
        }
    }
    for command in &found.commands {
        script::text(reach, node, command, "started by")?;
    }
    Ok(())
}
