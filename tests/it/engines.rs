//! `docker-daemon:` and `containers-storage:`: real engines, read in place, exported and saved.

use std::path::Path;

use jettison_testkit::engine::Dockerd;
use jettison_testkit::image::{Image, ImageBuilder, ImageFiles, Wrap};
use jettison_testkit::podman::Service;
use jettison_testkit::require::{self, Part};
use serde_json::{Value, json};

use crate::final_tree;
use crate::jettison::{Run, User, account};
use crate::shop;

/// What a build does to files: adds, removes, changes only the mode, links, replaces.
pub(crate) const DOCKERFILE: &str = r#"FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin"]
ADD places.tar /
ADD files.tar /added/
RUN mkdir -p /data/deep/er && echo one > /data/one && ln /data/one /data/deep/link \
 && cp /bin/busybox /data/copy && echo gone > /data/gone && mkfifo /data/pipe \
 && mknod /data/null c 1 3 && mknod /data/loop b 7 200 \
 && echo f > /data/file && mkdir /data/dir && echo d > /data/dir/inside \
 && mkdir -m 1777 /data/sticky && echo s > /data/setuid && chmod 4755 /data/setuid
RUN rm /data/gone && chmod 600 /data/copy && echo two >> /data/one && chown 7:8 /data/setuid
RUN rm -rf /data/deep && mkdir /data/deep && echo new > /data/deep/new \
 && rm /data/file && mkdir /data/file && echo in > /data/file/in \
 && rm -r /data/dir && ln -s /nowhere /data/dir && ln /data/one /data/again
ENV NOTHING=1
RUN true
CMD ["/bin/sh"]
"#;

/// A directory to build from.
pub(crate) fn context() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let busybox = require::program("busybox", "busybox-static").unwrap();
    fs_err::copy(busybox, directory.path().join("busybox")).unwrap();
    fs_err::write(directory.path().join("files.tar"), final_tree::added().tar()).unwrap();
    fs_err::write(directory.path().join("places.tar"), final_tree::places().tar()).unwrap();
    fs_err::write(directory.path().join("Dockerfile"), DOCKERFILE).unwrap();
    directory
}

fn shop() -> Image {
    shop::for_engines(ImageBuilder::new())
}

/// Runs with the engine at `host`.
fn with(user: &User, variable: &str, host: &str, arguments: &[&str]) -> Run {
    Run::of(user.command(arguments).env(variable, host))
}

/// The account is the same in place, exported and saved; in place and exported to the byte.
fn same_every_way(variable: &str, host: &str, transport: &str, reference: &str, saved: &Path) {
    let user = User::new();
    let word = format!("{transport}:{reference}");
    let print = |more: &[&str]| {
        let arguments = [&["analyze", &word, "--format", "json"], more].concat();
        let run = with(&user, variable, host, &arguments);
        assert_eq!(run.stderr, "", "{word} {more:?}");
        run.bytes()
    };
    let in_place = print(&[]);
    for more in [
        &["--no-in-place"][..],
        &["--verify"],
        &["--no-in-place", "--verify"],
        &["--no-cache", "--jobs", "1"],
        &[],
    ] {
        assert!(print(more) == in_place, "{word} {more:?}");
    }
    let document: Value = serde_json::from_slice(&in_place).unwrap();
    assert_eq!(document["image"]["transport"], transport);
    assert_eq!(document["image"]["reference"], reference);
    let archive = user.analyze(&format!("docker-archive:{}", saved.display()));
    // Neither source has the layers compressed.
    assert_eq!(archive["size"]["compressed"], json!(null));
    assert_eq!(account(archive), account(document), "{word}");
    for text in [&["why", &word, "/data"][..], &["diff", &word, &word]] {
        let exported = [text, &["--no-in-place"]].concat();
        assert_eq!(
            with(&user, variable, host, text).text(),
            with(&user, variable, host, &exported).text()
        );
    }
}

#[test]
fn docker_s_images_have_one_account_in_place_exported_and_saved() {
    let Some(docker) = require::unless_skipped(Part::Docker, Dockerd::start_with_tcp) else {
        return;
    };
    docker.build(context().path(), "localhost/built:1").unwrap();
    docker.load_image(&shop()).unwrap();
    let room = tempfile::tempdir().unwrap();
    let tcp = format!("tcp://{}", docker.tcp().unwrap());
    for (name, reference) in [("built.tar", "localhost/built:1"), ("shop.tar", shop::TAG)] {
        let archive = room.path().join(name);
        docker.docker(&["save", "--output", archive.to_str().unwrap(), reference]).unwrap();
        for host in [&docker.host(), &tcp] {
            same_every_way("DOCKER_HOST", host, "docker-daemon", reference, &archive);
        }
    }

    let user = User::new();
    let analyze = |word: &str, more: &[&str]| {
        let arguments = [&["analyze", word, "--format", "json"], more].concat();
        with(&user, "DOCKER_HOST", &docker.host(), &arguments)
    };
    // What docker loaded is what was made.
    ImageFiles::docker_archive_legacy(&[shop()], false)
        .write_archive(&user.path("made.tar"), Wrap::None)
        .unwrap();
    let made = account(user.analyze("made.tar"));
    let word = format!("docker-daemon:{}", shop::TAG);
    assert_eq!(account(analyze(&word, &[]).json()), made);
    // By ID, whole and short; and a bare word, which the output names.
    let id = shop().config_digest();
    for name in [id.as_str(), id.hex(), &id.hex()[..12]] {
        let read = analyze(&format!("docker-daemon:{name}"), &[]).json();
        assert_eq!(account(read), made, "{name}");
    }
    let text = with(&user, "DOCKER_HOST", &docker.host(), &["analyze", shop::TAG]).text();
    assert_eq!(text.lines().next(), Some(&*word));
    let why = with(&user, "DOCKER_HOST", &docker.host(), &["why", "localhost/built:1", "/data"]);
    assert!(why.text().contains("\nin docker-daemon:localhost/built:1\n"));

    analyze("docker-daemon:localhost/built:2", &[]).fails(3, &["built:2", "unix://"]);
    analyze(&word, &["--platform", "linux/s390x"]).fails(3, &["linux/s390x", "linux/amd64"]);
    analyze("docker-daemon:a b", &[]).fails(2, &["a b"]);
    // Gone with its engine.
    let host = docker.host();
    drop(docker);
    let run = with(&user, "DOCKER_HOST", &host, &["analyze", &word]);
    run.fails(3, &[&host, "does not exist"]);
}

#[test]
fn podman_s_images_have_one_account_in_place_exported_and_saved() {
    let Some(podman) = Service::for_test() else { return };
    let context = context();
    let path = context.path().to_str().unwrap();
    let build = ["build", "--isolation", "chroot", "--network", "host", "--layers"];
    podman.podman(&[&build[..], &["--tag", "localhost/built:1", path]].concat()).unwrap();
    podman.load_image(&shop()).unwrap();
    let room = tempfile::tempdir().unwrap();
    for (name, reference) in [("built.tar", "localhost/built:1"), ("shop.tar", shop::TAG)] {
        let archive = room.path().join(name);
        let save = ["save", "--format", "docker-archive", "--output", archive.to_str().unwrap()];
        podman.podman(&[&save[..], &[reference]].concat()).unwrap();
        same_every_way("CONTAINER_HOST", &podman.host(), "containers-storage", reference, &archive);
        // The same socket is a Docker engine's to those who say so.
        same_every_way("DOCKER_HOST", &podman.host(), "docker-daemon", reference, &archive);
    }
    let user = User::new();
    let text = with(&user, "CONTAINER_HOST", &podman.host(), &["analyze", shop::TAG]).text();
    assert_eq!(text.lines().next(), Some(&*format!("containers-storage:{}", shop::TAG)));
    let absent = ["analyze", "containers-storage:localhost/absent:1"];
    with(&user, "CONTAINER_HOST", &podman.host(), &absent).fails(3, &["absent:1", "unix://"]);

    // Images of the same store that other tools made.
    let buildah = |arguments: &[&str]| podman.store().buildah(arguments).unwrap().trim().to_owned();
    let container = buildah(&["from", "localhost/built:1"]);
    buildah(&["copy", "--quiet", &container, &format!("{path}/busybox"), "/again"]);
    buildah(&["commit", "--quiet", &container, "localhost/buildah:1"]);
    let archive = room.path().join("buildah.tar");
    let save = ["save", "--format", "docker-archive", "--output", archive.to_str().unwrap()];
    podman.podman(&[&save[..], &["localhost/buildah:1"]].concat()).unwrap();
    let word = ["analyze", "containers-storage:localhost/buildah:1", "--format", "json"];
    let mut read = account(with(&user, "CONTAINER_HOST", &podman.host(), &word).json());
    let mut saved = account(user.analyze(archive.to_str().unwrap()));
    // Saved for Docker, the config is written anew.
    for document in [&mut read, &mut saved] {
        document["image"].as_object_mut().unwrap().remove("configDigest");
    }
    assert_eq!(read, saved);
    let copies = json!(["/again", "/bin/busybox", "/data/copy"]);
    assert_eq!(read["duplicates"][0]["paths"], copies);
}
