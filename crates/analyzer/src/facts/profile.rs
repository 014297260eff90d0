//! A profile: the files of an image that a run of it executed and opened.

use std::collections::BTreeSet;

use jettison_oci::escape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::limits::DOCUMENT_MAX;

/// The version of the document.
const SCHEMA_VERSION: u32 = 1;

/// The document, `jettison profile`'s output: what a run of an image used of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// 1.
    schema_version: u32,
    /// The image ID: the digest of its config; `null` where it is not known.
    #[serde(default)]
    image: Option<String>,
    /// False where events were lost: nothing can be said of what is not in it, and it is refused.
    #[serde(default = "yes")]
    complete: bool,
    /// Whether the container was watched from its start; false where it ran already.
    #[serde(default = "yes")]
    from_start: bool,
    /// What the container's command ended with; `null` where it had not ended.
    #[serde(default)]
    exit_code: Option<i64>,
    /// Paths that were executed: programs, scripts, their interpreters and loaders. From the root,
    /// without symlinks, escaped as in reports.
    #[serde(default)]
    executed: BTreeSet<String>,
    /// Paths that were opened, those that were executed among them.
    #[serde(default)]
    opened: BTreeSet<String>,
}

const fn yes() -> bool {
    true
}

/// A run as it was seen.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The image ID, where it is known.
    pub image: Option<&'a str>,
    /// Whether no event was lost.
    pub complete: bool,
    /// Whether it was watched from its start.
    pub from_start: bool,
    /// What it ended with.
    pub exit_code: Option<i64>,
    /// Paths that were executed.
    pub executed: &'a BTreeSet<Vec<u8>>,
    /// Paths that were opened.
    pub opened: &'a BTreeSet<Vec<u8>>,
}

impl From<Run<'_>> for Document {
    fn from(run: Run<'_>) -> Self {
        let paths =
            |paths: &BTreeSet<Vec<u8>>| paths.iter().map(|path| escape::path(path)).collect();
        Self {
            schema_version: SCHEMA_VERSION,
            image: run.image.map(str::to_owned),
            complete: run.complete,
            from_start: run.from_start,
            exit_code: run.exit_code,
            executed: paths(run.executed),
            opened: paths(run.opened),
        }
    }
}

/// What one or several runs used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// IDs of the images that were run.
    pub images: BTreeSet<String>,
    /// Paths that were executed, from the root.
    pub executed: BTreeSet<Vec<u8>>,
    /// Paths that were opened.
    pub opened: BTreeSet<Vec<u8>>,
}

impl Profile {
    /// Adds the profile in `bytes`; `what` names the file.
    pub fn add(&mut self, what: &str, bytes: &[u8]) -> Result<()> {
        let most = 16 * DOCUMENT_MAX;
        if bytes.len() as u64 > most {
            return Err(Error::size_limit(what, "a profile", bytes.len() as u64, most));
        }
        let document: Document =
            serde_json::from_slice(bytes).map_err(|error| Error::malformed(what, error))?;
        if document.schema_version != SCHEMA_VERSION {
            let version = document.schema_version;
            let because = format!("its schemaVersion is {version}, expected {SCHEMA_VERSION}");
            return Err(Error::malformed(what, because));
        }
        if !document.complete {
            let because = "events were lost while it was made: make it again";
            return Err(Error::malformed(what, because));
        }
        let path = |text: &String| {
            let because = format!("{text:?} is no path from the root, as reports show it");
            escape::unescape(text)
                .filter(|path| path.starts_with(b"/"))
                .ok_or_else(|| Error::malformed(what, because))
        };
        self.images.extend(document.image);
        for text in &document.executed {
            self.executed.insert(path(text)?);
        }
        for text in &document.opened {
            self.opened.insert(path(text)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_merged_and_damage_is_refused() {
        let mut profile = Profile::default();
        profile
            .add("a", br#"{"schemaVersion":1,"executed":["/bin/sh"],"opened":["/a\\\\b","/x"]}"#)
            .unwrap();
        profile.add("b", br#"{"schemaVersion":1,"opened":["/y"]}"#).unwrap();
        assert_eq!(profile.executed.len(), 1);
        assert_eq!(profile.opened.len(), 3);
        for bad in [
            "{",
            "[]",
            r#"{"schemaVersion":2}"#,
            r#"{"schemaVersion":1,"opened":["x"]}"#,
            r#"{"schemaVersion":1,"complete":false}"#,
            r#"{"schemaVersion":1,"others":[]}"#,
        ] {
            assert!(profile.add("c", bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
