//! Whole packages that nothing which runs leads to.

use jettison_testkit::image::LayerBuilder;

use super::case::{Case, Found, PROGRAM, base, image, sized};
use super::databases::{Dpkg, apk};
use crate::jettison::User;
use crate::owners::executable;
use crate::shop::content;

pub(super) fn cases() -> Vec<Case> {
    vec![
        debug_packages(),
        build_tools(),
        toolchains(),
        alpine_tools(),
        dev_packages(),
        recommended_only(),
        orphan_packages(),
        node_dev_dependencies(),
    ]
}

fn debug_packages() -> Case {
    let database = Dpkg::new()
        .asked("libc6-dbg", &[("usr/share/libc6-dbg/x", 5000)])
        .asked("thing-dbgsym", &[("usr/lib/debug/.build-id/00/y.debug", 400)])
        .asked("dbgtool", &[("usr/share/dbgtool/z", 300)]);
    let others = [
        ("usr/lib/debug/lib/left.debug", 200),
        ("app/App.pdb", 100),
        ("app/App.dSYM/Contents/Info", 90),
    ];
    let layer = database
        .layer()
        .append(sized(&others))
        .file("app/App.dll", content("App", 700))
        // A protein.
        .file("srv/1abc.pdb", content("1abc", 700));
    let mut found = database.found("high", &["libc6-dbg", "thing-dbgsym"]);
    found.add(&others);
    Case::new("debug-packages", image(layer), &[found])
}

fn tools() -> Dpkg {
    Dpkg::new()
        .asked("gcc-12", &[("usr/bin/gcc-12", 5000), ("usr/lib/gcc/cc1", 400)])
        .asked("openjdk-17-jdk-headless", &[("usr/lib/jvm/17/bin/javac", 300)])
        .asked("make", &[("usr/bin/make", 200)])
        .asked("gcc-12-base", &[("usr/share/gcc/base", 100)])
        .asked("libgcc-s1", &[("usr/lib/libgcc_s.so.1", 90)])
}

fn build_tools() -> Case {
    let found = tools().found("high", &["gcc-12", "openjdk-17-jdk-headless", "make"]);
    Case::new("build-tools", image(tools().layer()), &[found])
}

fn toolchains() -> Case {
    let found = [
        ("usr/local/go/pkg/tool/compile", 5000),
        ("usr/local/go/src/fmt/print.go", 400),
        ("root/.rustup/toolchains/stable/bin/rustc", 300),
        ("opt/gradle/lib/gradle.bin", 200),
        ("usr/local/lib/node_modules/npm/node_modules/node-gyp/gyp/x", 100),
    ];
    let near = ["opt/go/pkg/tool/compile", "usr/local/gopher/x", "root/.rustup/settings"];
    Case::plain("build-tools", "high", &found, &near)
}

/// `llvm17-libs` is what a database compiles its queries with.
fn alpine_tools() -> Case {
    let layer = apk(
        &[
            ("gcc", &[("usr/bin/gcc", 5000)]),
            ("build-base", &[("usr/share/build-base/x", 400)]),
            ("llvm17-libs", &[("usr/lib/libLLVM-17.so", 300)]),
            ("python3-dev", &[("usr/share/python3-dev/x", 200)]),
        ],
        "gcc\nbuild-base\nllvm17-libs\npython3-dev\n",
    );
    let files = [("usr/bin/gcc", 5000), ("usr/share/build-base/x", 400)];
    let found = Found::files("high", &files).of(&["build-base", "gcc"]);
    Case::new("build-tools", image(layer), &[found]).beside(&["dev-packages"])
}

fn dev_packages() -> Case {
    let database = Dpkg::new()
        .asked("libz-dev", &[("usr/include/zlib.h", 5000), ("usr/lib/libz.a", 400)])
        .asked("linux-headers-6.1.0-1-amd64", &[("usr/src/linux/a", 300)])
        .asked("libz1", &[("usr/lib/libz.so.1", 200)])
        .asked("devscripts", &[("usr/share/devscripts/x", 100)]);
    let found = database.found("high", &["libz-dev", "linux-headers-6.1.0-1-amd64"]);
    Case::new("dev-packages", image(database.layer()), &[found])
}

fn related() -> Dpkg {
    let wants = "Depends: needed\nRecommends: nice, dull\nSuggests: spare\n";
    Dpkg::new()
        .with("server", wants, &[("usr/share/server/x", 900)])
        .came_along("needed", &[("usr/share/needed/x", 800)])
        .came_along("nice", &[("usr/share/nice/x", 5000)])
        .came_along("spare", &[("usr/share/spare/x", 400)])
        .asked("dull", &[("usr/share/dull/x", 300)])
        .came_along("forgotten", &[("usr/share/forgotten/x", 200)])
}

fn recommended_only() -> Case {
    let found = related().found("medium", &["nice", "spare"]);
    let image = image(related().layer());
    Case::new("recommended-only", image, &[found]).beside(&["orphan-packages"])
}

fn orphan_packages() -> Case {
    let found = related().found("medium", &["forgotten"]);
    let image = image(related().layer());
    Case::new("orphan-packages", image, &[found]).beside(&["recommended-only"])
}

/// A package of Node as its own file says.
fn node(
    layer: LayerBuilder,
    name: &str,
    dependencies: &[&str],
    files: &[(&str, u64)],
) -> LayerBuilder {
    let depends: Vec<String> =
        dependencies.iter().map(|name| format!("\"{name}\":\"1\"")).collect();
    let manifest = manifest(name, &depends);
    let at = format!("app/node_modules/{name}");
    files.iter().fold(layer.file(format!("{at}/package.json"), manifest), |layer, (path, bytes)| {
        layer.file(
            format!("{at}/{path}"),
            content(&format!("{name}/{path}"), usize::try_from(*bytes).unwrap()),
        )
    })
}

fn manifest(name: &str, depends: &[String]) -> String {
    let depends = depends.join(",");
    format!("{{\"name\":\"{name}\",\"version\":\"1.0.0\",\"dependencies\":{{{depends}}}}}")
}

fn node_dev_dependencies() -> Case {
    let application = r#"{"name":"app","dependencies":{"used":"1"},
        "devDependencies":{"builder":"1","both":"1","linter":"1"}}"#;
    let data: &[(&str, u64)] = &[("data.bin", 500)];
    let layer = node(LayerBuilder::new(), "used", &["both", "deep"], data);
    let layer = node(layer, "both", &[], data);
    let layer = node(layer, "deep", &[], data);
    let layer = node(layer, "builder", &["only-builder", "deep"], data);
    let layer = node(layer, "only-builder", &[], data);
    // What runs leads to it, whatever the manifest says.
    let layer = node(layer, "linter", &[], &[]);
    // What packages of the same repository depend on.
    let layer = node(layer, "of-workspace", &[], data);
    let layer = layer
        .file(
            "app/packages/part/package.json",
            manifest("part", &["\"of-workspace\":\"1\"".into()]),
        )
        .symlink("app/node_modules/part", "../packages/part")
        .file("app/node_modules/linter/index.js", "module.exports = 1\n")
        .file("app/index.js", "require('linter')\n")
        .file(
            "app/package.json",
            application.replace("\"linter\"", "\"of-workspace\":\"1\",\"linter\""),
        );
    let layer = executable(layer, "usr/bin/node", content("node", 900));
    let image = image(layer).entrypoint(&["/usr/bin/node", "/app/index.js"]);
    let size = |name: &str, depends: &[&str]| {
        let depends: Vec<String> = depends.iter().map(|name| format!("\"{name}\":\"1\"")).collect();
        manifest(name, &depends).len() as u64
    };
    let found = Found::files(
        "medium",
        &[
            ("app/node_modules/builder/data.bin", 500),
            ("app/node_modules/builder/package.json", size("builder", &["only-builder", "deep"])),
            ("app/node_modules/only-builder/data.bin", 500),
            ("app/node_modules/only-builder/package.json", size("only-builder", &[])),
        ],
    );
    Case::new("node-dev-dependencies", image, &[found.of(&["builder", "only-builder"])])
}

#[test]
fn packages_are_found_and_what_looks_like_them_is_not() {
    let user = User::new();
    for case in cases() {
        case.check(&user);
    }
}

#[test]
fn a_compiler_that_the_entrypoint_calls_is_no_leftover() {
    let script = "#!/bin/sh\nset -e\ngcc-12 -o /tmp/a /app/a.c\nexec /tmp/a\n";
    let layer = executable(tools().layer(), "bin/sh", content("sh", 900));
    let layer = executable(layer, "app/start", script);
    let image = image(layer).entrypoint(&["/app/start"]);
    let found = tools().found("high", &["openjdk-17-jdk-headless", "make"]);
    Case::new("build-tools", image, &[found]).check(&User::new());
}

#[test]
fn where_a_shell_is_started_anything_may_be_typed() {
    let layer = executable(tools().layer(), "bin/sh", content("sh", 900));
    let shell = image(layer).entrypoint(&[]).cmd(&["/bin/sh"]);
    let found = tools().found("low", &["gcc-12", "openjdk-17-jdk-headless", "make"]);
    Case::new("build-tools", shell, &[found]).check(&User::new());
}

#[test]
fn what_packages_of_the_base_bring_only_the_base_can_leave_out() {
    let image = base()
        .layer(LayerBuilder::new().file("app/x", content("x", 10)), "COPY x /app # buildkit")
        .entrypoint(&[PROGRAM]);
    let user = User::new();
    let document = Case::new("build-tools", image, &[]).check(&user);
    assert_eq!(document["findings"], serde_json::json!([]));
    // The same tools in the first layer.
    let root = executable(tools().layer(), "app/run", content("run", 900));
    let image = jettison_testkit::image::ImageBuilder::new()
        .compression(jettison_testkit::image::Compression::Plain)
        .layer(root, "/bin/sh -c #(nop) ADD file:0123 in / ")
        .entrypoint(&[PROGRAM])
        .tag("x:1");
    let found = tools().found("high", &["gcc-12", "openjdk-17-jdk-headless", "make"]).layer(0);
    let document = Case::new("build-tools", image, &[found]).check(&user);
    let finding = &document["findings"][0];
    assert_eq!((&finding["inherited"], &finding["severity"]), (&true.into(), &"info".into()));
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(remedy.starts_with("the base image brings them (layer #0)"), "{remedy}");
}
