//! Durations and amounts as Kubernetes writes them.

use std::fmt;
use std::time::Duration;

use jettison_oci::Bytes;

/// How much of a file system has to be free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A share of it, in thousandths of a percent.
    Share(u32),
    /// So many bytes.
    Bytes(u64),
}

/// All of something, in thousandths of a percent.
pub(super) const WHOLE: u32 = 100_000;

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => f.pad(&format!("{} %", percent(*share))),
            Self::Bytes(bytes) => Bytes(*bytes).fmt(f),
        }
    }
}

/// A share without zeros behind its comma.
pub(super) fn percent(share: u32) -> String {
    let text = format!("{}.{:03}", share / 1000, share % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A duration as Go's `time.ParseDuration` takes it, up to the 292 years that Go has.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (number, behind) = split_number(rest);
        let (unit, behind) = UNITS
            .iter()
            .find_map(|(name, nanos)| behind.strip_prefix(name).map(|behind| (*nanos, behind)))?;
        total = total.checked_add(scaled(number, unit, 1)?)?;
        rest = behind;
    }
    let nanos = i64::try_from(total).ok().filter(|_| !text.is_empty())?;
    Some(Duration::from_nanos(nanos.unsigned_abs()))
}

/// Go's units in nanoseconds; those that begin with another stand before it.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("h", 3_600_000_000_000),
];

/// A duration as short as Go takes it.
pub(super) fn go(duration: Duration) -> String {
    match duration.as_secs() {
        0 => "0s".to_owned(),
        seconds if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        seconds if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

/// An eviction threshold: a share such as `15%`, or a quantity such as `10Gi`. The outer `None` is
/// no such thing, the inner one a threshold that is turned off (`0%`, `100%`).
#[expect(clippy::option_option, reason = "a threshold that is turned off is not a mistake")]
pub(super) fn threshold(text: &str) -> Option<Option<Amount>> {
    let Some(number) = text.strip_suffix('%') else {
        return quantity(text).filter(|bytes| *bytes > 0).map(|bytes| Some(Amount::Bytes(bytes)));
    };
    let (digits, behind) = split_number(number);
    let share = scaled(digits, 1000, 1).filter(|_| behind.is_empty())?;
    let share = u32::try_from(share).ok().filter(|share| *share <= WHOLE)?;
    Some((share > 0 && share < WHOLE).then_some(Amount::Share(share)))
}

/// Kubernetes' quantity in whole units, rounded up as Kubernetes does.
fn quantity(text: &str) -> Option<u64> {
    let (number, suffix) = split_number(text);
    let binary = |power: u32| Some((1_u128 << (10 * power), 1));
    let decimal = |power: u32| Some((10_u128.pow(3 * power), 1));
    let (scale, divisor) = match suffix {
        "" => Some((1, 1)),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        "k" => decimal(1),
        "M" => decimal(2),
        "G" => decimal(3),
        "T" => decimal(4),
        "P" => decimal(5),
        "E" => decimal(6),
        "m" => Some((1, 1_000)),
        "u" => Some((1, 1_000_000)),
        "n" => Some((1, 1_000_000_000)),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?;
            let power = 10_u128.checked_pow(exponent.unsigned_abs())?;
            Some(if exponent < 0 { (1, power) } else { (power, 1) })
        }
    }?;
    u64::try_from(scaled(number, scale, divisor)?).ok()
}

/// The digits and the point at the beginning of `text`, and what follows.
fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

/// A decimal number times `scale` over `divisor`, rounded up.
fn scaled(number: &str, scale: u128, divisor: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = !(whole.is_empty() && fraction.is_empty()) && fraction.len() <= 18;
    let digits = format!("{whole}{fraction}");
    if !is_number || digits.len() > 30 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let below = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let value = digits.parse::<u128>().ok()?.checked_mul(scale)?;
    Some(value.div_ceil(below.checked_mul(divisor)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_go_s() {
        for (text, seconds) in [
            ("0", 0),
            ("0s", 0),
            ("2m0s", 120),
            ("168h", 604_800),
            ("1h30m", 5_400),
            ("1.5h", 5_400),
            ("90m0s", 5_400),
            ("1500ms", 1),
        ] {
            assert_eq!(duration(text).map(|time| time.as_secs()), Some(seconds), "{text}");
        }
        for text in ["", "7d", "1", "h", "1h-2m", "-1h", "1h ", "99999999h", "1.2.3s"] {
            assert_eq!(duration(text), None, "{text}");
        }
        for (seconds, text) in [(0, "0s"), (604_800, "168h"), (5_400, "90m"), (61, "61s")] {
            assert_eq!(go(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn thresholds_are_shares_or_quantities() {
        let share = |thousandths| Some(Some(Amount::Share(thousandths)));
        let bytes = |bytes| Some(Some(Amount::Bytes(bytes)));
        for (text, expected) in [
            ("15%", share(15_000)),
            ("12.5%", share(12_500)),
            ("0%", Some(None)),
            ("100%", Some(None)),
            ("10Gi", bytes(10 << 30)),
            ("1.5Gi", bytes(3 << 29)),
            ("500M", bytes(500_000_000)),
            ("1e9", bytes(1_000_000_000)),
            ("1E", bytes(1_000_000_000_000_000_000)),
            ("100m", bytes(1)),
            ("1024", bytes(1024)),
        ] {
            assert_eq!(threshold(text), expected, "{text}");
        }
        for text in ["", "%", "101%", "-5%", "5 %", "0", "10GiB", "1e99", "ten", "99Ei"] {
            assert_eq!(threshold(text), None, "{text}");
        }
        assert_eq!(Amount::Share(12_500).to_string(), "12.5 %");
        assert_eq!(Amount::Share(10_000).to_string(), "10 %");
        assert_eq!(Amount::Bytes(10 << 30).to_string(), "10.0 GiB");
    }
}
