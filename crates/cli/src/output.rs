//! Files that results are written to. Each is opened before the work starts, so that a bad path
//! fails at once, and appears under its name only when it is whole.

use std::fs::Permissions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use tempfile::NamedTempFile;

use crate::args::Format;
use crate::exit::UsageError;
use crate::interrupt;

/// One `--output FORMAT=FILE`.
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) file: OutputFile,
}

/// A file that something is written to.
pub(crate) struct OutputFile {
    path: PathBuf,
    file: Destination,
}

enum Destination {
    /// Written beside its place, then renamed into it.
    Replaced(NamedTempFile, PathBuf),
    /// A device or pipe, which cannot be replaced.
    Written(fs_err::File),
}

/// Opens every output.
pub(crate) fn open(outputs: &[(Format, PathBuf)]) -> anyhow::Result<Vec<Output>> {
    let open = |(format, path): &(Format, PathBuf)| {
        Ok(Output { format: *format, file: OutputFile::open("--output", path)? })
    };
    outputs.iter().map(open).collect()
}

/// The file that `path` means: symlinks lead on, also to what does not exist yet. `None` for what
/// is behind a descriptor, which is open already and not ours to replace.
fn settle(path: &Path) -> std::io::Result<Option<PathBuf>> {
    let mut target = path.to_owned();
    for _ in 0..SYMLINKS_MAX {
        if ["/proc", "/dev/fd"].iter().any(|above| target.starts_with(above)) {
            return Ok(None);
        }
        match std::fs::read_link(&target) {
            Ok(link) => target = target.parent().unwrap_or(Path::new("")).join(link),
            Err(_) => return Ok(Some(target)),
        }
    }
    Err(std::io::Error::other("too many symlinks"))
}

/// As many symlinks as Linux follows.
const SYMLINKS_MAX: usize = 40;

impl OutputFile {
    /// Opens the file that was named after `flag`.
    pub(crate) fn open(flag: &str, path: &Path) -> anyhow::Result<Self> {
        let failed = |error: &dyn std::fmt::Display| -> anyhow::Error {
            UsageError(format!("{flag} {}: {error}", path.display())).into()
        };
        let target = settle(path).map_err(|error| failed(&error))?;
        let found = fs_err::metadata(path).ok();
        let is_special = found.as_ref().is_some_and(|found| !found.is_file());
        let file = if let Some(target) = target.filter(|_| !is_special) {
            let directory = match target.parent() {
                Some(parent) if parent != Path::new("") => parent,
                _ => Path::new("."),
            };
            let mut builder = tempfile::Builder::new();
            builder.prefix(".jettison-");
            // Reports are as public as the umask lets any other file be.
            builder.permissions(Permissions::from_mode(0o666));
            let made = interrupt::temporary(|| builder.tempfile_in(directory));
            // The error names the place that was asked for, not the temporary file.
            let temporary = made.map_err(|error| {
                let kind = error.kind();
                let told =
                    failed(&format!("no file can be made in {}: {kind}", directory.display()));
                match kind {
                    ErrorKind::StorageFull | ErrorKind::QuotaExceeded => anyhow!("{told}"),
                    _ => told,
                }
            })?;
            if let Some(found) = found {
                // A file that is replaced stays as public as it was.
                let kept = Permissions::from_mode(found.permissions().mode() & 0o7777);
                temporary.as_file().set_permissions(kept).map_err(|error| failed(&error))?;
            }
            Destination::Replaced(temporary, target)
        } else {
            let file = fs_err::OpenOptions::new().append(true).open(path);
            Destination::Written(file.map_err(|error| failed(&error))?)
        };
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes the whole result and puts it in place.
    pub(crate) fn write(self, bytes: &[u8]) -> anyhow::Result<()> {
        let name = || format!("cannot write {}", self.path.display());
        match self.file {
            Destination::Written(mut file) => file.write_all(bytes).with_context(name),
            Destination::Replaced(mut file, target) => {
                file.write_all(bytes)
                    .and_then(|()| file.as_file().sync_all())
                    .with_context(name)?;
                file.persist(target).map_err(|error| error.error).with_context(name)?;
                Ok(())
            }
        }
    }
}
