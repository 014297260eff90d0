//! Packages of languages: whose files are, and why they are there.

use jettison_testkit::image::LayerBuilder;
use serde_json::{Value, json};

use crate::jettison::User;
use crate::owners::{package, why, write};
use crate::reach::{Run, image, layer};
use crate::shop::content;

/// Each package with its reason and who depends on it, as `name reason dependants`.
fn reasons(files: &[(&str, &str)]) -> Vec<String> {
    said(layer(files))
}

fn said(layer: LayerBuilder) -> Vec<String> {
    let user = User::new();
    let word = write(&user, "image.tar", layer, "/usr/bin/nothing");
    let document = user.analyze_with(&word, &["--unused"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found: Vec<String> = document["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let by = package["dependants"].as_array().unwrap().iter().map(text).collect::<Vec<_>>();
            let words = [text(&package["name"]), text(&package["reason"]), by.join(",")];
            words.join(" ").trim_end().to_owned()
        })
        .collect();
    found.sort();
    found
}

#[test]
fn the_manifest_of_an_application_says_which_node_packages_were_asked_for() {
    let files = [
        (
            "app/package.json",
            r#"{"name":"app","dependencies":{"web":"^1","absent":"1"},"devDependencies":{"lint":"1"}}"#,
        ),
        ("app/node_modules/web/package.json", r#"{"name":"web","dependencies":{"parse":"2"}}"#),
        // Each finds its own first.
        (
            "app/node_modules/web/node_modules/parse/package.json",
            r#"{"name":"parse","version":"2"}"#,
        ),
        ("app/node_modules/parse/package.json", r#"{"name":"parse","version":"1"}"#),
        (
            "app/node_modules/lint/package.json",
            r#"{"name":"lint","dependencies":{"@own/rules":"1"},"optionalDependencies":{"quick":"1"},
            "peerDependencies":{"peer":"1","maybe":"1"},"peerDependenciesMeta":{"maybe":{"optional":true}}}"#,
        ),
        ("app/node_modules/@own/rules/package.json", r#"{"name":"@own/rules"}"#),
        ("app/node_modules/quick/package.json", r#"{"name":"quick"}"#),
        ("app/node_modules/peer/package.json", r#"{"name":"peer"}"#),
        ("app/node_modules/maybe/package.json", r#"{"name":"maybe"}"#),
        ("app/node_modules/left/package.json", r#"{"name":"left","dependencies":{"behind":"1"}}"#),
        ("app/node_modules/behind/package.json", r#"{"name":"behind"}"#),
    ];
    assert_eq!(
        reasons(&files),
        [
            "@own/rules dependency lint",
            "behind orphan left",
            "left orphan",
            "lint asked",
            "maybe recommended",
            "parse dependency web",
            "parse orphan",
            "peer dependency lint",
            "quick dependency lint",
            "web asked",
        ]
    );
    // Without the manifest, nobody tells: what nothing depends on counts as asked for.
    assert_eq!(
        reasons(&files[1..]),
        [
            "@own/rules dependency lint",
            "behind dependency left",
            "left asked",
            "lint asked",
            "maybe asked",
            "parse asked",
            "parse dependency web",
            "peer dependency lint",
            "quick dependency lint",
            "web asked",
        ]
    );
}

#[test]
fn a_damaged_manifest_of_an_application_is_named() {
    let files = [
        ("app/package.json", "{\"dependencies\""),
        ("app/node_modules/web/package.json", "{\"name\":\"web\"}"),
        ("srv/template/package.json", "{{name}}"),
    ];
    let said = Run::of(image(layer(&files)).cmd(&["none"])).warnings();
    assert!(said.contains("/app/package.json: it is no package's manifest"), "{said}");
    assert!(!said.contains("template"), "{said}");
}

#[test]
fn node_packages_of_stores_workspaces_and_the_system_have_reasons() {
    // pnpm's: each package has links to its dependencies beside it.
    let store = "srv/node_modules/.pnpm";
    let layer = layer(&[
        ("srv/package.json", r#"{"dependencies":{"web":"1"}}"#),
        (
            &format!("{store}/web@1.0.0/node_modules/web/package.json"),
            r#"{"name":"web","dependencies":{"parse":"1"}}"#,
        ),
        (&format!("{store}/parse@1.0.0/node_modules/parse/package.json"), r#"{"name":"parse"}"#),
        (&format!("{store}/left@1.0.0/node_modules/left/package.json"), r#"{"name":"left"}"#),
        // A workspace has a manifest of its own, and what it needs is above it.
        ("mono/package.json", r#"{"workspaces":["packages/*"],"devDependencies":{"tool":"1"}}"#),
        ("mono/packages/own/package.json", r#"{"name":"own","dependencies":{"deep":"1"}}"#),
        ("mono/node_modules/deep/package.json", r#"{"name":"deep"}"#),
        ("mono/node_modules/tool/package.json", r#"{"name":"tool"}"#),
        ("mono/node_modules/lost/package.json", r#"{"name":"lost"}"#),
        // Installed for the system, and what a distribution's package holds.
        ("usr/local/lib/node_modules/@x/cli/package.json", r#"{"name":"@x/cli"}"#),
        (
            "usr/local/lib/node_modules/@x/cli/node_modules/inner/package.json",
            r#"{"name":"inner","version":"1"}"#,
        ),
        ("usr/share/nodejs/npm/package.json", r#"{"name":"npm","dependencies":{"pick":"1"}}"#),
        ("usr/share/nodejs/npm/node_modules/pick/package.json", r#"{"name":"pick"}"#),
        (
            "var/lib/dpkg/status",
            "Package: npm\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
        ),
        (
            "var/lib/dpkg/info/npm.list",
            "/usr/share/nodejs/npm/package.json\n\
             /usr/share/nodejs/npm/node_modules/pick/package.json\n",
        ),
    ])
    .symlink("srv/node_modules/web", ".pnpm/web@1.0.0/node_modules/web")
    .symlink(
        format!("{store}/web@1.0.0/node_modules/parse"),
        "../../parse@1.0.0/node_modules/parse",
    )
    .symlink("mono/node_modules/own", "../packages/own");
    assert_eq!(
        said(layer),
        [
            "@x/cli asked",
            "deep asked",
            "inner orphan",
            "left orphan",
            "lost orphan",
            "npm asked",
            "parse dependency web",
            "pick dependency npm",
            "tool asked",
            "web asked",
        ]
    );
}

fn gemspec(name: &str, version: &str, more: &str) -> String {
    format!(
        "# -*- encoding: utf-8 -*-\n# stub: {name} {version} ruby lib\n\n\
         Gem::Specification.new do |s|\n  s.name = \"{name}\".freeze\n  \
         s.version = \"{version}\"\n{more}end\n"
    )
}

#[test]
fn gems_own_their_directories_and_default_gems_what_they_list() {
    let user = User::new();
    let ruby = "usr/local/lib/ruby";
    let home = format!("{ruby}/gems/3.3.0");
    let rack =
        gemspec("rack", "3.0.1", "  s.add_runtime_dependency(%q<nio4r>.freeze, [\"~> 2\"])\n");
    let json = gemspec(
        "json",
        "2.9.1",
        "  s.files = [\"lib/json.rb\".freeze, \"json/ext/parser.so\".freeze]\n",
    );
    let layer = LayerBuilder::new()
        .file(format!("{home}/specifications/rack-3.0.1.gemspec"), rack)
        .file(format!("{home}/specifications/nio4r-2.7.gemspec"), gemspec("nio4r", "2.7", ""))
        .file(format!("{home}/specifications/default/json-2.9.1.gemspec"), json)
        .file(format!("{home}/gems/rack-3.0.1/lib/rack.rb"), content("rack", 200))
        .file(format!("{home}/cache/rack-3.0.1.gem"), content("cache", 200))
        .file(format!("{home}/extensions/x86_64-linux/3.3.0/nio4r-2.7/nio4r.so"), "nio")
        .file(format!("{ruby}/3.3.0/json.rb"), "json")
        .file(format!("{ruby}/3.3.0/set.rb"), "set")
        .file(format!("{ruby}/3.3.0/x86_64-linux/json/ext/parser.so"), "parser");
    let word = write(&user, "ruby.tar", layer, "/usr/bin/ruby");
    for (path, owner) in [
        (format!("/{home}/gems/rack-3.0.1/lib/rack.rb"), json!("rack")),
        (format!("/{home}/cache/rack-3.0.1.gem"), json!("rack")),
        (format!("/{home}/extensions/x86_64-linux/3.3.0/nio4r-2.7/nio4r.so"), json!("nio4r")),
        (format!("/{ruby}/3.3.0/json.rb"), json!("json")),
        (format!("/{ruby}/3.3.0/x86_64-linux/json/ext/parser.so"), json!("json")),
        (format!("/{ruby}/3.3.0/set.rb"), Value::Null),
    ] {
        assert_eq!(why(&user, &word, &path)["owner"], owner, "{path}");
    }
    let document = user.analyze_with(&word, &["--unused"]);
    assert_eq!(package(&document, "nio4r")["dependants"], json!(["rack"]));
}

#[test]
fn the_lock_of_an_application_says_which_gems_were_asked_for() {
    let home = "usr/local/bundle";
    let needs = |name: &str| format!("  s.add_runtime_dependency(%q<{name}>.freeze)\n");
    let mut layer = LayerBuilder::new();
    for (name, version, more) in [
        ("rails", "7.1", needs("rack")),
        ("rack", "3.0", String::new()),
        ("native", "1.2", String::new()),
        ("helper", "1", String::new()),
        ("rake", "13.1", String::new()),
        ("old", "1", String::new()),
        ("old", "2", String::new()),
    ] {
        let text = gemspec(name, version, &more);
        layer = layer.file(format!("{home}/specifications/{name}-{version}.gemspec"), text);
    }
    // What a gem was developed with says nothing of this image.
    let of_gem = "GEM\n  specs:\n    helper (1)\n\nDEPENDENCIES\n  helper\n";
    let lock = "PATH\n  remote: engines/own\n  specs:\n    own (0.1)\n      helper\n\n\
        GEM\n  remote: x\n  specs:\n    helper (1)\n    native (1.2-x86_64-linux)\n    old (2)\n    \
        rack (3.0)\n    rails (7.1)\n      rack (>= 2)\n\nPLATFORMS\n  x86_64-linux\n\n\
        DEPENDENCIES\n  native\n  own!\n  rails (~> 7.1)\n\nBUNDLED WITH\n   2.5\n";
    let layer = layer.file(format!("{home}/gems/rails-7.1/Gemfile.lock"), of_gem);
    let found = said(layer.clone().file("app/Gemfile.lock", lock));
    assert_eq!(
        found,
        [
            // The application's own engine, which is no installed gem, needs it.
            "helper asked",
            "native asked",
            // Locked, while nothing asks for it or needs it; the other one is not locked.
            "old asked",
            "old orphan",
            "rack dependency rails",
            "rails asked",
            "rake asked",
        ]
    );
    assert!(said(layer).iter().filter(|row| row.ends_with(" asked")).count() == 6);
}
