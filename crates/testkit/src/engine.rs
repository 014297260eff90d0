//! A private dockerd.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::image::{Image, ImageFiles, Wrap};
use crate::process::{Daemon, Room, free_port, run};
use crate::require::{self, Part};

/// dockerd with a store, a state and a socket of its own, and its own containerd. No bridge, no
/// packet filter rules: containers have no network, or the host's.
#[derive(Debug)]
pub struct Dockerd {
    daemon: Daemon,
    tcp: Option<SocketAddr>,
    data_root: PathBuf,
    room: Room,
}

impl Dockerd {
    /// Starts one that listens on its socket.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_on(None, None)
    }

    /// Starts one that listens on a port of 127.0.0.1 too.
    pub fn start_with_tcp() -> anyhow::Result<Self> {
        Self::start_on(Some((Ipv4Addr::LOCALHOST, free_port()?).into()), None)
    }

    /// Starts one whose images are in `data_root`, and stay there when it ends.
    pub fn start_with_data(data_root: &Path) -> anyhow::Result<Self> {
        fs_err::create_dir_all(data_root)?;
        Self::start_on(None, Some(data_root.canonicalize()?))
    }

    /// Starts one, or gives `None` where the tests are asked to do without.
    pub fn for_test() -> Option<Self> {
        require::unless_skipped(Part::Docker, Self::start)
    }

    fn start_on(tcp: Option<SocketAddr>, data_root: Option<PathBuf>) -> anyhow::Result<Self> {
        require::root()?;
        let dockerd = require::program("dockerd", "docker.io")?;
        require::program("containerd", "containerd")?;
        require::program("runc", "runc")?;
        require::program("docker", "docker.io")?;
        let room = Room::new()?;
        room.directory("client")?;
        let data_root = data_root.unwrap_or_else(|| room.join("data"));
        fs_err::write(room.join("daemon.json"), "{}")?;
        let mut command = Command::new(dockerd);
        command
            .arg("--config-file")
            .arg(room.join("daemon.json"))
            .arg("--data-root")
            .arg(&data_root)
            .arg("--exec-root")
            .arg(room.join("exec"))
            .arg("--pidfile")
            .arg(room.join("pid"))
            .arg("--host")
            .arg(format!("unix://{}", room.join("sock").display()))
            .args(["--storage-driver", "overlay2", "--bridge", "none"])
            .args(["--iptables=false", "--ip6tables=false", "--ip-forward=false"]);
        if let Some(address) = tcp {
            // Said outright, else dockerd waits before it serves without TLS.
            command.args(["--tls=false", "--host", &format!("tcp://{address}")]);
        }
        let mut ready = client(&room);
        ready.args(["version", "--format", "{{.Server.Version}}"]);
        let daemon = Daemon::start(&command, &room, || run(&mut ready).is_ok())?;
        Ok(Self { daemon, tcp, data_root, room })
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.room.join("sock")
    }

    /// Its socket as `DOCKER_HOST` names it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Its port, where it has one.
    pub fn tcp(&self) -> Option<SocketAddr> {
        self.tcp
    }

    /// Where it keeps images: Docker's "data root".
    pub fn data_root(&self) -> PathBuf {
        self.data_root.clone()
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.daemon.id()
    }

    /// The docker client, set up to talk to this daemon.
    pub fn command(&self) -> Command {
        client(&self.room)
    }

    /// Runs the docker client against it; gives standard output.
    pub fn docker(&self, arguments: &[&str]) -> anyhow::Result<String> {
        run(self.command().args(arguments))
    }

    /// Builds the Dockerfile in `directory` with the classic builder, without a network.
    pub fn build(&self, directory: &Path, tag: &str) -> anyhow::Result<String> {
        let mut command = self.command();
        command.args(["build", "--network", "none", "--tag", tag]).arg(directory);
        run(&mut command)
    }

    /// Loads an archive.
    pub fn load(&self, archive: &Path) -> anyhow::Result<String> {
        run(self.command().args(["load", "--quiet", "--input"]).arg(archive))
    }

    /// Loads an image made in code.
    pub fn load_image(&self, image: &Image) -> anyhow::Result<String> {
        let archive = tempfile::NamedTempFile::new_in(self.room.path())?;
        let files = ImageFiles::docker_archive_legacy(std::slice::from_ref(image), false);
        files.write_archive(archive.path(), Wrap::None)?;
        self.load(archive.path())
    }
}

fn client(room: &Room) -> Command {
    let mut command = Command::new("docker");
    command
        .env("DOCKER_HOST", format!("unix://{}", room.join("sock").display()))
        .env("DOCKER_CONFIG", room.join("client"))
        .env("DOCKER_BUILDKIT", "0")
        .env_remove("DOCKER_CONTEXT")
        .env_remove("DOCKER_TLS_VERIFY");
    command
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        // dockerd would give each container ten seconds.
        if let Ok(running) = self.docker(&["ps", "--quiet"]) {
            let running: Vec<&str> = running.split_whitespace().collect();
            if !running.is_empty() {
                let _ = self.docker(&[&["kill"], running.as_slice()].concat());
            }
        }
        self.daemon.stop();
    }
}
