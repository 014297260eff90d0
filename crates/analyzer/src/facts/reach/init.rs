//! An init that is the image's program: units of systemd, `inittab`, scripts of runlevels.

use crate::error::Result;
use crate::facts::configuration::service::{inittab_commands, unit_commands};
use crate::facts::evidence::Evidence;
use crate::facts::reach::{Reach, script};
use crate::tree::NodeId;

/// Units, and links to them below `*.wants`. Which of them start is told by too many rules: all
/// are taken.
const UNITS: [&[u8]; 8] = [
    b"etc/systemd/system/*.service",
    b"etc/systemd/system/*/*.service",
    b"run/systemd/system/*.service",
    b"lib/systemd/system/*.service",
    b"lib/systemd/system/*/*.service",
    b"usr/lib/systemd/system/*.service",
    b"usr/lib/systemd/system/*/*.service",
    b"usr/local/lib/systemd/system/*.service",
];
/// What an init of System V or `OpenRC` runs, and what systemd asks for more units.
const SCRIPTS: [&[u8]; 7] = [
    b"etc/init.d/*",
    b"etc/rc*.d/*",
    b"etc/runlevels/*/*",
    b"etc/rcS.d/*",
    b"lib/systemd/system-generators/*",
    b"usr/lib/systemd/system-generators/*",
    b"lib/rc/sh/*",
];

/// Claims what an init starts.
pub(super) fn started(reach: &mut Reach<'_>, node: NodeId) -> Result<()> {
    let name = reach.files.tree().name(node);
    let has_systemd = reach.files.find(b"lib/systemd/systemd").is_some();
    let links_to_systemd = reach
        .files
        .find(&reach.files.tree().path(node))
        .is_some_and(|found| reach.files.tree().name(found.node) == b"systemd");
    if has_systemd && (name == b"systemd" || links_to_systemd) {
        for pattern in UNITS {
            for found in reach.files.matching(pattern) {
                if !reach.files.is_file(found.node) {
                    continue;
                }
                reach.claim_found(&found, Evidence::Named, "unit of", Some(node));
                let Some(content) = reach.files.content(found.node)? else { continue };
                for command in unit_commands(content.text()) {
                    script::text(reach, found.node, &command, "started by")?;
                }
            }
        }
    }
    if let Some(found) = reach.files.file(b"etc/inittab") {
        reach.claim_found(&found, Evidence::Named, "configuration of", Some(node));
        if let Some(content) = reach.files.content(found.node)? {
            for command in inittab_commands(content.text()) {
                script::text(reach, found.node, &command, "started by")?;
            }
        }
    }
    for pattern in SCRIPTS {
        for found in reach.files.matching(pattern) {
            if reach.files.is_file(found.node) {
                reach.claim_found(&found, Evidence::Named, "run by", Some(node));
            }
        }
    }
    Ok(())
}
