//! The time, as far as it can be trusted. Clocks of nodes are set, jump, and begin at 1970: an
//! image must not become old by that.

use std::time::Duration;

use jiff::Timestamp;

/// How far a clock may jump, or how long a node may have been off, before time that nobody measured
/// stops counting.
const UNMEASURED_MAX: Duration = Duration::from_hours(24);
/// No container image is older: before Docker's first release lie the zero of clocks (1970), that
/// of reproducible builds (1980) and that of Go (year 1).
const FIRST: i64 = 1_356_998_400;

/// One look at the clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What the clock on the wall shows.
    pub wall: Timestamp,
    /// Which boot of the machine this is; `None` where it does not say.
    pub boot: Option<String>,
    /// The time since that boot, sleep included. No clock that is set changes it.
    pub uptime: Duration,
}

impl Moment {
    /// How much time has surely passed since `earlier`, and whether the wall's clock was set
    /// meanwhile.
    ///
    /// Within one boot the uptime tells. Across boots only the wall's clock does, which may have
    /// been set: a day at most counts, and nothing where it runs backwards.
    pub fn since(&self, earlier: &Self) -> Passed {
        let wall = self.wall.duration_since(earlier.wall);
        let wall = Duration::try_from(wall).ok();
        if self.boot.is_some() && self.boot == earlier.boot {
            // An uptime that runs backwards is no uptime of this boot.
            let time = self.uptime.saturating_sub(earlier.uptime);
            let stepped = wall.is_none_or(|wall| wall.abs_diff(time) > UNMEASURED_MAX);
            return Passed { time, stepped };
        }
        let stepped = wall.is_none();
        Passed { time: wall.unwrap_or_default().min(UNMEASURED_MAX), stepped }
    }
}

/// The time between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// What counts.
    pub time: Duration,
    /// Whether the clock on the wall was set by more than a day, or backwards.
    pub stepped: bool,
}

/// `time` where it can be the time of something that a node did: not before there were containers
/// (a zero, an epoch), and not in the future.
pub fn plausible(time: Timestamp, now: Timestamp) -> Option<Timestamp> {
    (time.as_second() >= FIRST && time <= now).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn moment(wall: i64, boot: &str, uptime: u64) -> Moment {
        Moment {
            wall: Timestamp::from_second(1_800_000_000 + wall).unwrap(),
            boot: (!boot.is_empty()).then(|| boot.to_owned()),
            uptime: Duration::from_secs(uptime),
        }
    }

    #[test]
    fn only_measured_time_counts() {
        let day = i64::try_from(DAY).unwrap();
        for (later, seconds, stepped) in [
            // The same boot: the uptime, whatever the wall shows.
            (moment(60, "a", 160), 60, false),
            (moment(9 * day, "a", 100 + 9 * DAY), 9 * DAY, false),
            (moment(9000 * day, "a", 160), 60, true),
            (moment(-9000 * day, "a", 160), 60, true),
            (moment(3600, "a", 160), 60, false),
            (moment(60, "a", 10), 0, false),
            // Another boot: the wall, up to a day.
            (moment(3600, "b", 5), 3600, false),
            (moment(9 * day, "b", 5), DAY, false),
            (moment(-5, "b", 5), 0, true),
            (moment(9 * day, "", 5), DAY, false),
        ] {
            let passed = later.since(&moment(0, "a", 100));
            assert_eq!(passed, Passed { time: Duration::from_secs(seconds), stepped }, "{later:?}");
        }
        let nameless = moment(0, "", 100);
        assert_eq!(moment(60, "", 5).since(&nameless).time, Duration::from_mins(1));
    }

    #[test]
    fn zeros_and_the_future_are_no_times() {
        let now: Timestamp = "2026-11-28T00:00:00Z".parse().unwrap();
        for (time, is_time) in [
            ("0001-01-01T00:00:00Z", false),
            ("1970-01-01T00:00:00Z", false),
            ("1980-01-01T00:00:01Z", false),
            ("2013-04-01T00:00:00Z", true),
            ("2026-11-28T00:00:00Z", true),
            ("2026-11-28T00:00:01Z", false),
            ("2099-01-01T00:00:00Z", false),
        ] {
            let time: Timestamp = time.parse().unwrap();
            assert_eq!(plausible(time, now).is_some(), is_time, "{time}");
        }
    }
}
