//! A private containers/storage store, as podman, buildah, skopeo and CRI-O share one.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{Room, run};
use crate::require;

/// A store with its own root, and the tools set up to use it and nothing of the machine's.
#[derive(Debug)]
pub struct Store {
    room: Room,
}

impl Store {
    /// An empty store.
    pub fn new() -> anyhow::Result<Self> {
        require::root()?;
        let room = Room::new()?;
        for name in ["root", "run", "tmp", "networks"] {
            room.directory(name)?;
        }
        fs_err::write(
            room.join("storage.conf"),
            format!(
                "[storage]\ndriver = \"overlay\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
                room.join("root").display(),
                room.join("run").display()
            ),
        )?;
        // Limits that any machine grants: podman's own may be above what root has here.
        // File locks: the default ones live in shared memory that every store of the machine uses.
        fs_err::write(
            room.join("containers.conf"),
            format!(
                "[engine]\nlock_type = \"file\"\ncgroup_manager = \"cgroupfs\"\n\
                 events_logger = \"file\"\nruntime = \"runc\"\ntmp_dir = \"{}\"\n\
                 [network]\nnetwork_config_dir = \"{}\"\n\
                 [containers]\nlog_driver = \"k8s-file\"\ndefault_sysctls = []\n\
                 default_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n",
                room.join("tmp").display(),
                room.join("networks").display()
            ),
        )?;
        fs_err::write(
            room.join("policy.json"),
            "{\"default\": [{\"type\": \"insecureAcceptAnything\"}]}",
        )?;
        fs_err::write(room.join("auth.json"), "{}")?;
        fs_err::write(room.join("registries.conf"), "short-name-mode = \"permissive\"\n")?;
        Ok(Self { room })
    }

    pub(crate) fn room(&self) -> &Room {
        &self.room
    }

    /// Where layers and images are kept.
    pub fn root(&self) -> PathBuf {
        self.room.join("root")
    }

    /// `name` as a `containers-storage:` reference into this store.
    pub fn reference(&self, name: &str) -> String {
        let (root, run) = (self.root(), self.room.join("run"));
        format!("containers-storage:[overlay@{}+{}]{name}", root.display(), run.display())
    }

    /// A tool of the family, set up to use this store.
    pub(crate) fn command(&self, program: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(require::program(program, program)?);
        command
            .env("CONTAINERS_STORAGE_CONF", self.room.join("storage.conf"))
            .env("CONTAINERS_CONF", self.room.join("containers.conf"))
            .env("CONTAINERS_REGISTRIES_CONF", self.room.join("registries.conf"))
            .env("REGISTRY_AUTH_FILE", self.room.join("auth.json"))
            .env_remove("DOCKER_CONFIG")
            .env_remove("CONTAINER_HOST");
        Ok(command)
    }

    /// Runs skopeo; gives standard output.
    pub fn skopeo(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = self.command("skopeo")?;
        command.arg("--policy").arg(self.room.join("policy.json"));
        run(command.args(arguments))
    }

    /// Runs buildah; gives standard output.
    pub fn buildah(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = self.command("buildah")?;
        command
            .arg("--root")
            .arg(self.root())
            .arg("--runroot")
            .arg(self.room.join("run"))
            .args(["--storage-driver", "overlay"]);
        run(command.args(arguments))
    }

    /// Runs podman without its service; gives standard output.
    pub fn podman(&self, arguments: &[&str]) -> anyhow::Result<String> {
        run(self.podman_command()?.args(arguments))
    }

    pub(crate) fn podman_command(&self) -> anyhow::Result<Command> {
        let mut command = self.command("podman")?;
        command
            .arg("--root")
            .arg(self.root())
            .arg("--runroot")
            .arg(self.room.join("run"))
            .arg("--tmpdir")
            .arg(self.room.join("tmp"))
            .args(["--storage-driver", "overlay", "--cgroup-manager", "cgroupfs"]);
        Ok(command)
    }
}
