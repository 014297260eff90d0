//! The history on disk: one file that is whole or not there, whatever happens while it is written.

use fs_err::os::unix::fs::OpenOptionsExt as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use fs_err as fs;
use jettison_oci::Digest;
use rustix::fs::FlockOperation;
use serde::Deserialize;

use super::History;
use crate::error::{Error, Result};

/// The version of the form. A later one may be read by later programs only.
const SCHEMA_VERSION: u32 = 1;
/// The longest file that is read, in bytes: 100,000 images.
const FILE_MAX: u64 = 64 << 20;

/// How often the lock is tried, and how long between: a look takes less than a second.
const LOCK_TRIES: usize = 20;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// The directory that a node's history is kept in.
#[derive(Clone, Debug)]
pub struct StateDir {
    directory: PathBuf,
    /// Which runtime's history it is: each has its own file.
    runtime: &'static str,
}

/// Keeps other instances away while it lives.
#[derive(Debug)]
pub struct Lock {
    _file: fs::File,
}

/// What was found on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// A history.
    Continued(Box<History>),
    /// None: this is the first run.
    None,
    /// One that is of no use, and why; it is kept beside under another name.
    Unusable(String),
}

/// The first line of the file: what the second is.
#[derive(Debug, serde::Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    schema_version: u32,
    /// Of the second line: a flipped bit may well be valid JSON.
    digest: String,
}

/// What every version's first line has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    schema_version: u32,
}

impl StateDir {
    /// The directory, made where it is missing.
    pub fn open(directory: &Path, runtime: &'static str) -> Result<Self> {
        fs::create_dir_all(directory).map_err(|error| unwritable(&error))?;
        Ok(Self { directory: directory.to_owned(), runtime })
    }

    /// The directory, only to be read; `None` where there is none.
    pub fn existing(directory: &Path, runtime: &'static str) -> Option<Self> {
        directory.is_dir().then(|| Self { directory: directory.to_owned(), runtime })
    }

    /// Takes the lock; fails where another instance has it.
    pub fn lock(&self) -> Result<Lock> {
        let path = self.directory.join(format!("{}.lock", self.runtime));
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options.open(&path).map_err(|error| unwritable(&error))?;
        for _ in 0..LOCK_TRIES {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(LOCK_PAUSE),
                Err(error) => {
                    return Err(Error::Unreadable(format!("{}: {error}", path.display())));
                }
            }
        }
        Err(Error::Refused(format!(
            "another jettison prunes this node ({} is locked): wait for it, or stop it",
            path.display()
        )))
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.directory.join(format!("{}.history.json", self.runtime))
    }

    /// Whether a jettison has worked here before: it leaves its lock file.
    pub fn is_known(&self) -> bool {
        self.directory.join(format!("{}.lock", self.runtime)).exists()
    }

    /// Reads the history of this node, which was started as `boot`, and of its runtime. Fails where
    /// a later jettison wrote it: that one's knowledge must not be thrown away.
    pub fn load(&self, node: &str, boot: Option<&str>, endpoint: &str) -> Result<Loaded> {
        let path = self.path();
        let mut bytes = Vec::new();
        match fs::File::open(&path) {
            Ok(file) => {
                let read = file.take(FILE_MAX + 1).read_to_end(&mut bytes);
                read.map_err(|error| Error::Unreadable(error.to_string()))?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Loaded::None),
            Err(error) => return Err(Error::Unreadable(error.to_string())),
        }
        match parse(&bytes) {
            Ok(history) if !history.is_of(node, boot) => Ok(Loaded::Unusable(format!(
                "it is of another machine, {:?}, and this is {node:?}: a disk was copied, or the \
                 machine renamed",
                history.nodes
            ))),
            // A socket has more than one path: in a pod another one than on the node.
            Ok(history)
                if history.endpoint != endpoint
                    && [&history.endpoint, endpoint]
                        .iter()
                        .any(|one| !one.starts_with("unix:")) =>
            {
                Ok(Loaded::Unusable(format!(
                    "it is of the runtime at {}, and this is {endpoint}",
                    history.endpoint
                )))
            }
            Ok(history) => Ok(Loaded::Continued(Box::new(history))),
            Err(Fault::Later(version)) => Err(Error::Refused(format!(
                "{}: a later jettison wrote it (version {version}, this one reads up to \
                 {SCHEMA_VERSION}): run that one, or move the file away to begin again",
                path.display()
            ))),
            Err(Fault::Corrupt(because)) => Ok(Loaded::Unusable(because)),
        }
    }

    /// Puts a file that is of no use aside, under a name that says so. Gives that name.
    pub fn set_aside(&self) -> Result<PathBuf> {
        let aside = self.path().with_extension("json.unusable");
        fs::rename(self.path(), &aside).map_err(|error| unwritable(&error))?;
        Ok(aside)
    }

    /// Writes the history: beside its place, to the disk, then in one step into its place.
    pub fn save(&self, history: &History) -> Result<()> {
        self.write(&render(history)).map_err(|error| unwritable(&error))
    }

    fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        let (path, part) = (self.path(), self.path().with_extension("json.part"));
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(true).write(true).mode(0o600);
        let mut file = options.open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&part, &path)?;
        // The name is on the disk only when its directory is.
        fs::File::open(&self.directory)?.sync_all()
    }
}

fn unwritable(error: &std::io::Error) -> Error {
    Error::Unreadable(format!(
        "the history cannot be kept: {error}. Run as root, or name a directory with --state-dir"
    ))
}

enum Fault {
    Later(u32),
    Corrupt(String),
}

fn render(history: &History) -> Vec<u8> {
    // Nothing in it can fail to be serialized: maps have texts for keys.
    let body = serde_json::to_vec(history).unwrap_or_default();
    let header =
        Header { schema_version: SCHEMA_VERSION, digest: Digest::sha256(&body).to_string() };
    let mut bytes = serde_json::to_vec(&header).unwrap_or_default();
    bytes.push(b'\n');
    bytes.extend_from_slice(&body);
    bytes.push(b'\n');
    bytes
}

fn parse(bytes: &[u8]) -> std::result::Result<History, Fault> {
    let corrupt = |because: &str| Fault::Corrupt(because.to_owned());
    if bytes.len() as u64 > FILE_MAX {
        return Err(corrupt("it is longer than any history"));
    }
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let header = lines.next().unwrap_or_default();
    let Version { schema_version } = serde_json::from_slice(header)
        .map_err(|_| corrupt("its first line is not that of a history"))?;
    if schema_version > SCHEMA_VERSION {
        return Err(Fault::Later(schema_version));
    }
    let header: Header = serde_json::from_slice(header)
        .map_err(|_| corrupt("its first line is not that of a history"))?;
    let body = lines.next().and_then(|body| body.strip_suffix(b"\n"));
    let body = body.ok_or_else(|| corrupt("it ends too early"))?;
    if Digest::sha256(body).to_string() != header.digest {
        return Err(corrupt("its content is not what was written"));
    }
    serde_json::from_slice(body).map_err(|error| Fault::Corrupt(error.to_string()))
}

/// Reads the bytes of a history file, for fuzzing.
#[doc(hidden)]
pub fn parse_any(bytes: &[u8]) -> Option<History> {
    parse(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::moment::Moment;

    fn history() -> History {
        let wall = "2026-11-28T12:00:00Z".parse().unwrap();
        let now = Moment { wall, boot: Some("b".to_owned()), uptime: Duration::from_secs(5) };
        History::begin("node", "unix:///sock", &now)
    }

    fn room() -> (tempfile::TempDir, StateDir) {
        let room = tempfile::tempdir().unwrap();
        let state = StateDir::open(&room.path().join("deep/er"), "docker").unwrap();
        (room, state)
    }

    #[test]
    fn what_is_written_is_read() {
        let (_room, state) = room();
        assert_eq!(state.load("node", None, "unix:///sock").unwrap(), Loaded::None);
        state.save(&history()).unwrap();
        for (node, boot, endpoint, word) in [
            ("node", None, "unix:///sock", ""),
            // Another name, and up ever since.
            ("other", Some("b"), "unix:///sock", ""),
            ("node", Some("c"), "unix:///elsewhere/sock", ""),
            ("other", None, "unix:///sock", "another machine"),
            ("other", Some("c"), "unix:///sock", "another machine"),
            ("node", Some("b"), "tcp://other:2375", "runtime at"),
        ] {
            match state.load(node, boot, endpoint).unwrap() {
                Loaded::Continued(loaded) => assert_eq!((*loaded, word), (history(), "")),
                Loaded::Unusable(because) => {
                    assert!(!word.is_empty() && because.contains(word), "{because}");
                }
                Loaded::None => panic!("it is there"),
            }
        }
    }

    #[test]
    fn no_damage_is_believed() {
        let (_room, state) = room();
        let bytes = render(&history());
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 4;
            fs::write(state.path(), &flipped).unwrap();
            let loaded = state.load("node", None, "unix:///sock");
            // A later version is refused, all else is of no use.
            let is_told = matches!(loaded, Ok(Loaded::Unusable(_)) | Err(Error::Refused(_)));
            assert!(is_told, "byte {at}: {loaded:?}");
            fs::write(state.path(), &bytes[..at]).unwrap();
            let loaded = state.load("node", None, "unix:///sock");
            assert!(matches!(loaded, Ok(Loaded::Unusable(_))), "cut at {at}: {loaded:?}");
        }
        let aside = state.set_aside().unwrap();
        assert!(aside.exists() && !state.path().exists());
    }

    #[test]
    fn a_later_version_is_left_alone() {
        let (_room, state) = room();
        fs::write(state.path(), "{\"schemaVersion\": 2, \"sum\": 1}\nelse\n").unwrap();
        let error = state.load("node", None, "x").unwrap_err();
        assert!(error.is_refusal() && error.to_string().contains("a later jettison"), "{error}");
    }

    #[test]
    fn one_instance_has_the_lock() {
        let (_room, state) = room();
        assert!(!state.is_known());
        let lock = state.lock().unwrap();
        assert!(state.is_known());
        assert!(state.lock().unwrap_err().is_refusal());
        drop(lock);
        state.lock().unwrap();
    }
}
