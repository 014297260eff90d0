//! Settings of the gate: every kind of budget, denials, dive's rules, and what `--init` writes.

use std::process::Command;

use jettison_testkit::image::{ImageBuilder, ImageFiles, LayerBuilder, Wrap};
use jettison_testkit::process::run;
use jettison_testkit::require::{self, Part};
use serde_json::Value;

use super::{app, base, gate, settings, text, write};
use crate::jettison::User;
use crate::shop::content;

fn checks(document: &Value) -> Vec<(String, String, String)> {
    let checks = document["images"][0]["checks"].as_array().unwrap();
    checks
        .iter()
        .map(|check| {
            let text = |key: &str| check[key].as_str().unwrap().to_owned();
            (text("name"), text("limit"), text("verdict"))
        })
        .collect()
}

#[test]
fn every_kind_of_budget_counts() {
    let user = User::new();
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAA\n\
               -----END OPENSSH PRIVATE KEY-----\n";
    let image = base()
        .layer(
            LayerBuilder::new()
                .file("root/.ssh/id_ed25519", key)
                .file("app/server", content("s", 50_000)),
            "COPY app / # buildkit",
        )
        .layer(
            LayerBuilder::new().whiteout("root/.ssh/id_ed25519"),
            "RUN /bin/sh -c rm x # buildkit",
        )
        .entrypoint(&["/app/server"]);
    write(&user, "a", image);
    for (budget, name, limit, code) in [
        ("metric='effective'\nmax='1kB'", "effective", "max", 1),
        ("metric='effective'\nwarn='1kB'", "effective", "warn", 0),
        ("metric='wasted'\nmax=10", "wasted", "max", 1),
        ("metric='unused'\nmax=10", "unused", "max", 1),
        ("metric='unused-high'\nmax='1GB'", "unused-high", "max", 0),
        ("metric='own-layers'\nmax=1", "own-layers", "max", 1),
        ("max-layers=3", "layers", "max", 1),
        ("max-layers=4", "layers", "max", 0),
        ("max-layer-size='10KiB'", "layer-size", "max", 1),
        ("min-efficiency=0.9999", "efficiency", "min", 1),
        ("min-efficiency='99 %'", "efficiency", "min", 0),
        ("directory='/app'\nmax=49999", "/app", "max", 1),
        ("directory='/app/'\nmax=50000", "/app", "max", 0),
        ("package='deb:*'\nmax=0", "package deb:*", "max", 0),
    ] {
        settings(&user, &format!("[[gate.budget]]\n{budget}\n"));
        let document = gate(&user, code, &["oci:a", "--base", "2"]);
        assert_eq!(checks(&document)[0].0, name, "{budget}");
        assert_eq!(checks(&document)[0].1, limit, "{budget}");
    }
    for (deny, name, code) in [
        ("path='/root/.ssh/**'\nreason='keys'", "path /root/.ssh/**", 1),
        ("path='/nowhere/**'", "path /nowhere/**", 0),
        ("rule='secrets'", "rule secrets", 1),
        ("rule='secrets'\nimage='other*'", "", 0),
        ("rule='vcs-directory'", "rule vcs-directory", 0),
    ] {
        settings(&user, &format!("[[gate.deny]]\n{deny}\n"));
        let document = gate(&user, code, &["oci:a"]);
        assert_eq!(checks(&document).first().map_or("", |check| &check.0), name, "{deny}");
        let run = user.run(&["gate", "oci:a"]);
        assert!(!text(&run).contains("b3BlbnNzaC1"), "contents are never shown");
        if code == 1 {
            assert!(text(&run).contains("/root/.ssh/id_ed25519"), "{}", text(&run));
        }
    }
    // What is silenced is not denied.
    settings(
        &user,
        "[[gate.deny]]\nrule='secrets'\n[[ignore]]\nrule='secrets'\nreason='a test key'\n",
    );
    gate(&user, 0, &["oci:a"]);
}

#[test]
fn mistakes_in_settings_are_told_before_anything_is_read() {
    let user = User::new();
    for (text, words) in [
        ("[[gate.budget]]\nmetric='size'\nmax=1\n", "\"size\" is no metric"),
        ("[[gate.budget]]\nmetrics='wasted'\n", "did you mean metric?"),
        ("[[gate.deny]]\nrule='secret'\n", "did you mean secrets?"),
    ] {
        settings(&user, text);
        user.run(&["gate", "oci:none"]).fails(2, &["jettison.toml", words]);
    }
    settings(&user, "");
    user.run(&["gate", "a", "b", "--against", "c"]).fails(2, &["given 1 times", "2 images"]);
}

#[test]
fn dive_s_rules_are_read_as_they_are() {
    let user = User::new();
    // 100 kB, written a second time: dive counts both copies as wasted.
    let twice = base().layer(
        LayerBuilder::new().file("usr/bin/tool", content("other", 100_000)),
        "RUN /bin/sh -c upgrade # buildkit",
    );
    write(&user, "a", twice.clone());
    let dive = |rules: &str| fs_err::write(user.path(".dive-ci"), rules).unwrap();
    let judged = |code| gate(&user, code, &["oci:a", "--dive-config", ".dive-ci"]);
    dive(
        "rules:\n  lowestEfficiency: 0.7\n  highestWastedBytes: 200kB\n  highestUserWastedPercent: disabled\n",
    );
    let document = judged(0);
    assert_eq!(
        checks(&document),
        [
            ("highestWastedBytes".into(), "max".into(), "pass".into()),
            ("lowestEfficiency".into(), "min".into(), "pass".into())
        ]
    );
    dive(
        "rules:\n  lowestEfficiency: 0.1\n  highestWastedBytes: 199999\n  highestUserWastedPercent: off\n",
    );
    let document = judged(1);
    let notes = document["images"][0]["notes"].as_array().unwrap();
    // Only the hidden copy is wasted; dive counts the one that is needed too.
    assert!(
        notes[0].as_str().unwrap().contains("by the account of every byte it is 97.7 KiB"),
        "{notes:?}"
    );
    // A directory deleted later costs dive nothing.
    let deleted = base()
        .layer(
            LayerBuilder::new().file("tmp/build/x", content("x", 200_000)),
            "COPY x /tmp/build/ # buildkit",
        )
        .layer(
            LayerBuilder::new().whiteout("tmp/build"),
            "RUN /bin/sh -c rm -r /tmp/build # buildkit",
        );
    write(&user, "a", deleted);
    fs_err::write(user.path(".dive-ci"), "rules:\n  highestWastedBytes: 150kB\n  lowestEfficiency: off\n  highestUserWastedPercent: off\n").unwrap();
    let document = gate(&user, 0, &["oci:a", "--dive-config", ".dive-ci"]);
    assert_eq!(document["images"][0]["checks"][0]["value"], 0);
    let note = document["images"][0]["notes"][0].as_str().unwrap();
    assert!(note.contains("dive's figure is 0 B") && note.ends_with("which would fail"), "{note}");
    fs_err::write(user.path(".dive-ci"), "rules:\n  lowestEfficiency: 95\n").unwrap();
    user.run(&["gate", "oci:a", "--dive-config", ".dive-ci"])
        .fails(2, &[".dive-ci", "rules.lowestEfficiency: 95 is not between 0 and 1"]);
}

#[test]
fn verdicts_are_dive_s() {
    let version = || run(Command::new("dive").arg("--version")).map(drop);
    let Some(()) = require::unless_skipped(Part::Dive, version) else { return };
    let user = User::new();
    let twice =
        |at: usize| LayerBuilder::new().file("usr/bin/tool", content(&at.to_string(), 60_000));
    let images = [
        base(),
        base().layer(app(), "COPY app /app/ # buildkit"),
        base().layer(twice(1), "RUN /bin/sh -c a # buildkit"),
        base()
            .layer(twice(1), "RUN /bin/sh -c a # buildkit")
            .layer(twice(2), "RUN /bin/sh -c b # buildkit"),
        ImageBuilder::new().layer(app(), "COPY app /app/ # buildkit"),
    ];
    let mut verdicts = [0, 0];
    for image in images {
        let files = ImageFiles::docker_archive(&[image.tag("example.test/a:1").build()]);
        files.write_archive(&user.path("a.tar"), Wrap::None).unwrap();
        for rules in [
            "rules:\n",
            "rules:\n  lowestEfficiency: 0.8\n  highestWastedBytes: disabled\n  \
             highestUserWastedPercent: 0.5\n",
            "rules:\n  lowestEfficiency: 0\n  highestWastedBytes: 200kB\n  \
             highestUserWastedPercent: disabled\n",
            "rules:\n  lowestEfficiency: 0.1\n  highestWastedBytes: 130KB\n  \
             highestUserWastedPercent: 1\n",
            "rules:\n  lowestEfficiency: disabled\n  highestUserWastedPercent: 0\n",
        ] {
            fs_err::write(user.path(".dive-ci"), rules).unwrap();
            let dive = Command::new("dive")
                .args(["docker-archive://a.tar", "--ci", "--ci-config", ".dive-ci"])
                .current_dir(user.work())
                .output()
                .unwrap();
            let arguments = ["gate", "a.tar", "--dive-config", ".dive-ci"];
            let ours = user.run(&arguments);
            let said = String::from_utf8_lossy(&dive.stdout);
            assert_eq!(Some(ours.code()), dive.status.code(), "{rules}{said}{}", text(&ours));
            verdicts[usize::from(ours.code() == 1)] += 1;
        }
    }
    // Both verdicts are among them.
    assert!(verdicts.iter().all(|count| *count > 3), "{verdicts:?}");
}

#[test]
fn settings_to_start_with_pass_and_then_hold() {
    let user = User::new();
    write(&user, "web", base().layer(app(), "COPY app /app/ # buildkit"));
    fs_err::write(user.path(".dive-ci"), "rules:\n  lowestEfficiency: 0.9\n").unwrap();
    let init = ["gate", "--init", "oci:web", "--dive-config", ".dive-ci"];
    let told = user.run(&init).text();
    assert!(told.contains("Next: `jettison baseline update oci:web`"), "{told}");
    let written = fs_err::read_to_string(user.path("jettison.toml")).unwrap();
    assert!(
        written.contains("image = \"web\"") && written.contains("min-efficiency = 0.9"),
        "{written}"
    );
    user.run(&init).fails(2, &["jettison.toml is there already"]);
    user.run(&["baseline", "update", "oci:web"]).text();
    assert_eq!(gate(&user, 0, &["oci:web"])["verdict"], "pass");
    let more = LayerBuilder::new().file("app/more", content("more", 3_000_000));
    let grown = base()
        .layer(app(), "COPY app /app/ # buildkit")
        .layer(more, "RUN /bin/sh -c grow # buildkit");
    write(&user, "web", grown);
    let document = gate(&user, 1, &["oci:web"]);
    assert!(document["next"][0].as_str().unwrap().contains("+2.9 MiB by `RUN grow`"), "{document}");
}
