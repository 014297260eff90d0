//! A private podman with its Docker-compatible service.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::containers_storage::Store;
use crate::image::{Image, ImageFiles, Wrap};
use crate::process::{Daemon, run};
use crate::require::{self, Part};

/// `podman system service` over a store of its own.
#[derive(Debug)]
pub struct Service {
    daemon: Daemon,
    store: Store,
}

impl Service {
    /// Starts one.
    pub fn start() -> anyhow::Result<Self> {
        let store = Store::new()?;
        require::program("runc", "runc")?;
        require::program("conmon", "conmon")?;
        let socket = store.room().join("sock");
        let mut command = store.podman_command()?;
        command
            .args(["system", "service", "--time", "0"])
            .arg(format!("unix://{}", socket.display()));
        let daemon =
            Daemon::start(&command, store.room(), || UnixStream::connect(&socket).is_ok())?;
        Ok(Self { daemon, store })
    }

    /// Starts one, or gives `None` where the tests are asked to do without.
    pub fn for_test() -> Option<Self> {
        require::unless_skipped(Part::Podman, Self::start)
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.store.room().join("sock")
    }

    /// Its socket as `DOCKER_HOST` names it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The store, for skopeo and buildah.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What the service has written so far.
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// Runs podman on the same store; gives standard output.
    pub fn podman(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.store.podman(arguments)
    }

    /// Loads an archive.
    pub fn load(&self, archive: &Path) -> anyhow::Result<String> {
        run(self.store.podman_command()?.args(["load", "--quiet", "--input"]).arg(archive))
    }

    /// Loads an image made in code.
    pub fn load_image(&self, image: &Image) -> anyhow::Result<String> {
        let archive = tempfile::NamedTempFile::new_in(self.store.room().path())?;
        let files = ImageFiles::docker_archive_legacy(std::slice::from_ref(image), false);
        files.write_archive(archive.path(), Wrap::None)?;
        self.load(archive.path())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.podman(&["rm", "--all", "--force", "--time", "0"]);
        self.daemon.stop();
    }
}
