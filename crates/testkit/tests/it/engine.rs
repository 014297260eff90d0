//! dockerd.

use std::path::Path;
use std::time::Duration;

use jettison_testkit::engine::Dockerd;
use jettison_testkit::image::{ImageFiles, Wrap};
use jettison_testkit::require::{Part, unless_skipped};
use jettison_testkit::{busybox, demo};

fn mounted_below(path: &Path) -> bool {
    let mounts = fs_err::read_to_string("/proc/self/mountinfo").unwrap();
    mounts.contains(&format!(" {}/", path.display()))
}

#[test]
fn dockerd_builds_loads_and_runs_and_leaves_nothing_behind() {
    let Some(docker) = unless_skipped(Part::Docker, Dockerd::start_with_tcp) else { return };
    docker.load_image(&busybox::image("localhost/box:1", &["sleep", "600"]).unwrap()).unwrap();

    let context = tempfile::tempdir().unwrap();
    let recipe =
        "FROM localhost/box:1\nRUN echo hello > /hello\nENTRYPOINT [\"cat\", \"/hello\"]\n";
    fs_err::write(context.path().join("Dockerfile"), recipe).unwrap();
    docker.build(context.path(), "localhost/hello:1").unwrap();
    let run = ["run", "--rm", "--network", "none", "localhost/hello:1"];
    assert_eq!(docker.docker(&run).unwrap(), "hello\n");

    let archive = context.path().join("current.tar");
    let image = busybox::image("localhost/current:1", &["sleep", "600"]).unwrap();
    ImageFiles::docker_archive(&[image]).write_archive(&archive, Wrap::Gzip).unwrap();
    docker.load(&archive).unwrap();

    // A container that still runs when the daemon goes.
    docker.docker(&["run", "--detach", "--network", "none", "localhost/box:1"]).unwrap();
    assert_eq!(docker.docker(&["info", "--format", "{{.Driver}}"]).unwrap(), "overlay2\n");
    let tcp = docker.tcp().unwrap();
    assert!(std::net::TcpStream::connect_timeout(&tcp, Duration::from_secs(5)).is_ok());

    let room = docker.data_root().parent().unwrap().to_path_buf();
    drop(docker);
    assert!(!room.exists(), "{} is still there", room.display());
    assert!(!mounted_below(&room));
}

#[test]
fn the_demonstration_image_runs() {
    let Some(docker) = Dockerd::for_test() else { return };
    docker.load_image(&demo::image().unwrap()).unwrap();
    let run = ["run", "--rm", "--network", "none", demo::TAG, "--warm"];
    docker.docker(&run).unwrap();
    let gone = ["run", "--rm", "--network", "none", "--entrypoint", "ls", demo::TAG];
    let listing = docker.docker(&[&gone[..], &["/", "/opt/shop/cache"]].concat()).unwrap();
    assert!(!listing.contains("src\n"), "{listing}");
    assert!(listing.ends_with("/opt/shop/cache:\nindex.json\n"), "{listing}");
}
