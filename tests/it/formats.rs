//! Formats for other programs: each is read by a parser of its own, and nothing that an image may
//! hold acts in any of them.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context as _;
use jettison_testkit::image::{Compression, ImageBuilder, ImageFiles, LayerBuilder, Meta, Wrap};
use jettison_testkit::require::{self, Part};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use quick_xml::Reader;
use serde_json::Value;

use crate::golden::golden;
use crate::jettison::User;
use crate::shop::{self, content};

/// Every format with what its files are called.
const FORMATS: [(&str, &str); 7] = [
    ("markdown", "md"),
    ("github", "github"),
    ("sarif", "sarif"),
    ("gitlab", "gitlab.json"),
    ("openmetrics", "om"),
    ("junit", "junit.xml"),
    ("csv", "csv"),
];

/// What people call files to break reports.
const NAMES: [&[u8]; 22] = [
    b"new\nline\r",
    b"a|b||c",
    b"sed s\\|a\\|b",
    b"\x1b[31mred\x1b[0m",
    b"latin-\xe4\xf6\xfc",
    "turned-\u{202e}gnp.exe".as_bytes(),
    b"<\x2fdetails>",
    b"-->",
    b"]]>",
    b"`tick` and ``two``",
    b"%0A::error::forged",
    b"::error::forged",
    b"=cmd|'/C calc'!A0",
    b"@octocat #12",
    b"http:--evil.test www.evil.test",
    b"*b* _i_ ~~s~~ [l](u) ![i](u)",
    b"$a$ :bug: &amp;",
    b" space ",
    b"\"} 1",
    "\u{ffff}\u{fffe}".as_bytes(),
    b"-1",
    b"+1",
];

const HOSTILE: &str = "od|d `x` @me #1 --> ]]> %0A::error::x";

/// A user with an image in which every name is hostile, and of which everything is found.
fn hostile() -> User {
    let user = User::new();
    let (mut brought, mut gone) = (LayerBuilder::new(), LayerBuilder::new());
    for (number, name) in NAMES.into_iter().enumerate() {
        let below = |front: &str| [front.as_bytes(), name].concat();
        brought = brought
            .file(below("kept-"), content("kept", 2000 + number))
            .file(below("gone-"), content("gone", 1000 + number))
            .file(below("var/lib/apt/lists/"), content("list", 3000 + number));
        gone = gone.whiteout(below("gone-"));
    }
    let mut image = ImageBuilder::new().compression(Compression::Plain).layer(brought, "COPY . /");
    image = image.layer(gone, "RUN /bin/sh -c rm `x` </details> | @me #1 %0A::error::x -->");
    for name in NAMES {
        let layer = LayerBuilder::new().file([b"own-", name].concat(), "own");
        image = image.layer(layer, &format!("RUN echo {}", String::from_utf8_lossy(name)));
    }
    ImageFiles::docker_archive_legacy(&[image.tag("example.test/odd:1").build()], false)
        .write_archive(&user.path(HOSTILE), Wrap::None)
        .unwrap();
    let empty = ImageBuilder::new().build();
    ImageFiles::docker_archive_legacy(&[empty], false)
        .write_archive(&user.path("empty"), Wrap::None)
        .unwrap();
    user
}

/// The commands that have these formats, on hostile images.
const HOSTILE_RUNS: [&[&str]; 2] = [
    &["analyze", HOSTILE, "--top", "1000", "--unused"],
    &["diff", "empty", HOSTILE, "--top", "1000"],
];

fn print(user: &User, arguments: &[&str], format: &str) -> String {
    let text = user.run(&[arguments, &["--format", format]].concat()).text();
    // Nothing acts on a terminal or turns the direction of writing.
    let acts = |c: char| (c.is_control() && c != '\n' && c != '\r') || c == '\u{202e}';
    assert!(!text.contains(acts), "{format}: {text:?}");
    text
}

#[test]
fn all_formats_are_written_in_one_run_as_they_are_printed() {
    let user = User::new();
    for (name, image) in [("shop-1.tar", shop::image()), ("shop-2.tar", shop::second())] {
        ImageFiles::docker_archive_legacy(&[image], false)
            .write_archive(&user.path(name), Wrap::None)
            .unwrap();
    }
    let runs: [(&str, &[&str]); 2] = [
        ("analyze-archive", &["analyze", "shop-1.tar", "--top", "4"]),
        ("diff", &["diff", "shop-1.tar", "shop-2.tar", "--top", "4"]),
    ];
    for (name, arguments) in runs {
        let outputs: Vec<String> =
            FORMATS.iter().map(|(format, end)| format!("--output={format}=report.{end}")).collect();
        let mut all = arguments.to_vec();
        all.extend(outputs.iter().map(String::as_str));
        all.push("--output=json=report.json");
        let text = user.run(&all).text();
        assert_eq!(text, user.run(arguments).text());
        for (format, end) in FORMATS {
            let written = fs_err::read(user.path(&format!("report.{end}"))).unwrap();
            for more in [&["--no-cache"][..], &["--jobs", "1"]] {
                let printed = print(&user, &[arguments, more].concat(), format);
                assert!(printed.as_bytes() == written, "{name}: {format}");
            }
            golden(&format!("{name}.{end}"), &written);
        }
    }
}

#[test]
fn sarif_is_as_its_schema_says() {
    let schema = require::unless_skipped(Part::SarifSchema, || {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/sarif-2.1.0.json");
        let schema = fs_err::read(path).context("tests/prepare fetches the schema of SARIF")?;
        Ok(serde_json::from_slice::<Value>(&schema)?)
    });
    let Some(schema) = schema else { return };
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let user = hostile();
    shop_with_dockerfile(&user);
    let with_file: &[&str] = &["analyze", "shop.tar", "--dockerfile", "Dockerfile"];
    for arguments in [HOSTILE_RUNS[0], HOSTILE_RUNS[1], &["analyze", "empty"], with_file] {
        let log: Value = serde_json::from_str(&print(&user, arguments, "sarif")).unwrap();
        if let Some(error) = validator.iter_errors(&log).next() {
            panic!("{arguments:?}: {}: {error}", error.instance_path());
        }
        let run = &log["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.is_empty(), arguments.len() == 2, "{arguments:?}");
        let prints: HashSet<&str> = results
            .iter()
            .map(|result| result["partialFingerprints"]["jettison/v1"].as_str().unwrap())
            .collect();
        assert_eq!(prints.len(), results.len());
    }
    // A schema that lets anything pass proves nothing.
    let mut log: Value = serde_json::from_str(&print(&user, with_file, "sarif")).unwrap();
    log["runs"][0]["results"][0]["level"] = "grave".into();
    assert!(!validator.is_valid(&log));
}

fn shop_with_dockerfile(user: &User) {
    let dockerfile = "FROM scratch\n\nCOPY . /app\nRUN rm -rf \\\n    /app/left\n";
    fs_err::write(user.path("Dockerfile"), dockerfile).unwrap();
    let image = ImageBuilder::new()
        .layer(
            LayerBuilder::new()
                .file("app/left/over.bin", content("over", 9000))
                .file("app/run", content("run", 4000)),
            "COPY . /app # buildkit",
        )
        .layer(
            LayerBuilder::new().whiteout("app/left"),
            "RUN /bin/sh -c rm -rf /app/left # buildkit",
        )
        .build();
    ImageFiles::docker_archive_legacy(&[image], false)
        .write_archive(&user.path("shop.tar"), Wrap::None)
        .unwrap();
}

#[test]
fn findings_stand_at_the_lines_of_the_dockerfile() {
    let user = User::new();
    shop_with_dockerfile(&user);
    let arguments = ["analyze", "shop.tar", "--dockerfile", "./Dockerfile"];
    let github = print(&user, &arguments, "github");
    assert!(
        github.starts_with(
            "::notice file=Dockerfile,line=3,endLine=3,title=files that a later layer removes::shop.tar: 8.8 KiB of "
        ),
        "{github}"
    );
    let log: Value = serde_json::from_str(&print(&user, &arguments, "sarif")).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "Dockerfile");
    assert_eq!(place["region"], serde_json::json!({ "startLine": 3, "endLine": 3 }));
    let report: Value = serde_json::from_str(&print(&user, &arguments, "gitlab")).unwrap();
    let place = serde_json::json!({ "path": "Dockerfile", "lines": { "begin": 3 } });
    assert_eq!(report[0]["location"], place);
    assert!(print(&user, &arguments, "markdown").contains("`Dockerfile:3`"));
    assert!(print(&user, &arguments, "csv").contains("Dockerfile:3: shop.tar: "));
}

#[test]
fn markdown_of_hostile_images_is_what_it_seems() {
    let user = hostile();
    for arguments in HOSTILE_RUNS {
        let page = print(&user, arguments, "markdown");
        assert!(page.chars().count() <= 65_536);
        let (mut open, mut rows, mut text) = (0, 0, String::new());
        for event in Parser::new_ext(&page, Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
            match event {
                Event::Text(piece) => {
                    text.push_str(&piece);
                    continue;
                }
                Event::Html(html) | Event::InlineHtml(html) => {
                    let html = html.trim_end();
                    if html.starts_with("<details><summary>") {
                        open += 1;
                    } else if html == "</details>" {
                        open -= 1;
                    } else if html.starts_with("<!-- jettison-") {
                        assert_eq!(html.matches("--").count(), 2, "{html}");
                    } else {
                        assert!(matches!(html, "<sub>" | "</sub>" | ""), "{html}");
                    }
                }
                Event::End(TagEnd::TableRow) => rows += 1,
                Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_))
                | Event::InlineMath(_)
                | Event::DisplayMath(_)
                | Event::FootnoteReference(_) => panic!("{event:?}\n{page}"),
                _ => {}
            }
            assert!(!text.contains(['@', '$']) && !text.contains("#1"), "{text}");
            text.clear();
        }
        assert_eq!(open, 0, "{page}");
        assert!(rows > 3 * NAMES.len(), "{rows}");
    }
}

#[test]
fn every_other_format_of_hostile_images_is_well_formed() {
    let user = hostile();
    for arguments in HOSTILE_RUNS {
        for line in print(&user, arguments, "github").lines() {
            let command = line.strip_prefix("::").unwrap();
            let (front, message) = command.split_once("::").unwrap();
            let kinds = ["error title=", "warning title=", "notice title="];
            assert!(kinds.iter().any(|kind| front.starts_with(kind)), "{line}");
            let is_last = message.ends_with(" more of this kind: other formats have them");
            let names_it = message.starts_with("od|d `x` @me #1 --> ]]> %250A::error::x");
            assert!(names_it || is_last, "{line}");
        }
        let report: Vec<Value> = serde_json::from_str(&print(&user, arguments, "gitlab")).unwrap();
        let prints: HashSet<&str> =
            report.iter().map(|row| row["fingerprint"].as_str().unwrap()).collect();
        assert!(!report.is_empty() && prints.len() == report.len());

        let metrics = print(&user, arguments, "openmetrics");
        assert!(metrics.ends_with("\n# EOF\n"));
        for line in metrics.lines().filter(|line| !line.starts_with('#')) {
            assert!(
                line.starts_with("jettison_") && line.contains("{image=\"od|d `x` @me"),
                "{line}"
            );
        }
        let xml = print(&user, arguments, "junit");
        assert!(!xml.contains(['\u{fffe}', '\u{ffff}']));
        let mut reader = Reader::from_str(&xml);
        while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}

        let table = print(&user, arguments, "csv");
        let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(table.as_bytes());
        let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        assert!(records.len() > 3 * NAMES.len());
        for record in &records {
            for (column, cell) in record.iter().enumerate().filter(|(at, _)| !(5..8).contains(at)) {
                assert!(!cell.starts_with(['=', '+', '-', '@']), "{column}: {cell}");
            }
        }
    }
}

#[test]
fn nothing_new_is_said_in_a_line() {
    let user = shop::user();
    let same = ["diff", "shop.tar", "shop.tar"];
    let page = print(&user, &same, "markdown");
    assert_eq!(
        page,
        "<!-- jettison-diff:shop.tar:example.test/shop:1 -->\n\
         ✅ jettison diff: `shop.tar:example.test/shop:1`: nothing changed\n"
    );
    assert_eq!(print(&user, &same, "github"), "");
    assert_eq!(print(&user, &same, "gitlab"), "[]\n");
}

#[test]
fn a_rebuild_of_the_same_files_is_a_note() {
    let user = shop::user();
    // Another time in a tar changes its digest, and nothing that is in it.
    let layer = |seconds| {
        let meta = Meta { mtime: seconds, ..Meta::mode(0o644) };
        LayerBuilder::new().file_with("a", content("a", 5000), meta)
    };
    for (name, seconds) in [("1.tar", 1), ("2.tar", 2)] {
        let image = ImageBuilder::new().layer(layer(seconds), "COPY a /").build();
        ImageFiles::docker_archive_legacy(&[image], false)
            .write_archive(&user.path(name), Wrap::None)
            .unwrap();
    }
    let github = print(&user, &["diff", "1.tar", "2.tar"], "github");
    assert!(github.contains("::2.tar: 1 layer changed though no file differs: "), "{github}");
    assert_eq!(github.lines().count(), 1);
}

#[test]
fn of_one_path_there_is_text_and_json() {
    let user = shop::user();
    for arguments in [["--format", "sarif"], ["--output", "markdown=x.md"]] {
        let run = user.run(&[&["why", "shop.tar", "/etc/passwd"][..], &arguments].concat());
        run.fails(2, &["is no format of jettison why: it has text and json"]);
    }
    assert!(!user.path("x.md").exists());
    let run = user.run(&["analyze", "shop.tar", "--format", "xml"]);
    run.fails(2, &["possible values", "markdown", "openmetrics"]);
}
