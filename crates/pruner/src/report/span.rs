//! Durations as people read them.

use std::time::Duration;

const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];

/// The two largest units of a duration, rounded down: `8d 3h`, `45min`, `0s`.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let Some(first) = UNITS.iter().position(|(unit, _)| seconds >= *unit) else {
        return "0s".to_owned();
    };
    let (unit, name) = UNITS[first];
    let whole = format!("{}{name}", seconds / unit);
    let Some((below, name)) = UNITS.get(first + 1) else { return whole };
    match seconds % unit / below {
        0 => whole,
        rest => format!("{whole} {rest}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_say_enough() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1min"),
            (3_661, "1h 1min"),
            (86_400 * 8 + 3 * 3600 + 59, "8d 3h"),
            (86_400 * 7, "7d"),
            (86_400 + 59, "1d"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
