//! `docker-archive:` and standard input: every shape that docker, kaniko and people's pipes give.

use jettison_testkit::image::{Compression, Image, ImageBuilder, ImageFiles, LayerBuilder, Wrap};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use crate::jettison::{Run, User, account};
use crate::shop;

/// The shop's image in every shape of a docker archive.
fn shapes() -> Vec<(&'static str, ImageFiles)> {
    let plain = [shop::image()];
    let gzip = [shop::builder().compression(Compression::default()).build()];
    let zstd = [shop::builder().compression(Compression::ZstdFrames { frames: 3 }).build()];
    vec![
        ("legacy", ImageFiles::docker_archive_legacy(&plain, false)),
        ("current", ImageFiles::docker_archive(&plain)),
        ("compressed-gzip", ImageFiles::docker_archive_compressed(&gzip)),
        ("compressed-zstd", ImageFiles::docker_archive_compressed(&zstd)),
        ("kaniko", ImageFiles::kaniko_archive(&plain)),
    ]
}

const WRAPS: [(&str, Wrap); 3] = [("", Wrap::None), (".gz", Wrap::Gzip), (".zst", Wrap::Zstd)];

/// Writes `files` as the working directory's `name`.
fn write(user: &User, name: &str, files: &ImageFiles) {
    files.write_archive(&user.path(name), Wrap::None).unwrap();
}

fn images(names: &[&str]) -> Vec<Image> {
    let one = |name: &&str| {
        ImageBuilder::new()
            .layer(LayerBuilder::new().file("shared", "shared"), "COPY shared /")
            .layer(LayerBuilder::new().file(name, *name), "COPY own /")
            .tag(name)
            .build()
    };
    names.iter().map(one).collect()
}

/// The only path that tells [`images`] apart.
fn is_image(user: &User, word: &str, name: &str) {
    let why = user.run(&["why", word, name, "--format", "json"]).json();
    assert_eq!(why["final"], "file", "{word} is not {name}: {why}");
}

#[test]
fn every_shape_has_the_same_account() {
    let user = User::new();
    write(&user, "reference.tar", &ImageFiles::docker_archive_legacy(&[shop::image()], false));
    let expected = account(user.analyze("docker-archive:reference.tar"));
    assert!(expected["size"]["wasted"].as_u64().unwrap() > 100_000);
    for (shape, files) in shapes() {
        for (suffix, wrap) in WRAPS {
            let name = format!("{shape}.tar{suffix}");
            files.write_archive(&user.path(&name), wrap).unwrap();
            for word in [
                format!("docker-archive:{name}"),
                format!("docker-archive:{name}:{}", shop::TAG),
                name,
            ] {
                for more in [&["--no-cache"][..], &["--verify"], &[]] {
                    let read = user.analyze_with(&word, more);
                    assert_eq!(read["image"]["transport"], "docker-archive");
                    assert_eq!(account(read), expected, "{word} {more:?}");
                }
            }
        }
    }
}

#[test]
fn standard_input_has_the_same_account() {
    let user = User::new();
    write(&user, "reference.tar", &ImageFiles::docker_archive_legacy(&[shop::image()], false));
    let expected = account(user.analyze("docker-archive:reference.tar"));
    let layout = ImageFiles::oci_layout([shop::image()]);
    let shapes = shapes().into_iter().chain([("layout", layout)]);
    for (shape, files) in shapes {
        for (suffix, wrap) in WRAPS {
            let archive = files.archive(wrap);
            for more in [&["--no-cache"][..], &["--verify"], &[]] {
                let arguments = [&["analyze", "-", "--format", "json"], more].concat();
                let read = user.run_with_input(&arguments, &archive).json();
                let said = read["image"]["reference"].as_str().unwrap();
                assert!(said.starts_with("standard input"), "{said}");
                assert_eq!(account(read), expected, "{shape}{suffix} {more:?}");
            }
        }
    }
}

#[test]
fn a_fifo_is_read_in_one_pass() {
    let user = User::new();
    let files = ImageFiles::docker_archive_legacy(&[shop::image()], false);
    write(&user, "reference.tar", &files);
    let expected = account(user.analyze("docker-archive:reference.tar"));
    let fifo = user.path("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    for word in ["./fifo".to_owned(), format!("docker-archive:fifo:{}", shop::TAG)] {
        let (fifo, tar) = (fifo.clone(), files.tar());
        let writer = std::thread::spawn(move || fs_err::write(fifo, tar).unwrap());
        assert_eq!(account(user.analyze(&word)), expected, "{word}");
        writer.join().unwrap();
    }
}

#[test]
fn a_config_may_have_any_name_in_a_pipe_too() {
    let user = User::new();
    let image = shop::image();
    let files = ImageFiles::docker_archive_legacy(std::slice::from_ref(&image), false);
    write(&user, "reference.tar", &files);
    let expected = account(user.analyze("reference.tar"));
    let mut manifest: Value = serde_json::from_slice(files.get("manifest.json").unwrap()).unwrap();
    manifest[0]["Config"] = "config".into();
    let files = files
        .remove(&format!("{}.json", image.config_digest().hex()))
        .replace("config", image.config().as_ref().clone())
        .replace("manifest.json", manifest.to_string());
    write(&user, "named.tar", &files);
    assert_eq!(account(user.analyze("named.tar")), expected);
    let read = user.run_with_input(&["analyze", "-", "--format", "json"], &files.tar()).json();
    assert_eq!(account(read), expected);
}

#[test]
fn the_order_of_members_means_nothing() {
    let user = User::new();
    let files = ImageFiles::docker_archive_legacy(&[shop::image()], false);
    write(&user, "reference.tar", &files);
    let expected = account(user.analyze("reference.tar"));
    let configuration = format!("{}.json", shop::image().config_digest().hex());
    assert!(files.contains(&configuration));
    for first in [true, false] {
        for member in ["manifest.json", &configuration] {
            let turned = files.clone().reorder(member, first);
            write(&user, "turned.tar", &turned);
            assert_eq!(account(user.analyze("turned.tar")), expected);
            let stdin = ["analyze", "-", "--format", "json"];
            let read = user.run_with_input(&stdin, &turned.tar()).json();
            assert_eq!(account(read), expected, "{member} first: {first}");
        }
    }
}

#[test]
fn other_members_than_manifests_name_mean_nothing() {
    let user = User::new();
    let files = ImageFiles::docker_archive_legacy(&[shop::image()], false);
    write(&user, "reference.tar", &files);
    let expected = account(user.analyze("reference.tar"));
    // dive takes every layer it finds, in the archive's order.
    let stray = LayerBuilder::new().file("stray", vec![1; 5000]).tar();
    let files = files.replace("0000/layer.tar", stray.clone()).replace("stray.tar", stray);
    write(&user, "strays.tar", &files);
    assert_eq!(account(user.analyze("strays.tar")), expected);
    let read = user.run_with_input(&["analyze", "-", "--format", "json"], &files.tar()).json();
    assert_eq!(account(read), expected);
}

#[test]
fn layers_repeated_as_symbolic_links_are_layers() {
    let user = User::new();
    let layer = || LayerBuilder::new().file("data", shop::content("data", 4000));
    let image = ImageBuilder::new()
        .compression(Compression::Plain)
        .layer(layer(), "COPY data /")
        .layer(LayerBuilder::new().whiteout("data"), "RUN rm /data")
        .layer(layer(), "COPY data /")
        .tag("example.test/repeat:1")
        .build();
    let linked = ImageFiles::docker_archive_legacy(std::slice::from_ref(&image), true);
    let plain = ImageFiles::docker_archive_legacy(&[image], false);
    assert!(linked.tar().len() < plain.tar().len(), "the second copy is a link");
    write(&user, "linked.tar", &linked);
    write(&user, "plain.tar", &plain);
    let read = user.analyze("linked.tar");
    assert_eq!(read["layers"].as_array().unwrap().len(), 3);
    assert_eq!(read["size"]["live"], 4000);
    assert_eq!(read["waste"][0]["cause"], "removed");
    let expected = account(user.analyze("plain.tar"));
    assert_eq!(account(read), expected);
    let piped = user.run_with_input(&["analyze", "-", "--format", "json"], &linked.tar()).json();
    assert_eq!(account(piped), expected);
}

#[test]
fn several_images_in_one_file_are_told_apart() {
    let user = User::new();
    let all = images(&["example.test/a:1", "example.test/b:2", "docker.io/library/c:3"]);
    let unnamed = images(&["unnamed"]).remove(0).tagged([] as [&str; 0]);
    let id = all[1].config_digest().hex().to_owned();
    let all = [all, vec![unnamed]].concat();
    for (name, files) in [
        ("legacy.tar", ImageFiles::docker_archive_legacy(&all, true)),
        ("current.tar", ImageFiles::docker_archive(&all)),
        ("kaniko.tar", ImageFiles::kaniko_archive(&all)),
    ] {
        write(&user, name, &files);
        let listed = ["4 images", "example.test/a:1", "example.test/b:2", "library/c:3", "@3"];
        user.run(&["analyze", name]).fails(3, &[&[name][..], &listed].concat());
        let how = ["standard input (docker-archive:-:NAME"];
        let bare = user.run_with_input(&["analyze", "-"], &files.tar());
        bare.fails(3, &[&how[..], &listed].concat());
        let piped = ["analyze", "docker-archive:-:example.test/b:2", "--format", "json"];
        let piped = user.run_with_input(&piped, &files.tar()).json();
        let file = user.analyze(&format!("docker-archive:{name}:example.test/b:2"));
        assert_eq!(account(piped), account(file), "{name}");
        for (chosen, image) in [
            ("example.test/a:1", "example.test/a:1"),
            ("example.test/b:2", "example.test/b:2"),
            ("@1", "example.test/b:2"),
            (&id[..12], "example.test/b:2"),
            (&id, "example.test/b:2"),
            (&format!("sha256:{id}"), "example.test/b:2"),
            ("c:3", "docker.io/library/c:3"),
            ("docker.io/library/c:3", "docker.io/library/c:3"),
            ("@3", "unnamed"),
        ] {
            is_image(&user, &format!("{name}:{chosen}"), image);
            is_image(&user, &format!("docker-archive:{name}:{chosen}"), image);
        }
        for wrong in ["example.test/a:2", "a:1", "@4", &id[..11], "sha256:00"] {
            let word = format!("docker-archive:{name}:{wrong}");
            user.run(&["analyze", &word]).fails(3, &[name, wrong, "it holds", "example.test/b:2"]);
        }
    }
}

#[test]
fn an_image_with_several_tags_is_one_image() {
    let user = User::new();
    let image = shop::image().tagged(["example.test/shop:1", "example.test/shop:latest"]);
    write(&user, "tags.tar", &ImageFiles::docker_archive(&[image]));
    let read = user.analyze("tags.tar");
    assert_eq!(read["image"]["reference"], "tags.tar:example.test/shop:1");
    for tag in ["example.test/shop", "example.test/shop:latest"] {
        let word = format!("docker-archive:tags.tar:{tag}");
        assert_eq!(account(user.analyze(&word)), account(read.clone()));
    }
}

#[test]
fn paths_may_hold_colons() {
    let user = User::new();
    fs_err::create_dir(user.path("a:b")).unwrap();
    let both = images(&["example.test/a:1", "example.test/b:2"]);
    for name in ["a:b/c:1.tar", "shop:1.tar", ":odd"] {
        let files = ImageFiles::docker_archive(&both);
        write(&user, name, &files);
        let path = user.path(name).display().to_string();
        for prefix in ["docker-archive:", ""] {
            is_image(&user, &format!("{prefix}{path}:example.test/b:2"), "example.test/b:2");
            is_image(&user, &format!("{prefix}{path}:@0"), "example.test/a:1");
            user.run(&["analyze", &format!("{prefix}{path}")]).fails(3, &["example.test/a:1"]);
        }
    }
}

#[test]
fn bare_words_are_told_by_content_and_the_choice_is_printed() {
    let user = User::new();
    // Names that say something else than the content.
    write(&user, "docker.oci", &ImageFiles::docker_archive_legacy(&[shop::image()], false));
    write(&user, "layout.docker", &ImageFiles::oci_layout([shop::image()]));
    // A directory that is also a reference: what exists comes first.
    ImageFiles::oci_layout([shop::image()])
        .write_directory(&user.path("example.test/shop"))
        .unwrap();
    for (word, chosen) in [
        ("docker.oci", "docker-archive:docker.oci:example.test/shop:1"),
        ("./docker.oci", "docker-archive:./docker.oci:example.test/shop:1"),
        ("layout.docker", "oci-archive:layout.docker:example.test/shop:1"),
        ("example.test/shop", "oci:example.test/shop:example.test/shop:1"),
        ("example.test/shop:example.test/shop:1", "oci:example.test/shop:example.test/shop:1"),
    ] {
        let text = user.run(&["analyze", word]).text();
        assert_eq!(text.lines().next(), Some(chosen), "{word}");
        let why = user.run(&["why", word, "/etc"]).text();
        assert!(why.contains(&format!("\nin {chosen}\n")), "{why}");
    }
    let stdin = fs_err::read(user.path("docker.oci")).unwrap();
    let text = user.run_with_input(&["analyze", "-"], &stdin).text();
    assert_eq!(text.lines().next(), Some("docker-archive:standard input:example.test/shop:1"));
}

#[test]
fn an_archive_of_the_other_format_is_named() {
    let user = User::new();
    write(&user, "docker.tar", &ImageFiles::docker_archive_legacy(&[shop::image()], false));
    write(&user, "oci.tar", &ImageFiles::oci_layout([shop::image()]));
    ImageFiles::oci_layout([shop::image()]).write_directory(&user.path("layout")).unwrap();
    let fails = |word: &str, try_this: &str| {
        user.run(&["analyze", word]).fails(3, &["is not", try_this]);
    };
    fails("oci-archive:docker.tar", "docker-archive:");
    fails("docker-archive:oci.tar", "oci-archive:");
    fails("docker-archive:layout", "oci:");
    fails("oci-archive:layout", "oci:");
    fails("oci:oci.tar", "oci-archive:");
    // Docker 25 and later save both in one file.
    write(&user, "both.tar", &ImageFiles::docker_archive(&[shop::image()]));
    let docker = account(user.analyze("docker-archive:both.tar"));
    assert_eq!(account(user.analyze("oci-archive:both.tar")), docker);
}

#[test]
fn two_images_are_compared_one_of_them_through_a_pipe() {
    let user = User::new();
    let archive = |image| ImageFiles::docker_archive(&[image]);
    write(&user, "one.tar", &archive(shop::image()));
    write(&user, "two.tar", &archive(shop::second()));
    let read = |run: Run| -> Value {
        let mut document = run.json();
        for key in ["old", "new"] {
            document.as_object_mut().unwrap().remove(key);
        }
        document
    };
    let expected = read(user.run(&["diff", "one.tar", "two.tar", "--format", "json"]));
    let piped = ["diff", "one.tar", "-", "--format", "json"];
    let piped = read(user.run_with_input(&piped, &archive(shop::second()).tar()));
    assert_eq!(piped, expected);
    let size = &expected["size"];
    for (list, whole) in [("layers", "layers"), ("changes", "live"), ("files", "live")] {
        let rows = expected[list].as_array().unwrap();
        let sum: i64 = rows.iter().map(|row| row["delta"].as_i64().unwrap()).sum();
        assert_eq!(sum, size[whole]["delta"].as_i64().unwrap(), "{list}");
    }
}
