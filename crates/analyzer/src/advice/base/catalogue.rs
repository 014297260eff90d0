//! All images to choose from. The table is `data/bases.toml`.
//!
//! Rows of the table are made of parts that they share (the packages of a distribution, the
//! libraries of glibc), each part read once.

use std::collections::BTreeMap;

use jettison_oci::Bytes;
use serde::Deserialize;

use crate::advice::base::candidate::{Candidate, Libc, Provided, Size};
use crate::advice::base::version::Version;

/// The table that this crate was built with.
const TABLE: &str = include_str!("../../../data/bases.toml");

/// Sizes that were measured, in place of those of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Bytes of the files of all layers; `None` where only the blobs were looked at.
    pub files: Option<Bytes>,
    /// Bytes of the blobs.
    pub compressed: Option<Bytes>,
}

/// All images to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// The images, in the order of the table.
    pub candidates: Vec<Candidate>,
}

impl Catalogue {
    /// The table that this crate was built with.
    pub fn builtin() -> Self {
        // A test reads it: it cannot be wrong in a build that passed.
        Self::parse(TABLE).unwrap_or(Self { candidates: Vec::new() })
    }

    /// Reads a table.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::read(text, BTreeMap::new())
    }

    /// Adds the images of a table of somebody's own, which may be made of the parts of this crate's.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let builtin: Table = toml::from_str(TABLE).map_err(|error| error.to_string())?;
        let mut parts = BTreeMap::new();
        merge(builtin.part, &mut parts)?;
        self.candidates.extend(Self::read(text, parts)?.candidates);
        Ok(())
    }

    fn read(text: &str, mut parts: BTreeMap<String, Row>) -> Result<Self, String> {
        let table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
        merge(table.part, &mut parts)?;
        let rows = table.candidate.into_iter();
        let candidates =
            rows.map(|row| row.with_parts(&parts)?.candidate()).collect::<Result<_, _>>()?;
        Ok(Self { candidates })
    }

    /// Takes sizes that were measured in place of those of the table; tells whether the table has
    /// an image of that name.
    pub fn with_measured(&mut self, reference: &str, sizes: Measured, date: &str) -> bool {
        let mut is_known = false;
        for candidate in &mut self.candidates {
            if !candidate.is_called(reference) {
                continue;
            }
            is_known = true;
            let size = &mut candidate.size;
            match (sizes.files, sizes.compressed, size.compressed) {
                (Some(files), _, _) => (size.files, size.is_approximate) = (files, false),
                // What grew or shrank as a blob did so as files.
                (None, Some(now), Some(then)) if then.get() > 0 => {
                    let scaled = u128::from(size.files.get()) * u128::from(now.get())
                        / u128::from(then.get());
                    size.files = Bytes(u64::try_from(scaled).unwrap_or(u64::MAX));
                    size.is_approximate = true;
                }
                _ => size.is_approximate = true,
            }
            size.compressed = sizes.compressed.or(size.compressed);
            "measured at its registry".clone_into(&mut size.source);
            date.clone_into(&mut size.date);
        }
        is_known
    }
}

/// Adds parts to those before them, of which they may be made.
fn merge(rows: Vec<Row>, parts: &mut BTreeMap<String, Row>) -> Result<(), String> {
    for mut part in rows {
        let name = part.name.take().ok_or("a part has no name")?;
        let merged = part.with_parts(parts)?;
        if parts.insert(name.clone(), merged).is_some() {
            return Err(format!("there are two parts {name}"));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    part: Vec<Row>,
    candidate: Vec<Row>,
}

/// A part or a candidate: what is not set is its parts'.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
struct Row {
    name: Option<String>,
    parts: Vec<String>,
    reference: Option<String>,
    aliases: Vec<String>,
    family: Option<String>,
    release: Option<String>,
    libc: Option<Libc>,
    libc_version: Option<Version>,
    glibcxx: Option<Version>,
    sonames: Vec<String>,
    packages: Vec<String>,
    shells: Vec<String>,
    commands: Vec<String>,
    package_managers: Vec<String>,
    ca_certificates: Option<bool>,
    time_zones: Option<bool>,
    users: Vec<String>,
    library_directory: Option<String>,
    interpreter: Option<Provided>,
    rolling: bool,
    entrypoint: Option<String>,
    size: Option<u64>,
    compressed: Option<u64>,
    approximate: Option<bool>,
    size_source: Option<String>,
    size_date: Option<String>,
}

impl Row {
    /// This row over its parts: lists are joined, of the rest the last word counts.
    fn with_parts(mut self, parts: &BTreeMap<String, Self>) -> Result<Self, String> {
        let mut whole = Self::default();
        for name in std::mem::take(&mut self.parts) {
            let part = parts.get(&name).ok_or_else(|| format!("there is no part {name}"))?;
            whole = whole.over(part.clone());
        }
        Ok(whole.over(self))
    }

    fn over(mut self, other: Self) -> Self {
        for (mine, others) in [
            (&mut self.sonames, other.sonames),
            (&mut self.packages, other.packages),
            (&mut self.shells, other.shells),
            (&mut self.commands, other.commands),
            (&mut self.package_managers, other.package_managers),
            (&mut self.users, other.users),
        ] {
            mine.extend(others);
        }
        Self {
            name: None,
            parts: Vec::new(),
            reference: other.reference.or(self.reference),
            aliases: other.aliases,
            family: other.family.or(self.family),
            release: other.release.or(self.release),
            libc: other.libc.or(self.libc),
            libc_version: other.libc_version.or(self.libc_version),
            glibcxx: other.glibcxx.or(self.glibcxx),
            ca_certificates: other.ca_certificates.or(self.ca_certificates),
            time_zones: other.time_zones.or(self.time_zones),
            library_directory: other.library_directory.or(self.library_directory),
            interpreter: other.interpreter.or(self.interpreter),
            rolling: self.rolling || other.rolling,
            entrypoint: other.entrypoint.or(self.entrypoint),
            size: other.size.or(self.size),
            compressed: other.compressed.or(self.compressed),
            approximate: other.approximate.or(self.approximate),
            size_source: other.size_source.or(self.size_source),
            size_date: other.size_date.or(self.size_date),
            sonames: self.sonames,
            packages: self.packages,
            shells: self.shells,
            commands: self.commands,
            package_managers: self.package_managers,
            users: self.users,
        }
    }

    fn candidate(self) -> Result<Candidate, String> {
        let reference = self.reference.ok_or("a candidate has no reference")?;
        let missing = |what: &str| format!("{reference} has no {what}");
        Ok(Candidate {
            aliases: self.aliases,
            family: self.family.unwrap_or_default(),
            release: self.release.unwrap_or_default(),
            libc: self.libc.ok_or_else(|| missing("libc"))?,
            libc_version: self.libc_version,
            glibcxx: self.glibcxx,
            sonames: self.sonames.into_iter().collect(),
            packages: self.packages.into_iter().collect(),
            shells: self.shells.into_iter().collect(),
            commands: self.commands.into_iter().collect(),
            package_managers: self.package_managers.into_iter().collect(),
            has_ca_certificates: self.ca_certificates.unwrap_or(false),
            has_time_zones: self.time_zones.unwrap_or(false),
            users: self.users,
            library_directory: self.library_directory,
            interpreter: self.interpreter,
            is_rolling: self.rolling,
            entrypoint: self.entrypoint,
            size: Size {
                files: Bytes(self.size.ok_or_else(|| missing("size"))?),
                compressed: self.compressed.map(Bytes),
                is_approximate: self.approximate.unwrap_or(false),
                source: self.size_source.ok_or_else(|| missing("size-source"))?,
                date: self.size_date.ok_or_else(|| missing("size-date"))?,
            },
            reference,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn builtin() -> Catalogue {
        Catalogue::parse(TABLE).unwrap()
    }

    fn candidate(reference: &str) -> Candidate {
        builtin().candidates.into_iter().find(|row| row.is_called(reference)).unwrap()
    }

    #[test]
    fn the_table_can_be_trusted() {
        let catalogue = builtin();
        assert_eq!(Catalogue::builtin(), catalogue);
        assert!(catalogue.candidates.len() > 60);
        let mut names = BTreeSet::new();
        for row in &catalogue.candidates {
            let name = &row.reference;
            for name in std::iter::once(name).chain(&row.aliases) {
                assert!(names.insert(name.clone()), "{name} is there twice");
            }
            let size = &row.size;
            assert!(size.source.len() > 8, "{name}");
            let date: Vec<u32> = size.date.split('-').map(|part| part.parse().unwrap()).collect();
            assert!(
                matches!(date[..], [2024..=2100, 1..=12, 1..=31]) && size.date.len() == 10,
                "{name}"
            );
            assert!(size.files.get() <= 600_000_000, "{name}");
            assert_eq!(size.files.get() == 0, name == "scratch");
            if let Some(compressed) = size.compressed
                && size.files.get() > 0
            {
                let ratio = size.files.get() * 100 / compressed.get();
                assert!((190..=420).contains(&ratio), "{name}: {ratio} %");
            }
            let is_glibc = row.libc == Libc::Glibc;
            assert_eq!(row.sonames.contains("libc.so.6"), is_glibc, "{name}");
            assert_eq!(row.libc_version.is_some(), is_glibc, "{name}");
            let has_cxx = row.sonames.contains("libstdc++.so.6");
            assert!(!has_cxx || row.glibcxx.is_some(), "{name}");
            assert_eq!(row.family.is_empty(), name == "scratch");
            assert!(!name.contains("golang"));
            if let Some(interpreter) = &row.interpreter {
                assert!(interpreter.version.numbers() <= interpreter.language.numbers(), "{name}");
                assert!(interpreter.path.starts_with('/'), "{name}");
            }
        }
    }

    #[test]
    fn rows_are_made_of_their_parts() {
        use crate::advice::base::candidate::Class;
        let slim = candidate("docker.io/library/debian:12-slim@sha256:0");
        assert_eq!(slim.reference, "debian:bookworm-slim");
        assert_eq!((slim.libc, slim.libc_version), (Libc::Glibc, Version::parse("2.36")));
        assert_eq!(slim.glibcxx, Version::parse("3.4.30"));
        assert!(slim.packages.contains("libc6") && slim.shells.contains("bash"));
        let class = |name: &str| candidate(name).class();
        assert_eq!(class("scratch"), Class::Nothing);
        assert_eq!(class("gcr.io/distroless/static-debian12"), Class::Nothing);
        assert_eq!(class("cgr.dev/chainguard/static"), Class::Nothing);
        assert_eq!(class("gcr.io/distroless/base-debian12"), Class::Libc);
        assert_eq!(class("gcr.io/distroless/cc-debian12"), Class::LibStdCxx);
        assert_eq!(class("gcr.io/distroless/python3-debian12"), Class::Interpreter);
        assert_eq!(class("registry.access.redhat.com/ubi9/ubi-micro"), Class::Shell);
        assert_eq!(class("alpine:3.22"), Class::PackageManager);
    }

    #[test]
    fn measured_sizes_replace_those_of_the_table() {
        let mut catalogue = builtin();
        let both = Measured { files: Some(Bytes(70)), compressed: Some(Bytes(30)) };
        assert!(catalogue.with_measured(
            "docker.io/library/debian:bookworm-slim",
            both,
            "2027-01-02"
        ));
        assert!(!catalogue.with_measured("nobody/knows:it", both, "2027-01-02"));
        let find = |catalogue: &Catalogue, name: &str| -> Size {
            catalogue.candidates.iter().find(|row| row.is_called(name)).unwrap().size.clone()
        };
        let size = find(&catalogue, "debian:bookworm-slim");
        assert_eq!((size.files, size.compressed), (Bytes(70), Some(Bytes(30))));
        assert!(!size.is_approximate && size.date == "2027-01-02");
        let before = find(&catalogue, "alpine:3.20");
        let half = Bytes(before.compressed.unwrap().get() / 2);
        let blobs = Measured { files: None, compressed: Some(half) };
        assert!(catalogue.with_measured("alpine:3.20", blobs, "2027-01-02"));
        let size = find(&catalogue, "alpine:3.20");
        assert_eq!(size.files, Bytes(before.files.get() / 2));
        assert!(size.is_approximate);
    }

    #[test]
    fn a_table_that_is_wrong_is_an_error() {
        let row = "size = 1\nsize-source = \"x\"\nsize-date = \"2026-01-01\"\nlibc = \"none\"\n";
        for (table, says) in [
            ("part = []\n[[candidate]]\nlibc = \"none\"", "no reference"),
            ("part = []\n[[candidate]]\nreference = \"a\"", "a has no libc"),
            ("part = []\n[[candidate]]\nparts = [\"x\"]", "no part x"),
            ("part = []\n[[candidate]]\nfoo = 1", "foo"),
            ("part = []\n[[candidate]]\nlibc-version = \"2.x\"", "no version"),
            ("candidate = []\n[[part]]\nname = \"a\"\n[[part]]\nname = \"a\"", "two parts a"),
        ] {
            let error = Catalogue::parse(table).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
        let good = format!("part = []\n[[candidate]]\nreference = \"a\"\n{row}");
        assert_eq!(Catalogue::parse(&good).unwrap().candidates.len(), 1);
    }
}
