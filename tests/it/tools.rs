//! Images that other people's tools made: skopeo, buildah and umoci.

use std::process::Command;

use jettison_testkit::containers_storage::Store;
use jettison_testkit::image::{Compression, ImageFiles, Wrap};
use jettison_testkit::process::run;
use jettison_testkit::require::{self, Part};

use serde_json::Value;

use crate::jettison::{User, account};
use crate::shop;

/// The account without what a conversion between Docker's and OCI's documents changes.
fn converted(document: Value) -> Value {
    let mut document = account(document);
    document["image"].as_object_mut().unwrap().remove("configDigest");
    // Docker's archive has no annotations, which name the base.
    for key in ["base", "warnings"] {
        document.as_object_mut().unwrap().remove(key);
    }
    document
}

fn store() -> Option<Store> {
    require::unless_skipped(Part::Podman, Store::new)
}

/// The shop's image as an archive, and its account.
fn shop_archive(user: &User) -> Value {
    let image = shop::builder().compression(Compression::default()).build();
    let files = ImageFiles::oci_layout([image]);
    files.write_archive(&user.path("shop.tar"), Wrap::None).unwrap();
    converted(user.analyze("oci-archive:shop.tar"))
}

#[test]
fn skopeo_copies_have_the_same_account() {
    let Some(store) = store() else { return };
    let user = User::new();
    let expected = shop_archive(&user);
    let gzip = format!("oci-archive:{}", user.path("shop.tar").display());
    let plain = format!("docker-archive:{}", user.path("docker.tar").display());
    let path = |name: &str| user.path(name).display().to_string();
    for (source, target, word, stored, flags) in [
        (
            &gzip,
            format!("docker-archive:{}:a/shop:1", path("docker.tar")),
            "docker.tar",
            "",
            &[][..],
        ),
        (
            &gzip,
            format!("oci-archive:{}:one", path("oci.tar")),
            "oci-archive:oci.tar",
            "+gzip",
            &[],
        ),
        (&gzip, format!("oci:{}:one", path("layout")), "oci:layout:one", "+gzip", &[]),
        (&gzip, format!("oci:{}:also", path("one")), "oci:one", "+gzip", &[]),
        (&gzip, format!("oci:{}:again", path("one")), "oci:one", "+gzip", &[]),
        (
            &plain,
            format!("oci:{}:zstd", path("layout")),
            "oci:layout:zstd",
            "+zstd",
            &["--dest-compress", "--dest-compress-format", "zstd"],
        ),
    ] {
        store.skopeo(&[&["copy"], flags, &[source.as_str(), &target]].concat()).unwrap();
        let read = user.analyze_with(word, &["--verify"]);
        let media_type = read["layers"][0]["mediaType"].as_str().unwrap_or_default();
        assert!(media_type.ends_with(stored), "{target} {flags:?}: {media_type}");
        assert_eq!(converted(read), expected, "{target} {flags:?}");
    }
    user.run(&["analyze", "oci:layout"]).fails(3, &["2 images", "one", "zstd"]);
    // What docker-archive writes again, with a second image in the same file.
    let both = format!("docker-archive:{}:a/shop:1", path("both.tar"));
    let from = format!("docker-archive:{}", path("docker.tar"));
    let also = ["copy", "--additional-tag", "a/shop:2", &from, &both];
    store.skopeo(&also).unwrap();
    assert_eq!(converted(user.analyze("both.tar:a/shop:2")), expected);
}

#[test]
fn buildah_s_images_are_accounted_for_wherever_they_are_pushed() {
    let Some(store) = store() else { return };
    let user = User::new();
    fs_err::write(user.path("large"), shop::content("large", 100_000)).unwrap();
    fs_err::write(user.path("small"), shop::content("small", 100)).unwrap();
    let buildah = |arguments: &[&str]| store.buildah(arguments).unwrap().trim().to_owned();
    let path = |name: &str| user.path(name).display().to_string();
    let commit = |container: &str, image: &str| {
        buildah(&["commit", "--quiet", "--timestamp", "0", container, image]);
    };
    let base = buildah(&["from", "scratch"]);
    buildah(&["copy", "--quiet", &base, &path("large"), &path("small"), "/data/"]);
    commit(&base, "localhost/base:1");
    let next = buildah(&["from", "localhost/base:1"]);
    let root = buildah(&["mount", &next]);
    let root = std::path::Path::new(root.trim());
    fs_err::remove_file(root.join("data/large")).unwrap();
    fs_err::hard_link(root.join("data/small"), root.join("data/linked")).unwrap();
    fs_err::write(root.join("new"), vec![5; 2000]).unwrap();
    buildah(&["umount", &next]);
    commit(&next, "localhost/next:1");

    let mut accounts = Vec::new();
    for (target, word) in [
        (format!("docker-archive:{}:localhost/next:1", path("docker.tar")), "docker.tar"),
        (format!("oci-archive:{}", path("oci.tar")), "oci.tar"),
        (format!("oci:{}:next", path("layout")), "oci:layout:next"),
    ] {
        buildah(&["push", "--quiet", "localhost/next:1", &target]);
        let read = user.analyze_with(word, &["--verify"]);
        assert_eq!(read["waste"][0]["cause"], "removed", "{word}");
        assert_eq!(read["waste"][0]["topPaths"][0]["path"], "/data/large");
        assert_eq!(read["waste"][0]["topPaths"][0]["bytes"], 100_000);
        assert_eq!(read["layers"].as_array().unwrap().len(), 2);
        // Linking a file copies it up: the same content again.
        assert_eq!(read["size"]["live"], 2100);
        accounts.push(converted(read));
    }
    assert_eq!(accounts[0], accounts[1]);
    assert_eq!(accounts[1], accounts[2]);
}

#[test]
fn umoci_s_layouts_are_accounted_for() {
    // umoci needs nothing but root, to keep owners.
    let Some(umoci) = require::unless_skipped(Part::Root, || require::program("umoci", "umoci"))
    else {
        return;
    };
    let user = User::new();
    let umoci = |arguments: &[&str]| {
        run(Command::new(&umoci).args(arguments).current_dir(user.work())).unwrap();
    };
    umoci(&["init", "--layout", "layout"]);
    umoci(&["new", "--image", "layout:shop"]);
    let source = user.path("source");
    fs_err::create_dir_all(source.join("sub")).unwrap();
    fs_err::write(source.join("sub/large"), shop::content("large", 50_000)).unwrap();
    fs_err::write(source.join("small"), "small").unwrap();
    umoci(&["insert", "--image", "layout:shop", "source", "/srv"]);
    umoci(&["unpack", "--image", "layout:shop", "bundle"]);
    fs_err::remove_dir_all(user.path("bundle/rootfs/srv/sub")).unwrap();
    fs_err::write(user.path("bundle/rootfs/added"), "added").unwrap();
    umoci(&["repack", "--image", "layout:shop", "bundle"]);
    let read = user.analyze_with("oci:layout:shop", &["--verify"]);
    assert_eq!(read["waste"][0]["cause"], "removed");
    assert_eq!(read["waste"][0]["bytes"], 50_000);
    assert_eq!(read["size"]["live"], 10);
    assert_eq!(account(user.analyze("oci:layout")), account(read));
}
