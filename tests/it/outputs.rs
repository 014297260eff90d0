//! What is written where: outputs that fill up, readers that leave, runs that are interrupted, and
//! command lines that are wrong.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jettison_testkit::image::{Header, ImageFiles, Meta};
use jettison_testkit::require::{self, Part};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, Signal, kill_process};

use crate::jettison::{Run, names};
use crate::shop;

/// A filesystem of a few pages, gone with the value.
struct Small(PathBuf);

impl Small {
    fn mount(at: PathBuf, bytes: usize) -> Self {
        fs_err::create_dir_all(&at).unwrap();
        let size = std::ffi::CString::new(format!("size={bytes}")).unwrap();
        mount("tmpfs", &at, "tmpfs", MountFlags::empty(), Some(size.as_c_str())).unwrap();
        Self(at)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

#[test]
fn a_full_device_is_an_error() {
    let user = shop::user();
    let run = user.run(&["analyze", "shop.tar", "--output", "json=/dev/full"]);
    run.fails(3, &["/dev/full", "No space left"]);
    // The other outputs are as whole as the one that failed is missing, and never half.
    let both =
        ["--output", "text=one.txt", "--output", "json=/dev/full", "--output", "text=two.txt"];
    user.run(&[&["analyze", "shop.tar"][..], &both].concat()).fails(3, &["/dev/full"]);
    for name in ["one.txt", "two.txt"] {
        if let Ok(written) = fs_err::read(user.path(name)) {
            assert_eq!(written, user.run(&["analyze", "shop.tar"]).bytes());
        }
    }
    assert!(!names(&user.work()).iter().any(|name| name.starts_with('.')));
    let full = fs_err::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = user.command(&["analyze", "shop.tar"]);
    let run = Run::of(command.stdout(full.into_parts().0));
    run.fails(3, &["standard output", "No space left"]);
}

#[test]
fn a_full_disk_keeps_no_part_of_an_output() {
    if require::unless_skipped(Part::Root, require::root).is_none() {
        return;
    }
    let user = shop::user();
    let disk = Small::mount(user.path("disk"), 4096);
    for command in [&["analyze", "shop.tar"][..], &["analyze", "shop.tar", "--base", "1"]] {
        let run = user.run(&[command, &["--output", "json=disk/report.json"]].concat());
        run.fails(3, &["disk/report.json", "No space left"]);
        assert_eq!(names(&disk.0), [] as [&str; 0]);
    }
    // What stood there stays.
    fs_err::write(user.path("disk/report.json"), "old").unwrap();
    let run = user.run(&["analyze", "shop.tar", "--output", "json=disk/report.json"]);
    run.fails(3, &["disk/report.json", "No space left"]);
    assert_eq!(names(&disk.0), ["report.json"]);
    assert_eq!(fs_err::read(user.path("disk/report.json")).unwrap(), b"old");
}

#[test]
fn a_full_disk_under_the_cache_is_no_error() {
    if require::unless_skipped(Part::Root, require::root).is_none() {
        return;
    }
    let user = shop::user();
    let image =
        shop::builder().compression(jettison_testkit::image::Compression::default()).build();
    ImageFiles::oci_layout([image]).write_directory(&user.path("layout")).unwrap();
    let expected = user.run(&["analyze", "oci:layout", "--no-cache"]).bytes();
    let disk = Small::mount(user.path("disk"), 16 << 10);
    fs_err::write(user.path("disk/filler"), vec![1; 12 << 10]).unwrap();
    let mut command = user.command(&["analyze", "oci:layout"]);
    let run = Run::of(command.env("XDG_CACHE_HOME", &disk.0));
    assert_eq!(run.stderr, "");
    assert_eq!(run.bytes(), expected);
    let entries = names(&disk.0.join("jettison/layers/v13"));
    assert!(entries.iter().all(|name| !name.starts_with('.')), "{entries:?}");
    let mut command = user.command(&["analyze", "oci:layout"]);
    assert_eq!(Run::of(command.env("XDG_CACHE_HOME", &disk.0)).bytes(), expected);
}

#[test]
fn a_file_size_limit_is_an_error_of_the_write() {
    let user = shop::user();
    let expected = user.run(&["analyze", "shop.tar"]).bytes();
    let limited = |arguments: &str| {
        let jettison = crate::jettison::binary().display();
        let line = format!("ulimit -f 1; exec {jettison} {arguments}");
        Run::of(user.program("bash").args(["-c", &line]))
    };
    let before = names(&user.work());
    limited("analyze shop.tar --output json=r.json").fails(3, &["r.json", "too large"]);
    assert_eq!(names(&user.work()), before);
    // The cache is only a help.
    let run = limited("analyze shop.tar");
    assert_eq!((run.code(), run.bytes()), (0, expected));
}

#[test]
fn outputs_that_cannot_be_opened_fail_before_the_work() {
    let user = shop::user();
    fs_err::create_dir(user.path("directory")).unwrap();
    for (output, word) in [
        ("json=no/such/report.json", "no/such/report.json"),
        ("json=directory", "directory"),
        ("text=shop.tar/report.txt", "shop.tar/report.txt"),
    ] {
        // Standard input is never read: this would wait for ever.
        let mut command = user.command(&["analyze", "-", "--output", output]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        Run::wait(child).fails(2, &["--output", word]);
        drop(stdin);
    }
    assert_eq!(names(&user.path("directory")), [] as [&str; 0]);
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let user = shop::user();
    let head =
        format!("{} analyze shop.tar --format json | head -1", crate::jettison::binary().display());
    let run = Run::of(user.program("bash").args(["-c", &format!("set -o pipefail; {head}")]));
    assert_eq!((run.code(), run.stderr.as_str(), run.stdout.as_slice()), (0, "", &b"{\n"[..]));
    // Nobody there from the start.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = Run::of(user.command(&["analyze", "shop.tar"]).stdout(writer));
    assert_eq!((run.code(), run.stderr.as_str()), (0, ""));
    // Nor anybody for messages.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let run = Run::of(user.command(&["analyze", "./no-such.tar"]).stderr(writer));
    assert_eq!(run.code(), 3);
}

/// A layer that never ends, inside an archive that never ends.
fn endless_head() -> Vec<u8> {
    let header = |name: &[u8], size| {
        let mut header = Header::posix(b'0');
        header.name(name).meta(&Meta::mode(0o644)).size(size).seal();
        header.0
    };
    [header(b"layer/layer.tar", 1 << 40), header(b"zeros", 1 << 39)].concat()
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let user = shop::user();
    let reports = user.path("reports");
    fs_err::create_dir(&reports).unwrap();
    fs_err::write(reports.join("kept.json"), "kept").unwrap();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        let outputs = ["--output", "json=reports/kept.json", "--output", "text=reports/new.txt"];
        let mut command = user.command(&[&["analyze", "-"][..], &outputs].concat());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&endless_head()).unwrap();
        let zeros = vec![0; 64 << 10];
        // Taken in: the run is in the middle of its read.
        for _ in 0..64 {
            stdin.write_all(&zeros).unwrap();
        }
        let temporary = names(&reports).iter().filter(|name| name.starts_with('.')).count();
        assert_eq!(temporary, 2, "outputs are opened before the work");
        let asked = Instant::now();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let run = Run::wait(child);
        assert!(asked.elapsed() < Duration::from_secs(10));
        assert_eq!(run.code(), 130, "{}", run.stderr);
        assert_eq!(run.stderr.trim(), "jettison: interrupted");
        assert_eq!(run.stdout, b"");
        assert_eq!(names(&reports), ["kept.json"]);
        assert_eq!(fs_err::read(reports.join("kept.json")).unwrap(), b"kept");
        drop(stdin);
    }
}

#[test]
fn a_pipe_without_a_writer_is_waited_for_and_interrupted() {
    let user = shop::user();
    let fifo = user.path("fifo");
    jettison_testkit::process::run(Command::new("mkfifo").arg(&fifo)).unwrap();
    let child = user.command(&["analyze", "docker-archive:fifo"]).spawn().unwrap();
    let pid = Pid::from_child(&child);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !waits_in_open(pid) && Instant::now() < deadline {
        std::thread::yield_now();
    }
    kill_process(pid, Signal::INT).unwrap();
    let run = Run::wait(child);
    assert_eq!((run.code(), run.stdout.as_slice()), (130, &b""[..]));
}

/// Whether a thread of the process sleeps in the kernel where opening a pipe does.
fn waits_in_open(pid: Pid) -> bool {
    let wait = fs_err::read_to_string(format!("/proc/{}/wchan", pid.as_raw_nonzero()));
    wait.is_ok_and(|function| function.contains("wait_for_partner"))
}

#[test]
fn wrong_command_lines_are_usage_errors() {
    let user = shop::user();
    for (arguments, words) in [
        (&["analyze", "shop.tar", "--platform", "linux"][..], &["--platform", "os/arch"][..]),
        (&["analyze", "shop.tar", "--format", "xml"], &["--format", "json"]),
        (&["analyze", "shop.tar", "--output", "json"], &["--output", "FORMAT=FILE"]),
        (&["analyze", "shop.tar", "--output", "xml=x"], &["--output"]),
        (&["analyze", "shop.tar", "--jobs", "0"], &["--jobs"]),
        (&["analyze", "shop.tar", "--cache-size", "much"], &["--cache-size", "much"]),
        (&["analyze", "shop.tar", "--min-bytes", "-1"], &["-1"]),
        (&["analyze", "shop.tar", "--color", "purple"], &["--color"]),
        (&["analyze", "shop.tar", "--no-such-flag"], &["--no-such-flag"]),
        (&["analyze", "shop.tar", "--base", "9"], &["9", "7 layers"]),
        (&["analyze", "docker:shop"], &["docker://", "docker-daemon:"]),
        (&["analyze", "dir:shop"], &["dir:shop", "transport"]),
        (&["analyze", "docker-archive:"], &["docker-archive:", "nothing"]),
        (&["analyze", "docker://Not A Name"], &["Not A Name"]),
        (&["analyze", "Not A Name"], &["Not A Name", "no file"]),
        (&["analyze", ""], &[]),
        (&["diff", "-", "-"], &["standard input"]),
        (&["why", "shop.tar", "../../etc"], &["../../etc"]),
        (&["explode", "shop.tar"], &["explode"]),
        (&["analyze"], &["IMAGE"]),
        (&["why", "shop.tar"], &["PATH"]),
        (&["cache", "explode"], &["explode"]),
    ] {
        user.run(arguments).fails(2, words);
    }
    // A name that no argument can be is told, with a way round.
    let odd = std::ffi::OsStr::from_bytes(b"shop\xff.tar");
    user.run(&["analyze".as_ref(), odd]).fails(2, &["shop", "standard input"]);
    let mut nowhere = user.command(&["cache", "path"]);
    let run = Run::of(nowhere.env_remove("HOME").env_remove("XDG_CACHE_HOME"));
    run.fails(2, &["XDG_CACHE_HOME"]);
    // Help for who types nothing, and on request.
    assert_eq!(user.run(&[] as &[&str]).code(), 2);
    for arguments in [&["--help"][..], &["analyze", "--help"], &["--version"], &["help", "diff"]] {
        assert!(user.run(arguments).text().contains("jettison"));
    }
}

#[test]
fn without_a_home_there_is_only_no_cache() {
    let user = shop::user();
    let expected = user.run(&["analyze", "shop.tar"]).bytes();
    let mut homeless = user.command(&["analyze", "shop.tar"]);
    let run = Run::of(homeless.env_remove("HOME").env_remove("XDG_CACHE_HOME"));
    assert_eq!(run.bytes(), expected);
}

#[test]
fn messages_can_be_json() {
    let user = shop::user();
    let run = user.run(&["analyze", "./no\nsuch", "--log-format", "json"]);
    assert_eq!(run.code(), 3);
    let lines: Vec<serde_json::Value> =
        run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["level"], "error");
    assert!(lines[0]["message"].as_str().unwrap().contains("no\nsuch"));
    // A command line that cannot be read says how messages are wanted all the same.
    for wanted in [&["--log-format", "json"][..], &["--log-format=json"]] {
        let run = user.run(&[&["analyze", "shop.tar", "--topp", "3"], wanted].concat());
        assert_eq!(run.code(), 2);
        let line: serde_json::Value = serde_json::from_str(&run.stderr).unwrap();
        assert_eq!(line["level"], "error");
        assert!(line["message"].as_str().unwrap().contains("'--topp'"), "{line}");
    }
    assert!(user.run(&["--help", "--log-format", "json"]).text().contains("Usage:"));
}

#[test]
fn progress_is_for_terminals_alone() {
    let user = shop::user();
    let run = user.run(&["analyze", "shop.tar"]);
    assert_eq!(run.stderr, "");
    // `script` makes a terminal; what is wanted of standard error goes to a file.
    let mut command = Command::new("script");
    let ready = user.command(&[] as &[&str]);
    command
        .args(["--quiet", "--return", "--command"])
        .arg(format!("{} analyze shop.tar --quiet >/dev/null", crate::jettison::binary().display()))
        .arg("/dev/null")
        .current_dir(user.work())
        .envs(ready.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().is_none(), "--quiet shows none");
    assert!(child.wait().unwrap().success());
}

#[test]
fn links_lead_to_the_file_that_is_written() {
    let user = shop::user();
    let expected = user.run(&["analyze", "shop.tar", "--format", "json"]).bytes();
    fs_err::write(user.path("target.json"), "old").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs_err::set_permissions(user.path("target.json"), private).unwrap();
    for (link, to) in [("link.json", "target.json"), ("new.json", "made.json")] {
        std::os::unix::fs::symlink(to, user.path(link)).unwrap();
        let output = format!("json={link}");
        user.run(&["analyze", "shop.tar", "--quiet", "--output", &output]).text();
        assert!(user.path(link).is_symlink(), "{link} is replaced");
        assert_eq!(fs_err::read(user.path(to)).unwrap(), expected);
    }
    let mode = fs_err::metadata(user.path("target.json")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    std::os::unix::fs::symlink("loop.json", user.path("loop.json")).unwrap();
    let run = user.run(&["analyze", "shop.tar", "--output", "json=loop.json"]);
    run.fails(2, &["loop.json", "too many symlinks"]);
}

#[test]
fn descriptors_are_written_to_and_never_replaced() {
    let user = shop::user();
    let expected = user.run(&["analyze", "shop.tar", "--format", "json"]).bytes();
    for name in ["/dev/stderr", "/proc/self/fd/2", "/dev/fd/2", "stderr"] {
        if name == "stderr" {
            std::os::unix::fs::symlink("/proc/self/fd/2", user.path(name)).unwrap();
        }
        let output = format!("json={name}");
        // Once into a pipe, once into a file.
        let run = user.run(&["analyze", "shop.tar", "--output", &output]);
        assert_eq!(run.stderr.as_bytes(), expected, "{name}");
        let captured = fs_err::File::create(user.path("captured")).unwrap();
        let mut command = user.command(&["analyze", "shop.tar", "--output", &output]);
        Run::of(command.stderr(captured.into_parts().0)).text();
        assert_eq!(fs_err::read(user.path("captured")).unwrap(), expected, "{name}");
        assert!(name != "stderr" || user.path(name).is_symlink());
    }
    assert!(PathBuf::from("/dev/stderr").is_symlink());
}
