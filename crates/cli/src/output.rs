//! Files that results are written to. Each is opened before the work starts, so that a bad path
//! fails at once, and appears under its name only when it is whole.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::NamedTempFile;

use crate::args::Format;
use crate::exit::UsageError;
use crate::interrupt;

/// One `--output FORMAT=FILE`.
pub(crate) struct Output {
    pub(crate) format: Format,
    path: PathBuf,
    file: Destination,
}

enum Destination {
    /// Written beside its place, then renamed into it.
    Replaced(NamedTempFile),
    /// A device or pipe, which cannot be replaced.
    Written(fs_err::File),
}

/// Opens every output.
pub(crate) fn open(outputs: &[(Format, PathBuf)]) -> anyhow::Result<Vec<Output>> {
    outputs.iter().map(|(format, path)| Output::open(*format, path)).collect()
}

/// Why no file can be made in `directory`.
fn reason(kind: std::io::ErrorKind, directory: &Path) -> String {
    format!("no file can be made in {}: {kind}", directory.display())
}

impl Output {
    fn open(format: Format, path: &Path) -> anyhow::Result<Self> {
        let usage = |error: std::io::Error| {
            anyhow::Error::new(UsageError(format!("--output {}: {error}", path.display())))
        };
        let special = fs_err::metadata(path).is_ok_and(|found| !found.is_file());
        let file = if special {
            let file = fs_err::OpenOptions::new().write(true).open(path).map_err(usage)?;
            Destination::Written(file)
        } else {
            let directory = match path.parent() {
                Some(parent) if parent != Path::new("") => parent,
                _ => Path::new("."),
            };
            let mut builder = tempfile::Builder::new();
            builder.prefix(".jettison-");
            // Reports are as public as the umask lets any other file be.
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            // The error names the place that was asked for, not the temporary file.
            let temporary = builder.tempfile_in(directory).map_err(|error| {
                usage(std::io::Error::new(error.kind(), reason(error.kind(), directory)))
            })?;
            interrupt::forget_on_interrupt(temporary.path().to_owned());
            Destination::Replaced(temporary)
        };
        Ok(Self { format, path: path.to_owned(), file })
    }

    /// Writes the whole result and puts it in place.
    pub(crate) fn write(self, bytes: &[u8]) -> anyhow::Result<()> {
        let name = || format!("cannot write {}", self.path.display());
        match self.file {
            Destination::Written(mut file) => file.write_all(bytes).with_context(name),
            Destination::Replaced(mut file) => {
                file.write_all(bytes)
                    .and_then(|()| file.as_file().sync_all())
                    .with_context(name)?;
                file.persist(&self.path).map_err(|error| error.error).with_context(name)?;
                Ok(())
            }
        }
    }
}
