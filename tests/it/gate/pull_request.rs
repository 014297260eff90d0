//! A pull request that adds 40 MB in one RUN, built by Docker's engine: it fails, and the RUN, its
//! line, its package and its files are named.

use std::path::Path;

use jettison_testkit::engine::Dockerd;
use jettison_testkit::image::ImageBuilder;
use jettison_testkit::process::run;

use crate::jettison::{Run, User};
use crate::shop::content;
use crate::unused::programs_of_this_machine;

/// A package of 40 MB that dpkg can install.
fn package(user: &User) -> std::path::PathBuf {
    let root = user.path("models");
    for (path, name, bytes) in [
        ("usr/share/models/large.bin", "large", 31_000_000),
        ("usr/lib/models/libmodels.so.1", "lib", 9_000_000),
    ] {
        let path = root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content(name, bytes)).unwrap();
    }
    fs_err::create_dir_all(root.join("DEBIAN")).unwrap();
    let control = "Package: models\nVersion: 2.1\nArchitecture: all\n\
                   Maintainer: Test <test@example.test>\nDescription: large models\n";
    fs_err::write(root.join("DEBIAN/control"), control).unwrap();
    let file = user.path("context/models.deb");
    let mut command = std::process::Command::new("dpkg-deb");
    run(command.args(["-Znone", "--build"]).args([&root, &file])).unwrap();
    file
}

fn dockerfile(context: &Path, lines: &[&str]) {
    fs_err::write(context.join("Dockerfile"), lines.join("\n") + "\n").unwrap();
}

#[test]
fn forty_megabytes_in_one_run_are_failed_by_name() {
    let Some(docker) = Dockerd::for_test() else { return };
    let user = User::new();
    let context = user.path("context");
    fs_err::create_dir(&context).unwrap();
    package(&user);
    let programs = ["sh", "dpkg", "dpkg-deb", "dpkg-split", "tar", "rm", "diff"]
        .map(|name| format!("/usr/bin/{name}"));
    let root = programs_of_this_machine(&programs.each_ref().map(String::as_str))
        .file("var/lib/dpkg/status", "")
        .file("var/lib/dpkg/available", "")
        .directory("var/lib/dpkg/info")
        .directory("var/lib/dpkg/updates")
        .directory("var/lib/dpkg/triggers")
        .directory("tmp");
    let base = ImageBuilder::new()
        .platform(jettison_oci::Platform::host())
        .layer(root, "COPY root / # buildkit")
        .tag("example.test/base:1");
    docker.load_image(&base.build()).unwrap();
    fs_err::write(context.join("app.conf"), content("conf", 20_000)).unwrap();
    let from = "FROM example.test/base:1";
    dockerfile(&context, &[from, "COPY app.conf /etc/app.conf", "CMD [\"sh\"]"]);
    docker.build(&context, "example.test/app:main").unwrap();
    dockerfile(
        &context,
        &[
            from,
            "COPY app.conf /etc/app.conf",
            "# The new feature.",
            "COPY models.deb /tmp/",
            "RUN dpkg --force-all -i /tmp/models.deb \\",
            " && rm /tmp/models.deb",
            "CMD [\"sh\"]",
        ],
    );
    docker.build(&context, "example.test/app:pr").unwrap();
    fs_err::write(
        user.path("jettison.toml"),
        "[gate]\nbaseline = \"base.json\"\n[[gate.budget]]\nimage = \"example.test/app\"\n\
         metric = \"own-effective\"\nmax-increase = \"10 MiB\"\n",
    )
    .unwrap();
    let jettison =
        |arguments: &[&str]| Run::of(user.command(arguments).env("DOCKER_HOST", docker.host()));
    let base = ["--base", "example.test/base:1"];
    let main = "docker-daemon:example.test/app:main";
    let pull_request = "docker-daemon:example.test/app:pr";
    jettison(&[&["baseline", "update", main, "--commit", "a1b2c3d"][..], &base].concat()).text();
    let same = jettison(&[&["gate", main][..], &base].concat());
    assert_eq!(same.code(), 0, "{}", same.stderr);
    assert_eq!(
        super::text(&same),
        "pass  example.test/app (linux/amd64): nothing changed\n"
            .replace("amd64", &jettison_oci::Platform::host().architecture)
    );
    for against in [&[][..], &["--against", main]] {
        let arguments =
            [&["gate", pull_request, "--dockerfile", "context/Dockerfile"][..], &base, against];
        let run = jettison(&arguments.concat());
        assert_eq!(run.code(), 1, "{}", run.stderr);
        let page = super::text(&run);
        for words in [
            "FAIL  own-effective grew by 38.",
            "context/Dockerfile:5 RUN dpkg --force-all",
            "models 2.1",
            "+29.6 MiB  /usr/share/models/large.bin",
            "/usr/lib/models/libmodels.so.1",
        ] {
            assert!(page.contains(words), "{words} is not in\n{page}");
        }
        // So does every other format that has words.
        for format in
            ["json", "markdown", "github", "sarif", "gitlab", "openmetrics", "junit", "csv", "html"]
        {
            let page = jettison(&[&arguments.concat()[..], &["--format", format]].concat());
            assert_eq!(page.code(), 1, "{}", page.stderr);
            let page = super::text(&page);
            let names = ["RUN dpkg --force-all", "models", "/usr/share/models/large.bin"];
            for words in [&names[..], &["/usr/lib/models/libmodels.so.1"]].concat() {
                assert!(page.contains(words), "{words} is not in {format}\n{page}");
            }
        }
        // The last lines say what to do.
        let next = page.split("\nNext\n").nth(1).unwrap().replace("\n  ", " ");
        assert!(next.contains("most of it models 2.1"), "{next}");
        for words in ["--allow-increase REASON", "[[gate.budget]] 1"] {
            assert!(next.contains(words), "{next}");
        }
    }
}
