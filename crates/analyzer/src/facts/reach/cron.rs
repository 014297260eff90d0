//! cron: its tables, and what those run.

use crate::error::Result;
use crate::facts::configuration::crontab::{Table, commands};
use crate::facts::evidence::Evidence;
use crate::facts::filesystem::Found;
use crate::facts::reach::{Reach, script};
use crate::tree::NodeId;

/// Tables of Vixie cron, cronie, busybox and anacron.
const TABLES: [(&[u8], Table); 7] = [
    (b"etc/crontab", Table::OfSystem),
    (b"etc/cron.d/*", Table::OfSystem),
    (b"etc/anacrontab", Table::Anacron),
    (b"var/spool/cron/crontabs/*", Table::OfUser),
    (b"var/spool/cron/*", Table::OfUser),
    (b"etc/crontabs/*", Table::OfUser),
    (b"var/spool/fcron/*", Table::OfUser),
];
/// Directories of scripts that `run-parts` runs.
const DIRECTORIES: [&[u8]; 2] = [b"etc/cron.*/*", b"etc/periodic/*/*"];

/// Claims the tables that a cron reads.
pub(super) fn started(reach: &mut Reach<'_>, node: NodeId) -> Result<()> {
    for (pattern, kind) in TABLES {
        for found in reach.files.matching(pattern) {
            table(reach, &found, kind, node)?;
        }
    }
    for pattern in DIRECTORIES {
        for found in reach.files.matching(pattern) {
            if reach.files.is_file(found.node) {
                reach.claim_found(&found, Evidence::Named, "run regularly by", Some(node));
            }
        }
    }
    Ok(())
}

/// Claims a table and what it runs.
pub(super) fn table(reach: &mut Reach<'_>, found: &Found, kind: Table, from: NodeId) -> Result<()> {
    if !reach.files.is_file(found.node) {
        return Ok(());
    }
    reach.claim_found(found, Evidence::Named, "table of", Some(from));
    let Some(content) = reach.files.content(found.node)? else { return Ok(()) };
    for command in commands(content.text(), kind) {
        script::text(reach, found.node, &command, "run by")?;
    }
    Ok(())
}
