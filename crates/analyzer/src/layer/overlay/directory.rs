//! Opens files of an unpacked layer without ever leaving its directory: a symlink of an image
//! means a path of the image, and is no way into the host.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// The directory that a layer was unpacked into.
#[derive(Debug)]
pub(crate) struct Directory {
    fd: OwnedFd,
    path: PathBuf,
}

/// A FIFO or device that took a file's place must not be waited for.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK);
const DIRECTORY: OFlags =
    OFlags::PATH.union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW).union(OFlags::DIRECTORY);
/// `EAGAIN`: something was renamed meanwhile, and the kernel cannot tell whether it stayed inside.
const ATTEMPTS: usize = 16;

impl Directory {
    /// Opens the directory itself, whose path is the host's.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(fd) => Ok(Self { fd, path: path.to_owned() }),
            Err(error) => Err(named(path, b"", error)),
        }
    }

    /// The directory's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the regular file at `path`, a cleaned path of an image, and says how large it is.
    pub(crate) fn open_file(&self, path: &[u8]) -> io::Result<(File, u64)> {
        let file = match self.open_beneath(path) {
            // Kernels before 5.6, and filters that know no system call newer than themselves; a
            // path too long for one call is walked as well.
            Err(Errno::NOSYS | Errno::PERM | Errno::NAMETOOLONG) => self.walk(path),
            result => result,
        };
        let file = file.map_err(|error| named(&self.path, path, error))?;
        let stat = rustix::fs::fstat(&file).map_err(|error| named(&self.path, path, error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            let place = place(&self.path, path);
            return Err(io::Error::other(format!("{place} is no regular file")));
        }
        Ok((file.into(), u64::try_from(stat.st_size).unwrap_or(0)))
    }

    fn open_beneath(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        for _ in 1..ATTEMPTS {
            match rustix::fs::openat2(&self.fd, path, FILE, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                result => return result,
            }
        }
        rustix::fs::openat2(&self.fd, path, FILE, Mode::empty(), resolve)
    }

    /// Opens one component after the other, none of which may be a symlink.
    fn walk(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        let mut held: Option<OwnedFd> = None;
        let mut components = path.split(|byte| *byte == b'/').peekable();
        while let Some(component) = components.next() {
            if matches!(component, b"" | b"." | b"..") {
                return Err(Errno::INVAL);
            }
            let at: BorrowedFd<'_> = held.as_ref().map_or(self.fd.as_fd(), AsFd::as_fd);
            let flags = if components.peek().is_some() { DIRECTORY } else { FILE };
            held = Some(rustix::fs::openat(at, component, flags, Mode::empty())?);
        }
        held.ok_or(Errno::INVAL)
    }
}

fn place(directory: &Path, path: &[u8]) -> String {
    format!("{}/{}", directory.display(), jettison_oci::escape::path(path))
}

fn named(directory: &Path, path: &[u8], error: Errno) -> io::Error {
    let error = io::Error::from(error);
    io::Error::new(error.kind(), format!("{}: {error}", place(directory, path)))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn symlinks_lead_nowhere() {
        let outside = tempfile::tempdir().unwrap();
        fs_err::write(outside.path().join("secret"), "host").unwrap();
        let root = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(root.path().join("a/b")).unwrap();
        fs_err::write(root.path().join("a/b/file"), "image").unwrap();
        symlink(outside.path(), root.path().join("out")).unwrap();
        symlink(outside.path().join("secret"), root.path().join("a/secret")).unwrap();
        symlink("b", root.path().join("a/inside")).unwrap();
        let directory = Directory::open(root.path()).unwrap();

        let (mut file, size) = directory.open_file(b"a/b/file").unwrap();
        let mut content = String::new();
        file.read_to_string(&mut content).unwrap();
        assert_eq!((content.as_str(), size), ("image", 5));
        assert!(directory.walk(b"a/b/file").is_ok());
        for bad in ["out/secret", "a/secret", "a/inside/file", "../secret", "/etc/passwd", "none"] {
            assert!(directory.open_file(bad.as_bytes()).is_err(), "{bad}");
            assert!(directory.walk(bad.as_bytes()).is_err(), "{bad}");
        }
        let error = directory.open_file(b"a/b").unwrap_err().to_string();
        assert!(error.ends_with("a/b is no regular file"), "{error}");
    }
}
