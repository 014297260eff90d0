//! `jettison.toml`: what a project wants of every run. Flags go before it.

mod gate;
#[cfg(feature = "prune")]
mod prune;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jettison_oci::{Bytes, Platform};
use serde::Deserialize;
use toml::{Table, Value};

use crate::args::AdviceLevel;
use crate::exit::UsageError;

pub(crate) use gate::Gate;
#[cfg(feature = "prune")]
pub(crate) use prune::Prune;

/// The file's name, looked for from the working directory upwards.
const NAME: &str = "jettison.toml";

/// Every section with its keys.
const KEYS: &[(&str, &[&str])] = &[
    (
        "analyze",
        &["advice", "cache-size", "max-expansion", "min-bytes", "platform", "top", "unused"],
    ),
    ("gate", &["base", "baseline", "budget", "deny", "require-baseline"]),
    ("gate.budget", gate::BUDGET_KEYS),
    ("gate.deny", gate::DENY_KEYS),
    ("ignore", &["package", "path", "reason", "rule", "until"]),
    #[cfg(feature = "prune")]
    ("prune", prune::KEYS),
];

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub(crate) struct Config {
    /// `[analyze]`: how images are read and shown, by every command that reads one.
    pub(crate) analyze: Analyze,
    /// `[gate]`: what images may weigh.
    pub(crate) gate: Gate,
    /// `[prune]`: what may go of a node's images.
    #[cfg(feature = "prune")]
    pub(crate) prune: Prune,
    /// `[[ignore]]`: findings that are not told.
    pub(crate) ignore: Vec<IgnoreRow>,
}

/// `[[ignore]]`. All that it names has to fit; it has no flag, because it needs a reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub(crate) struct IgnoreRow {
    /// A rule's name.
    pub(crate) rule: Option<String>,
    /// A pattern of paths.
    pub(crate) path: Option<String>,
    /// A package's name.
    pub(crate) package: Option<String>,
    /// Why it stays.
    pub(crate) reason: String,
    /// The last day on which it counts.
    pub(crate) until: Option<toml::value::Datetime>,
}

/// `[analyze]`. Each key is the flag of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub(crate) struct Analyze {
    /// How large the cache of layer indexes may become.
    #[serde(deserialize_with = "parsed")]
    pub(crate) cache_size: Option<Bytes>,
    /// How many times its size a compressed layer may expand.
    pub(crate) max_expansion: Option<u64>,
    /// Rows with fewer bytes are left out.
    #[serde(deserialize_with = "parsed")]
    pub(crate) min_bytes: Option<Bytes>,
    /// The platform to choose.
    #[serde(deserialize_with = "parsed")]
    pub(crate) platform: Option<Platform>,
    /// Rows of each list.
    pub(crate) top: Option<usize>,
    /// How much `analyze` says of what to do.
    pub(crate) advice: Option<AdviceLevel>,
    /// Whether `analyze` also finds out what nothing leads to.
    pub(crate) unused: bool,
}

/// A value in the words that its flag takes; sizes may be plain integers too.
fn parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Integer(number) => number.to_string(),
        other => {
            let message = format!("expected a text, found {}", other.type_str());
            return Err(serde::de::Error::custom(message));
        }
    };
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

impl Config {
    /// The file that was named, or the one found from `directory` upwards, or nothing.
    pub(crate) fn find(
        named: Option<&Path>,
        directory: &Path,
    ) -> anyhow::Result<(Self, Option<PathBuf>)> {
        let found = match named {
            Some(path) => Some(path.to_owned()),
            None => directory.ancestors().map(|above| above.join(NAME)).find(|path| path.is_file()),
        };
        let Some(path) = found else { return Ok((Self::default(), None)) };
        let text = fs_err::read_to_string(&path)
            .map_err(|error| UsageError(error.to_string()))
            .context("the configuration cannot be read")?;
        let config = Self::parse(&text)
            .map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
        Ok((config, Some(path)))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        let sections: Vec<&str> =
            KEYS.iter().map(|(section, _)| *section).filter(|name| !name.contains('.')).collect();
        for (section, value) in &table {
            known(section, &sections)
                .map_err(|error| format!("unknown section [{section}]{error}"))?;
            check_keys(section, value)?;
        }
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    }
}

/// Fails where a section, or one inside it, has a key that is not known.
fn check_keys(section: &str, value: &Value) -> Result<(), String> {
    let keys = KEYS.iter().find(|(name, _)| *name == section).map_or(&[][..], |(_, keys)| keys);
    let rows = value.as_array().into_iter().flatten().chain([value]);
    for (key, value) in rows.filter_map(Value::as_table).flatten() {
        known(key, keys).map_err(|error| format!("unknown key {key} in [{section}]{error}"))?;
        let inner = format!("{section}.{key}");
        if KEYS.iter().any(|(name, _)| *name == inner) {
            check_keys(&inner, value)?;
        }
    }
    Ok(())
}

/// Fails where `word` is not one of `words`, with the nearest of them.
pub(crate) fn known(word: &str, words: &[&str]) -> Result<(), String> {
    if words.contains(&word) {
        return Ok(());
    }
    let nearest = words
        .iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .min()
        .filter(|(distance, known)| *distance * 2 <= known.len());
    Err(match nearest {
        Some((_, nearest)) => format!(": did you mean {nearest}?"),
        None => format!(": known are {}", words.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_in_its_flag_s_words() {
        let text = "[analyze]\ncache-size = \"2GiB\"\nmax-expansion = 9\nmin-bytes = 4096\n\
                    platform = \"linux/arm64\"\ntop = 3\n";
        let analyze = Config::parse(text).unwrap().analyze;
        assert_eq!(analyze.cache_size, Some(Bytes(2 << 30)));
        assert_eq!(analyze.max_expansion, Some(9));
        assert_eq!(analyze.min_bytes, Some(Bytes(4096)));
        assert_eq!(analyze.platform.unwrap().to_string(), "linux/arm64");
        assert_eq!(analyze.top, Some(3));
        assert_eq!(Config::parse("").unwrap(), Config::default());
    }

    #[test]
    fn mistakes_are_told_with_what_was_meant() {
        let error = |text: &str| Config::parse(text).unwrap_err();
        let hint = "unknown key min-byte in [analyze]: did you mean min-bytes?";
        assert_eq!(error("[analyze]\nmin-byte = 1"), hint);
        assert_eq!(error("[analyse]"), "unknown section [analyse]: did you mean analyze?");
        assert_eq!(error("[zzz]"), "unknown section [zzz]: known are analyze, gate, ignore, prune");
        assert!(error("[analyze]\nmin-bytes = \"much\"").contains("\"much\" is not a size"));
        assert!(error("[analyze]\ntop = -1").contains("line 2"));
        assert!(error("[analyze").contains("line 1"));
    }

    #[test]
    fn the_file_is_found_upwards() {
        let room = tempfile::tempdir().unwrap();
        let below = room.path().join("a/b");
        fs_err::create_dir_all(&below).unwrap();
        fs_err::write(room.path().join(NAME), "[analyze]\ntop = 7").unwrap();
        let (config, path) = Config::find(None, &below).unwrap();
        assert_eq!((config.analyze.top, path), (Some(7), Some(room.path().join(NAME))));
        assert!(Config::find(Some(&below.join("none.toml")), &below).is_err());
    }
}
