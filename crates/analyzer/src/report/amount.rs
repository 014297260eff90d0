//! Figures and their changes as people read them.

use jettison_oci::Bytes;

use crate::diff::delta;
use crate::report::briefing::Unit;

/// `+1.0 MiB`, `-3 B`, `0 B`.
pub(crate) fn signed(delta: i64) -> String {
    with_sign(delta, &Bytes(delta.unsigned_abs()).to_string())
}

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

/// One decimal, away from zero, so that no change is told as none. `None` where nothing changed;
/// what was nothing before is `new`: no percents say that.
fn percent(base: u64, value: u64) -> Option<String> {
    let by = delta(base, value);
    if by == 0 {
        return None;
    }
    if base == 0 {
        return Some("new".to_owned());
    }
    let tenths = (u128::from(by.unsigned_abs()) * 1000).div_ceil(u128::from(base));
    Some(with_sign(by, &format!("{}.{} %", tenths / 10, tenths % 10)))
}

/// Percents of millionths, with two decimals.
fn hundredths(millionths: u64) -> String {
    let hundredths = millionths.saturating_add(50) / 100;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn with_sign(by: i64, text: &str) -> String {
    let sign = match by {
        0 => "",
        by if by > 0 => "+",
        _ => "-",
    };
    format!("{sign}{text}")
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
        assert!(change(Unit::Bytes, 1, u64::MAX).starts_with("+8.0 EiB (+9"));
    }
}
