//! Baselines: what is kept, what is refused, and that nothing missing is taken for nothing grown.

use jettison_testkit::image::{ImageBuilder, LayerBuilder};
use serde_json::Value;

use super::{SETTINGS, app, base, gate, settings, text, write};
use crate::jettison::User;
use crate::shop::content;

#[test]
fn a_missing_baseline_is_loud() {
    let user = User::new();
    write(&user, "a", base());
    settings(&user, SETTINGS);
    let document = gate(&user, 0, &["oci:a", "--baseline", "none.json"]);
    assert_eq!(document["verdict"], "no-baseline");
    assert_eq!(document["images"][0]["against"]["kind"], "missing");
    let run = user.run(&["gate", "oci:a", "--baseline", "none.json"]);
    let page = text(&run);
    assert!(page.contains("NO BASELINE"), "{page}");
    let next = page.replace("\n  ", " ");
    assert!(next.contains("`jettison baseline update oci:a --baseline none.json`"), "{page}");
    // Absolute budgets count all the same.
    settings(&user, "[[gate.budget]]\nmetric = \"effective\"\nmax = 1\n");
    gate(&user, 1, &["oci:a", "--baseline", "none.json"]);
    // Who asks for one is failed.
    settings(&user, SETTINGS);
    let document = gate(&user, 1, &["oci:a", "--baseline", "none.json", "--require-baseline"]);
    assert_eq!(document["images"][0]["checks"][0]["limit"], "require-baseline");
    settings(&user, &format!("[gate]\nrequire-baseline = true\n{SETTINGS}"));
    gate(&user, 1, &["oci:a"]);
    // An image to compare with that is not there is the same.
    let document = gate(&user, 1, &["oci:a", "--against", "docker-archive:none.tar"]);
    assert_eq!(document["images"][0]["against"]["kind"], "missing");
}

#[test]
fn what_is_no_baseline_is_refused() {
    let user = User::new();
    write(&user, "a", base());
    settings(&user, SETTINGS);
    user.run(&["baseline", "update", "oci:a", "--baseline", "good.json"]).text();
    let good = fs_err::read_to_string(user.path("good.json")).unwrap();
    let mut wrong: Value = serde_json::from_str(&good).unwrap();
    wrong["images"][0]["layers"][0]["effective"] = 5.into();
    let twice: Value = {
        let mut twice: Value = serde_json::from_str(&good).unwrap();
        let one = twice["images"][0].clone();
        twice["images"].as_array_mut().unwrap().push(one);
        twice
    };
    for (content, words) in [
        (String::new(), "it is no baseline"),
        (good[..good.len() / 2].to_owned(), "it is no baseline"),
        (good.replace("\"schemaVersion\": 1", "\"schemaVersion\": 2"), "of version 2"),
        (good.replace("\"effective\"", "\"effectiv\""), "effectiv"),
        (good.replacen("sha256:", "sha256:zz", 1), "it is no baseline"),
        (wrong.to_string(), "do not sum to its 5 bytes"),
        (twice.to_string(), "it has a on linux/amd64 twice"),
        ("[]".to_owned(), "it is no baseline"),
    ] {
        fs_err::write(user.path("bad.json"), content).unwrap();
        user.run(&["gate", "oci:a", "--baseline", "bad.json"]).fails(2, &["bad.json", words]);
        user.run(&["baseline", "update", "oci:a", "--baseline", "bad.json"])
            .fails(2, &["bad.json", words]);
    }
    // Another platform's size is no measure.
    let other = ImageBuilder::new()
        .platform("linux/arm64".parse().unwrap())
        .layer(LayerBuilder::new().file("x", "x"), "COPY x / # buildkit");
    write(&user, "arm", other);
    let arguments = ["gate", "a=oci:arm", "--platform", "linux/arm64", "--baseline", "good.json"];
    user.run(&arguments).fails(2, &["it has a on linux/amd64, and not on linux/arm64"]);
}

#[test]
fn only_what_moved_is_written_anew() {
    let user = User::new();
    let image = |bytes: usize| {
        base().layer(LayerBuilder::new().file("x", content("x", bytes)), "COPY x / # buildkit")
    };
    let layer = |time| {
        let meta = jettison_testkit::image::Meta::mode(0o644).mtime(time);
        LayerBuilder::new().file_with("y", content("y", 5000), meta)
    };
    write(&user, "a", image(1000));
    write(&user, "b", base().layer(layer(1), "COPY y / # buildkit"));
    settings(&user, "[gate]\nbaseline = \"base.json\"\n");
    let update = ["baseline", "update", "a=oci:a", "b=oci:b"];
    let told = user.run(&update).text();
    assert_eq!(told, "a (linux/amd64): 391.6 KiB, added\nb (linux/amd64): 395.5 KiB, added\n");
    let read = || fs_err::read_to_string(user.path("base.json")).unwrap();
    let before = read();
    assert_eq!(user.run(&update).text().matches(", kept").count(), 2);
    assert_eq!(read(), before);
    // Other digests alone move nothing.
    write(&user, "b", base().layer(layer(2), "COPY y / # buildkit"));
    write(&user, "a", image(3000));
    let told = user.run(&update).text();
    assert_eq!(
        told,
        "a (linux/amd64): 393.6 KiB, moved from 391.6 KiB\nb (linux/amd64): 395.5 KiB, kept\n"
    );
    let after = read();
    let entry =
        |text: &str, at: usize| serde_json::from_str::<Value>(text).unwrap()["images"][at].clone();
    assert_eq!(entry(&before, 1), entry(&after, 1));
    assert_ne!(entry(&before, 0), entry(&after, 0));
    // What is in the baseline can be named by it.
    assert_eq!(user.run(&["baseline", "update"]).text().matches(", kept").count(), 2);
    user.run(&["baseline", "update", "--baseline", "empty.json"]).fails(2, &["has no image yet"]);
}

#[test]
fn an_increase_can_be_accepted() {
    let user = User::new();
    write(&user, "old", base());
    write(&user, "new", base().layer(app(), "COPY app /app/ # buildkit"));
    settings(&user, &format!("[gate]\nbaseline = \"base.json\"\n{SETTINGS}"));
    user.run(&["baseline", "update", "app=oci:old"]).text();
    let run = user.run(&["gate", "app=oci:new"]);
    assert_eq!(run.code(), 1);
    let accept = "`jettison baseline update app=oci:new --allow-increase REASON`";
    assert!(text(&run).replace("\n  ", " ").contains(accept), "{}", text(&run));
    let accepted = ["app=oci:new", "--allow-increase", "the models, #12", "--commit", "abc123"];
    let document = gate(&user, 0, &accepted);
    let image = &document["images"][0];
    assert_eq!(
        (&image["verdict"], &image["accepted"]),
        (&"warn".into(), &"the models, #12".into())
    );
    assert_eq!(image["commit"], "abc123");
    user.run(&[&["baseline", "update"][..], &accepted].concat()).text();
    let kept = fs_err::read_to_string(user.path("base.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept["images"][0]["accepted"]["reason"], "the models, #12");
    assert_eq!(kept["images"][0]["commit"], "abc123");
    assert_eq!(gate(&user, 0, &["app=oci:new"])["verdict"], "pass");
}
