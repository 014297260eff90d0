//! What people and machines are shown, byte for byte, in `tests/golden`.
//! `JETTISON_UPDATE_GOLDEN=1` writes the files anew.

use std::path::PathBuf;

use jettison_testkit::image::{Compression, History, ImageBuilder, ImageFiles, IndexBuilder, Wrap};
use unicode_width::UnicodeWidthStr as _;

use crate::jettison::User;
use crate::shop;

/// Holds `bytes` against the file `name`.
pub(crate) fn golden(name: &str, bytes: &[u8]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(name);
    if std::env::var_os("JETTISON_UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs_err::write(&path, bytes).unwrap();
    }
    let expected = fs_err::read(&path).unwrap_or_default();
    assert!(
        expected == bytes,
        "{name} differs; JETTISON_UPDATE_GOLDEN=1 writes it anew\n--- expected\n{}\n--- printed\n{}",
        String::from_utf8_lossy(&expected),
        String::from_utf8_lossy(bytes)
    );
}

/// Every line fits a terminal, and nothing in it acts on one. A path that alone is wider has a
/// line of its own, so that it can be copied.
fn fits(text: &str) {
    for line in text.lines() {
        let is_path = line.trim_start().starts_with('/');
        assert!(line.width() <= 80 || is_path, "{} columns: {line}", line.width());
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
        assert_eq!(line.trim_end(), line, "trailing spaces");
    }
    assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
}

/// A user with the images that the golden files show, named as they show them.
fn user() -> User {
    let user = User::new();
    let unknown =
        shop::builder().history(History::Absent).created(None).build().tagged([] as [&str; 0]);
    for (name, image) in [
        ("shop-1.tar", shop::image()),
        ("shop-2.tar", shop::second()),
        ("odd.tar", shop::odd_names()),
        ("empty.tar", ImageBuilder::new().build()),
        ("unknown.tar", unknown),
    ] {
        ImageFiles::docker_archive_legacy(&[image], false)
            .write_archive(&user.path(name), Wrap::None)
            .unwrap();
    }
    // Stored, not deflated: the same bytes whatever the version of the compressor.
    let stored = shop::builder().compression(Compression::Gzip { level: 0 }).build();
    let index = IndexBuilder::new().image(&stored).attestation(&stored).tag("v1").build();
    ImageFiles::oci_layout([index]).write_directory(&user.path("layout")).unwrap();
    user
}

const SHOP: &str = "docker-archive:shop-1.tar";

/// Every output that has a golden file.
const OUTPUTS: [(&str, &[&str]); 23] = [
    ("analyze-archive", &["analyze", SHOP]),
    ("analyze-archive-base", &["analyze", SHOP, "--base", "1", "--top", "3"]),
    ("analyze-archive-large", &["analyze", "shop-1.tar", "--min-bytes", "30KiB", "--top", "99"]),
    ("analyze-layout", &["analyze", "oci:layout:v1", "--platform", "linux/amd64"]),
    ("why-overwritten", &["why", SHOP, "/usr/bin/tool"]),
    ("why-rewritten", &["why", SHOP, "opt/shop/bin/shop"]),
    ("why-removed-above", &["why", SHOP, "/var/lib/apt/lists/Packages"]),
    ("why-removed-below", &["why", SHOP, "/var"]),
    ("why-replaced", &["why", SHOP, "/srv/was-a-directory"]),
    ("why-opaque", &["why", SHOP, "/opt/shop/cache"]),
    ("why-escaped", &["why", SHOP, "/opt/shop/latin-\\xe4\\xf6\\xfc.txt"]),
    ("why-directory", &["why", SHOP, "/opt/shop", "--top", "3", "--min-bytes", "2KiB"]),
    ("why-hard-link", &["why", SHOP, "/usr/bin/tool-1"]),
    ("why-through", &["why", SHOP, "/srv/was-a-directory/bin/shop"]),
    ("why-absent", &["why", SHOP, "/no/such/path"]),
    ("diff", &["diff", SHOP, "docker-archive:shop-2.tar"]),
    ("analyze-odd-names", &["analyze", "odd.tar", "--top", "99"]),
    ("analyze-empty", &["analyze", "empty.tar"]),
    ("analyze-no-history", &["analyze", "unknown.tar"]),
    ("why-no-history", &["why", "unknown.tar", "/"]),
    ("diff-odd-names", &["diff", "empty.tar", "odd.tar", "--top", "99"]),
    ("diff-same", &["diff", SHOP, "shop-1.tar"]),
    (
        "diff-layout",
        &["diff", "oci:layout", "shop-2.tar", "--top", "2", "--platform", "linux/amd64"],
    ),
];

#[test]
fn outputs_are_the_golden_files() {
    let user = user();
    for (name, arguments) in OUTPUTS {
        let text = user.run(arguments).text();
        fits(&text);
        golden(&format!("{name}.txt"), text.as_bytes());
        let json = user.run(&[arguments, &["--format", "json"]].concat()).bytes();
        golden(&format!("{name}.json"), &json);
    }
}

#[test]
fn documents_are_as_their_schemas_say() {
    let user = user();
    let validator = |name: &str| {
        let schemas = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas");
        let schema = fs_err::read(format!("{schemas}/{name}.v1.json")).unwrap();
        jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap()
    };
    let analysis = validator("analysis");
    let validators =
        [("analyze", &analysis), ("why", &validator("why")), ("diff", &validator("diff"))];
    for (name, arguments) in OUTPUTS {
        let document = user.run(&[arguments, &["--format", "json"]].concat()).json();
        let (_, validator) = validators.iter().find(|(word, _)| *word == arguments[0]).unwrap();
        if let Some(error) = validator.iter_errors(&document).next() {
            panic!("{name}, {}: {error}", error.instance_path());
        }
    }
    // What may be null is there all the same, and a schema that lets anything pass proves nothing.
    let mut document = user.analyze(SHOP);
    assert_eq!(document["size"]["compressed"], serde_json::Value::Null);
    document["size"].as_object_mut().unwrap().remove("compressed");
    assert!(!analysis.is_valid(&document));
}

#[test]
fn the_same_image_prints_the_same_bytes() {
    let user = user();
    for (name, arguments) in OUTPUTS {
        for format in ["text", "json"] {
            let print = |more: &[&str]| {
                user.run(&[arguments, &["--format", format], more].concat()).bytes()
            };
            let first = print(&["--no-cache"]);
            for more in [
                &["--no-cache"][..],
                &[],
                &[],
                &["--jobs", "1"],
                &["--no-cache", "--jobs", "1"],
                &["--no-cache", "--jobs", "2"],
                &["--verify"],
                &["--quiet"],
            ] {
                assert!(print(more) == first, "{name} {format} with {more:?}");
            }
        }
    }
}

/// `text` without ANSI colours, which must be all the control sequences it has.
fn without_color(text: &str) -> String {
    let mut pieces = text.split("\x1b[");
    let mut plain = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_once('m').unwrap();
        assert!(code.bytes().all(|b| b.is_ascii_digit() || b == b';'), "{code:?}");
        plain.push_str(rest);
    }
    plain
}

#[test]
fn colour_changes_nothing_but_colour() {
    let user = user();
    for (name, arguments) in OUTPUTS {
        let plain = user.run(arguments).text();
        let always = user.run(&[arguments, &["--color", "always"]].concat()).text();
        assert!(always.contains("\x1b["), "{name}");
        // Lines may break elsewhere, words may not differ.
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let uncolored = without_color(&always);
        assert_eq!(words(&uncolored), words(&plain), "{name}");
        fits(&uncolored);
        let never = user.run(&[arguments, &["--color", "never"]].concat()).text();
        assert_eq!(never, plain, "{name}");
        let json = [arguments, &["--format", "json", "--color", "always"]].concat();
        assert!(!user.run(&json).text().contains('\x1b'), "{name}");
    }
}

/// What `jettison` prints to a terminal; `script` makes one.
fn on_a_terminal(user: &User, variable: Option<(&str, &str)>) -> String {
    let mut command = user.program("script");
    command
        .args(["--quiet", "--return", "--command"])
        .arg(format!("{} analyze shop-1.tar", crate::jettison::binary().display()))
        .arg("/dev/null")
        .env("TERM", "xterm")
        .envs(variable);
    jettison_testkit::process::run(&mut command).unwrap()
}

#[test]
fn a_terminal_gets_colour_unless_no_color_is_set() {
    let user = user();
    let plain = user.run(&["analyze", "shop-1.tar"]).text();
    let colored = on_a_terminal(&user, None);
    assert!(colored.contains("\x1b[1mdocker-archive:shop-1.tar"), "{colored}");
    // An empty NO_COLOR is none, by its definition.
    assert!(on_a_terminal(&user, Some(("NO_COLOR", ""))).contains("\x1b[1m"));
    let without = on_a_terminal(&user, Some(("NO_COLOR", "1")));
    assert!(without.replace('\r', "").contains(&plain), "{without}");
    assert!(!without.contains("\x1b[1m"), "{without:?}");
    let mut asked = user.command(&["analyze", "shop-1.tar", "--color", "always"]);
    let asked = crate::jettison::Run::of(asked.env("NO_COLOR", "1")).text();
    assert!(asked.contains("\x1b[1m"), "an explicit flag is stronger");
}

#[test]
fn outputs_go_to_files_too() {
    let user = user();
    let run = user.run(&[
        "analyze",
        SHOP,
        "--format",
        "json",
        "--output",
        "text=report.txt",
        "--output",
        "json=report.json",
        "--output",
        "json=/dev/stderr",
    ]);
    let stderr = run.stderr.clone();
    let printed = run.bytes();
    golden("analyze-archive.json", &printed);
    golden("analyze-archive.json", &fs_err::read(user.path("report.json")).unwrap());
    golden("analyze-archive.json", stderr.as_bytes());
    golden("analyze-archive.txt", &fs_err::read(user.path("report.txt")).unwrap());
    let names = crate::jettison::names(&user.work());
    assert!(names.contains(&"report.json".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with('.')), "{names:?}");
}
