//! Programs run to their end, and daemons with a room of their own that leave nothing behind.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use fs_err as fs;
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, Signal, kill_process};

use crate::require;

/// How long a daemon may take to answer.
const START: Duration = Duration::from_mins(1);
/// How long a daemon may take to end when asked.
const STOP: Duration = Duration::from_secs(20);
/// How often to look.
const PAUSE: Duration = Duration::from_millis(50);

/// Runs a program to its end. Gives its standard output; an error shows the command line, the
/// status and all of standard error.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {}", line(command)))?;
    if !output.status.success() {
        bail!(
            "{}: {}\n{}{}",
            line(command),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let _ = write!(line, " {}", argument.to_string_lossy());
    }
    line
}

/// A port of 127.0.0.1 that nothing listens on now.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The same command, asked by the kernel to end when the test process is killed and no value is
/// dropped any more.
fn with_the_test(command: &Command) -> anyhow::Result<Command> {
    let mut bound = Command::new(require::program("setpriv", "util-linux")?);
    bound.args(["--pdeathsig", "TERM"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    Ok(bound)
}

/// Starts a command from a thread that lives as long as the process: to the kernel, the parent
/// whose end ends the daemon is the thread that started it.
fn spawn(command: Command) -> io::Result<Child> {
    type Order = (Command, Sender<io::Result<Child>>);
    static SPAWNER: LazyLock<Sender<Order>> = LazyLock::new(|| {
        let (orders, incoming) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in incoming {
                let _ = answer.send(command.spawn());
            }
        });
        orders
    });
    let (answer, child) = channel();
    SPAWNER.send((command, answer)).map_err(io::Error::other)?;
    child.recv().map_err(io::Error::other)?
}

/// A daemon started by a test: its process and its log. Ends with the value.
#[derive(Debug)]
pub(crate) struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `command` and waits until `ready` is content.
    pub(crate) fn start(
        command: &Command,
        room: &Room,
        mut ready: impl FnMut() -> bool,
    ) -> anyhow::Result<Self> {
        let program = Path::new(command.get_program()).file_name().unwrap_or_default();
        let name = program.to_string_lossy().into_owned();
        let log = room.path().join(format!("{name}.log"));
        let output = fs::File::create(&log)?.into_parts().0;
        let mut command = with_the_test(command)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = spawn(command).with_context(|| format!("starting {name}"))?;
        let mut daemon = Self { name, child, log };
        let started = Instant::now();
        while !ready() {
            if let Some(status) = daemon.child.try_wait()? {
                bail!("{} ended at its start: {status}\n{}", daemon.name, daemon.log());
            }
            if started.elapsed() > START {
                bail!("{} does not answer after {START:?}\n{}", daemon.name, daemon.log());
            }
            std::thread::sleep(PAUSE);
        }
        Ok(daemon)
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        format!("--- log of {}\n{}", self.name, String::from_utf8_lossy(&log))
    }

    /// Asks it to end, and ends it where it does not.
    pub(crate) fn stop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let asked = Instant::now();
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
            while asked.elapsed() < STOP {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(PAUSE);
            }
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A daemon's private directory. When it goes, so do the processes and mounts that still use it.
#[derive(Debug)]
pub(crate) struct Room {
    directory: tempfile::TempDir,
}

impl Room {
    /// A new directory; its path is short, because socket paths have to be.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self { directory: tempfile::Builder::new().prefix("jt-").tempdir()? })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A path inside.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// A directory inside.
    pub(crate) fn directory(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.join(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Ends what was started in here and outlived its daemon: shims and monitors name the room on
    /// their command line, containers have their root mounted from it.
    fn end_processes(&self) {
        let room = format!("{}/", self.path().display());
        let Ok(processes) = fs::read_dir("/proc") else { return };
        for process in processes.flatten() {
            let id = process.file_name().to_string_lossy().parse().ok().and_then(Pid::from_raw);
            let Some(id) = id.filter(|id| *id != rustix::process::getpid()) else { continue };
            let read = |file: &str| fs::read(process.path().join(file)).unwrap_or_default();
            let arguments = read("cmdline");
            let mounts = read("mountinfo");
            let mounts = String::from_utf8_lossy(&mounts);
            let bottom = mounts.lines().find(|line| line.split(' ').nth(4) == Some("/"));
            if String::from_utf8_lossy(&arguments).contains(&room)
                || bottom.is_some_and(|line| line.contains(&room))
            {
                let _ = kill_process(id, Signal::KILL);
            }
        }
    }

    fn unmount(&self) {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        // The last mounted lies on top.
        for line in mounts.lines().rev() {
            let point = line.split(' ').nth(4).unwrap_or_default();
            if Path::new(point).starts_with(self.path()) {
                let _ = unmount(point, UnmountFlags::DETACH);
            }
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.end_processes();
        self.unmount();
    }
}
