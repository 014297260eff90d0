//! Files, sockets and engines that may not be read or are not there.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use jettison_testkit::image::{ImageFiles, Wrap};
use jettison_testkit::require::{self, Part};

use crate::jettison::{Run, User};
use crate::shop;

/// The id of `nobody`.
const NOBODY: &str = "65534";

fn mode(path: &Path, mode: u32) {
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A directory that everybody may enter, with a copy of the command that everybody may run.
fn open_room() -> tempfile::TempDir {
    let room = tempfile::tempdir().unwrap();
    mode(room.path(), 0o755);
    // Written by another process: one of ours that is about to start a program of its own would
    // hold the file open, and it could not be run.
    let mut install = Command::new("install");
    install.args(["-m", "755"]).arg(crate::jettison::binary()).arg(room.path());
    jettison_testkit::process::run(&mut install).unwrap();
    room
}

/// Runs as a user who owns nothing.
fn as_nobody(room: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let user = User::new();
    let ready = user.command(&[] as &[&str]);
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
        .arg(room.join("jettison"))
        .args(arguments)
        .env_clear()
        .envs(ready.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("HOME", "/nonexistent")
        .env("XDG_CACHE_HOME", "/nonexistent/cache")
        .envs(variables.iter().copied())
        .current_dir(room)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    Run::of(&mut command)
}

#[test]
fn files_that_may_not_be_read_are_named() {
    if require::unless_skipped(Part::Root, require::root).is_none() {
        return;
    }
    let room = open_room();
    let files = ImageFiles::oci_layout([shop::image()]);
    files.write_archive(&room.path().join("shop.tar"), Wrap::None).unwrap();
    files.write_directory(&room.path().join("layout")).unwrap();
    // It is the mode that refuses, nothing else: what is open can be read.
    let read = as_nobody(room.path(), &["analyze", "shop.tar"], &[]);
    assert!(read.text().starts_with("oci-archive:shop.tar"));
    mode(&room.path().join("shop.tar"), 0o600);
    for word in ["shop.tar", "oci-archive:shop.tar", "docker-archive:shop.tar"] {
        let run = as_nobody(room.path(), &["analyze", word], &[]);
        let said =
            run.fails(3, &["shop.tar", "ermission denied", "run jettison as a user who may"]);
        assert_eq!(said.matches("ermission denied").count(), 1, "{said}");
    }
    let layer = shop::image().layers[2].digest.hex().to_owned();
    for (hidden, name) in [
        (room.path().join("layout/blobs/sha256").join(&layer), &*layer),
        (room.path().join("layout/index.json"), "index.json"),
        (room.path().join("layout"), "layout"),
    ] {
        mode(&hidden, 0);
        let run = as_nobody(room.path(), &["analyze", "oci:layout"], &[]);
        run.fails(3, &[name]);
        mode(&hidden, 0o755);
    }
    let report = as_nobody(room.path(), &["analyze", "oci:layout", "--output", "text=x.txt"], &[]);
    report.fails(2, &["x.txt", "ermission denied"]);
}

#[test]
fn sockets_that_may_not_be_opened_are_named() {
    if require::unless_skipped(Part::Root, require::root).is_none() {
        return;
    }
    let room = open_room();
    let socket = room.path().join("engine.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    mode(&socket, 0o600);
    let url = format!("unix://{}", socket.display());
    for (transport, variable, value) in [
        ("docker-daemon:", "DOCKER_HOST", url.as_str()),
        ("containers-storage:", "CONTAINER_HOST", &url),
        ("containerd:", "CONTAINERD_ADDRESS", socket.to_str().unwrap()),
    ] {
        let word = format!("{transport}shop:1");
        let run = as_nobody(room.path(), &["analyze", &word], &[(variable, value)]);
        run.fails(3, &["engine.sock", "permission denied", "root"]);
    }
}

#[test]
fn engines_that_are_down_are_named() {
    let user = User::new();
    let abandoned = user.path("abandoned.sock");
    drop(UnixListener::bind(&abandoned).unwrap());
    let abandoned = abandoned.display().to_string();
    let (absent, url) = ("/no/such/engine.sock", |path: &str| format!("unix://{path}"));
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let tcp = format!("tcp://{port}");
    for (transport, variable, value, words) in [
        ("docker-daemon:", "DOCKER_HOST", url(absent), ["engine.sock", "does not exist"]),
        ("docker-daemon:", "DOCKER_HOST", url(&abandoned), ["abandoned.sock", "down"]),
        ("docker-daemon:", "DOCKER_HOST", tcp.clone(), [&tcp, "refused"]),
        ("containers-storage:", "CONTAINER_HOST", url(absent), ["engine.sock", "does not exist"]),
        ("containers-storage:", "CONTAINER_HOST", url(&abandoned), ["abandoned.sock", "down"]),
        ("containerd:", "CONTAINERD_ADDRESS", absent.to_owned(), ["engine.sock", "containerd"]),
        ("containerd:", "CONTAINERD_ADDRESS", abandoned.clone(), ["abandoned.sock", "containerd"]),
    ] {
        let word = format!("{transport}shop:1");
        let mut command = user.command(&["analyze", &word, "--output", "json=report.json"]);
        let message = Run::of(command.env(variable, &value)).fails(3, &words);
        assert!(!message.contains("--containerd-address"), "no such flag: {message}");
        assert!(!user.path("report.json").exists());
    }
    for bad in ["engine", "unix://relative", "fd://", "ssh://user@host", "tcp://host/path"] {
        let mut command = user.command(&["analyze", "docker-daemon:shop:1"]);
        Run::of(command.env("DOCKER_HOST", bad)).fails(2, &[bad, "unix://"]);
    }
}

#[test]
fn what_listens_may_not_be_an_engine() {
    // Answers everybody with the same page, and hangs up.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                use std::io::{Read as _, Write as _};
                let mut stream = stream;
                let _ = stream.read(&mut [0; 4096]);
                let page = "<html>Hello</html>";
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
                let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{page}", page.len());
            });
        }
    });
    let user = User::new();
    let mut command = user.command(&["analyze", "docker-daemon:shop:1"]);
    let run = Run::of(command.env("DOCKER_HOST", format!("tcp://{address}")));
    run.fails(3, &[&address.to_string()]);
    let registry = format!("docker://{address}/shop");
    user.run(&["analyze", &format!("{registry}:1")]).fails(3, &[&registry, "malformed"]);
}

#[test]
fn a_bare_word_says_what_was_passed_over() {
    let user = User::new();
    // Nothing listens at this registry either.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let word = format!("{port}/shop:1");
    let run = user.run(&["analyze", &word]);
    let message = run.fails(3, &[&format!("docker://{word}"), "refused"]);
    assert_eq!(message.matches("passed over: the engine at unix://").count(), 2, "{message}");
}
