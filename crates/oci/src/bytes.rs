//! Byte sizes: exact integers inside, one decimal of an IEC unit for people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A size in bytes. Shown as people read it (`1.5 MiB`); serialized as the exact integer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// Why a text is not a byte size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a size: expected a number and a unit, such as 500, 64KiB, 1.5 MiB or 20MB")]
pub struct BytesError(String);

const IEC: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

impl Bytes {
    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1024 {
            return f.pad(&format!("{} B", self.0));
        }
        // Tenths of the unit, rounded half up, in integers so that no size prints as another.
        let mut unit = 0;
        let mut scale: u128 = 1024;
        let tenths = loop {
            let tenths = (u128::from(self.0) * 10 + scale / 2) / scale;
            if tenths < 10_240 || unit + 1 == IEC.len() {
                break tenths;
            }
            unit += 1;
            scale *= 1024;
        };
        f.pad(&format!("{}.{} {}", tenths / 10, tenths % 10, IEC[unit]))
    }
}

impl FromStr for Bytes {
    type Err = BytesError;

    /// Reads IEC (`KiB`, `Ki`, `K`), SI (`kB`, `MB`) and bare bytes, in any case, with decimals.
    fn from_str(text: &str) -> Result<Self, BytesError> {
        let error = || BytesError(text.to_owned());
        let trimmed = text.trim();
        let split =
            trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (number, unit) = (&trimmed[..split], trimmed[split..].trim().to_ascii_lowercase());
        let scale: u128 = match unit.as_str() {
            "" | "b" => 1,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "tb" => 1_000_000_000_000,
            "pb" => 1_000_000_000_000_000,
            "eb" => 1_000_000_000_000_000_000,
            "k" | "ki" | "kib" => 1 << 10,
            "m" | "mi" | "mib" => 1 << 20,
            "g" | "gi" | "gib" => 1 << 30,
            "t" | "ti" | "tib" => 1 << 40,
            "p" | "pi" | "pib" => 1 << 50,
            "e" | "ei" | "eib" => 1 << 60,
            _ => return Err(error()),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        // Nine decimals tell every byte of a gigabyte; more would only overflow.
        if (whole.is_empty() && fraction.is_empty()) || fraction.len() > 9 || fraction.contains('.')
        {
            return Err(error());
        }
        let parse = |digits: &str| match digits {
            "" => Ok(0),
            _ => digits.parse::<u64>().map_err(|_| error()),
        };
        let power = 10_u128.pow(u32::try_from(fraction.len()).map_err(|_| error())?);
        let total =
            u128::from(parse(whole)?) * scale + u128::from(parse(fraction)?) * scale / power;
        u64::try_from(total).map(Bytes).map_err(|_| error())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Bytes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 0, "description": "bytes" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_one_decimal_and_never_1024_of_a_unit() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1_048_575, "1.0 MiB"),
            (40_894_464, "39.0 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    #[test]
    fn reads_both_families_of_units() {
        for (text, bytes) in [
            ("0", 0),
            ("1.5 MiB", 1_572_864),
            ("20MB", 20_000_000),
            ("20 mib", 20 << 20),
            ("64k", 65_536),
            (".5K", 512),
            ("62.5 PiB", (62 << 50) + (1 << 49)),
            ("2 EiB", 2 << 60),
            ("3PB", 3_000_000_000_000_000),
        ] {
            assert_eq!(text.parse::<Bytes>().unwrap(), Bytes(bytes), "{text}");
        }
        for bad in ["", "MB", "-1", "1.2.3", "1 parsec", "99999999999 TiB", ".", "1e3"] {
            assert!(bad.parse::<Bytes>().is_err(), "{bad}");
        }
    }
}
