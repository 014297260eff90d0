//! Versions of libraries and interpreters: numbers with dots, compared number by number.

use std::fmt;

use serde::Deserialize;

/// `2.36`, `3.4.30`, `17`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Version(Vec<u32>);

/// Numbers of one version.
const PARTS_MAX: usize = 8;

impl Version {
    /// The version that a text starts with; `None` where it does not start with a number.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                break;
            }
            parts.push(rest[..digits].parse().ok()?);
            let Some(next) = rest[digits..].strip_prefix('.') else { break };
            if parts.len() == PARTS_MAX {
                break;
            }
            rest = next;
        }
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// The version behind the name of a family of symbols: `GLIBC_2.34`.
    pub fn of_symbol(symbol: &[u8], family: &str) -> Option<Self> {
        let rest = symbol.strip_prefix(family.as_bytes())?.strip_prefix(b"_")?;
        Self::parse(str::from_utf8(rest).ok()?)
    }

    /// Its first numbers: `3.11` of `3.11.9` for two.
    #[must_use]
    pub fn front(&self, numbers: usize) -> Self {
        Self(self.0.iter().take(numbers.max(1)).copied().collect())
    }

    /// The first number.
    pub fn major(&self) -> u32 {
        self.0.first().copied().unwrap_or(0)
    }

    /// How many numbers it has.
    pub fn numbers(&self) -> usize {
        self.0.len()
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
            .filter(|version| version.to_string() == text)
            .ok_or_else(|| format!("{text:?} is no version: numbers with dots are expected"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            write!(f, "{dot}{part}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn versions_are_compared_number_by_number() {
        assert!(version("2.4") < version("2.34"));
        assert!(version("3.4.9") < version("3.4.30"));
        assert!(version("2.36") < version("2.36.1"));
        assert_eq!(version("3.11.9").front(2), version("3.11"));
        assert_eq!(version("17.0.20+8").to_string(), "17.0.20");
        assert_eq!(Version::of_symbol(b"GLIBC_2.34", "GLIBC"), Some(version("2.34")));
        assert_eq!(Version::of_symbol(b"GLIBC_PRIVATE", "GLIBC"), None);
        assert_eq!(Version::of_symbol(b"GLIBCXX_3.4", "GLIBC"), None);
        for odd in ["", "x", ".1", "99999999999"] {
            assert_eq!(Version::parse(odd), None, "{odd}");
        }
    }
}
