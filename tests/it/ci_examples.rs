//! The examples for CI, each run as it is written: its commands, in a repository with a pull request
//! that makes the image grow, against Docker's engine.

mod github;
mod others;

use std::path::{Path, PathBuf};
use std::process::Command;

use jettison_testkit::engine::Dockerd;
use serde_json::Value;

use crate::jettison::{Run, User, binary};
use crate::shop::content;

/// A file of the repository.
fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    fs_err::read_to_string(path).unwrap()
}

fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&example(name)).unwrap()
}

/// A project with a baseline on its main branch, and a pull request that adds 3 MB; both at a remote
/// repository of its own.
struct Project {
    user: User,
    docker: Dockerd,
    main: String,
    head: String,
}

impl Project {
    fn new() -> Option<Self> {
        let docker = Dockerd::for_test()?;
        let project = Self { user: User::new(), docker, main: String::new(), head: String::new() };
        let write = |name: &str, bytes: Vec<u8>| fs_err::write(project.path(name), bytes).unwrap();
        fs_err::create_dir(project.path("")).unwrap();
        fs_err::create_dir(project.user.path("bin")).unwrap();
        std::os::unix::fs::symlink(binary(), project.user.path("bin/jettison")).unwrap();
        write("Dockerfile", b"FROM scratch\nCOPY data /data/\nCMD [\"/data/x\"]\n".to_vec());
        write("jettison.toml", example("examples/ci/jettison.toml").into_bytes());
        fs_err::create_dir(project.path("data")).unwrap();
        write("data/small.bin", content("small", 100_000));
        project.sh(
            "git init --quiet --initial-branch main && git init --quiet --bare ../origin.git &&
             git remote add origin ../origin.git && docker build --quiet --tag app:main . &&
             jettison baseline update app=docker-daemon:app:main &&
             git add . && git commit --quiet --message main && git push --quiet origin main",
        );
        let main = project.sh("git rev-parse HEAD");
        project.sh("git checkout --quiet -b feature");
        fs_err::write(project.path("data/large.bin"), content("large", 3_000_000)).unwrap();
        // What the branch says of the baseline makes no difference.
        project.sh(
            "echo '{}' >jettison-baseline.json && git add . && git commit --quiet --message feature &&
             git push --quiet origin feature && git fetch --quiet origin",
        );
        let head = project.sh("git rev-parse HEAD");
        Some(Self { main, head, ..project })
    }

    /// A path in the working tree.
    fn path(&self, name: &str) -> PathBuf {
        self.user.path("project").join(name)
    }

    /// A shell in the working tree, with jettison, Docker and git as a runner has them.
    fn command(&self, script: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut command = self.user.command::<&str>(&[]);
        let mut shell = Command::new("bash");
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                shell.env(name, value);
            }
        }
        command.env_clear();
        shell
            .args(["-eo", "pipefail", "-c", script])
            .current_dir(self.path(""))
            .env("PATH", format!("{}:{path}", self.user.path("bin").display()))
            .env("DOCKER_HOST", self.docker.host())
            .env("DOCKER_BUILDKIT", "0")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "Test")
            .env("GIT_AUTHOR_EMAIL", "test@example.test")
            .env("GIT_COMMITTER_NAME", "Test")
            .env("GIT_COMMITTER_EMAIL", "test@example.test")
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        shell
    }

    /// Runs commands that succeed; what they print.
    fn sh(&self, script: &str) -> String {
        let run = Run::of(&mut self.command(script));
        assert_eq!(
            run.code(),
            0,
            "{script}\n{}{}",
            String::from_utf8_lossy(&run.stdout),
            run.stderr
        );
        String::from_utf8(run.stdout).unwrap().trim().to_owned()
    }

    /// Runs an example's commands with a runner's variables; the code that they end with.
    fn run(&self, script: &str, variables: &[(&str, &str)]) -> (i32, String) {
        let run = Run::of(self.command(script).envs(variables.iter().copied()));
        (run.code(), format!("{}{}", String::from_utf8_lossy(&run.stdout), run.stderr))
    }

    fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.path(name)).unwrap()
    }
}

/// What every example says of the pull request.
fn assert_blames(output: &str) {
    assert!(output.contains("effective grew by 2.9 MiB"), "{output}");
    assert!(output.contains("COPY"), "{output}");
}
