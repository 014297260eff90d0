//! What is kept in `SQLite`: rpm's database (`rpmdb.sqlite`), whose table `Packages` holds a header a
//! row, and the history of dnf, which tells why each package was installed.
//!
//! The library is told not to trust what it reads: no view, trigger or function of the database's
//! own is run, and whatever it does ends after a bounded number of steps.

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, MAIN_DB};

use crate::limits::{RPM_DATABASE_MAX, RPM_STEPS_MAX};

pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// Changes of one history.
const HISTORY_MAX: u32 = 200_000;

/// Steps of `SQLite`'s machine between two looks at how many they were.
const STEPS: u32 = 10_000;

/// Hands over each header, in the order of the rows.
pub(super) fn each(
    bytes: Vec<u8>,
    take: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let mut problem = None;
    let read = rows(bytes, &mut |blob| match take(blob) {
        Ok(()) => true,
        Err(error) => {
            problem = Some(error);
            false
        }
    });
    match (problem, read) {
        (Some(problem), _) => Err(problem),
        (None, Err(error)) => Err(format!("SQLite says: {error}")),
        (None, Ok(())) => Ok(()),
    }
}

fn rows(bytes: Vec<u8>, take: &mut dyn FnMut(&[u8]) -> bool) -> rusqlite::Result<()> {
    let database = open(bytes)?;
    let mut statement = database.prepare("SELECT blob FROM main.Packages")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Ok(blob) = row.get_ref(0)?.as_blob() else { continue };
        if !take(blob) {
            break;
        }
    }
    Ok(())
}

/// Names of packages, and the number of the reason that each was installed for, in the order of what
/// dnf did (libdnf's `TransactionItemReason`).
pub(super) fn reasons(bytes: Vec<u8>) -> rusqlite::Result<Vec<(String, i64)>> {
    let database = open(bytes)?;
    let mut statement = database.prepare(
        "SELECT rpm.name, done.reason FROM main.trans_item AS done \
         JOIN main.rpm AS rpm ON rpm.item_id = done.item_id WHERE done.state = 1 \
         ORDER BY done.id LIMIT ?1",
    )?;
    let rows = statement.query_map([HISTORY_MAX], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// A database in memory.
fn open(mut bytes: Vec<u8>) -> rusqlite::Result<Connection> {
    // rpm writes through a log beside the file, which a database in memory cannot have; what was
    // not yet carried over stands only there.
    if let Some(versions) = bytes.get_mut(18..20) {
        versions.fill(1);
    }
    let mut database = Connection::open_in_memory()?;
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
    ] {
        database.set_db_config(setting, value)?;
    }
    let most = i32::try_from(RPM_DATABASE_MAX).unwrap_or(i32::MAX);
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, most)?;
    let mut left = RPM_STEPS_MAX / STEPS;
    database.progress_handler(
        i32::try_from(STEPS).unwrap_or(i32::MAX),
        Some(move || {
            left = left.saturating_sub(1);
            left == 0
        }),
    )?;
    let size = bytes.len();
    database.deserialize_read_exact(MAIN_DB, &bytes[..], size, true)?;
    drop(bytes);
    database.pragma_update(None, "cell_size_check", true)?;
    Ok(database)
}
