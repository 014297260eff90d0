//! A containerd of the test's own: private root, state, socket and configuration.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use jettison_analyzer::source::{Image, OpenOptions, containerd};
use tempfile::TempDir;

use crate::archive::Archive;

/// A running containerd; stopped when it goes out of scope.
pub(crate) struct Daemon {
    child: Child,
    folder: TempDir,
}

impl Daemon {
    /// Starts one. `None` where the environment asks to skip such tests; panics where this
    /// machine cannot run them and nobody asked.
    pub(crate) fn start() -> Option<Self> {
        let skipped = std::env::var("JETTISON_TEST_SKIP").unwrap_or_default();
        if skipped.split([',', ' ']).any(|word| word == "containerd") {
            println!("skipped, because JETTISON_TEST_SKIP names containerd");
            return None;
        }
        can_run();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let config = format!(
            "version = 2\nroot = \"{0}/root\"\nstate = \"{0}/state\"\n\
             disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
             [grpc]\naddress = \"{0}/containerd.sock\"\n[ttrpc]\naddress = \"{0}/ttrpc.sock\"\n",
            folder.path().display(),
        );
        fs_err::write(at("config.toml"), config).unwrap();
        let log = fs_err::File::create(at("log")).unwrap().into_file();
        let child = Command::new("containerd")
            .arg("--config")
            .arg(at("config.toml"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let daemon = Self { child, folder };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !daemon.ctr("default").arg("version").output().unwrap().status.success() {
            assert!(
                Instant::now() < deadline,
                "containerd does not start:\n{}",
                fs_err::read_to_string(daemon.folder.path().join("log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(daemon)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("containerd.sock")
    }

    fn ctr(&self, namespace: &str) -> Command {
        let mut command = Command::new("ctr");
        command.arg("-a").arg(self.socket()).args(["-n", namespace]);
        command
    }

    /// Runs `ctr` in `namespace`.
    pub(crate) fn run(&self, namespace: &str, arguments: &[&str]) {
        let output = self.ctr(namespace).args(arguments).output().unwrap();
        assert!(output.status.success(), "ctr {arguments:?}: {output:?}");
    }

    /// Imports the images of `archive`, without unpacking them.
    pub(crate) fn import(&self, namespace: &str, archive: &Archive) {
        let path = self.folder.path().join("import.tar");
        archive.write(&path);
        self.run(namespace, &["images", "import", "--no-unpack", path.to_str().unwrap()]);
    }

    pub(crate) fn options(&self) -> OpenOptions {
        OpenOptions { containerd_address: Some(self.socket()), ..OpenOptions::default() }
    }

    pub(crate) fn open(&self, text: &str) -> jettison_analyzer::Result<Image> {
        containerd::open(text, &self.options())
    }

    pub(crate) fn error(&self, text: &str) -> String {
        self.open(text).unwrap_err().to_string()
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        containerd::has(text, &self.options()).unwrap()
    }

    /// Ends the daemon as a crash would: its socket stays behind.
    pub(crate) fn crash(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn can_run() {
    for program in ["containerd", "ctr"] {
        assert!(
            Command::new(program).arg("--version").output().is_ok_and(|out| out.status.success()),
            "{program} does not run: apt-get install --no-install-recommends containerd \
             (or set JETTISON_TEST_SKIP=containerd)"
        );
    }
    let id = Command::new("id").arg("-u").output().unwrap().stdout;
    assert_eq!(
        String::from_utf8_lossy(&id).trim(),
        "0",
        "containerd needs root: run the tests as root, after apt-get install \
         --no-install-recommends containerd (or set JETTISON_TEST_SKIP=containerd)"
    );
}
