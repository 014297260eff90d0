//! Where Python and Node find modules, and what comes with one.

use jettison_testkit::image::LayerBuilder;

use crate::reach::{Run, data, image, layer, programs};

const STANDARD: &str = "usr/lib/python3.11";
const SITE: &str = "usr/local/lib/python3.11/dist-packages";
const OTHER_SITE: &str = "usr/lib/python3/dist-packages";

/// An image that runs `/srv/app.py` of this text, with these modules.
fn python(text: &str, files: &[(&str, &str)]) -> LayerBuilder {
    let os = format!("{STANDARD}/os.py");
    let all = [&[("srv/app.py", text), (&os, "")], files].concat();
    programs(layer(&all), &["usr/bin/python3.11"]).symlink("usr/bin/python3", "python3.11")
}

fn run(layer: LayerBuilder) -> Run {
    Run::of(image(layer).workdir("/srv").cmd(&["python3", "/srv/app.py"]))
}

#[test]
fn modules_of_the_standard_library_come_one_by_one_with_their_compiled_forms() {
    let files = [
        ("a.py", "def f():\n    import nested\n    importlib.import_module('literal')\n"),
        ("nested.py", "x = 1"),
        ("literal.py", "x = 1"),
        ("other.py", "x = 1"),
        ("__pycache__/a.cpython-311.pyc", "x"),
        ("__pycache__/other.cpython-311.pyc", "x"),
        ("encodings/__init__.py", "x = 1"),
        ("encodings/koi8_r.py", "x = 1"),
        ("lib-dynload/_fast.cpython-311-x86_64-linux-gnu.so", "x"),
        ("lib-dynload/_slow.cpython-311-x86_64-linux-gnu.so", "x"),
    ];
    let files = files.map(|(name, text)| (format!("{STANDARD}/{name}"), text));
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let run = run(python("import a\nimport _fast\n", &files));
    for (name, expected) in [
        ("a.py", "needed"),
        ("nested.py", "needed"),
        ("literal.py", "needed"),
        ("other.py", "none"),
        ("__pycache__/a.cpython-311.pyc", "needed"),
        ("__pycache__/other.cpython-311.pyc", "none"),
        // A text may come in any.
        ("encodings/koi8_r.py", "named"),
        ("lib-dynload/_fast.cpython-311-x86_64-linux-gnu.so", "needed"),
        ("lib-dynload/_slow.cpython-311-x86_64-linux-gnu.so", "none"),
    ] {
        run.evidence(&[(&format!("/{STANDARD}/{name}"), expected)]);
    }
}

#[test]
fn a_distribution_comes_whole_with_its_records_and_libraries() {
    let rows = [
        ("lib/__init__.py", "from . import part\n"),
        ("lib/part.py", "x = 1"),
        ("lib/left.py", "x = 1"),
        ("lib/templates/page.html", "x"),
        ("lib.libs/libneeded-1a2b.so.1", "x"),
        ("lib-1.0.dist-info/METADATA", "Name: lib\nVersion: 1.0\n\n"),
        ("lib-1.0.dist-info/RECORD", "lib/__init__.py,,\nlib/part.py,,\n"),
        ("other/__init__.py", "x = 1"),
        ("other.libs/libother-3c4d.so.1", "x"),
        ("on_start.pth", "/opt/extra\nimport hook; hook.now()\n"),
        ("hook.py", "x = 1"),
    ];
    let files = rows.map(|(name, text)| (format!("{SITE}/{name}"), text));
    let mut files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    files.extend([("opt/extra/more.py", "x = 1"), ("opt/extra/never.py", "x = 1")]);
    let run = run(python("import lib, more\n", &files));
    for (name, expected) in [
        ("lib/__init__.py", "needed"),
        ("lib/part.py", "needed"),
        ("lib/templates/page.html", "package-mate"),
        ("lib.libs/libneeded-1a2b.so.1", "package-mate"),
        ("lib-1.0.dist-info/METADATA", "package-mate"),
        ("other/__init__.py", "none"),
        ("other.libs/libother-3c4d.so.1", "none"),
        ("hook.py", "needed"),
    ] {
        run.evidence(&[(&format!("/{SITE}/{name}"), expected)]);
    }
    run.evidence(&[("/opt/extra/more.py", "needed"), ("/opt/extra/never.py", "none")]);
    assert_eq!(run.used(&format!("/{SITE}/lib/part.py"))["owner"], "lib");
    assert_ne!(run.used(&format!("/{SITE}/lib/left.py"))["evidence"], "none");
}

#[test]
fn pip_marks_what_was_asked_for() {
    let rows = [
        (
            "app-1.dist-info/METADATA",
            "Name: app\nVersion: 1\nRequires-Dist: lib>=1\n\
          Requires-Dist: Extra_One; extra == \"fast\"\n\n",
        ),
        ("app-1.dist-info/REQUESTED", ""),
        ("lib-1.dist-info/METADATA", "Name: lib\nVersion: 1\n\n"),
        ("extra_one-1.dist-info/METADATA", "Name: extra-one\nVersion: 1\n\n"),
        ("left-1.dist-info/METADATA", "Name: left\nVersion: 1\n\n"),
    ];
    let files = rows.map(|(name, text)| (format!("{SITE}/{name}"), text));
    let mut files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    // No tool marks those of the distribution.
    let other = format!("{OTHER_SITE}/other-1.dist-info/METADATA");
    files.push((&other, "Name: other\nVersion: 1\n\n"));
    let document = run(python("import os\n", &files)).document;
    let packages = document["packages"].as_array().unwrap();
    let reason = |name: &str| {
        packages.iter().find(|package| package["name"] == name).unwrap()["reason"].as_str().unwrap()
    };
    let found = ["app", "lib", "extra-one", "left", "other"].map(reason);
    assert_eq!(found, ["asked", "dependency", "recommended", "orphan", "asked"]);
}

#[test]
fn a_namespace_stands_in_several_places_and_gives_way_to_a_package() {
    let one = format!("{SITE}/ns/one.py");
    let two = format!("{OTHER_SITE}/ns/two.py");
    let files = [(one.as_str(), "x = 1"), (two.as_str(), "x = 1")];
    run(python("import ns.one\nimport ns.two\n", &files))
        .evidence(&[(&format!("/{one}"), "needed"), (&format!("/{two}"), "needed")]);
    let package = format!("{OTHER_SITE}/ns/__init__.py");
    run(python("import ns.two\n", &[&files[..], &[(&package, "x = 1")]].concat()))
        .evidence(&[(&format!("/{package}"), "needed"), (&format!("/{two}"), "needed")]);
}

#[test]
fn what_is_compiled_alone_is_found_and_lowers_the_confidence() {
    let rows = ["lib/__init__.pyc", "lib/part.pyc", "left/__init__.py", "single.pyc"];
    let files = rows.map(|name| format!("{SITE}/{name}"));
    let paths: Vec<&str> = files.iter().map(String::as_str).collect();
    let run = run(data(python("import lib.part\nimport single\n", &[]), &paths));
    run.evidence(&[
        (&format!("/{}", files[0]), "needed"),
        (&format!("/{}", files[1]), "needed"),
        (&format!("/{}", files[3]), "needed"),
    ]);
    let left = run.used(&format!("/{}", files[2]));
    assert_eq!((&left["evidence"], &left["confidence"]), (&"none".into(), &"low".into()));
}

#[test]
fn node_resolves_exports_imports_itself_and_its_path() {
    let files = [
        (
            "srv/app.js",
            "require('a'); require('a/feature'); require('#inner'); require('b');\
                        require('app/own'); import('c'); require('global-one')",
        ),
        (
            "srv/package.json",
            r##"{"name":"app","exports":{"./own":"./lib/own.js"},
            "imports":{"#inner":{"node":"./lib/inner.js","default":"./lib/never.js"}}}"##,
        ),
        ("srv/lib/own.js", "x = 1"),
        ("srv/lib/inner.js", "x = 1"),
        (
            "srv/node_modules/a/package.json",
            r#"{"name":"a","exports":{".":{"import":"./m.mjs",
            "require":"./c.cjs"},"./feature":"./feature.js","./x/*":"./x/*.js"}}"#,
        ),
        ("srv/node_modules/a/m.mjs", "x = 1"),
        ("srv/node_modules/a/c.cjs", "require('./deep')"),
        ("srv/node_modules/a/deep.js", "x = 1"),
        ("srv/node_modules/a/feature.js", "x = 1"),
        ("srv/node_modules/a/hidden.js", "x = 1"),
        ("srv/node_modules/b/package.json", r#"{"name":"b","main":"lib"}"#),
        ("srv/node_modules/b/lib/index.js", "x = 1"),
        ("srv/node_modules/c/package.json", r#"{"name":"c","module":"esm.js","main":"c.js"}"#),
        ("srv/node_modules/c/c.js", "x = 1"),
        ("srv/node_modules/d/index.js", "x = 1"),
        ("opt/modules/global-one/index.js", "x = 1"),
        ("opt/modules/global-two/index.js", "x = 1"),
    ];
    let layer = programs(layer(&files), &["usr/bin/node"]);
    let image = image(layer).env("NODE_PATH", "/opt/modules").cmd(&["node", "/srv/app.js"]);
    let run = Run::of(image);
    run.evidence(&[
        ("/srv/lib/own.js", "needed"),
        ("/srv/lib/inner.js", "needed"),
        ("/srv/node_modules/a/c.cjs", "needed"),
        ("/srv/node_modules/a/deep.js", "needed"),
        ("/srv/node_modules/a/feature.js", "needed"),
        ("/srv/node_modules/b/lib/index.js", "needed"),
        ("/srv/node_modules/c/c.js", "needed"),
        ("/opt/modules/global-one/index.js", "needed"),
        ("/opt/modules/global-two/index.js", "none"),
        ("/srv/node_modules/d/index.js", "none"),
    ]);
    assert_eq!(run.used("/srv/node_modules/a/hidden.js")["owner"], "a");
}
