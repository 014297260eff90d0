//! Changes as people read them.

use crate::Bytes;

/// Bytes with their sign: `+1.0 MiB`, `-3 B`, `0 B`.
pub fn signed(delta: i64) -> String {
    with_sign(delta, &Bytes(delta.unsigned_abs()).to_string())
}

/// A text with a change's sign in front.
pub fn with_sign(delta: i64, text: &str) -> String {
    let sign = match delta {
        0 => "",
        by if by > 0 => "+",
        _ => "-",
    };
    format!("{sign}{text}")
}

/// A change in percent with one decimal, rounded away from zero so that none is told as nothing:
/// `+22.8 %`. `None` where nothing changed; what was nothing before is `new`, and what next to
/// nothing was is `> 999 %`: percents say neither.
pub fn percent(base: u64, value: u64) -> Option<String> {
    if base == value {
        return None;
    }
    if base == 0 {
        return Some("new".to_owned());
    }
    let tenths = (u128::from(base.abs_diff(value)) * 1000).div_ceil(u128::from(base));
    if tenths > 9999 {
        return Some("> 999 %".to_owned());
    }
    let sign = if value < base { '-' } else { '+' };
    Some(format!("{sign}{}.{} %", tenths / 10, tenths % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_have_their_sign() {
        assert_eq!(signed(1 << 20), "+1.0 MiB");
        assert_eq!(signed(-3), "-3 B");
        assert_eq!(signed(0), "0 B");
        assert_eq!(signed(i64::MIN), "-8.0 EiB");
    }

    #[test]
    fn percentages_are_rounded_away_from_zero() {
        for (was, is, text) in [
            (1000, 1228, Some("+22.8 %")),
            (1000, 1001, Some("+0.1 %")),
            (100_000, 100_001, Some("+0.1 %")),
            (1000, 999, Some("-0.1 %")),
            (1000, 10_999, Some("+999.9 %")),
            (1, u64::MAX, Some("> 999 %")),
            (5, 0, Some("-100.0 %")),
            (0, 5, Some("new")),
            (0, 0, None),
            (7, 7, None),
        ] {
            assert_eq!(percent(was, is).as_deref(), text, "{was} {is}");
        }
    }
}
