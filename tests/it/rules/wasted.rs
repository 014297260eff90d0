//! What later layers hide.

use jettison_testkit::image::{LayerBuilder, Meta};

use super::case::{Case, Found, base, sized};
use super::databases::Dpkg;
use crate::jettison::User;
use crate::shop::content;

pub(super) fn cases() -> Vec<Case> {
    vec![
        removed_later(),
        overwritten_later(),
        metadata_only_rewrite(),
        package_upgraded_in_later_layer(),
    ]
}

fn removed_later() -> Case {
    let layer = sized(&[
        ("srv/gone", 5000),
        ("srv/emptied/a", 400),
        ("srv/replaced/b", 300),
        ("srv/stays", 200),
        ("srv/linked", 100),
    ])
    .hard_link("srv/other-name", "srv/linked");
    let image = base().layer(layer, "COPY . /srv # buildkit").layer(
        LayerBuilder::new()
            .whiteout("srv/gone")
            .opaque("srv/emptied")
            .symlink("srv/replaced", "/app")
            // It has another name.
            .whiteout("srv/linked"),
        "RUN /bin/sh -c tidy # buildkit",
    );
    let found = [
        Found::files("high", &[("srv/gone", 5000)]),
        Found::files("high", &[("srv/emptied/a", 400)]),
        Found::files("high", &[("srv/replaced/b", 300)]),
    ];
    Case::new("removed-later", image, &found)
}

fn overwritten_later() -> Case {
    let image =
        base().layer(sized(&[("srv/a", 5000), ("srv/b", 400)]), "COPY . /srv # buildkit").layer(
            LayerBuilder::new()
                .file("srv/a", content("newer", 300))
                .file("srv/twice", content("first", 200))
                .file("srv/twice", content("second", 100)),
            "RUN /bin/sh -c write # buildkit",
        );
    let found = [
        Found::files("high", &[("srv/a", 5000)]),
        Found::files("high", &[("srv/twice", 200)]).layer(2),
    ];
    Case::new("overwritten-later", image, &found)
}

fn metadata_only_rewrite() -> Case {
    let image =
        base().layer(sized(&[("srv/a", 5000), ("srv/b", 400)]), "COPY . /srv # buildkit").layer(
            LayerBuilder::new()
                .file_with("srv/a", content("srv/a", 5000), Meta::mode(0o755))
                .file("srv/b", content("another", 400)),
            "RUN /bin/sh -c chmod +x /srv/a # buildkit",
        );
    let found = Found::files("high", &[("srv/a", 5000)]);
    Case::new("metadata-only-rewrite", image, &[found]).beside(&["overwritten-later"])
}

/// People write configurations, whoever brought them.
fn package_upgraded_in_later_layer() -> Case {
    let before =
        Dpkg::new().asked("libssl3", &[("usr/lib/libssl.so.3", 5000), ("etc/ssl/x.cnf", 400)]);
    let after = LayerBuilder::new()
        .file("usr/lib/libssl.so.3", content("newer", 5100))
        .file("etc/ssl/x.cnf", content("mine", 300))
        .file("app/run", content("newer run", 950));
    let image = base()
        .layer(before.layer(), "RUN /bin/sh -c apt-get install -y libssl3 # buildkit")
        .layer(after, "RUN /bin/sh -c apt-get upgrade -y # buildkit");
    let found = Found::files("high", &[("usr/lib/libssl.so.3", 5000)]);
    Case::new("package-upgraded-in-later-layer", image, &[found]).beside(&["overwritten-later"])
}

#[test]
fn what_later_layers_hide_is_found_once_by_its_cause() {
    let user = User::new();
    for case in cases() {
        let document = case.check(&user);
        let wasted = ["removed-later", "overwritten-later", "metadata-only-rewrite"];
        let sum: u64 = document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|finding| {
                let rule = finding["rule"].as_str().unwrap();
                wasted.contains(&rule) || rule == "package-upgraded-in-later-layer"
            })
            .map(|finding| finding["bytes"].as_u64().unwrap())
            .sum();
        assert_eq!(document["size"]["wasted"], sum);
    }
}
