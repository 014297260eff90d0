//! rpm's package database, in each of its forms: `SQLite`, ndb, and `BerkeleyDB` on older systems.
//! Of every header what tells files and relations is kept; a database is some ten times larger.

mod berkeley;
mod header;
mod ndb;
mod sqlite;

use serde::{Deserialize, Serialize};

use crate::limits::RPM_NAMES_MAX;

pub use header::header;

/// A package database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpmDatabase {
    /// The packages that could be read, in the order of the database.
    pub packages: Vec<RpmPackage>,
    /// Why it is not read, or not to its end.
    pub problem: Option<Box<str>>,
}

/// What a header says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpmPackage {
    /// Its name.
    pub name: Box<str>,
    /// `[epoch:]version-release`.
    pub version: Box<str>,
    /// Bytes of its files.
    pub size: Option<u64>,
    /// Directories of its files, each with a slash at both ends.
    pub directories: Vec<Box<[u8]>>,
    /// Its files: the directory by position, and the name there.
    pub files: Vec<(u32, Box<[u8]>)>,
    /// What it requires: names, sonames and paths.
    pub requires: Vec<Box<str>>,
    /// What it recommends or suggests.
    pub recommends: Vec<Box<str>>,
    /// What it provides, its own name included.
    pub provides: Vec<Box<str>>,
}

impl RpmPackage {
    /// How many names it keeps.
    fn names(&self) -> usize {
        self.directories.len()
            + self.files.len()
            + self.requires.len()
            + self.recommends.len()
            + self.provides.len()
    }
}

/// Whether the file at `path` (without a leading slash) is a package database.
pub fn is_database(path: &[u8]) -> bool {
    let (directory, name) = crate::entry::split(path);
    matches!(directory, b"var/lib/rpm" | b"usr/lib/sysimage/rpm" | b"usr/share/rpm")
        && matches!(name, b"rpmdb.sqlite" | b"Packages.db" | b"Packages")
}

/// Reads a database of any form.
pub fn read(bytes: Vec<u8>) -> RpmDatabase {
    let mut database = RpmDatabase::default();
    let mut names = 0;
    let most = bytes.len();
    let mut taken = 0;
    let mut damaged = 0_usize;
    // Records may lead to the same bytes as often as they like.
    let mut take = |blob: &[u8]| {
        taken += blob.len();
        if taken > most {
            return Err("its records hold more than the file".to_owned());
        }
        let Some(package) = header(blob) else {
            damaged += 1;
            return Ok(());
        };
        names += package.names();
        if names > RPM_NAMES_MAX {
            return Err(format!("its packages have more than {RPM_NAMES_MAX} names"));
        }
        // The keys that signatures were checked with are kept as if they were packages.
        if &*package.name != "gpg-pubkey" {
            database.packages.push(package);
        }
        Ok(())
    };
    let read = if bytes.starts_with(sqlite::MAGIC) {
        sqlite::each(bytes, &mut take)
    } else if bytes.starts_with(ndb::MAGIC) {
        ndb::each(&bytes, &mut take)
    } else if berkeley::is_hash(&bytes) {
        berkeley::each(&bytes, &mut take)
    } else {
        Err("it is no package database of a known form".to_owned())
    };
    database.problem = match read {
        Err(problem) => Some(problem.into()),
        Ok(()) if damaged > 0 => Some(format!("{damaged} of its headers are damaged").into()),
        Ok(()) => None,
    };
    database
}

/// Why a package was installed, by dnf's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Somebody asked for it, or for a group that it is of.
    Asked,
    /// For others, which depend on it or recommend it.
    ForOthers,
}

/// Reads the history of dnf: the last reason of each package.
///
/// # Errors
///
/// In `SQLite`'s words, where it is no such database.
pub fn history(bytes: Vec<u8>) -> Result<Vec<(String, Recorded)>, String> {
    let rows = sqlite::reasons(bytes).map_err(|error| format!("SQLite says: {error}"))?;
    let recorded = |reason: i64| match reason {
        // Dependency, clean (nobody wants it any more), weak dependency.
        1 | 3 | 4 => Recorded::ForOthers,
        _ => Recorded::Asked,
    };
    Ok(rows.into_iter().map(|(name, reason)| (name, recorded(reason))).collect())
}

#[cfg(test)]
mod tests;
