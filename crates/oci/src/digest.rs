//! Content identifiers, as the [OCI descriptor][spec] defines them.
//!
//! [spec]: https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// The registered hash algorithms that an image may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256: what every builder writes today.
    Sha256,
    /// SHA-512: registered, rare.
    Sha512,
}

impl Algorithm {
    /// The name that stands before the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// How many hexadecimal digits the encoded part has.
    pub const fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// A digest such as `sha256:9f86…`, always lower case and of the right length.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    text: Box<str>,
    algorithm: Algorithm,
}

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// No `algorithm:` stands before the encoded part.
    #[error("digest {0:?} has no algorithm: expected sha256:<64 hex digits>")]
    NoAlgorithm(String),
    /// The algorithm is none of [`Algorithm`].
    #[error("digest {0:?} uses an unknown algorithm: expected sha256 or sha512")]
    UnknownAlgorithm(String),
    /// The encoded part is too short, too long, or not lower-case hexadecimal.
    #[error("digest {0:?} is malformed: expected {1} lower-case hex digits after the colon")]
    Malformed(String, usize),
}

impl Digest {
    /// The digest of `content`, by SHA-256.
    pub fn sha256(content: &[u8]) -> Self {
        Self::from_sha256(&Sha256::digest(content).into())
    }

    /// A SHA-256 digest from its 32 bytes.
    pub fn from_sha256(hash: &[u8; 32]) -> Self {
        Self::from_hash(Algorithm::Sha256, hash)
    }

    /// A digest from the raw hash of `algorithm`.
    ///
    /// # Panics
    /// When `hash` is not as long as the algorithm makes it.
    pub fn from_hash(algorithm: Algorithm, hash: &[u8]) -> Self {
        assert_eq!(hash.len() * 2, algorithm.hex_len(), "hash length of {}", algorithm.name());
        let mut text = String::with_capacity(algorithm.name().len() + 1 + algorithm.hex_len());
        text.push_str(algorithm.name());
        text.push(':');
        for byte in hash {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        Self { text: text.into_boxed_str(), algorithm }
    }

    /// The whole digest, `algorithm:hex`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The hash algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The part after the colon.
    pub fn hex(&self) -> &str {
        &self.text[self.algorithm.name().len() + 1..]
    }

    /// The first 12 hex digits: what Docker shows as a short ID.
    pub fn short(&self) -> &str {
        &self.hex()[..12]
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (name, hex) =
            text.split_once(':').ok_or_else(|| DigestError::NoAlgorithm(text.to_owned()))?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(DigestError::UnknownAlgorithm(text.to_owned())),
        };
        let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if hex.len() != algorithm.hex_len() || !hex.bytes().all(is_hex) {
            return Err(DigestError::Malformed(text.to_owned(), algorithm.hex_len()));
        }
        Ok(Self { text: text.into(), algorithm })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Digest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_only_what_the_spec_allows() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::sha256(b"").as_str(), empty);
        assert_eq!(empty.parse::<Digest>().unwrap().short(), "e3b0c44298fc");
        for bad in
            ["", "e3b0", "sha256:", "sha256:E3B0", "md5:00", &empty[..70], &empty.to_uppercase()]
        {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
