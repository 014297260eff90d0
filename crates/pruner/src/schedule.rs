//! When a run is due.

use std::str::FromStr;
use std::time::Duration;

use croner::Cron;
use jettison_oci::{Digest, escape};
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::error::{Error, Result};

/// A part of the day in which nothing is removed: `08:00-18:00`. It may go past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietWindow {
    from: Time,
    until: Time,
}

impl FromStr for QuietWindow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("{text:?} is no part of a day: expected such as 08:00-18:00");
        let (from, until) = text.split_once('-').ok_or_else(error)?;
        let time = |text: &str| {
            let (hours, minutes) = text.trim().split_once(':').ok_or_else(error)?;
            let number = |text: &str| text.parse::<i8>().map_err(|_| error());
            Time::new(number(hours)?, number(minutes)?, 0, 0).map_err(|_| error())
        };
        let window = Self { from: time(from)?, until: time(until)? };
        if window.from == window.until { Err(error()) } else { Ok(window) }
    }
}

impl QuietWindow {
    fn has(self, time: Time) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&time)
        } else {
            time >= self.from || time < self.until
        }
    }
}

/// When runs are due.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Option<Cron>,
    zone: TimeZone,
    jitter: Duration,
    quiet: Vec<QuietWindow>,
    /// Whose jitter it is.
    node: String,
}

impl Schedule {
    /// A schedule of five fields as cron and Kubernetes' `CronJob` have them, in a time zone of the
    /// IANA database. Each run begins up to `jitter` later, by the node's name and the run's time,
    /// so that the nodes of a cluster do not all pull again at the same moment.
    pub fn new(
        cron: Option<&str>,
        zone: &str,
        jitter: Duration,
        quiet: Vec<QuietWindow>,
        node: &str,
    ) -> Result<Self> {
        let parse = |text: &str| {
            text.parse::<Cron>().map_err(|error| {
                Error::Usage(format!(
                    "the schedule {:?} is none: {error}. Expected five fields, such as \"0 3 * * *\"",
                    escape::line(text)
                ))
            })
        };
        let zone = TimeZone::get(zone).map_err(|_| {
            Error::Usage(format!(
                "{:?} is no time zone: expected a name such as UTC or Europe/Berlin",
                escape::line(zone)
            ))
        })?;
        let cron = cron.map(parse).transpose()?;
        let schedule = Self { cron, zone, jitter, quiet, node: node.to_owned() };
        if schedule.cron.is_some() && schedule.next(Timestamp::UNIX_EPOCH).is_none() {
            return Err(Error::Usage("the schedule has no time in it that ever comes".to_owned()));
        }
        Ok(schedule)
    }

    /// The first run after `time`; `None` where none is scheduled.
    pub fn next(&self, time: Timestamp) -> Option<Timestamp> {
        let zoned = time.to_zoned(self.zone.clone());
        let next = self.cron.as_ref()?.find_next_occurrence(&zoned, false).ok()?.timestamp();
        Some(next + self.delay(next))
    }

    /// A part of the jitter that is the same whenever it is asked for.
    fn delay(&self, run: Timestamp) -> Duration {
        let seconds = self.jitter.as_secs();
        if seconds == 0 {
            return Duration::ZERO;
        }
        let digest = Digest::sha256(format!("{} {run}", self.node).as_bytes());
        let number = u64::from_str_radix(&digest.hex()[..15], 16).unwrap_or_default();
        Duration::from_secs(number % (seconds + 1))
    }

    /// Whether nothing is to be removed at `time`.
    pub fn is_quiet(&self, time: Timestamp) -> bool {
        let time = time.to_zoned(self.zone.clone()).time();
        self.quiet.iter().any(|window| window.has(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule(cron: &str, zone: &str, jitter: u64, node: &str) -> Schedule {
        let quiet = vec!["22:30-06:00".parse().unwrap(), "12:00-13:00".parse().unwrap()];
        Schedule::new(Some(cron), zone, Duration::from_secs(jitter), quiet, node).unwrap()
    }

    #[test]
    fn runs_are_in_the_zone_s_time_also_when_clocks_change() {
        let berlin = schedule("0 3 * * *", "Europe/Berlin", 0, "n");
        for (after, next) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z"),
            ("2026-01-01T02:00:00Z", "2026-01-02T02:00:00Z"),
            ("2026-07-01T00:00:00Z", "2026-07-01T01:00:00Z"),
            // The night that lasts from two to three is skipped.
            ("2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
        ] {
            assert_eq!(berlin.next(at(after)), Some(at(next)), "{after}");
        }
        let none = Schedule::new(None, "UTC", Duration::ZERO, Vec::new(), "n").unwrap();
        assert_eq!(none.next(at("2026-01-01T00:00:00Z")), None);
    }

    #[test]
    fn jitter_parts_the_nodes_and_is_the_same_each_time() {
        let after = at("2026-01-01T00:00:00Z");
        let one = schedule("0 3 * * *", "UTC", 1800, "one").next(after).unwrap();
        let two = schedule("0 3 * * *", "UTC", 1800, "two").next(after).unwrap();
        assert_ne!(one, two);
        assert_eq!(one, schedule("0 3 * * *", "UTC", 1800, "one").next(after).unwrap());
        for run in [one, two] {
            assert!((at("2026-01-01T03:00:00Z")..=at("2026-01-01T03:30:00Z")).contains(&run));
        }
    }

    #[test]
    fn windows_may_go_past_midnight() {
        let schedule = schedule("0 3 * * *", "UTC", 0, "n");
        for (time, quiet) in [
            ("22:29", false),
            ("22:30", true),
            ("00:00", true),
            ("05:59", true),
            ("06:00", false),
            ("12:30", true),
            ("13:00", false),
        ] {
            assert_eq!(schedule.is_quiet(at(&format!("2026-05-05T{time}:00Z"))), quiet, "{time}");
        }
        for bad in ["", "8-9", "08:00", "08:00-08:00", "25:00-26:00", "a:b-c:d"] {
            assert!(bad.parse::<QuietWindow>().is_err(), "{bad}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (cron, zone, word) in [
            ("0 3 * *", "UTC", "five fields"),
            ("61 3 * * *", "UTC", "schedule"),
            ("0 3 30 2 *", "UTC", "ever comes"),
            ("0 3 * * *", "Mars/Base", "no time zone"),
        ] {
            let error = Schedule::new(Some(cron), zone, Duration::ZERO, Vec::new(), "n");
            let error = error.err().unwrap().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
