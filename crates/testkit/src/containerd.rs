//! A private containerd, with or without its CRI plugin.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::busybox;
use crate::image::{ImageFiles, Root, Wrap};
use crate::process::{self, Room, run};
use crate::require::{self, Part};

/// The image that holds a pod's sandbox.
pub const SANDBOX_IMAGE: &str = "localhost/pause:1";

/// The namespace that the CRI plugin works in.
pub const CRI_NAMESPACE: &str = "k8s.io";

/// containerd with a root, a state and a socket of its own.
#[derive(Debug)]
pub struct Daemon {
    process: process::Daemon,
    room: Room,
}

impl Daemon {
    /// Starts one with the CRI plugin and its sandbox image.
    pub fn start() -> anyhow::Result<Self> {
        let daemon = Self::start_with(true)?;
        let pause = busybox::image(SANDBOX_IMAGE, &["/bin/sleep", "2147483647"])?;
        daemon.import(CRI_NAMESPACE, [pause])?;
        Ok(daemon)
    }

    /// Starts one without the CRI plugin.
    pub fn start_without_cri() -> anyhow::Result<Self> {
        Self::start_with(false)
    }

    /// Starts one, or gives `None` where the tests are asked to do without.
    pub fn for_test() -> Option<Self> {
        require::unless_skipped(Part::Containerd, Self::start)
    }

    fn start_with(cri: bool) -> anyhow::Result<Self> {
        require::root()?;
        let containerd = require::program("containerd", "containerd")?;
        require::program("runc", "runc")?;
        let room = Room::new()?;
        fs_err::write(room.join("config.toml"), configuration(&room, cri))?;
        let process = Self::launch(&containerd, &room)?;
        Ok(Self { process, room })
    }

    fn launch(containerd: &Path, room: &Room) -> anyhow::Result<process::Daemon> {
        let mut command = Command::new(containerd);
        command.arg("--config").arg(room.join("config.toml"));
        let mut ready = ctr(room)?;
        ready.arg("version");
        process::Daemon::start(&command, room, || run(&mut ready).is_ok())
    }

    /// Ends it; its containers live on.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Starts it again where it left off, after [`Self::stop`].
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        let containerd = require::program("containerd", "containerd")?;
        self.process = Self::launch(&containerd, &self.room)?;
        Ok(())
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.room.join("sock")
    }

    /// Its socket as the kubelet's `--container-runtime-endpoint` names it.
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Where it keeps content and snapshots.
    pub fn root(&self) -> PathBuf {
        self.room.join("root")
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Runs `ctr` against it, in the namespace that the arguments name; gives standard output.
    pub fn ctr(&self, arguments: &[&str]) -> anyhow::Result<String> {
        run(ctr(&self.room)?.args(arguments))
    }

    /// Imports an archive into `namespace`, for all platforms.
    pub fn import_archive(&self, namespace: &str, archive: &Path) -> anyhow::Result<String> {
        let mut command = ctr(&self.room)?;
        command.args(["--namespace", namespace, "images", "import", "--all-platforms"]);
        run(command.arg(archive))
    }

    /// Imports images made in code into `namespace`, under their tags.
    pub fn import<R: Into<Root>>(
        &self,
        namespace: &str,
        roots: impl IntoIterator<Item = R>,
    ) -> anyhow::Result<String> {
        let archive = tempfile::NamedTempFile::new_in(self.room.path())?;
        ImageFiles::oci_layout(roots).write_archive(archive.path(), Wrap::None)?;
        self.import_archive(namespace, archive.path())
    }

    /// Ends the containers of every namespace.
    fn kill_all(&self) -> anyhow::Result<()> {
        for namespace in self.ctr(&["namespaces", "list", "--quiet"])?.split_whitespace() {
            let tasks = self.ctr(&["--namespace", namespace, "tasks", "list", "--quiet"])?;
            for task in tasks.split_whitespace() {
                let kill = ["--namespace", namespace, "tasks", "delete", "--force", task];
                self.ctr(&kill)?;
            }
        }
        Ok(())
    }
}

fn configuration(room: &Room, cri: bool) -> String {
    let path = |name: &str| room.join(name).display().to_string();
    let (store, state, socket) = (path("root"), path("state"), path("sock"));
    let (opt, cni) = (path("opt"), path("cni"));
    let disabled = if cri { "" } else { "\"io.containerd.grpc.v1.cri\"" };
    // Here the score may not be lowered, and there is no profile to load; crun refuses hybrid
    // cgroups, so the runtime is named.
    format!(
        r#"version = 2
root = "{store}"
state = "{state}"
disabled_plugins = [{disabled}]
[grpc]
address = "{socket}"
[plugins."io.containerd.internal.v1.opt"]
path = "{opt}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{SANDBOX_IMAGE}"
restrict_oom_score_adj = true
disable_apparmor = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{cni}"
[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "runc"
snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
"#
    )
}

fn ctr(room: &Room) -> anyhow::Result<Command> {
    let mut command = Command::new(require::program("ctr", "containerd")?);
    command.arg("--address").arg(room.join("sock"));
    Ok(command)
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.kill_all();
        self.process.stop();
    }
}
