//! The directories of an image's layers, as the storage driver keeps them: they tell a file of the
//! image from one that was made while its container ran.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The layers, top first.
pub(crate) struct Lower {
    layers: Vec<OwnedFd>,
}

impl Lower {
    /// Opens them; `None` where one cannot be.
    pub(crate) fn open(directories: &[PathBuf]) -> Option<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = |path: &PathBuf| rustix::fs::open(path, flags, Mode::empty()).ok();
        let layers: Option<Vec<_>> = directories.iter().map(open).collect();
        layers.filter(|layers| !layers.is_empty()).map(|layers| Self { layers })
    }

    /// Whether the image has something at `path`, which starts with a slash. Symlinks are not
    /// followed: the path is one without any.
    pub(crate) fn has(&self, path: &[u8]) -> bool {
        let Some(relative) = path.strip_prefix(b"/").filter(|path| !path.is_empty()) else {
            return false;
        };
        for layer in &self.layers {
            let opened = rustix::fs::openat2(
                layer,
                relative,
                OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
                Mode::empty(),
                ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS,
            );
            match opened {
                Ok(found) => return !is_whiteout(&found),
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV) => {}
                // What cannot be looked up may be of the image.
                Err(_) => return true,
            }
        }
        false
    }
}

/// overlayfs keeps a path that a layer removes as a character device with the number 0.
fn is_whiteout(found: &OwnedFd) -> bool {
    rustix::fs::fstat(found).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
    })
}
