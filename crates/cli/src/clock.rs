//! The machine's clocks: the one place that reads them.

use std::time::Duration;

use jettison_pruner::Moment;
use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Which boot this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What the clocks show.
pub(crate) fn now() -> Moment {
    let uptime = clock_gettime(ClockId::Boottime);
    let boot = fs_err::read_to_string(BOOT_ID).ok();
    Moment {
        wall: Timestamp::now(),
        boot: boot.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()),
        uptime: Duration::from_secs(u64::try_from(uptime.tv_sec).unwrap_or_default()),
    }
}
