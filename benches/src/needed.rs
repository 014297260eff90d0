//! The same node given to the pruners that there are: what does each remove that was needed?
//!
//! Everything came a month ago but `fresh`, which came a moment ago and was built in 2020, as
//! everything else was. A container runs, one was made and not started, one has ended; a `CronJob`
//! runs tonight, a Deployment is scaled to zero; one image is the team's base, one was built here.
//! `stale` is what nobody needs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use jettison_testkit::busybox;
use jettison_testkit::engine::Dockerd;
use jettison_testkit::kubernetes::Server;
use jettison_testkit::kubernetes::object::{pod, workload};
use jettison_testkit::process::run;
use jettison_testkit::registry::Registry;

use crate::programs::Programs;

/// What is on the node, and why it is needed.
const IMAGES: [(&str, &str); 9] = [
    ("running", "a container runs"),
    ("created", "a container was made of it, and will be started"),
    ("exited", "a container of it ended, and will be started again"),
    ("nightly", "a CronJob runs it tonight"),
    ("scaled", "a Deployment of it is scaled to zero"),
    ("fresh", "it was pulled a moment ago, for a job that starts now"),
    ("base", "the team keeps it on every node"),
    ("own", "it was built here: no registry has it"),
    ("stale", ""),
];
/// How long a pruner that never ends is waited for.
const SETTLED: Duration = Duration::from_secs(20);
/// How long ago everything but `fresh` came.
const MONTH: Duration = Duration::from_hours(24 * 30);

/// A node as all of them find it.
struct Node {
    dockerd: Dockerd,
    registry: Registry,
    cluster: Server,
}

pub(crate) fn compare(programs: &Programs, room: &Path) -> anyhow::Result<()> {
    let docuum = room.join("docuum/bin/docuum");
    ensure!(docuum.is_file(), "{} is missing; benches/run installs it", docuum.display());
    println!("\nwhat each removes of a node on which only `stale` may go, at an age of 7 days:");
    report("docker image prune --all --filter until=168h", |node| {
        node.dockerd.docker(&["image", "prune", "--all", "--force", "--filter", "until=168h"])?;
        Ok(())
    })?;
    report("docker image prune --all", |node| {
        node.dockerd.docker(&["image", "prune", "--all", "--force"])?;
        Ok(())
    })?;
    report("docuum --threshold 0B --min-age 7d --keep ...base", |node| {
        let mut command = Command::new(&docuum);
        // Its environment is a client's: the same socket, the same configuration.
        let client = node.dockerd.command();
        let variables = client.get_envs().filter_map(|(name, value)| Some((name, value?)));
        command.envs(variables).args(["--threshold", "0B", "--min-age", "7d"]);
        command.args(["--keep", "base"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().context("starting docuum")?;
        std::thread::sleep(SETTLED);
        child.kill()?;
        child.wait()?;
        Ok(())
    })?;
    report("jettison prune --age-by pulled --older-than 7d --keep **/base", |node| {
        let state = tempfile::tempdir()?;
        let mut command = programs.jettison_in(state.path());
        command.args(["prune", "--yes", "--quiet", "--age-by", "pulled", "--older-than", "7d"]);
        command.args(["--keep", "**/base", "--node-name", "node", "--kubernetes", "required"]);
        command.arg("--kubeconfig").arg(node.cluster.kubeconfig()?);
        command.arg("--state-dir").arg(state.path());
        command.args(["--runtime", "docker", "--endpoint", &node.dockerd.host()]);
        run(&mut command)?;
        Ok(())
    })
}

/// Gives a new node to a pruner, and tells what is gone.
fn report(name: &str, prune: impl FnOnce(&Node) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let node = Node::new()?;
    prune(&node)?;
    println!("  {name}");
    let mut wrong = 0;
    for (image, needed) in IMAGES {
        let is_gone = !node.has(image)?;
        if is_gone && !needed.is_empty() {
            println!("    {image:<8} GONE, and {needed}");
            wrong += 1;
        } else if is_gone {
            println!("    {image:<8} gone, as it may");
        } else if needed.is_empty() {
            println!("    {image:<8} kept, although nobody needs it");
        }
    }
    println!("    {wrong} of {} needed images are gone", IMAGES.len() - 1);
    Ok(())
}

impl Node {
    fn new() -> anyhow::Result<Self> {
        let node = Self {
            dockerd: Dockerd::start()?,
            registry: Registry::start()?,
            cluster: Server::start()?,
        };
        for (name, _) in IMAGES {
            node.bring(name)?;
        }
        for (name, command) in [("running", "run"), ("created", "create"), ("exited", "run")] {
            let image = node.reference(name);
            let mut arguments = vec![command, "--network", "none", "--name", name];
            if command == "run" {
                arguments.push("--detach");
            }
            if name == "running" {
                // What the kubelet writes on its containers proves the node's name.
                arguments.extend(["--label", "io.kubernetes.pod.uid=uid-of-the-pod"]);
            }
            arguments.push(&image);
            node.dockerd.docker(&arguments)?;
        }
        node.dockerd.docker(&["kill", "exited"])?;
        let proof = pod("default", "web").node("node").uid("uid-of-the-pod");
        node.cluster.put(proof.container("app", &node.reference("running")).build());
        for (kind, name) in [("CronJob", "nightly"), ("Deployment", "scaled")] {
            let object = workload(kind, "default", name, &node.reference(name));
            node.cluster.put(object);
        }
        Ok(node)
    }

    fn reference(&self, name: &str) -> String {
        if name == "own" {
            "own:1".to_owned()
        } else {
            self.registry.reference(&format!("{name}:1"))
        }
    }

    /// Puts an image on the node, a month ago unless it is the fresh one.
    fn bring(&self, name: &str) -> anyhow::Result<()> {
        let image = busybox::builder(&format!("{name}:1"), &["sleep", "3600"])?;
        let image = image.created(Some("2020-01-01T00:00:00Z")).label("is", name).build();
        if name == "own" {
            self.dockerd.load_image(&image)?;
        } else {
            self.registry.push(image, name, "1")?;
            self.dockerd.docker(&["pull", "--quiet", &self.reference(name)])?;
        }
        if name != "fresh" {
            let id = self.dockerd.docker(&[
                "image",
                "inspect",
                "--format",
                "{{.Id}}",
                &self.reference(name),
            ])?;
            let then = SystemTime::now() - MONTH;
            let file = fs_err::File::options().append(true).open(self.content(id.trim()))?;
            file.file().set_modified(then)?;
        }
        Ok(())
    }

    /// Docker's record of an image, written when it came.
    fn content(&self, id: &str) -> PathBuf {
        let content = self.dockerd.data_root().join("image/overlay2/imagedb/content/sha256");
        content.join(id.trim_start_matches("sha256:"))
    }

    fn has(&self, name: &str) -> anyhow::Result<bool> {
        Ok(!self.dockerd.docker(&["images", "--quiet", &self.reference(name)])?.is_empty())
    }
}
