//! Figures and their changes as people read them.

use jettison_oci::Bytes;
use jettison_oci::change::{percent, signed, with_sign};

use crate::diff::delta;
use crate::report::briefing::Unit;

/// `74.9 MiB`, `12`, `98.77 %`.
pub(crate) fn told(unit: Unit, value: u64) -> String {
    match unit {
        Unit::Bytes => Bytes(value).to_string(),
        Unit::Count => value.to_string(),
        Unit::Millionths => format!("{} %", hundredths(value)),
    }
}

/// `+13.9 MiB (+22.8 %)`; percents of counts and of ratios would tell nothing.
pub(crate) fn change(unit: Unit, base: u64, value: u64) -> String {
    let by = delta(base, value);
    match unit {
        Unit::Bytes => match percent(base, value) {
            Some(percent) => format!("{} ({percent})", signed(by)),
            None => signed(by),
        },
        Unit::Count => with_sign(by, &by.unsigned_abs().to_string()),
        Unit::Millionths => with_sign(by, &format!("{} points", hundredths(by.unsigned_abs()))),
    }
}

/// Percents of millionths, with two decimals.
fn hundredths(millionths: u64) -> String {
    let hundredths = millionths.saturating_add(50) / 100;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_never_told_as_none() {
        let mib = |tenths: u64| tenths * (1 << 20) / 10;
        assert_eq!(change(Unit::Bytes, mib(610), mib(749)), "+13.9 MiB (+22.8 %)");
        assert_eq!(change(Unit::Bytes, 1 << 40, (1 << 40) + 1), "+1 B (+0.1 %)");
        assert_eq!(change(Unit::Bytes, 1 << 40, (1 << 40) - 1), "-1 B (-0.1 %)");
        assert_eq!(change(Unit::Bytes, 5, 5), "0 B");
        assert_eq!(change(Unit::Bytes, 0, 5), "+5 B (new)");
        assert_eq!(change(Unit::Bytes, 5, 0), "-5 B (-100.0 %)");
        assert_eq!(change(Unit::Count, 3, 7), "+4");
        assert_eq!(change(Unit::Millionths, 987_654, 1_000_000), "+1.23 points");
        assert_eq!(told(Unit::Millionths, 987_654), "98.77 %");
        assert_eq!(told(Unit::Bytes, u64::MAX), "16.0 EiB");
        assert_eq!(change(Unit::Bytes, 1, u64::MAX), "+8.0 EiB (> 999 %)");
    }
}
