//! The command, run as its users run it, with a home and a cache of its own and
//! nothing of this machine's surroundings.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

/// The built binary.
pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_jettison"))
}

/// A user of the command: a directory to work in, a home and a cache.
pub(crate) struct User {
    home: tempfile::TempDir,
}

impl User {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs_err::create_dir(home.path().join("work")).unwrap();
        Self { home }
    }

    /// The working directory of every run.
    pub(crate) fn work(&self) -> PathBuf {
        self.home.path().join("work")
    }

    /// A path in the working directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.work().join(name)
    }

    /// Where the layer indexes are kept.
    pub(crate) fn cache(&self) -> PathBuf {
        self.home.path().join("cache/jettison/layers/v13")
    }

    /// A run that has not started. No engine, containerd or auth file of this machine is seen.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = self.program(binary());
        command.args(arguments);
        command
    }

    /// Another program of this user's, which may start the command.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let home = self.home.path();
        let nowhere = home.join("no-such.sock");
        let nowhere_url = format!("unix://{}", nowhere.display());
        let mut command = Command::new(program);
        command
            .current_dir(self.work())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("DOCKER_HOST", &nowhere_url)
            .env("CONTAINER_HOST", &nowhere_url)
            .env("CONTAINERD_ADDRESS", &nowhere)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs to the end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Run {
        Run::of(&mut self.command(arguments))
    }

    /// Runs to the end, with `input` through a pipe as standard input. A run may end before it
    /// has read all.
    pub(crate) fn run_with_input<S: AsRef<OsStr>>(&self, arguments: &[S], input: &[u8]) -> Run {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
        let run = Run::wait(child);
        writer.join().unwrap();
        run
    }

    /// The account of an image as JSON.
    pub(crate) fn analyze(&self, image: &str) -> Value {
        self.analyze_with(image, &[])
    }

    /// The account of an image as JSON, with more arguments.
    pub(crate) fn analyze_with(&self, image: &str, more: &[&str]) -> Value {
        self.run(&[&["analyze", image, "--format", "json"], more].concat()).json()
    }
}

/// A run that ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::wait(command.spawn().unwrap())
    }

    pub(crate) fn wait(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).expect("messages are text");
        Self { status: output.status, stdout: output.stdout, stderr }
    }

    /// The exit code; a run that a signal ended has none, and fails the test.
    pub(crate) fn code(&self) -> i32 {
        assert_eq!(self.status.signal(), None, "ended by a signal\n{}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self.status.code().unwrap()
    }

    /// What a run that succeeded printed.
    pub(crate) fn bytes(self) -> Vec<u8> {
        assert_eq!(self.code(), 0, "{}", self.stderr);
        self.stdout
    }

    /// What a run that succeeded printed, as text.
    pub(crate) fn text(self) -> String {
        String::from_utf8(self.bytes()).expect("reports are text")
    }

    /// What a run that succeeded printed, as JSON.
    pub(crate) fn json(self) -> Value {
        serde_json::from_slice(&self.bytes()).unwrap()
    }

    /// The message of a run that failed as it should: this exit code, nothing on standard output,
    /// one error that has all of `words`, and no control character.
    pub(crate) fn fails(self, code: i32, words: &[&str]) -> String {
        assert_eq!(self.code(), code, "{}", self.stderr);
        assert_eq!(String::from_utf8_lossy(&self.stdout), "", "{}", self.stderr);
        let message = self.stderr;
        let error =
            |line: &&str| line.starts_with("jettison: error: ") || line.starts_with("error: ");
        assert_eq!(message.lines().filter(error).count(), 1, "one error:\n{message}");
        assert!(message.ends_with('\n'), "{message}");
        assert!(!message.chars().any(|c| c.is_control() && c != '\n'), "{message:?}");
        for word in words {
            assert!(message.contains(word), "{word:?} is not in:\n{message}");
        }
        message
    }
}

/// What is the same for every form of an image: its account without where it was read from and
/// without what only sources with blobs know.
pub(crate) fn account(mut document: Value) -> Value {
    for key in ["reference", "transport", "manifestDigest"] {
        assert!(document["image"].as_object_mut().unwrap().remove(key).is_some());
    }
    assert!(document["size"].as_object_mut().unwrap().remove("compressed").is_some());
    for layer in document["layers"].as_array_mut().unwrap() {
        for key in ["digest", "mediaType", "compressedSize"] {
            assert!(layer.as_object_mut().unwrap().remove(key).is_some());
        }
    }
    for suggestion in document["suggestions"].as_array_mut().into_iter().flatten() {
        assert!(suggestion.as_object_mut().unwrap().remove("pullBytes").is_some());
    }
    document
}

/// The names in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let Ok(listing) = fs_err::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> =
        listing.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The entries of a cache: nothing else may be in it.
pub(crate) fn entries(cache: &Path) -> Vec<String> {
    let names = names(cache);
    for name in &names {
        assert_eq!(Path::new(name).extension(), Some(OsStr::new("layer")), "{names:?}");
    }
    names
}
