//! One entry of a layer, as values: what the tar says, cleaned and checked, nothing interpreted.

/// What an entry makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A regular file with content of its own.
    File = 0,
    /// A directory.
    Directory = 1,
    /// A symbolic link.
    Symlink = 2,
    /// Another name of a file that an earlier entry, or a lower layer, made.
    HardLink = 3,
    /// A character device.
    CharDevice = 4,
    /// A block device.
    BlockDevice = 5,
    /// A named pipe.
    Fifo = 6,
}

impl Kind {
    pub(crate) const fn from_u8(value: u8) -> Option<Self> {
        Some(match value {
            0 => Self::File,
            1 => Self::Directory,
            2 => Self::Symlink,
            3 => Self::HardLink,
            4 => Self::CharDevice,
            5 => Self::BlockDevice,
            6 => Self::Fifo,
            _ => return None,
        })
    }
}

/// What an entry does to the layers below, by the name it bears.
/// See the image spec's [layer document](https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whiteout<'a> {
    /// `.wh.NAME`: NAME of this directory, from lower layers, is gone.
    Path {
        /// Directory that holds the name; empty for the root.
        directory: &'a [u8],
        /// The name that goes.
        name: &'a [u8],
    },
    /// `.wh..wh..opq`: everything in this directory from lower layers is gone.
    Opaque {
        /// The directory; empty for the root.
        directory: &'a [u8],
    },
    /// Another `.wh..wh.` name: bookkeeping of AUFS, never part of the filesystem.
    Bookkeeping,
}

const PREFIX: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Reads the whiteout in a cleaned path, if there is one.
pub fn whiteout(path: &[u8]) -> Option<Whiteout<'_>> {
    let (directory, base) = split(path);
    if !base.starts_with(PREFIX) {
        return None;
    }
    Some(if base == OPAQUE {
        Whiteout::Opaque { directory }
    } else if base.starts_with(b".wh..wh.") {
        Whiteout::Bookkeeping
    } else {
        match &base[PREFIX.len()..] {
            // Docker refuses these three; they can name no file.
            b"" | b"." | b".." => Whiteout::Bookkeeping,
            name => Whiteout::Path { directory, name },
        }
    })
}

/// The directory (empty for the root) and the last name of a cleaned path.
pub fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memrchr(b'/', path) {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&[], path),
    }
}

/// What stands behind the last dot of a name; empty where there is none.
pub fn extension(name: &[u8]) -> &[u8] {
    memchr::memrchr(b'.', name).map_or(&[], |dot| &name[dot + 1..])
}

/// Why a name of a tar cannot be a path of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// `..` leads above the root. Runtimes refuse the whole layer.
    #[error("climbs above the root")]
    Escapes,
    /// A NUL byte, which no filesystem can hold.
    #[error("has a NUL byte")]
    Nul,
    /// Longer or deeper than the limits.
    #[error("is longer than 32 KiB or deeper than 1024 directories")]
    TooLong,
}

/// Cleans a tar's name into a path without leading, trailing or doubled slashes, `.` and `..`;
/// the root is the empty path. `..` is resolved by name, as Go's `filepath.Clean` does for Docker
/// and containerd. The result is appended to `out`.
pub fn clean_into(name: &[u8], out: &mut Vec<u8>) -> Result<(), PathError> {
    use crate::limits::{PATH_DEPTH_MAX, PATH_MAX};
    if name.len() > PATH_MAX {
        return Err(PathError::TooLong);
    }
    if name.contains(&0) {
        return Err(PathError::Nul);
    }
    let start = out.len();
    let mut depth = 0;
    for component in name.split(|b| *b == b'/') {
        match component {
            b"" | b"." => {}
            b".." if out.len() == start => {
                // `/..` is the root itself; `..` of a relative name is an escape.
                if name.first() != Some(&b'/') {
                    return Err(PathError::Escapes);
                }
            }
            b".." => {
                let parent = out[start..].iter().rposition(|b| *b == b'/').unwrap_or(0);
                out.truncate(start + parent);
                depth -= 1;
            }
            component => {
                depth += 1;
                if depth > PATH_DEPTH_MAX {
                    return Err(PathError::TooLong);
                }
                if out.len() > start {
                    out.push(b'/');
                }
                out.extend_from_slice(component);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(name: &str) -> Result<String, PathError> {
        let mut out = b"before".to_vec();
        clean_into(name.as_bytes(), &mut out)?;
        Ok(String::from_utf8(out.split_off(6)).unwrap())
    }

    #[test]
    fn names_become_paths() {
        for (name, path) in [
            ("a/b", "a/b"),
            ("./a//b/", "a/b"),
            ("/etc/./x", "etc/x"),
            ("a/../b", "b"),
            ("a/b/../../c", "c"),
            ("/../x", "x"),
            (".", ""),
            ("./", ""),
            ("", ""),
            ("...", "..."),
        ] {
            assert_eq!(clean(name).unwrap(), path, "{name}");
        }
        assert_eq!(clean("../x"), Err(PathError::Escapes));
        assert_eq!(clean("a/../../x"), Err(PathError::Escapes));
        assert_eq!(clean("a\0b"), Err(PathError::Nul));
        assert_eq!(clean(&"a/".repeat(2000)), Err(PathError::TooLong));
        assert_eq!(clean(&"a".repeat(40_000)), Err(PathError::TooLong));
    }

    #[test]
    fn whiteouts_are_told_by_name() {
        assert_eq!(whiteout(b"usr/.wh.x"), Some(Whiteout::Path { directory: b"usr", name: b"x" }));
        assert_eq!(whiteout(b".wh.x"), Some(Whiteout::Path { directory: b"", name: b"x" }));
        assert_eq!(whiteout(b"a/.wh..wh..opq"), Some(Whiteout::Opaque { directory: b"a" }));
        assert_eq!(whiteout(b".wh..wh.plnk"), Some(Whiteout::Bookkeeping));
        assert_eq!(whiteout(b"a/.wh."), Some(Whiteout::Bookkeeping));
        assert_eq!(whiteout(b"a/x.wh."), None);
        assert_eq!(whiteout(b".wh.d/file"), None);
    }
}
