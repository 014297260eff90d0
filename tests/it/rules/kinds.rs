//! Kinds of files: documentation, headers, translations, tests.

use super::case::{Case, Found, image, sized};
use crate::jettison::User;
use crate::shop::content;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::plain(
            "docs",
            "high",
            &[
                ("usr/share/doc/x/README", 5000),
                ("usr/local/share/doc/y/changelog.gz", 400),
                ("usr/share/gtk-doc/html/z/index.html", 300),
                ("usr/share/gnome/help/x/de/a.xml", 200),
                ("usr/share/lintian/overrides/x", 100),
            ],
            &[
                "usr/share/doc/x/copyright",
                "usr/share/doc/y/LICENSE.txt",
                "usr/share/gnome/help/x/C/a.xml",
                "usr/share/documents/readme",
                "app/README",
            ],
        ),
        Case::plain(
            "man",
            "high",
            &[
                ("usr/share/man/man1/a.1.gz", 5000),
                ("usr/local/share/man/man1/b.1", 400),
                ("usr/local/man/man8/c.8", 300),
                ("usr/share/info/d.info.gz", 200),
            ],
            &["usr/share/manual/x", "app/man/y"],
        ),
        locales(),
        Case::plain(
            "headers",
            "medium",
            &[
                ("usr/include/a.h", 5000),
                ("usr/local/include/b/c", 400),
                ("usr/local/lib/x/include/d.hpp", 300),
                ("usr/lib/pkgconfig/z.pc", 200),
                ("usr/lib/x/cmake/F.txt", 100),
                ("app/node_modules/x/index.d.ts", 90),
                ("usr/lib/python3/dist-packages/m.pyi", 80),
            ],
            // The last are PHP's.
            &["app/src/a.hs", "app/index.ts", "srv/include/b.inc", "srv/include/c.php"],
        ),
        Case::plain(
            "static-libraries",
            "high",
            &[("usr/lib/libx.a", 5000), ("usr/lib/libx.la", 400), ("usr/lib/crt1.o", 300)],
            &["usr/lib/libx.so", "usr/lib/x/plugin.la", "app/data.ao", "app/schema.xla"],
        ),
        Case::plain(
            "python-tests",
            "medium",
            &[
                ("usr/lib/python3.13/test/test_a.py", 5000),
                ("usr/lib/python3.13/idlelib/idle_test/b.py", 400),
                ("opt/p/site-packages/numpy/tests/test_c.py", 300),
            ],
            &["app/tests/test_d.py", "opt/p/site-packages/pytest/main.py"],
        ),
        bytecode(),
        Case::plain(
            "source-maps",
            "medium",
            &[("app/dist/a.js.map", 5000), ("app/dist/b.css.map", 400), ("app/c.d.ts.map", 300)],
            // Without the file that it is of, it is somebody's map.
            &["app/dist/a.js", "app/dist/b.css", "app/c.d.ts", "srv/d.js.map", "app/world.map"],
        )
        .beside(&["headers"]),
    ]
}

fn locales() -> Case {
    let found = [
        ("usr/share/locale/fr/LC_MESSAGES/x.mo", 5000),
        ("usr/share/locale/de_CH/LC_MESSAGES/x.mo", 400),
        ("usr/share/locale/sr@latin/LC_MESSAGES/x.mo", 300),
        ("usr/share/i18n/charmaps/UTF-8.gz", 200),
    ];
    let layer = [
        "usr/share/locale/locale.alias",
        "usr/share/locale/de/LC_MESSAGES/x.mo",
        "usr/share/locale/de_AT/LC_MESSAGES/x.mo",
        "usr/share/locale/ca@valencia/LC_MESSAGES/x.mo",
        "usr/share/locale/C/LC_MESSAGES/x.mo",
        "app/locale/fr/LC_MESSAGES/x.mo",
    ]
    .iter()
    .fold(sized(&found), |layer, path| layer.file(path, content(path, 700)));
    let image = image(layer).env("LANG", "de_AT.UTF-8").env("LANGUAGE", "de:ca_ES@valencia");
    Case::new("locales", image, &[Found::files("high", &found)])
}

fn bytecode() -> Case {
    let found = [
        ("opt/p/lib/__pycache__/a.cpython-313.pyc", 5000),
        ("opt/p/lib/__pycache__/a.cpython-313.opt-1.pyc", 400),
        ("opt/p/lib/b.pyo", 300),
    ];
    let layer = sized(&found)
        .file("opt/p/lib/a.py", "x = 1\n")
        // Without a source, these are the modules.
        .file("opt/p/lib/__pycache__/c.cpython-313.pyc", content("c", 700))
        .file("opt/p/lib/d.pyc", content("d", 700))
        .file("opt/p/lib/d.py", "x = 2\n");
    Case::new("python-bytecode", image(layer), &[Found::files("medium", &found)])
}

#[test]
fn kinds_of_files_are_found_and_what_looks_like_them_is_not() {
    let user = User::new();
    for case in cases() {
        case.check(&user);
    }
}

#[test]
fn maps_that_node_is_told_to_read_are_needed() {
    let layer = sized(&[("app/a.js.map", 500)])
        .file_with("usr/bin/node", content("node", 900), jettison_testkit::image::Meta::mode(0o755))
        .file("app/a.js", "console.log(1)\n")
        .file("app/never.js", "console.log(2)\n")
        .file("app/never.js.map", content("never", 400));
    let told = |options: &[&str], found: &[(&str, u64)]| {
        let words = [&["/usr/bin/node"], options, &["/app/a.js"]].concat();
        let case = Case::new(
            "source-maps",
            image(layer.clone()).entrypoint(&words),
            &[Found::files("medium", found)],
        );
        case.check(&User::new());
    };
    told(&[], &[("app/a.js.map", 500), ("app/never.js.map", 400)]);
    told(&["--enable-source-maps"], &[("app/never.js.map", 400)]);
}
