//! What the processes of a running container have executed and mapped already.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// Files that running processes have in memory, as paths of their container.
#[derive(Debug, Default)]
pub(crate) struct Mapped {
    pub(crate) executed: BTreeSet<Vec<u8>>,
    pub(crate) opened: BTreeSet<Vec<u8>>,
}

/// Looks at every process that has the same mount namespace as `pid`. Processes that end meanwhile
/// are left out.
pub(crate) fn mapped_with(pid: i64) -> Mapped {
    let mut mapped = Mapped::default();
    let namespace = |process: &Path| fs_err::read_link(process.join("ns/mnt")).ok();
    let Some(own) = namespace(Path::new(&format!("/proc/{pid}"))) else { return mapped };
    let Ok(processes) = fs_err::read_dir("/proc") else { return mapped };
    let processes = processes
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(is_number))
        .filter(|path| namespace(path).as_ref() == Some(&own));
    for process in processes {
        if let Ok(program) = fs_err::read_link(process.join("exe")) {
            mapped.executed.insert(bytes(program));
        }
        if let Ok(maps) = fs_err::read(process.join("maps")) {
            mapped.opened.extend(maps.split(|b| *b == b'\n').filter_map(path_of));
        }
    }
    mapped
}

fn bytes(path: PathBuf) -> Vec<u8> {
    path.into_os_string().into_vec()
}

fn is_number(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}

/// The file of one line of `maps`, `proc_pid_maps(5)`: address, permissions, offset, device, inode,
/// then, after spaces, the path to the end of the line.
fn path_of(line: &[u8]) -> Option<Vec<u8>> {
    let start = line.iter().position(|b| *b == b'/')?;
    Some(line[start..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_name_their_files() {
        let line = b"7f0 r-xp 00000000 00:35 1234    /usr/lib/a b.so";
        assert_eq!(path_of(line).as_deref(), Some(&b"/usr/lib/a b.so"[..]));
        assert_eq!(path_of(b"7ff rw-p 00000000 00:00 0    [stack]"), None);
        assert_eq!(path_of(b""), None);
    }
}
