//! What was seen, as plain values.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// The files of its image that a container used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The image's ID, as the engine gives it.
    pub image: String,
    /// Paths from the container's root, without symlinks, that were executed: programs, scripts,
    /// their interpreters and loaders.
    pub executed: BTreeSet<Vec<u8>>,
    /// Paths that were opened, those that were executed among them.
    pub opened: BTreeSet<Vec<u8>>,
    /// How many times a file was opened that is not of the image: made, or written to first, while
    /// the container ran.
    pub others: u64,
    /// Whether the container was watched from its start.
    pub from_start: bool,
    /// Whether no event was lost. What is not in an incomplete recording may have been used.
    pub complete: bool,
    /// What the container's command ended with; `None` where it had not ended.
    pub exit_code: Option<i64>,
}

/// The path in the container that the kernel names `path`. Processes that live in the container see
/// its root as theirs; those that prepare it see it at `merged`.
pub(crate) fn container_path<'a>(path: &'a Path, merged: &Path) -> &'a [u8] {
    let path = path.as_os_str().as_bytes();
    match path.strip_prefix(merged.as_os_str().as_bytes()) {
        Some([]) => b"/",
        Some(rest) if rest.first() == Some(&b'/') => rest,
        _ => path,
    }
}

/// The path without what the kernel adds to the name of a file that is gone.
pub(crate) fn without_deleted(path: &[u8]) -> Option<&[u8]> {
    path.strip_suffix(b" (deleted)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_the_containers_own() {
        let merged = Path::new("/var/lib/x/merged");
        let of = |path: &'static str| container_path(Path::new(path), merged);
        assert_eq!(of("/usr/bin/env"), b"/usr/bin/env");
        assert_eq!(of("/var/lib/x/merged/etc/passwd"), b"/etc/passwd");
        assert_eq!(of("/var/lib/x/merged"), b"/");
        assert_eq!(of("/var/lib/x/merged2/a"), b"/var/lib/x/merged2/a");
    }
}
