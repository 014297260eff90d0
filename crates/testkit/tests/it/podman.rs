//! podman, buildah and skopeo on one store.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use jettison_testkit::busybox;
use jettison_testkit::podman::Service;

#[test]
fn podman_serves_and_runs_and_leaves_nothing_behind() {
    let Some(podman) = Service::for_test() else { return };
    podman.load_image(&busybox::image("localhost/box:1", &["sleep", "600"]).unwrap()).unwrap();

    let mut stream = UnixStream::connect(podman.socket()).unwrap();
    stream.write_all(b"GET /images/json HTTP/1.0\r\nHost: d\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("localhost/box:1"), "{answer}\n{}", podman.log());

    let run = ["run", "--rm", "--network", "none", "--entrypoint", "echo", "localhost/box:1", "hi"];
    assert_eq!(podman.podman(&run).unwrap(), "hi\n");
    // A container that still runs when the service goes.
    podman.podman(&["run", "--detach", "--network", "none", "localhost/box:1"]).unwrap();

    let store = podman.store();
    assert!(store.buildah(&["images", "--noheading"]).unwrap().contains("localhost/box"));
    let inspect = store.skopeo(&["inspect", &store.reference("localhost/box:1")]).unwrap();
    assert!(inspect.contains("\"Architecture\""));
    let driver = podman.podman(&["info", "--format", "{{.Store.GraphDriverName}}"]).unwrap();
    assert_eq!(driver, "overlay\n");

    let room = podman.socket().parent().unwrap().to_path_buf();
    drop(podman);
    assert!(!room.exists(), "{} is still there", room.display());
}
