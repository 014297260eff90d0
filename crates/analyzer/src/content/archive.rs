//! What a Java archive (jar, war, ear) says of itself and of others: its manifest, Maven's
//! coordinates, and the archives inside it.
//!
//! An archive's directory stands at its end, so the front and the end of a file are kept as it
//! passes by, within a bound: small archives whole, of large ones what is read here, as a rule.

mod directory;

use std::io;

use serde::{Deserialize, Serialize};

use crate::blob::ReadAt;
use crate::content::sparse::Sparse;
use crate::limits::{
    ARCHIVE_DEPTH_MAX, ARCHIVE_MANIFEST_MAX, ARCHIVE_NESTED_MAX, ARCHIVE_POMS_MAX, ARCHIVE_READ_MAX,
};

use directory::{Directory, Kept};

/// Bytes that are kept of the front of a file, and as many of its end.
const SIDE_MAX: u64 = 8 << 20;
/// A `pom.properties`: three lines.
const POM_MAX: u64 = 16 << 10;

/// What an archive says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// The main section of `META-INF/MANIFEST.MF`, a `Name: value` a line.
    pub manifest: Vec<u8>,
    /// What Maven noted: of the archive itself, and of what was merged into it.
    pub poms: Vec<Pom>,
    /// Archives inside it, by path.
    pub nested: Vec<Nested>,
    /// Something of it is too large, too deep or too much to be looked at.
    pub is_partial: bool,
    /// Its directory cannot be read: nothing is known of it.
    pub is_damaged: bool,
}

/// Maven's coordinates (`META-INF/maven/…/pom.properties`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pom {
    /// `groupId`.
    pub group: Box<str>,
    /// `artifactId`.
    pub artifact: Box<str>,
    /// `version`.
    pub version: Box<str>,
}

/// An archive inside another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nested {
    /// Its path there: `BOOT-INF/lib/x-1.0.jar`.
    pub path: Box<[u8]>,
    /// What it says.
    pub archive: Archive,
}

impl Archive {
    /// A value of the manifest's main section, by its name in any case.
    pub fn attribute(&self, name: &str) -> Option<&[u8]> {
        self.manifest.split(|b| *b == b'\n').find_map(|line| {
            let (found, value) = line.split_at_checked(name.len())?;
            let value =
                value.strip_prefix(b":").filter(|_| found.eq_ignore_ascii_case(name.as_bytes()))?;
            Some(value.trim_ascii())
        })
    }
}

/// Whether a file of this name is taken for an archive.
pub fn is_archive(name: &[u8]) -> bool {
    let end = crate::entry::extension(name);
    [&b"jar"[..], b"war", b"ear"].iter().any(|e| end.eq_ignore_ascii_case(e))
}

/// Gathers the parts of an archive that say something.
pub(super) struct Collector {
    position: u64,
    kept: Sparse,
}

impl Collector {
    pub(super) fn new(size: u64) -> Self {
        let ranges = if size <= 2 * SIDE_MAX {
            vec![(0, size)]
        } else {
            vec![(0, SIDE_MAX), (size - SIDE_MAX, size)]
        };
        Self { position: 0, kept: Sparse::new(ranges, size, size > 2 * SIDE_MAX) }
    }

    pub(super) fn piece(&mut self, bytes: &[u8]) {
        self.kept.piece(self.position, bytes);
        self.position += bytes.len() as u64;
    }

    /// Takes the rest from the file itself.
    pub(super) fn read(&mut self, file: &dyn ReadAt) -> io::Result<()> {
        self.kept.fill(file)
    }

    /// The first bytes, which may be a script that starts the archive.
    pub(super) fn start(&self) -> &[u8] {
        self.kept.up_to(0, 4 << 10).unwrap_or_default()
    }

    pub(super) fn finish(&self) -> Archive {
        let mut left =
            Left { bytes: ARCHIVE_READ_MAX, nested: ARCHIVE_NESTED_MAX, poms: ARCHIVE_POMS_MAX };
        read(&self.kept, 1, &mut left)
    }
}

/// What may still be read of an archive and all that is inside it: entries may lead to the same
/// bytes as often as they like.
struct Left {
    bytes: u64,
    nested: usize,
    poms: usize,
}

fn read(kept: &dyn Kept, depth: usize, left: &mut Left) -> Archive {
    let mut archive = Archive::default();
    let Some(directory) = Directory::find(kept) else {
        archive.is_damaged = true;
        return archive;
    };
    archive.is_partial = directory.is_partial;
    for entry in directory.entries() {
        let name = entry.name;
        if name.eq_ignore_ascii_case(b"META-INF/MANIFEST.MF") {
            match directory.front(&entry, ARCHIVE_MANIFEST_MAX, &mut left.bytes) {
                Some(text) => archive.manifest = main_section(&text),
                None => archive.is_partial = true,
            }
        } else if name.starts_with(b"META-INF/maven/") && name.ends_with(b"/pom.properties") {
            let text = take(&mut left.poms)
                .then(|| directory.front(&entry, POM_MAX, &mut left.bytes))
                .flatten();
            match text {
                Some(text) => archive.poms.extend(pom(&text)),
                None => archive.is_partial = true,
            }
        } else if is_archive(name) {
            if !take(&mut left.nested) {
                archive.is_partial = true;
                continue;
            }
            let whole = (depth < ARCHIVE_DEPTH_MAX)
                .then(|| directory.front(&entry, 2 * SIDE_MAX, &mut left.bytes))
                .flatten()
                .filter(|bytes| bytes.len() as u64 == entry.size);
            let inner = match whole {
                Some(bytes) => read(&&*bytes, depth + 1, left),
                None => Archive { is_partial: true, ..Archive::default() },
            };
            archive.nested.push(Nested { path: name.into(), archive: inner });
        }
    }
    archive.nested.sort_by(|a, b| a.path.cmp(&b.path));
    archive
}

fn take(left: &mut usize) -> bool {
    let is_left = *left > 0;
    *left = left.saturating_sub(1);
    is_left
}

/// The main section of a manifest: up to the first empty line, folded lines joined.
fn main_section(text: &[u8]) -> Vec<u8> {
    let mut section = Vec::new();
    for line in text.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.split_first() {
            None => break,
            Some((b' ', rest)) => section.extend_from_slice(rest),
            Some(_) => {
                if !section.is_empty() {
                    section.push(b'\n');
                }
                section.extend_from_slice(line);
            }
        }
    }
    section
}

fn pom(text: &[u8]) -> Option<Pom> {
    let text = String::from_utf8_lossy(text);
    let value = |key: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| Box::from(value.trim()))
        })
    };
    Some(Pom {
        group: value("groupId").unwrap_or_default(),
        artifact: value("artifactId").filter(|artifact| !artifact.is_empty())?,
        version: value("version").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests;
