//! What is typed, and what stands in `jettison.toml`.

use jettison_oci::Platform;
use jettison_testkit::image::{ImageBuilder, ImageFiles, LayerBuilder};

use crate::jettison::{Run, User};
use crate::shop;

#[test]
fn settings_stand_below_flags_and_above_defaults() {
    let user = shop::user();
    let by_flag = user.run(&["analyze", "shop.tar", "--top", "2", "--min-bytes", "1KiB"]).text();
    let settings = "[analyze]\ntop = 2\nmin-bytes = \"1 KiB\"\n";
    fs_err::write(user.path("jettison.toml"), settings).unwrap();
    assert_eq!(user.run(&["analyze", "shop.tar"]).text(), by_flag);
    fs_err::create_dir(user.path("below")).unwrap();
    let mut below = user.command(&["analyze", "../shop.tar"]);
    let from_below = Run::of(below.current_dir(user.path("below"))).text();
    assert_eq!(from_below.replace("../shop.tar", "shop.tar"), by_flag);
    let overruled = user.run(&["analyze", "shop.tar", "--top", "99"]).text();
    assert!(overruled.lines().count() > by_flag.lines().count());
    fs_err::write(user.path("other.toml"), "[analyze]\nmin-bites = 1\n").unwrap();
    let run = user.run(&["analyze", "shop.tar", "--config", "other.toml"]);
    run.fails(2, &["other.toml", "unknown key min-bites in [analyze]", "did you mean min-bytes?"]);
    let run = user.run(&["analyze", "shop.tar", "--config", "none.toml"]);
    run.fails(2, &["none.toml", "No such file"]);
}

#[test]
fn those_who_ask_are_told_how() {
    let user = shop::user();
    fs_err::write(user.path("jettison.toml"), "").unwrap();
    let quiet = user.run(&["analyze", "shop.tar"]);
    assert_eq!(quiet.stderr, "");
    let run = user.run(&["analyze", "-v", "shop.tar"]);
    assert!(run.stderr.contains("jettison: note: settings of "), "{}", run.stderr);
    assert_eq!(run.text(), quiet.text());
    user.run(&["analyze", "-v", "-q", "shop.tar"]).fails(2, &["cannot be used with"]);
}

#[test]
fn shells_and_manuals_are_served() {
    let user = User::new();
    assert!(user.run(&["completions", "bash"]).text().contains("--min-bytes"));
    assert!(user.run(&["completions", "zsh"]).text().starts_with("#compdef jettison"));
    let page = user.run(&["man"]).text();
    for part in [".TH jettison 1", "JETTISON ANALYZE", "JETTISON WHY", "docker\\-archive:FILE"] {
        assert!(page.contains(part), "{part}");
    }
    user.run(&["completions", "cmd"]).fails(2, &["possible values", "bash"]);
}

#[test]
fn standard_streams_are_not_files() {
    let user = shop::user();
    let run = user.run(&["analyze", "shop.tar", "--output", "json=-"]);
    run.fails(2, &["standard output is what --format is for"]);
    assert!(!user.path("-").exists());
    user.run(&["analyze", "shop.tar", "--base", "-"]).fails(2, &["--base -", "save it to a file"]);
    let run = user.run(&["analyze", "shop.tar", "--output", "json=none/report.json"]);
    let said = run.fails(2, &["none/report.json", "no file can be made in none"]);
    assert!(!said.contains(".jettison-"), "{said}");
}

#[test]
fn what_documents_say_does_not_act_on_the_terminal() {
    let user = User::new();
    let evil = "v\u{1b}[31m8\nforged: line\u{202e}";
    let image = ImageBuilder::new()
        .platform(Platform {
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            variant: Some(evil.to_owned()),
        })
        .created(Some(evil))
        .annotation("org.opencontainers.image.base.name", evil)
        .layer(LayerBuilder::new(), evil)
        .tag("v1")
        .build();
    ImageFiles::oci_layout([image]).write_directory(&user.path("layout")).unwrap();
    let run = user.run(&["analyze", "oci:layout"]);
    let stderr = run.stderr.clone();
    let stdout = run.text();
    for text in [&stdout, &stderr] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("forged")), "{text}");
    }
    assert!(stdout.contains("\\x1b[31m8"), "{stdout}");
    let run = user.run(&["analyze", "oci:layout", "--log-format", "json"]);
    assert!(!run.stderr.contains('\u{202e}'), "{}", run.stderr);
}
