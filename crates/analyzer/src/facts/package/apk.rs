//! Alpine's package database: `lib/apk/db/installed`, and `world`, what was asked for.

use std::collections::HashSet;

use crate::error::Result;
use crate::facts::filesystem::Filesystem;
use crate::facts::package::{Ecosystem, Package, Packages, Reason};

/// Reads the database, if there is one.
pub(super) fn read(files: &Filesystem<'_>, packages: &mut Packages) -> Result<()> {
    let mut installed = packages.database(files, b"lib/apk/db/installed")?;
    if installed.is_none() {
        installed = packages.database(files, b"usr/lib/apk/db/installed")?;
    }
    let Some(installed) = installed else { return Ok(()) };
    let world = files.document(b"etc/apk/world")?;
    let asked: Option<HashSet<String>> = world.map(|world| {
        let text = String::from_utf8_lossy(world.text()).into_owned();
        let words = text.split_whitespace().filter(|word| !word.starts_with('!'));
        words.map(|word| bare(word).to_owned()).collect()
    });
    let mut current: Option<Package> = None;
    let mut directory: Vec<u8> = Vec::new();
    for line in installed.text().split(|b| *b == b'\n') {
        let (Some(key), Some(value)) = (line.first(), line.get(2..)) else {
            packages.extend(current.take());
            directory.clear();
            continue;
        };
        let text = || String::from_utf8_lossy(value).into_owned();
        let words = || -> Vec<String> {
            text()
                .split_whitespace()
                .filter(|w| !w.starts_with('!'))
                .map(|w| bare(w).to_owned())
                .collect()
        };
        if *key == b'P' {
            packages.extend(current.take());
            let name = text();
            let reason = match &asked {
                Some(asked) if !asked.contains(&name) => Reason::Dependency,
                _ => Reason::Asked,
            };
            current = Some(Package {
                reason,
                reason_is_told: asked.is_some(),
                ..Package::new(Ecosystem::Apk, name)
            });
        }
        let Some(package) = &mut current else { continue };
        match key {
            b'V' => package.version = text(),
            b'I' => package.installed_size = text().parse().ok(),
            b'D' => package.depends = words().into_iter().map(|word| vec![word]).collect(),
            b'p' => {
                package.provides = words();
                // `cmd:app` may have been asked for.
                let mut asked = package.provides.iter().filter_map(|p| asked.as_ref()?.get(p));
                if asked.next().is_some() {
                    package.reason = Reason::Asked;
                }
            }
            b'i' => package.brought_by = words(),
            b'F' => directory = value.to_vec(),
            b'R' => {
                let parent = files.find(&directory);
                let node = parent.and_then(|parent| files.tree().child(parent.node, value));
                package.files.extend(node.filter(|node| !files.is_directory(*node)));
            }
            _ => {}
        }
    }
    packages.extend(current);
    Ok(())
}

/// A name without its version, `so:libc.musl-x86_64.so.1=1` or `a>=2` or `b~1`.
fn bare(word: &str) -> &str {
    word.split(['=', '<', '>', '~', '@']).next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn names_lose_their_versions() {
        for (word, name) in
            [("a", "a"), ("so:x.so.1=1.2", "so:x.so.1"), ("b>=2", "b"), ("c~1", "c")]
        {
            assert_eq!(bare(word), name);
        }
    }
}
