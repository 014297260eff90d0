//! What only several things together tell: runtimes, versions, equal files, layers.

use jettison_testkit::image::{LayerBuilder, Meta};
use serde_json::Value;

use super::case::{Case, Found, base, image, of_rule};
use super::databases::{Dpkg, apk};
use crate::jettison::User;
use crate::shop::content;

pub(super) fn cases() -> Vec<Case> {
    vec![
        several_runtimes(),
        runtimes_of_alpine(),
        several_versions(),
        duplicate_content(),
        too_many_layers(51),
    ]
}

fn runtimes() -> Dpkg {
    Dpkg::new()
        .asked("python3.11-minimal", &[("usr/bin/python3.11", 900)])
        .asked("python3", &[("usr/share/python3/x", 800)])
        .asked("ruby3.1", &[("usr/bin/ruby3.1", 5000)])
        .asked("openjdk-17-jre-headless", &[("usr/lib/jvm/17/bin/java", 400)])
        .asked("python3.9-minimal", &[("usr/bin/python3.9", 300)])
        .asked("ruby-rack", &[("usr/share/ruby-rack/x", 200)])
        .asked("perl-base", &[("usr/bin/perl", 100)])
}

fn several_runtimes() -> Case {
    let image = image(runtimes().layer().file("app/main.py", "x = 1\n"))
        .entrypoint(&["/usr/bin/python3.11", "/app/main.py"]);
    let idle = ["ruby3.1", "openjdk-17-jre-headless", "python3.9-minimal"];
    Case::new("several-runtimes", image, &[runtimes().found("medium", &idle)])
}

/// There, `python3` is the runtime itself.
fn runtimes_of_alpine() -> Case {
    let layer = apk(
        &[
            ("python3", &[("usr/bin/python3.12", 5000)]),
            ("py3-yaml", &[("usr/share/yaml/x", 400)]),
            ("ruby", &[("usr/bin/ruby", 300)]),
        ],
        "python3\npy3-yaml\nruby\n",
    );
    let image =
        image(layer.file("app/main.rb", "x = 1\n")).entrypoint(&["/usr/bin/ruby", "/app/main.rb"]);
    let found = Found::files("medium", &[("usr/bin/python3.12", 5000)]).of(&["python3"]);
    Case::new("several-runtimes", image, &[found])
}

/// Versions are compared as such: 10 is more than 9, and what comes before a release is less.
fn several_versions() -> Case {
    let manifest = |version: &str| {
        format!("{{\"name\":\"x\",\"version\":\"{version}\",\"dependencies\":{{}}}}")
    };
    let (old, new, next) = (manifest("1.9.0"), manifest("1.10.0"), manifest("1.10.0-rc.1"));
    let modules = |at: &str| format!("{at}/node_modules/x");
    let layer = LayerBuilder::new()
        .file(modules("app") + "/package.json", new.as_str())
        .file(modules("app") + "/data", content("new", 700))
        .file(modules("srv") + "/package.json", old.as_str())
        .file(modules("srv") + "/data", content("old", 5000))
        .file(modules("opt") + "/package.json", next.as_str())
        .file(modules("opt") + "/data", content("next", 400))
        .file("opt/node_modules/y/package.json", "{\"name\":\"y\",\"version\":\"1.0.0\"}");
    let found = [
        ("srv/node_modules/x/package.json", old.len() as u64),
        ("srv/node_modules/x/data", 5000),
        ("opt/node_modules/x/package.json", next.len() as u64),
        ("opt/node_modules/x/data", 400),
    ];
    Case::new("several-versions", image(layer), &[Found::files("low", &found).of(&["x"])])
}

/// The first by path stays, and so does what another rule has.
fn duplicate_content() -> Case {
    let database = Dpkg::new().asked("tool", &[("usr/share/tool/data", 600)]);
    let layer = database
        .layer()
        .file("srv/a", content("same", 5000))
        .file("srv/b", content("same", 5000))
        .hard_link("srv/b-link", "srv/b")
        .file("srv/c", content("other", 5000))
        .file("tmp/d", content("same", 5000))
        // What a package brings is the package's to mend.
        .file("etc/data", content("usr/share/tool/data", 600));
    let found = [
        Found::files("medium", &[("srv/b", 5000)]),
        Found::files("low", &[("usr/share/tool/data", 600)]).of(&["tool"]),
    ];
    Case::new("duplicate-content", image(layer), &found).beside(&["temp-files"])
}

fn too_many_layers(layers: usize) -> Case {
    let image = (1..layers).fold(base(), |image, number| {
        let layer = LayerBuilder::new();
        let layer = if number % 2 == 0 {
            layer.file_with(format!("app/{number}"), content("x", number), Meta::mode(0o644))
        } else {
            layer
        };
        image.layer(layer, &format!("RUN /bin/sh -c step {number} # buildkit"))
    });
    Case::new("too-many-layers", image, &[Found::places("high", &[])])
}

#[test]
fn what_several_things_tell_is_found() {
    let user = User::new();
    for case in cases() {
        case.check(&user);
    }
}

#[test]
fn layers_are_many_from_fifty_on_and_grave_from_a_hundred() {
    let user = User::new();
    let few = too_many_layers(50);
    let document = Case::new("too-many-layers", few.image, &[]).check(&user);
    assert_eq!(document["findings"], serde_json::json!([]));
    let severity = |layers: usize| -> Value {
        let document = too_many_layers(layers).check(&user);
        of_rule(&document, "too-many-layers")[0].clone()
    };
    let some = severity(51);
    assert_eq!(some["severity"], "info");
    assert_eq!(
        some["evidence"],
        "there are 51 layers, 25 of them without a file; 49 RUN instructions follow another one \
         directly"
    );
    assert_eq!(severity(100)["severity"], "high");
}

#[test]
fn one_runtime_is_enough() {
    let user = User::new();
    // Nothing that runs is a runtime: none is there beside it.
    Case::new("several-runtimes", image(runtimes().layer()), &[])
        .beside(&["several-versions"])
        .check(&user);
}
