//! containerd.

use jettison_oci::Platform;
use jettison_testkit::busybox;
use jettison_testkit::containerd::{CRI_NAMESPACE, Daemon, SANDBOX_IMAGE};
use jettison_testkit::image::{Compression, ImageBuilder, LayerBuilder};

#[test]
fn containerd_imports_and_runs_and_leaves_nothing_behind() {
    let Some(containerd) = Daemon::for_test() else { return };
    let images = containerd.ctr(&["-n", CRI_NAMESPACE, "images", "list", "-q"]).unwrap();
    assert!(images.contains(SANDBOX_IMAGE), "{images}");
    let plugins = containerd.ctr(&["plugins", "list"]).unwrap();
    let cri = plugins.lines().find(|line| line.contains("grpc.v1 ") && line.contains(" cri "));
    assert!(cri.is_some_and(|line| line.trim_end().ends_with("ok")), "{plugins}");

    // An import unpacks, and an unpacked layer is held against its diff ID.
    for (number, compression) in [
        Compression::Plain,
        Compression::MultiMemberGzip { members: 4 },
        Compression::ZstdFrames { frames: 3 },
        Compression::EStargz { end_before_toc: false },
        Compression::EStargz { end_before_toc: true },
        Compression::ZstdChunked,
    ]
    .into_iter()
    .enumerate()
    {
        let layer = LayerBuilder::new().file("one", "1").symlink("two", "one").file("empty", "");
        let image = ImageBuilder::new()
            .platform(Platform::host())
            .layer_with(layer, "COPY . /", compression)
            .tag(&format!("localhost/compressed:{number}"))
            .build();
        let imported = containerd.import("default", [image]);
        assert!(imported.is_ok(), "{compression:?}: {imported:?}");
    }

    let image = busybox::image("localhost/box:1", &["/bin/sleep", "600"]).unwrap();
    containerd.import("default", [image]).unwrap();
    let run = ["run", "--rm", "--runc-binary", "runc", "localhost/box:1", "one", "/bin/echo", "hi"];
    assert_eq!(containerd.ctr(&run).unwrap(), "hi\n");
    // A container that still runs when the daemon goes.
    containerd.ctr(&["run", "--detach", "localhost/box:1", "two"]).unwrap();

    let room = containerd.socket().parent().unwrap().to_path_buf();
    drop(containerd);
    assert!(!room.exists(), "{} is still there", room.display());
    assert!(
        !fs_err::read_to_string("/proc/self/mountinfo").unwrap().contains(room.to_str().unwrap())
    );
}
