//! Supervisors that take services from directories, a script each: s6 and s6-overlay, runit,
//! daemontools, and Phusion's `my_init`.

use crate::facts::evidence::Evidence;
use crate::facts::reach::Reach;
use crate::tree::NodeId;

/// s6-overlay keeps its own programs in `/package` and `/command`.
const S6: [&[u8]; 10] = [
    b"etc/s6-overlay",
    b"etc/services.d",
    b"etc/cont-init.d",
    b"etc/cont-finish.d",
    b"etc/fix-attrs.d",
    b"etc/s6",
    b"etc/s6-rc",
    b"run/s6",
    b"package",
    b"command",
];
const RUNIT: [&[u8]; 9] = [
    b"etc/service",
    b"etc/sv",
    b"etc/runit",
    b"etc/my_init.d",
    b"etc/my_init.pre_shutdown.d",
    b"etc/my_init.post_shutdown.d",
    b"etc/rc.local",
    b"var/service",
    b"service",
];

/// Claims the services of a program of that name.
pub(super) fn started(reach: &mut Reach<'_>, name: &[u8], node: NodeId) {
    let is_s6 = name.starts_with(b"s6-")
        || name == b"init" && reach.files.find(b"etc/s6-overlay").is_some()
        || name == b"init" && reach.files.find(b"etc/services.d").is_some();
    let is_runit = name.starts_with(b"runsv")
        || matches!(name, b"runit" | b"runit-init" | b"svscan" | b"my_init");
    let directories: &[&[u8]] = match (is_s6, is_runit) {
        (true, _) => &S6,
        (_, true) => &RUNIT,
        _ => return,
    };
    for directory in directories {
        if let Some(found) = reach.files.find(directory) {
            reach.claim_below_linked(found.node, Evidence::Named, "service of", node);
        }
    }
}
