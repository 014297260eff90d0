//! The dynamic loader of the image: where glibc's `ld.so` and musl's would find a shared object.
//!
//! Follows `ld.so(8)` and glibc's `elf/dl-load.c` (`_dl_map_object`): for a name without a slash,
//! RPATHs of the object and of those that loaded it, unless it has a RUNPATH; `LD_LIBRARY_PATH`;
//! its RUNPATH; `/etc/ld.so.cache`; the default directories. Of each directory the subdirectories
//! for better processors come first, so all of them are taken: the processor that an image will
//! run on is not known.
//!
//! musl's (`ldso/dynlink.c`, `load_library`) looks in `LD_LIBRARY_PATH` first, then in the RUNPATH,
//! or else the RPATH, of the object and of all that loaded it, then in what its path file says.

use hashbrown::HashMap;

use crate::content::Elf;
use crate::error::Result;
use crate::facts::filesystem::{Filesystem, Found};
use crate::tree::NodeId;

/// Includes of `ld.so.conf` inside each other.
const INCLUDES_MAX: usize = 8;
/// Entries of `ld.so.cache`.
const CACHE_MAX: usize = 100_000;

/// What the image configures for its loaders.
pub(super) struct Loader {
    /// `ld.so.cache`: names and paths, in its order.
    cache: HashMap<Vec<u8>, Vec<Vec<u8>>>,
    /// `ld.so.conf`, with what it includes.
    configured: Vec<Vec<u8>>,
    /// musl's `ld-musl-*.path`.
    musl: Option<Vec<Vec<u8>>>,
}

/// Directories that glibc looks in at last, on Debian with the names of the machine in them.
const TRUSTED: [&[u8]; 4] = [b"/lib64", b"/usr/lib64", b"/lib", b"/usr/lib"];
/// musl's own default.
const MUSL: [&[u8]; 3] = [b"/lib", b"/usr/local/lib", b"/usr/lib"];

impl Loader {
    /// Reads it. What cannot be read is added to `warnings`.
    pub(super) fn read(files: &Filesystem<'_>, warnings: &mut Vec<String>) -> Result<Self> {
        let mut cache: HashMap<Vec<u8>, Vec<Vec<u8>>> = HashMap::new();
        if let Some(document) = files.document(b"etc/ld.so.cache")? {
            for (name, path) in read_cache(document.text()) {
                cache.entry(name).or_default().push(path);
            }
            if cache.is_empty() && !document.text().is_empty() {
                warnings.push(
                    "/etc/ld.so.cache: it cannot be read: libraries are looked for without it"
                        .to_owned(),
                );
            }
        }
        let mut configured = Vec::new();
        read_config(files, b"etc/ld.so.conf", &mut configured, 0)?;
        let mut musl = None;
        if let Some(etc) = files.find(b"etc") {
            for child in files.sorted_children(etc.node) {
                let name = files.tree().name(child);
                if name.starts_with(b"ld-musl-")
                    && name.ends_with(b".path")
                    && let Some(content) = files.content(child)?
                {
                    let paths = content.text().split(|b| matches!(b, b':' | b'\n'));
                    musl = Some(paths.filter(|p| !p.is_empty()).map(<[u8]>::to_vec).collect());
                }
            }
        }
        Ok(Self { cache, configured, musl })
    }

    /// Where `name` is found for an object. `own` are the RPATHs that apply, nearest first.
    pub(super) fn find(&self, files: &Filesystem<'_>, wanted: &Wanted<'_>) -> Vec<Found> {
        let fits = |found: &Found| fits(files, found.node, wanted.elf);
        if wanted.name.contains(&b'/') {
            let path = expand(files, wanted.name, wanted.origin, wanted.elf);
            return files.file(&path).filter(fits).into_iter().collect();
        }
        let own = wanted.rpaths.iter();
        let directories: Vec<&Vec<u8>> = if wanted.is_musl {
            wanted.library_path.iter().chain(own).collect()
        } else {
            let own = own.filter(|_| wanted.elf.runpath.is_none());
            own.chain(wanted.library_path).chain(wanted.runpaths).collect()
        };
        for directory in directories {
            let found = in_directory(files, directory, wanted.name, &fits);
            if !found.is_empty() {
                return found;
            }
        }
        if wanted.is_musl {
            let default: Vec<Vec<u8>> = MUSL.iter().map(|path| path.to_vec()).collect();
            let directories = self.musl.as_ref().unwrap_or(&default);
            return directories
                .iter()
                .map(|directory| in_directory(files, directory, wanted.name, &fits))
                .find(|found| !found.is_empty())
                .unwrap_or_default();
        }
        let mut all = Vec::new();
        if let Some(paths) = self.cache.get(wanted.name) {
            for path in paths {
                // The cache has a row for each processor's variant: all that fit are kept.
                if let Some(found) = files.file(path).filter(fits) {
                    all.push(found);
                }
            }
        }
        if !all.is_empty() {
            for found in all.clone() {
                if let Some(directory) = files.tree().parent(found.node) {
                    let path = files.path(directory);
                    for other in in_directory(files, &path, wanted.name, &fits) {
                        if !all.contains(&other) {
                            all.push(other);
                        }
                    }
                }
            }
            return all;
        }
        if wanted.elf.no_default_directories {
            return Vec::new();
        }
        let triplet = triplet(wanted.elf);
        let multiarch = triplet
            .iter()
            .flat_map(|triplet| [[b"/lib/", *triplet].concat(), [b"/usr/lib/", *triplet].concat()]);
        // Where there is no cache, ldconfig has not run: what it would have found is looked for.
        let directories: Vec<Vec<u8>> = multiarch
            .chain(TRUSTED.iter().map(|path| path.to_vec()))
            .chain(self.configured.iter().cloned())
            .collect();
        directories
            .iter()
            .map(|directory| in_directory(files, directory, wanted.name, &fits))
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    }
}

/// A shared object that is looked for.
pub(super) struct Wanted<'a> {
    /// As the dynamic section has it.
    pub(super) name: &'a [u8],
    /// The object that wants it.
    pub(super) elf: &'a Elf,
    /// The directory of that object.
    pub(super) origin: &'a [u8],
    /// RPATHs that apply, expanded, nearest first; for musl RUNPATHs, too.
    pub(super) rpaths: &'a [Vec<u8>],
    /// RUNPATH of the object, expanded. Nothing to musl.
    pub(super) runpaths: &'a [Vec<u8>],
    /// `LD_LIBRARY_PATH`.
    pub(super) library_path: &'a [Vec<u8>],
    /// Whether musl's loader looks.
    pub(super) is_musl: bool,
}

/// The file of that name in a directory, and those for better processors below it.
fn in_directory(
    files: &Filesystem<'_>,
    directory: &[u8],
    name: &[u8],
    fits: &impl Fn(&Found) -> bool,
) -> Vec<Found> {
    let Some(directory) = files.find(directory) else { return Vec::new() };
    let mut all = Vec::new();
    let file = |from: NodeId| {
        files.find_from(from, name).filter(|found| files.is_file(found.node)).filter(|f| fits(f))
    };
    all.extend(file(directory.node));
    for variants in [&b"glibc-hwcaps"[..], b"tls", b"haswell", b"x86_64", b"sse2"] {
        let Some(below) = files.tree().child(directory.node, variants) else { continue };
        if variants == b"glibc-hwcaps" {
            for variant in files.sorted_children(below) {
                all.extend(file(variant));
            }
        } else {
            all.extend(file(below));
        }
    }
    all
}

/// Whether a file is a shared object of the same class and machine.
fn fits(files: &Filesystem<'_>, node: NodeId, elf: &Elf) -> bool {
    files.machine(node).is_ok_and(|machine| machine == Some(elf.machine()))
}

/// The directories of an RPATH or RUNPATH.
pub(super) fn search_path(
    files: &Filesystem<'_>,
    path: Option<&[u8]>,
    origin: &[u8],
    elf: &Elf,
) -> Vec<Vec<u8>> {
    expanded(files, path.unwrap_or_default().split(|b| *b == b':'), origin, elf)
}

/// The directories of `LD_LIBRARY_PATH`: glibc also splits it at semicolons, and takes tokens in it
/// for those of the program.
pub(super) fn library_path(
    files: &Filesystem<'_>,
    value: Option<&[u8]>,
    origin: &[u8],
    elf: &Elf,
) -> Vec<Vec<u8>> {
    let parts = value.unwrap_or_default().split(|b| matches!(b, b':' | b';'));
    expanded(files, parts, origin, elf)
}

fn expanded<'a>(
    files: &Filesystem<'_>,
    parts: impl Iterator<Item = &'a [u8]>,
    origin: &[u8],
    elf: &Elf,
) -> Vec<Vec<u8>> {
    parts.filter(|part| !part.is_empty()).map(|part| expand(files, part, origin, elf)).collect()
}

/// `$ORIGIN`, `$LIB` and `$PLATFORM`, with or without braces.
fn expand(files: &Filesystem<'_>, text: &[u8], origin: &[u8], elf: &Elf) -> Vec<u8> {
    if !text.contains(&b'$') {
        return text.to_vec();
    }
    let lib = lib(files, elf);
    let platform: &[u8] = match elf.machine {
        62 => b"x86_64",
        183 => b"aarch64",
        3 => b"i686",
        _ => b"",
    };
    let mut out = text.to_vec();
    for (token, value) in [(&b"ORIGIN"[..], origin), (b"LIB", &lib), (b"PLATFORM", platform)] {
        for form in [[b"${", token, b"}"].concat(), [b"$", token].concat()] {
            if let Some(at) = memchr::memmem::find(&out, &form) {
                out.splice(at..at + form.len(), value.iter().copied());
            }
        }
    }
    out
}

/// What the C library was built to call its directory: `lib/x86_64-linux-gnu` on Debian, `lib64` on
/// Fedora, `lib` on Arch. It stands in there itself.
fn lib(files: &Filesystem<'_>, elf: &Elf) -> Vec<u8> {
    let multiarch = triplet(elf).map(|triplet| [b"lib/", triplet].concat());
    let plain: &[&[u8]] = if elf.is_64 { &[b"lib64", b"lib"] } else { &[b"lib"] };
    let mut candidates: Vec<Vec<u8>> = multiarch.into_iter().collect();
    candidates.extend(plain.iter().map(|path| path.to_vec()));
    let is_of_libc = |directory: &Vec<u8>| {
        [&b"usr/"[..], b""].iter().any(|above| {
            let path = [*above, directory, b"/libc.so.6"].concat();
            files.file(&path).is_some_and(|found| fits(files, found.node, elf))
        })
    };
    let told = candidates.iter().position(is_of_libc).unwrap_or(0);
    candidates.swap_remove(told)
}

/// Debian's name for the machine, which is a directory of its libraries.
fn triplet(elf: &Elf) -> Option<&'static [u8]> {
    Some(match (elf.machine, elf.is_64) {
        (62, true) => b"x86_64-linux-gnu",
        (183, _) => b"aarch64-linux-gnu",
        (3, _) => b"i386-linux-gnu",
        (40, _) => b"arm-linux-gnueabihf",
        (21, true) => b"powerpc64le-linux-gnu",
        (22, true) => b"s390x-linux-gnu",
        (243, true) => b"riscv64-linux-gnu",
        _ => return None,
    })
}

/// `ld.so.conf`: a directory a line, `include` with a pattern in its last name.
fn read_config(
    files: &Filesystem<'_>,
    path: &[u8],
    out: &mut Vec<Vec<u8>>,
    depth: usize,
) -> Result<()> {
    if depth > INCLUDES_MAX {
        return Ok(());
    }
    let Some(document) = files.document(path)? else { return Ok(()) };
    for line in document.text().split(|b| *b == b'\n') {
        let line = line.split(|b| *b == b'#').next().unwrap_or_default().trim_ascii();
        if let Some(pattern) = line.strip_prefix(b"include ") {
            let (directory, name) = crate::entry::split(pattern.trim_ascii());
            let base = crate::entry::split(path).0;
            let directory = if directory.starts_with(b"/") {
                files.find(directory)
            } else {
                files.find(&[base, b"/", directory].concat())
            };
            let Some(directory) = directory else { continue };
            let (front, back) = match name.iter().position(|b| *b == b'*') {
                Some(star) => (&name[..star], &name[star + 1..]),
                None => (name, &b""[..]),
            };
            for child in files.sorted_children(directory.node) {
                let name = files.tree().name(child);
                if name.starts_with(front) && name.ends_with(back) {
                    read_config(files, &files.path(child), out, depth + 1)?;
                }
            }
        } else if line.starts_with(b"/") {
            out.push(line.to_vec());
        }
    }
    Ok(())
}

const OLD_MAGIC: &[u8] = b"ld.so-1.7.0\0";
const NEW_MAGIC: &[u8] = b"glibc-ld.so.cache1.1";

/// Rows of `ld.so.cache`: name and path. The old form may stand in front of the new one.
fn read_cache(bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let Some(at) = memchr::memmem::find(bytes, NEW_MAGIC) else { return Vec::new() };
    if at > 0 && !bytes.starts_with(OLD_MAGIC) {
        return Vec::new();
    }
    let base = &bytes[at..];
    let number = |at: usize| -> Option<usize> {
        let field: [u8; 4] = base.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(field)).ok()
    };
    let text = |at: usize| -> Option<Vec<u8>> {
        let rest = base.get(at..)?;
        Some(rest[..memchr::memchr(0, rest)?].to_vec())
    };
    let count = number(20).unwrap_or(0).min(CACHE_MAX);
    (0..count)
        .filter_map(|row| {
            let at = 48 + row * 24;
            Some((text(number(at + 4)?)?, text(number(at + 8)?)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_of_this_machine_is_read() {
        let bytes = fs_err::read("/etc/ld.so.cache").unwrap();
        let rows = read_cache(&bytes);
        assert!(
            rows.iter().any(|(name, path)| name == b"libc.so.6" && path.ends_with(b"/libc.so.6"))
        );
        for end in (0..bytes.len()).step_by(97) {
            let _ = read_cache(&bytes[..end]);
        }
    }
}
