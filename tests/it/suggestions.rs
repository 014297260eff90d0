//! What is suggested can be built as it is printed, has the bytes that were promised, and runs.

use std::process::Command;

use jettison_testkit::engine::Dockerd;
use jettison_testkit::image::{
    Compression, Image, ImageBuilder, ImageFiles, LayerBuilder, Meta, Wrap,
};
use jettison_testkit::process::run;
use jettison_testkit::registry::Registry;
use serde_json::Value;

use crate::jettison::{Run, User};
use crate::shop::content;
use crate::unused::programs_of_this_machine;

const TAG: &str = "example.test/sums:1";
const DOCKERFILE: &str = "FROM scratch\n# What the machine has.\nCOPY root /\nCOPY app /app/\n\
    RUN chmod -R 0755 /app\nENTRYPOINT [\"/app/run\"]\nCMD [\"/app/data.txt\"]\n";

/// A script with what it starts, what builders need to gather files, and what nothing uses.
fn image() -> ImageBuilder {
    let programs = ["sh", "cp", "mkdir", "rm", "install", "sha256sum", "sort", "stat"]
        .map(|name| format!("/usr/bin/{name}"));
    let root = programs_of_this_machine(&programs.each_ref().map(String::as_str))
        .file("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:10:10::/srv:/bin/sh\n")
        .file("etc/group", "root:x:0:\napp:x:10:\n")
        .file("usr/share/doc/x/README", content("readme", 3_000_000))
        .file("srv/left/over.bin", content("over", 2_000_000))
        .directory_with("var/lib/app", Meta::mode(0o750).owner(10, 10))
        .directory_with("tmp", Meta::mode(0o1777));
    let app = |mode: u32| {
        LayerBuilder::new()
            .file_with(
                "app/run",
                "#!/bin/sh\nset -e\ncd /app\nsort \"$1\" | sha256sum\n: > /tmp/x\n\
                : > /var/lib/app/x\n",
                Meta::mode(mode),
            )
            .file_with("app/data.txt", content("data", 1_500_000), Meta::mode(mode))
            .file_with("app/a b's $c.txt", "odd", Meta::mode(mode))
    };
    ImageBuilder::new()
        .platform(jettison_oci::Platform::host())
        .layer(root, "COPY root / # buildkit")
        .layer(app(0o644), "COPY app /app/ # buildkit")
        .layer(app(0o755), "RUN /bin/sh -c chmod -R 0755 /app # buildkit")
        .env("PATH", "/usr/bin:/bin")
        .env("ODD", "a \"b\" $c \\d")
        .workdir("/srv")
        .user("app")
        .entrypoint(&["/app/run"])
        .cmd(&["/app/data.txt"])
        .tag(TAG)
}

fn write(user: &User) -> String {
    ImageFiles::docker_archive(&[image().build()])
        .write_archive(&user.path("sums.tar"), Wrap::None)
        .unwrap();
    "docker-archive:sums.tar".to_owned()
}

fn of_kind<'a>(analysis: &'a Value, kind: &str) -> Vec<&'a Value> {
    let all = analysis["suggestions"].as_array().unwrap().iter();
    all.filter(|one| one["kind"] == kind).collect()
}

#[test]
fn stages_are_built_as_promised_and_run() {
    let Some(docker) = Dockerd::for_test() else { return };
    docker.load_image(&image().build()).unwrap();
    let user = User::new();
    let jettison =
        |arguments: &[&str]| Run::of(user.command(arguments).env("DOCKER_HOST", docker.host()));
    let word = format!("docker-daemon:{TAG}");
    let written = user.path("new.Dockerfile");
    let written = written.to_str().unwrap();
    let analysis =
        jettison(&["analyze", &word, "--format", "json", "--write-dockerfile", written]).json();
    let stages = of_kind(&analysis, "multi-stage");
    assert_eq!(stages.len(), 2, "{stages:?}");
    assert_eq!(stages[0]["dockerfile"], fs_err::read_to_string(written).unwrap());
    assert_eq!(
        (&stages[0]["confidence"], &stages[1]["confidence"]),
        (&"medium".into(), &"high".into())
    );
    let output = |image: &str| docker.docker(&["run", "--rm", "--network", "none", image]).unwrap();
    let expected = output(TAG);
    assert!(expected.len() > 64, "{expected}");
    let today = analysis["size"]["files"].as_u64().unwrap();
    for (at, stage) in stages.iter().enumerate() {
        let context = user.path(&format!("context-{at}"));
        fs_err::create_dir(&context).unwrap();
        fs_err::write(context.join("Dockerfile"), stage["dockerfile"].as_str().unwrap()).unwrap();
        let tag = format!("example.test/sums-{at}:1");
        docker.build(&context, &tag).unwrap();
        assert_eq!(output(&tag), expected, "{at}");
        let built =
            jettison(&["analyze", &format!("docker-daemon:{tag}"), "--format", "json"]).json();
        let promised = today - stage["bytes"].as_u64().unwrap();
        assert_eq!(built["size"]["files"], promised, "{at}");
        for key in ["entrypoint", "cmd", "user"] {
            assert_eq!(built["image"][key], analysis["image"][key], "{key}");
        }
        let inspected = |tag: &str| {
            docker
                .docker(&["inspect", "--format", "{{json .Config.Env}}{{.Config.WorkingDir}}", tag])
                .unwrap()
        };
        assert_eq!(inspected(&tag), inspected(TAG));
        // Nothing is left to be suggested.
        let left = of_kind(&built, "multi-stage").len();
        assert!(left <= at, "{at}: {left}");
    }
}

#[test]
fn a_dockerfile_is_told_by_its_lines_and_as_a_diff() {
    let user = User::new();
    let word = write(&user);
    fs_err::write(user.path("Dockerfile"), DOCKERFILE).unwrap();
    let analysis =
        user.run(&["analyze", &word, "--dockerfile", "Dockerfile", "--format", "json"]).json();
    let finding = |rule: &str| {
        let all = analysis["findings"].as_array().unwrap();
        all.iter().find(|one| one["rule"] == rule).unwrap_or_else(|| panic!("{rule}: {analysis}"))
    };
    assert_eq!(finding("docs")["line"], 3);
    assert_eq!(finding("metadata-only-rewrite")["line"], 4);
    let owner = of_kind(&analysis, "instruction");
    let owner = owner.iter().find(|one| one["line"] == 5 || one["line"] == 4).unwrap();
    assert_eq!(owner["bytes"], finding("metadata-only-rewrite")["bytes"], "{owner}");
    let stage = of_kind(&analysis, "multi-stage")[0].clone();
    for one in [owner, &&stage] {
        let directory = user.path("patched");
        fs_err::create_dir_all(&directory).unwrap();
        fs_err::write(directory.join("Dockerfile"), DOCKERFILE).unwrap();
        fs_err::write(directory.join("diff"), one["diff"].as_str().unwrap()).unwrap();
        let mut patch = Command::new("patch");
        run(patch.args(["-p1", "--fuzz=0", "--input=diff"]).current_dir(&directory)).unwrap();
        let patched = fs_err::read_to_string(directory.join("Dockerfile")).unwrap();
        if *one == &stage {
            assert_eq!(patched, stage["dockerfile"].as_str().unwrap());
            assert!(patched.starts_with("FROM scratch AS builder\n# What the machine has.\n"));
        } else {
            assert!(patched.contains("COPY --chmod=0755 app /app/\n"), "{patched}");
            assert!(!patched.contains("RUN chmod"), "{patched}");
        }
    }
    user.run(&["analyze", &word, "--dockerfile", "none"]).fails(2, &["--dockerfile", "none"]);
    let no_stage = ["analyze", &word, "--dockerfile", "Dockerfile", "--target", "build"];
    user.run(&no_stage).fails(2, &["has no stage build"]);
    fs_err::write(user.path("bad"), "RUN x\nFROM a\n").unwrap();
    user.run(&["analyze", &word, "--dockerfile", "bad"]).fails(2, &["bad", "line 1"]);
    let off = ["analyze", &word, "--advice", "off", "--write-dockerfile", "x"];
    user.run(&off).fails(2, &["--advice off"]);
    assert!(!user.path("x").exists());
}

fn table(reference: &str) -> String {
    format!(
        "[[candidate]]\nreference = \"{reference}\"\nfamily = \"debian\"\nrelease = \"12\"\nlibc = \"none\"\n\
         size = 1000\ncompressed = 500\nsize-source = \"a test\"\nsize-date = \"2026-11-25\"\n"
    )
}

#[test]
fn bases_of_one_s_own_are_measured_at_their_registry() {
    let Some(registry) = Registry::for_test() else { return };
    let base = |bytes: usize| -> Image {
        let layer = LayerBuilder::new().file("etc/base", content("base", bytes));
        ImageBuilder::new().compression(Compression::default()).layer(layer, "COPY . /").build()
    };
    registry.push(base(70_000), "own/base", "1").unwrap();
    let reference = registry.reference("own/base:1");
    let user = User::new();
    // A static program needs nothing of its base.
    let program = fs_err::read("/bin/busybox").unwrap();
    let size = program.len() as u64;
    let layer = LayerBuilder::new()
        .file_with("app/busybox", program, Meta::mode(0o755))
        .file("srv/left.bin", content("left", 5_000_000));
    let image = ImageBuilder::new().layer(layer, "COPY . /").entrypoint(&["/app/busybox", "true"]);
    ImageFiles::docker_archive(&[image.tag("own/app:1").build()])
        .write_archive(&user.path("app.tar"), Wrap::None)
        .unwrap();
    fs_err::write(user.path("bases.toml"), table(&reference)).unwrap();
    let left = |more: &[&str]| {
        let arguments = ["analyze", "app.tar", "--format", "json", "--bases", "bases.toml"];
        let analysis = user.run(&[&arguments[..], more].concat()).json();
        let title = format!("start from {reference}");
        let all = of_kind(&analysis, "base-image");
        let own = all.iter().find(|one| one["title"].as_str().unwrap().starts_with(&title));
        own.map(|own| analysis["size"]["files"].as_u64().unwrap() - own["bytes"].as_u64().unwrap())
    };
    assert_eq!(left(&[]), Some(size + 1000));
    assert_eq!(left(&["--resolve-bases"]), Some(size + 70_000));
    fs_err::write(user.path("bases.toml"), table("no reference at all")).unwrap();
    fs_err::write(user.path("bad.toml"), "[[candidate]]\nreference = 1\n").unwrap();
    user.run(&["analyze", "app.tar", "--bases", "bad.toml"]).fails(2, &["--bases bad.toml"]);
    user.run(&["analyze", "app.tar", "--bases", "none.toml"]).fails(2, &["none.toml"]);
}

#[test]
fn zstd_is_measured_on_the_image_s_own_layers() {
    let user = User::new();
    let numbers = (0..400_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_string());
    let text: Vec<String> = numbers.collect();
    let text = text.join(" lines\n");
    let layer = LayerBuilder::new().file("app/text", text);
    let image = ImageBuilder::new().compression(Compression::default()).layer(layer, "COPY . /");
    ImageFiles::oci_layout([image.build()]).write_directory(&user.path("layout")).unwrap();
    let zstd = |more: &[&str]| {
        let arguments = ["analyze", "oci:layout", "--format", "json"];
        let analysis = user.run(&[&arguments[..], more].concat()).json();
        let all = of_kind(&analysis, "instruction");
        all.iter()
            .find(|one| one["title"] == "push layers as zstd")
            .map(|one| one["pullBytes"].clone())
    };
    assert_eq!(zstd(&[]), None);
    if let Some(saved) = zstd(&["--measure-zstd"]) {
        let plain = fs_err::read_dir(user.path("layout/blobs/sha256")).unwrap();
        let most = plain.map(|blob| blob.unwrap().metadata().unwrap().len()).max().unwrap();
        assert!(saved.as_u64().unwrap() < most, "{saved} of {most}");
    }
    let text = user.run(&["analyze", "oci:layout", "--measure-zstd"]).text();
    assert!(text.contains("What to do") || !text.contains("zstd"), "{text}");
}
