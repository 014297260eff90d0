//! What builds leave: of editors, of the machine that built, logs, archives.

use jettison_testkit::image::{LayerBuilder, Meta};

use super::case::{Case, Found, image, sized};
use super::databases::Dpkg;
use crate::jettison::User;
use crate::shop::content;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::plain(
            "vcs-directory",
            "high",
            &[("app/.git/objects/pack/a.pack", 5000), ("srv/.svn/wc.db", 400), ("x/.hg/b", 300)],
            &["app/.gitmodules", "app/git/a", "app/.github-keys"],
        ),
        Case::plain(
            "ide-files",
            "high",
            &[
                ("app/.idea/workspace.xml", 5000),
                ("app/.vscode/settings.json", 400),
                ("app/src/.main.py.swp", 300),
                ("app/notes.txt~", 200),
                ("app/app.iml", 100),
            ],
            &["app/node_modules/x/README~", "opt/p/site-packages/m/a.swp", "app/vscode/x"],
        ),
        Case::plain(
            "host-junk",
            "high",
            &[
                ("app/.DS_Store", 5000),
                ("app/Dockerfile", 400),
                ("app/docker-compose.prod.yml", 300),
                ("app/.github/workflows/ci.yml", 200),
                ("app/._main.py", 100),
                ("app/.gitlab-ci.yml", 90),
            ],
            &[
                "app/node_modules/x/.editorconfig",
                "app/node_modules/x/.github/FUNDING.yml",
                "app/Dockerfiles",
                "app/compose.txt",
            ],
        ),
        Case::plain(
            "logs",
            "high",
            &[("var/log/dpkg.log", 5000), ("var/log/apt/term", 400), ("app/build.log", 300)],
            &["app/node_modules/x/debug.log", "var/logs/keep", "app/log.txt"],
        ),
        Case::plain(
            "temp-files",
            "high",
            &[("tmp/a", 5000), ("var/tmp/b/c", 400), ("usr/tmp/d", 300)],
            &["app/tmp/cache.bin", "tmpfiles/x"],
        ),
        archives(),
        installed_archives(),
    ]
}

fn archives() -> Case {
    let found = [
        ("opt/tool-1.2.tar.gz", 5000),
        ("srv/site.zip", 400),
        ("app/lib/a.jar.orig", 300),
        ("root/other.tgz", 200),
    ];
    let layer = sized(&found)
        .file("opt/tool-1.2/bin/tool", content("tool", 3000))
        .file("srv/site/index.html", content("index", 700))
        // Unpacked to where sources are, from wherever.
        .file("usr/local/src/other/main.c", content("main", 700))
        // Nothing was unpacked from these.
        .file("srv/backup.tar.gz", content("backup", 700))
        .file("srv/data.zip", content("data", 700))
        .file("opt/tool-1.2.tar.gz.sig", content("signature", 70));
    Case::new("unpacked-archive", image(layer), &[Found::files("medium", &found)])
}

fn installed_archives() -> Case {
    let found = [
        ("root/tool_1_amd64.deb", 5000),
        ("srv/typing_extensions-4.1-py3-none-any.whl", 400),
        ("srv/flask-3.0-py3-none-any.whl", 300),
    ];
    let database = Dpkg::new().asked("tool", &[("usr/share/tool/data", 900)]);
    let site = "opt/p/lib/python3.13/site-packages";
    let layer = database
        .layer()
        .append(sized(&found))
        .file(format!("{site}/flask-3.0.dist-info/METADATA"), "Name: Flask\nVersion: 3.0\n")
        .file(
            format!("{site}/typing_extensions-4.1.dist-info/METADATA"),
            "Name: typing_extensions\nVersion: 4.1\n",
        )
        .file("root/another_1_amd64.deb", content("another", 700))
        .file("srv/numpy-2.0-cp313-none-any.whl", content("numpy", 700));
    Case::new("unpacked-archive", image(layer), &[Found::files("medium", &found)])
}

#[test]
fn what_builds_leave_is_found_and_what_looks_like_it_is_not() {
    let user = User::new();
    for case in cases() {
        case.check(&user);
    }
}

#[test]
fn what_something_names_is_less_sure_and_what_it_needs_is_not_told() {
    let script = "#!/bin/sh\nexec /app/program --with=/tmp/named.bin\n";
    let layer = LayerBuilder::new()
        .file_with("bin/sh", content("sh", 900), Meta::mode(0o755))
        .file_with("tmp/start", script, Meta::mode(0o755))
        .file("tmp/named.bin", content("named", 600))
        .file("tmp/left.bin", content("left", 500));
    let image = image(layer).entrypoint(&["/tmp/start"]);
    let found = [
        Found::files("high", &[("tmp/left.bin", 500)]),
        Found::files("medium", &[("tmp/named.bin", 600)]),
    ];
    Case::new("temp-files", image, &found).check(&User::new());
}
